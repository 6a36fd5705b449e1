"""`flockchain gov preview` over a real chain: it foretells what one with other rules has paid."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from flockchain.chain.builder import build_block
from flockchain.cli import gov
from flockchain.economics.live_state import StateForged
from flockchain.economics.past_days import PastBlock, PastDays, Replay
from flockchain.keys import key_pair_from_uri
from flockchain.resting_chain import importer_of, resting_chain
from flockchain.sdk import Client
from flockchain.sdk.signing import Validity, sign_call
from genesis.spec import load_chain_spec
from runtime.economy.governance import Track
from runtime.economy.parameters import ArenaParameters
from runtime.frame.executive import verify_signature
from runtime.frame.externalities import DictState
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.governance import Governance
from runtime.pallets.tasks import Tasks
from runtime.pallets.treasury import TREASURY, Treasury
from runtime.primitives.babe_digest import instant_log
from runtime.primitives.era import IMMORTAL
from runtime.primitives.multi import Id
from runtime.primitives.rational import Rational
from runtime.primitives.scale import codec_of
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML, AccountId
from tests.flockchain.cli.test_chain_commands import RUNNER
from tests.flockchain.economics.test_live_chain import (
    CREATOR,
    FIRST,
    FRIEND,
    NODE,
    SECOND,
    Story,
)
from tests.flockchain.fast_chain import AUTHOR, FastChain, fast_chain, genesis_of
from tests.runtime.block_chain import call_of

KEYS = [CREATOR, NODE, FIRST, SECOND, FRIEND]
PAYEE = AccountId(bytes([7] * 32))
SINCE = {"gamma": Rational(1, 10), "no_reveal_slash": Rational(1, 50)}


def genesis(change: Callable[[ArenaParameters], ArenaParameters]) -> dict[bytes, bytes]:
    """Block 0 of a chain whose rules are others from the beginning."""
    top = genesis_of([AUTHOR, *KEYS])
    codec, path = codec_of(ArenaParameters), Tasks.parameters.path()
    return {**top, path: codec.encode(change(codec.decode_all(top[path])))}


async def play(chain: FastChain, client: Client) -> Story:
    """Days 1 and 2 are scored, and settled; it is day 3."""
    chain.seal_when_asked()
    story = Story(chain, client)
    await story.begin()
    await story.score(1)
    await story.score(2)
    story.go_to(3, 3)
    return story


async def ask(chain: FastChain, *words: str) -> Result:
    return await asyncio.to_thread(RUNNER.invoke, gov.app, ["preview", *words, "--rpc", chain.url])


def changed(rules: ArenaParameters) -> ArenaParameters:
    return replace(rules, **SINCE)  # type: ignore[arg-type]


def owned(chain: FastChain) -> dict[str, int]:
    """What everybody has, of the people of the story."""
    system = chain.runtime().system
    data = {key: system.account_info(key.account).data for key in KEYS}
    return {encode_address(key.account): each.free + each.reserved for key, each in data.items()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says on a chain as it is, and what a chain with the rules did."""
    folder = tmp_path_factory.mktemp("preview")
    answers: dict[str, Any] = {}

    async def run() -> None:
        before = genesis(lambda rules: rules)
        async with (
            fast_chain(folder / "asis", [], before) as chain,
            await Client.connect(chain.url) as client,
        ):
            story = await play(chain, client)
            answers["asis"] = owned(chain)
            about = bytes(32)
            rules = changed(chain.runtime().tasks.parameters_on(3))
            spend = call_of(Treasury.spend, PAYEE, 10**6 * FML)
            for track, call in (
                (Track.PARAMETERS, call_of(Tasks.set_parameters, rules)),
                (Track.TREASURY, spend),
            ):
                await story.do(FRIEND, encode_call(Governance.propose, track, about, call))
            head = chain.backend.best.number
            answers["head"] = head
            answers["rules"] = await ask(chain, "0", "--days", "2", "--json")
            answers["table"] = await ask(chain, "0", "--days", "2")
            answers["poor"] = await ask(chain, "1")
            answers["none"] = await ask(chain, "2")
            chain.seal(40)
            answers["over"] = await ask(chain, "0")
            paid = [await story.paid_on(day) for day in (1, 2)]
            answers["paid_asis"] = paid
        async with (
            fast_chain(folder / "other", [], genesis(changed)) as chain,
            await Client.connect(chain.url) as client,
        ):
            story = await play(chain, client)
            answers["other"] = owned(chain)
            answers["paid_other"] = [await story.paid_on(day) for day in (1, 2)]

    asyncio.run(run())
    return answers


def test_a_replay_under_a_proposal_pays_as_a_chain_with_its_rules(told: dict[str, Any]) -> None:
    answer = json.loads(told["rules"].stdout)
    assert (answer["first_day"], answer["last_day"]) == (1, 2)
    assert (answer["from_block"], answer["to_block"]) == (19, told["head"])
    assert (answer["proven"], answer["left_out"], answer["issued"]) == (True, 0, "0")
    assert (answer["track"], answer["call"]) == ("parameters", "Tasks.set_parameters")
    assert answer["would_do"] == ["ParametersScheduled"]
    found = {
        row["account"]: int(row["balance"])
        for row in answer["gained"] + answer["lost"] + answer["moved"]
    }
    expected = {who: amount - told["asis"][who] for who, amount in told["other"].items()}
    assert {who: amount for who, amount in expected.items() if amount} == found
    assert len(found) == 3, "the node and both validators"
    rows = answer["gained"] + answer["lost"] + answer["moved"]
    assert sum(int(row["difference"]) for row in rows) == 0, "one reward, divided in another way"
    for row, asis, other in zip(
        answer["arena"], told["paid_asis"], told["paid_other"], strict=True
    ):
        assert int(row["without"]) == sum(map(int, asis.values()))
        assert int(row["with"]) == sum(map(int, other.values()))
    assert all(row["difference"] != "0" for row in answer["gained"] + answer["lost"])
    assert answer["alliance"] == []


def test_people_see_tables(told: dict[str, Any]) -> None:
    result = told["table"]
    assert result.exit_code == 0, result.output
    assert "as if made before day 1: days 1 to 2" in result.stdout
    assert "gained" in result.stdout
    assert "lost" in result.stdout
    assert "arena: 2 settlements replayed" in result.stdout
    assert "Assumed:" in result.stdout


def test_what_cannot_be_previewed_is_refused(told: dict[str, Any]) -> None:
    assert told["poor"].exit_code == 1
    assert told["poor"].stderr.startswith("error: the call of proposal 1 would fail now: ")
    assert told["none"].stderr == ("error: there is no proposal 2, or it was decided long ago\n")
    assert told["over"].stderr == "error: proposal 0 is over: quorum_missed\n"


def test_blocks_that_give_another_state_are_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path, KEYS) as chain:
            early = await ask(chain, "0")
            assert early.stderr == (
                "error: block 0 is the last final one: no whole day after day 0 has passed yet\n"
            )
            chain.seal(2)
            backend = chain.backend
            blocks = []
            for number in (1, 2):
                block = backend.blocks.hash_at(number)
                assert block is not None
                header, body = backend.header(block), backend.blocks.body(block)
                assert header is not None
                assert body is not None
                blocks.append(PastBlock(header, body))
            start = dict(backend.state_at(backend.genesis).pairs(b""))
            honest = Replay(PastDays(1, 1, DictState(start), blocks))
            assert len(list(honest.play())) == 2
            assert honest.check_root()
            forged = {**start, b"more": b"1"}
            replay = Replay(PastDays(1, 1, DictState(forged), blocks))
            list(replay.play())
            with pytest.raises(StateForged, match="the blocks up to #2 give root 0x"):
                replay.check_root()

    asyncio.run(run())


def grow(base: Path, states_max: int | None) -> None:
    """A chain on disk: a gift to the treasury, then a proposal to spend a part of it."""
    alice = key_pair_from_uri("//Alice", "sr25519")
    spend = call_of(Treasury.spend, PAYEE, 7 * FML)
    calls = {
        1: encode_call(Balances.transfer_keep_alive, Id(TREASURY), 20 * FML),
        30: encode_call(Governance.propose, Track.TREASURY, bytes(32), spend),
    }
    with resting_chain(load_chain_spec("dev"), base, states_max, is_made=True) as backend:
        importer, _ = importer_of(backend, is_instant=True)
        for number in range(1, 45):
            parent, now_ms = backend.best.hash, 1_700_000_000_000 + 6_000 * number
            ready = []
            if number in calls:
                nonce, genesis = list(calls).index(number), backend.genesis
                forever = Validity(IMMORTAL, genesis)
                ready.append(
                    sign_call(
                        calls[number], alice, nonce=nonce, tip=0, validity=forever, genesis=genesis
                    )
                )
            built = build_block(
                *(backend.state_at(parent), parent, number, [instant_log(0)], now_ms, ready),
                *(verify_signature, lambda: False, lambda _: None),
            )
            header, delta = importer.prepare(built)
            backend.finalize(importer.import_own(header, built.body, delta).hash)


@pytest.mark.parametrize(("states_max", "start"), [(None, 19), (16, 1)])
def test_a_stopped_nodes_database_is_enough(
    tmp_path: Path, states_max: int | None, start: int
) -> None:
    grow(tmp_path, states_max)
    words = ["preview", "0", "--chain", "dev", "--base-path", str(tmp_path), "--json"]
    result = RUNNER.invoke(gov.app, words)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert (answer["first_day"], answer["last_day"], answer["from_block"]) == (1, 1, start)
    assert answer["proven"]
    assert [(row["account"], row["balance"]) for row in answer["gained"]] == [
        (encode_address(PAYEE), str(7 * FML))
    ]
    assert [(row["account"], row["balance"]) for row in answer["lost"]] == [
        ("treasury", str(-7 * FML))
    ]


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    words = ["preview", "0", "--base-path", str(tmp_path)]
    assert RUNNER.invoke(gov.app, words).exit_code == 2
    result = RUNNER.invoke(gov.app, [*words, "--chain", "dev"])
    assert result.stderr.startswith("error: there is no database at ")
