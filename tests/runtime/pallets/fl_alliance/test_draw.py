"""Check-in: only a member's own proof of this round counts, and a thousand members are drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from runtime.economy.alliance import capped_weights
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import CheckIn, Proposal, VoterRecord
from runtime.pallets.fl_alliance.seals import vrf_input
from runtime.pallets.fl_alliance.sortition import draw
from runtime.pallets.fl_alliance.stages import Outcome, Stage, VoidReason
from runtime.primitives import vrf
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    NAMES,
    Alliance,
    create,
    finish_arena_task,
    new_alliance,
    vrf_seed,
)
from tests.runtime.pallets.world import GENESIS, World, account

_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def test_roles_are_those_of_the_outputs() -> None:
    made = new_alliance(*NAMES)
    made.check_in(*NAMES)
    outputs = [(made.pallet.check_ins.get((made.key, account(n))).output, n) for n in NAMES]
    expected = draw(outputs, 10, Rational(1, 1), Rational(1, 5))
    made.world.next_block()
    assert made.stage is Stage.PROPOSE
    assert made.roles() == (list(expected.proposers), list(expected.voters))
    assert made.round.absent == 0
    for index, name in enumerate(expected.proposers):
        assert made.pallet.proposals.get((made.key, account(name))) == Proposal(index)
    for name in expected.voters:
        assert made.pallet.votes.get((made.key, account(name))) == VoterRecord()
    drawn = events.RolesDrawn(1, 0, 2, 7, 0)
    assert made.world.events(events.RolesDrawn) == [drawn]


def test_the_input_binds_chain_randomness_task_round_and_account() -> None:
    made = new_alliance(*"abcde")
    who, seed = account("a"), made.round.seed
    proof = made.proof("a")
    assert made.input("a") == GENESIS + seed + (1).to_bytes(4, "little") + bytes(4) + who
    made.check_in("a")
    output = vrf.verify(made.member("a").key, proof, made.input("a"))
    assert output is not None
    assert made.pallet.check_ins.get((made.key, who)) == CheckIn(output, proof)


def test_proofs_of_others_other_rounds_and_tampered_ones_are_refused() -> None:
    made = new_alliance(*"abcde")
    who, seed = signed(account("a")), made.round.seed
    own = made.proof("a")
    inputs = [
        vrf_input(GENESIS, seed, 1, 0, account("b")),
        vrf_input(GENESIS, seed, 1, 1, account("a")),
        vrf_input(GENESIS, seed, 2, 0, account("a")),
        vrf_input(GENESIS, GENESIS, 1, 0, account("a")),
        vrf_input(seed, seed, 1, 0, account("a")),
    ]
    forged = [vrf.prove(vrf_seed("a"), each) for each in inputs]
    forged.append(vrf.prove(vrf_seed("b"), made.input("a")))
    response = int.from_bytes(own[48:], "little") + _GROUP_ORDER
    forged.append(own[:48] + response.to_bytes(32, "little"))  # not canonical: s ≥ L
    forged += [bytes((own[at] ^ 1 if i == at else b) for i, b in enumerate(own)) for at in (0, 40)]
    forged.append((2**255 - 19).to_bytes(32, "little") + own[32:])
    for proof in forged:
        with pytest.raises(events.BadProof):
            made.pallet.check_in(who, 1, 0, proof)
    made.pallet.check_in(who, 1, 0, own)
    with pytest.raises(events.AlreadyCheckedIn):
        made.pallet.check_in(who, 1, 0, own)


def test_who_and_when() -> None:
    made = new_alliance(*"abcde")
    proof = made.proof("a")
    with pytest.raises(events.WrongRound):
        made.pallet.check_in(signed(account("a")), 1, 1, proof)
    with pytest.raises(events.UnknownTask):
        made.pallet.check_in(signed(account("a")), 0, 0, proof)
    with pytest.raises(events.NotACandidate):
        made.pallet.check_in(signed(account("idle")), 1, 0, proof)
    made.join("creator")  # too late for this round
    late = vrf.prove(vrf_seed("creator"), made.input("creator"))
    with pytest.raises(events.NotACandidate):
        made.pallet.check_in(signed(account("creator")), 1, 0, late)
    made.check_in(*"abcd")
    for _ in range(4):
        assert made.stage is Stage.CHECK_IN
        made.world.next_block()
    assert made.stage is Stage.PROPOSE
    with pytest.raises(events.WrongStage):
        made.check_in("e")
    assert made.round.absent == 1


def test_a_round_in_which_nobody_posts_a_proof_is_void() -> None:
    made = new_alliance(*"abcde")
    made.world.next_block()
    made.settle()
    result = made.result(0)
    assert (result.outcome, result.void) == (Outcome.VOID, VoidReason.NOBODY_DRAWN)
    assert set(made.balances("abcde").values()) == {9 * FML}
    assert made.pool == 1_005 * FML


def test_a_lone_proposer_without_voters_is_not_to_blame() -> None:
    made = new_alliance(*"abcde")
    made.check_in("c")
    made.world.next_block()
    made.settle()
    assert made.result(0).void is VoidReason.NOBODY_DRAWN
    assert made.balances("abcde") == {**dict.fromkeys("abde", 9 * FML), "c": 10 * FML}


def test_weights_are_capped_at_twice_the_lower_median() -> None:
    made = new_alliance()
    units = {name: 1 + 100 * (name == "j") for name in NAMES}
    for name in NAMES:
        made.world.balances.transfer(account("idle"), account(name), 100 * FML)
        made.join(name, units[name])
    made.open_round()
    made.seat("abj", "cde")
    assert made.round.weights == capped_weights([1, 1, 101]) == [1, 1, 2]


MANY = 1_000


def crowd(name: str) -> list[str]:
    return [f"{name}{number}" for number in range(MANY)]


@pytest.fixture(scope="module")
def thousand() -> Alliance:
    """A thousand members, of which one in ten will post no proof; nothing is checked per block."""
    world = World(checks=False)
    names = crowd("m")
    world.endow("creator", "idle", *names, amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world)
    create(world, participation=Rational(1, 10), proposing=Rational(1, 5))
    made = Alliance(world)
    made.pallet.config = replace(made.pallet.config, steps_per_block=150)
    for name in names:
        made.join(name)
    made.open_round()
    return made


def test_a_thousand_members_are_drawn_over_some_blocks(thousand: Alliance) -> None:
    made, names = thousand, crowd("m")
    assert made.round.members == MANY
    present = names[: MANY * 9 // 10]
    made.check_in(*present)
    made.go_to(Stage.DRAW)
    blocks = 0
    while made.stage is Stage.DRAW:
        made.world.next_block()
        blocks += 1
    assert blocks == MANY // 150
    proposers, voters = made.roles()
    outputs = [(made.pallet.check_ins.get((made.key, account(n))).output, n) for n in present]
    expected = draw(outputs, MANY, Rational(1, 10), Rational(1, 5))
    assert (proposers, voters) == (list(expected.proposers), list(expected.voters))
    assert (len(proposers), len(voters), made.round.absent) == (20, 79, 100)
    made.propose(*proposers)
    made.report_all(voters)
    made.settle()
    made.world.check()
    balances = Counter(made.balances(names).values())
    assert made.result(0).void is VoidReason.NOTHING_HELD  # 79 of 179 voters are there
    assert balances == {9 * FML: 100, 10 * FML: 900}
    assert made.pool == 1_000 * FML + 100 * FML
    held = sum(made.world.balances.held(HoldReason.FL_STAKE, account(name)) for name in names)
    assert held == 9_900 * FML
