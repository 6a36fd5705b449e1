"""`flockchain gov preview` of a rule of the FL Alliance, over rounds that a chain has settled."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from flockchain.cli import gov
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk.signing import Validity, sign_call
from runtime import frame
from runtime.api import preset_of
from runtime.economy.governance import Track
from runtime.economy.tasks import TaskStatus
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.events import EndReason
from runtime.pallets.fl_alliance.seals import (
    possession_message,
    seal_proposal,
    seal_vote,
    vrf_input,
)
from runtime.pallets.fl_alliance.stages import Outcome, Stage
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.pallets.governance import Governance
from runtime.primitives import vrf
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from runtime.runtime import Runtime
from tests.flockchain.cli.test_chain_commands import RUNNER
from tests.flockchain.fast_chain import AUTHOR, FastChain, fast_chain, genesis_of
from tests.runtime.block_chain import call_of
from tests.runtime.pallets.fl_alliance.alliance_world import alliance_terms, yes
from tests.runtime.pallets.world import terms

CREATOR = key_pair_from_uri("//Creator", "ed25519")
MEMBERS = [key_pair_from_uri(f"//Member{number}", "ed25519") for number in range(6)]
ABSENT = MEMBERS[-1]
PRESENT = MEMBERS[:-1]
TASK, STAKE, POOL = 1, 10 * FML, 100 * FML
BLOCKS_MAX = 150


class Play:
    """What participants do, block by block; the last one joins and then says nothing."""

    def __init__(self, chain: FastChain) -> None:
        self.chain, self.genesis = chain, chain.backend.genesis
        self.done: set[tuple[int, Stage]] = set()

    def send(self, *calls: tuple[KeyPair, bytes]) -> None:
        """All calls in the next block, at most one of a key."""
        for key, call in calls:
            nonce = self.chain.runtime().system.nonce_of(key.account)
            validity = Validity(IMMORTAL, self.genesis)
            made = sign_call(call, key, nonce=nonce, tip=0, validity=validity, genesis=self.genesis)
            self.chain.node.submit(made)
        self.chain.seal()

    def begin(self) -> None:
        """A task of two rounds with six members."""
        declared = alliance_terms(rounds=2, proposing=Rational(1, 5))
        self.send((CREATOR, encode_call(FlAlliance.create_task, declared, POOL)))
        joins = []
        for key in MEMBERS:
            seed, message = secret_of(key), possession_message(self.genesis, TASK, key.account)
            possession = vrf.prove(seed, message)
            call = encode_call(FlAlliance.join, TASK, vrf.public_key(seed), possession, 10)
            joins.append((key, call))
        self.send(*joins)

    def next(self) -> None:
        """The next block, with what its stage asks for."""
        alliance = self.chain.runtime().alliance
        progress = alliance.progress.find(TASK)
        if progress is None or progress.stage not in ACTS:
            self.chain.seal()
            return
        key = alliance.key_of(TASK)
        if (key.round, progress.stage) in self.done:
            self.chain.seal()
            return
        self.done.add((key.round, progress.stage))
        self.send(*ACTS[progress.stage](self, self.chain.runtime(), key.round))

    # -- what a stage asks for

    def check_in(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        seed = runtime.alliance.rounds.get(runtime.alliance.key_of(TASK)).seed
        made = []
        for key in PRESENT:
            asked = vrf_input(self.genesis, seed, TASK, round_, key.account)
            proof = vrf.prove(secret_of(key), asked)
            made.append((key, encode_call(FlAlliance.check_in, TASK, round_, proof)))
        return made

    def propose(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        seals = [
            (key, seal_proposal(self.genesis, (TASK, round_), key.account, *update(key, round_)))
            for key in self.drawn(runtime, "proposers")
        ]
        call = FlAlliance.commit_proposal
        return [(key, encode_call(call, TASK, round_, seal)) for key, seal in seals]

    def disclose(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        call = FlAlliance.reveal_proposal
        return [
            (key, encode_call(call, TASK, round_, *update(key, round_)))
            for key in self.drawn(runtime, "proposers")
        ]

    def report(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        mask = runtime.alliance.progress.get(TASK).mask
        voters = self.drawn(runtime, "voters")
        return [(key, encode_call(FlAlliance.report, TASK, round_, mask)) for key in voters]

    def vote(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        made = []
        for key in self.drawn(runtime, "voters"):
            seal = seal_vote(self.genesis, (TASK, round_), key.account, yes(), SALT)
            made.append((key, encode_call(FlAlliance.commit_vote, TASK, round_, seal)))
        return made

    def open(self, runtime: Runtime, round_: int) -> list[tuple[KeyPair, bytes]]:
        call = FlAlliance.reveal_vote
        voters = self.drawn(runtime, "voters")
        return [(key, encode_call(call, TASK, round_, yes(), SALT)) for key in voters]

    @staticmethod
    def drawn(runtime: Runtime, role: str) -> list[KeyPair]:
        found = getattr(runtime.alliance.rounds.get(runtime.alliance.key_of(TASK)), role)
        return [key for key in PRESENT if key.account in found]


SALT = blake2b_256(b"salt")
ACTS = {
    Stage.CHECK_IN: Play.check_in,
    Stage.PROPOSE: Play.propose,
    Stage.DISCLOSE: Play.disclose,
    Stage.REPORT: Play.report,
    Stage.VOTE: Play.vote,
    Stage.OPEN: Play.open,
}


def secret_of(key: KeyPair) -> bytes:
    """The secret of a member's VRF key."""
    return blake2b_256(b"vrf" + key.account)


def update(key: KeyPair, round_: int) -> tuple[bytes, bytes, bytes]:
    """Content ids of an update and of what travels, and the salt."""
    made = blake2b_256(key.account + bytes([round_]))
    return made, blake2b_256(made), SALT


def genesis() -> dict[bytes, bytes]:
    """Block 0 of a chain on which Arena task 0 is completed."""
    top = genesis_of([AUTHOR, CREATOR, *MEMBERS])
    state = DictState(top)
    ext = Externalities(state)
    runtime = Runtime(ext, preset_of(state))
    runtime.tasks.create_verified_task(frame.ROOT, CREATOR.account, terms())
    runtime.tasks.end_task(0, TaskStatus.COMPLETED)
    runtime.models.record_model(0, blake2b_256(b"arena model"), 0, CREATOR.account, (9, 10), [])
    changed = {**top, **ext.changes()}
    return {key: value for key, value in changed.items() if value is not None}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says of twice and a half the slash for absence, after both rounds."""
    answers: dict[str, Any] = {}

    async def run() -> None:
        async with fast_chain(tmp_path_factory.mktemp("node"), [], genesis()) as chain:
            chain.seal()
            play = Play(chain)
            play.begin()
            while chain.runtime().alliance.get_task(TASK).ended is None:
                assert chain.backend.best.number < BLOCKS_MAX, "the task has not ended"
                play.next()
            chain.seal(22)
            alliance = chain.runtime().alliance
            answers["ended"] = alliance.get_task(TASK).ended
            results = [each for key, each in alliance.results.items() if key.task == TASK]
            answers["outcomes"] = [each.outcome for each in results]
            answers["earned"] = {
                who: member.earned for who, member in alliance.members.items_of(TASK)
            }
            rules = call_of(FlAlliance.set_parameters, AllianceParameters(Rational(1, 4)))
            propose = encode_call(Governance.propose, Track.PARAMETERS, bytes(32), rules)
            play.send((CREATOR, propose))
            words = ["preview", "0", "--days", "30", "--json", "--rpc", chain.url]
            result = await asyncio.to_thread(RUNNER.invoke, gov.app, words)
            assert result.exit_code == 0, result.output
            answers["preview"] = json.loads(result.stdout)

    asyncio.run(run())
    return answers


def test_rounds_are_replayed_under_another_rule(told: dict[str, Any]) -> None:
    assert told["ended"] is EndReason.ALL_ROUNDS
    assert told["outcomes"] == [Outcome.ACCEPTED] * 2
    preview = told["preview"]
    assert (preview["call"], preview["proven"]) == ("FlAlliance.set_parameters", True)
    assert preview["left_out"] == 0
    assert [(row["task"], row["round"]) for row in preview["alliance"]] == [(TASK, 0), (TASK, 1)]
    first, second = preview["alliance"]
    more = STAKE // 4 - STAKE // 10  # of the first round's slash
    assert int(first["with"]) - int(first["without"]) == -more
    later = (STAKE - STAKE // 4) // 4 - (STAKE - STAKE // 10) // 10
    assert int(second["with"]) - int(second["without"]) == more - later


def test_who_was_absent_loses_who_worked_gains_and_the_sum_is_what_burned(
    told: dict[str, Any],
) -> None:
    preview = told["preview"]
    with_, without = STAKE * 9 // 16, STAKE * 81 // 100  # what two slashes leave
    (lost,) = preview["lost"]
    assert lost["account"] == encode_address(ABSENT.account)
    assert int(lost["difference"]) == with_ - without
    gained = {row["account"]: int(row["difference"]) for row in preview["gained"]}
    assert gained.keys() <= {encode_address(key.account) for key in PRESENT}
    assert sum(gained.values()) == STAKE // 4 - STAKE // 10, "the last round pays what was slashed"
    burned = (STAKE - STAKE // 4) // 4 - (STAKE - STAKE // 10) // 10
    assert int(preview["issued"]) == -burned, "the pool's rest, which the last slash made larger"
    assert sum(gained.values()) + int(lost["difference"]) == int(preview["issued"])
    assert preview["arena"] == []
