"""Offences: what is evidence, what it costs, and that nothing costs twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.authorities import KeyOwnership
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.origin import NONE, signed
from runtime.frame.pallet import entry_of
from runtime.frame.validity import TransactionSource
from runtime.pallets.offences import (
    AlreadyReported,
    FalseEvidence,
    Offences,
    WrongKey,
    WrongSession,
    compute_fraction,
)
from runtime.pallets.session import FalseProof, StaleProof
from runtime.primitives.evidence import BlockEquivocation
from tests.runtime.pallets.staking.stake_world import (
    FIRST_SLOT,
    STAKE,
    VALIDATORS,
    StakeWorld,
    account,
)

REPORTER = signed(account("reporter"))


def new_world(session: int = 0) -> StakeWorld:
    world = StakeWorld()
    world.block()
    world.to_session(session)
    return world


def test_the_formula() -> None:
    parts = 10**18
    assert compute_fraction(0, 4) == 0
    assert compute_fraction(1, 4) == parts * 9 // 16
    assert compute_fraction(1, 3) == compute_fraction(2, 3) == parts
    assert compute_fraction(1, 100) == parts * 9 // 10_000


def test_fifty_slots_twice_cost_what_one_does() -> None:
    """Nothing at stake, C1: an author on two forks; its stake falls by the formula, once an era."""
    world = new_world()
    evidence: list[tuple[BlockEquivocation, KeyOwnership]] = []
    for _ in range(50):
        evidence.append((world.two_blocks("v1"), world.proof("v1")))
        world.block()
    sessions: set[int] = set()
    for one, proof in evidence:
        if proof.session in sessions:
            with pytest.raises(AlreadyReported):
                world.offences.report_blocks(REPORTER, one, proof)
        else:
            world.offences.report_blocks(REPORTER, one, proof)
            sessions.add(proof.session)
    assert sessions == {0, 1, 2, 3, 4}
    for _ in range(5):
        world.block()
    # (3/4)² in era 0, and again of what stood behind it in era 1, as far as it was still there.
    left = STAKE - STAKE * 9 // 16
    assert world.bonded("v1") == max(left - STAKE * 9 // 16, 0)
    assert not world.staking.is_candidate(account("v1"))
    world.to_session(12)
    assert world.acting() == ["v2", "v3", "v4"]


def test_offenders_of_a_session_bear_each_others_weight() -> None:
    world = new_world()
    world.report("v1")
    world.block()
    assert world.bonded("v1") == STAKE * 7 // 16
    world.offences.report_blocks(REPORTER, world.two_blocks("v2"), world.proof("v2"))
    for _ in range(2):
        world.block()
    # Two of four: (3·2/4)² > 1.
    assert (world.bonded("v1"), world.bonded("v2"), world.bonded("v3")) == (0, 0, STAKE)


def test_blocks_and_votes_of_an_era_cost_the_larger_fraction() -> None:
    world = new_world(3)
    world.report("v1")
    world.offences.report_votes(REPORTER, world.two_votes("v1"), world.proof("v1"))
    world.offences.report_votes(REPORTER, world.two_votes("v2"), world.proof("v2"))
    for _ in range(3):
        world.block()
    assert (world.bonded("v1"), world.bonded("v2")) == (0, 0)
    with pytest.raises(AlreadyReported):
        world.offences.report_votes(REPORTER, world.two_votes("v1", 9), world.proof("v1"))


def test_nobody_reports_twice_or_with_a_stale_proof() -> None:
    world = new_world()
    evidence, proof = world.two_blocks("v1"), world.proof("v1")
    world.offences.report_blocks(REPORTER, evidence, proof)
    with pytest.raises(AlreadyReported):
        world.offences.report_blocks_unsigned(NONE, evidence, proof)
    late = world.two_blocks("v2"), world.proof("v2")
    world.to_session(6)
    with pytest.raises(StaleProof):
        world.offences.report_blocks(REPORTER, *late)
    world.report("v3")
    assert [key.number for key, _ in world.offences.cases.items()] == [6]  # old cases are dropped


def test_evidence_must_fit_its_proof() -> None:
    world = new_world(1)
    evidence, proof, other = world.two_blocks("v1"), world.proof("v1"), world.proof("v2")
    votes = world.two_votes("v1")
    report, report_votes = world.offences.report_blocks, world.offences.report_votes
    with pytest.raises(WrongKey):
        report(REPORTER, evidence, other)
    with pytest.raises(WrongKey):
        report_votes(REPORTER, votes, other)
    with pytest.raises(FalseProof):
        report(REPORTER, evidence, replace(proof, place=1))
    for slot in (FIRST_SLOT - 1, FIRST_SLOT + 9, FIRST_SLOT + 20):
        with pytest.raises(WrongSession):
            report(REPORTER, world.two_blocks("v1", slot), proof)
    for slot in (FIRST_SLOT + 10, FIRST_SLOT + 19):
        with pytest.raises(FalseEvidence):
            report(REPORTER, replace(evidence, slot=slot, second=evidence.first), proof)
    with pytest.raises(WrongSession):
        report_votes(REPORTER, replace(votes, set_id=1), proof)
    with pytest.raises(FalseEvidence):
        report_votes(REPORTER, replace(votes, round=2), proof)
    report_votes(REPORTER, votes, proof)


def test_votes_belong_to_the_sessions_of_their_set() -> None:
    world = new_world()
    votes, proof = world.two_votes("v1"), world.proof("v1")
    world.become_candidate("c1", 2 * STAKE)
    world.to_session(3)
    assert world.grandpa.current_set_id.get() == 1
    with pytest.raises(WrongSession):
        world.offences.report_votes(REPORTER, votes, world.proof("v1"))
    with pytest.raises(WrongSession):
        world.offences.report_votes(REPORTER, world.two_votes("v1"), proof)
    world.offences.report_votes(REPORTER, votes, proof)
    world.to_session(6)
    set_id = world.grandpa.current_set_id.get()
    world.offences.report_votes(REPORTER, world.two_votes("v2"), world.proof("v2"))
    world.to_session(9)
    world.report("c1")
    kept = sorted((key.kind.name, key.number) for key, _ in world.offences.cases.items())
    assert kept == [("BLOCK", 9), ("VOTE", set_id)]


def test_a_slot_of_an_empty_epoch_belongs_to_the_session_after_it() -> None:
    world = new_world()
    world.block(slot=FIRST_SLOT + 35)
    world.offences.report_blocks(
        REPORTER, world.two_blocks("v1", FIRST_SLOT + 15), world.proof("v1")
    )
    with pytest.raises(WrongSession):
        world.offences.report_blocks(
            REPORTER, world.two_blocks("v2", FIRST_SLOT + 5), world.proof("v2")
        )


def test_unsigned_reports_are_checked_before_they_are_let_in() -> None:
    world = new_world()
    evidence, proof = world.two_blocks("v1"), world.proof("v1")
    blocks, votes = (
        entry_of(Offences.report_blocks_unsigned),
        entry_of(Offences.report_votes_unsigned),
    )
    validate = world.offences.validate_unsigned
    one = validate(TransactionSource.EXTERNAL, blocks, (evidence, proof))
    two = validate(TransactionSource.EXTERNAL, blocks, (world.two_blocks("v1"), proof))
    assert one.provides == two.provides  # one report of an offender waits in a pool
    other = validate(TransactionSource.EXTERNAL, votes, (world.two_votes("v1"), proof))
    assert other.provides != one.provides
    with pytest.raises(InvalidTransaction, match=r"^WrongKey$") as wrong:
        validate(TransactionSource.EXTERNAL, blocks, (evidence, world.proof("v2")))
    assert wrong.value.kind is InvalidKind.BAD_PROOF
    world.offences.report_blocks_unsigned(NONE, evidence, proof)
    with pytest.raises(InvalidTransaction) as stale:
        validate(TransactionSource.EXTERNAL, blocks, (evidence, proof))
    assert stale.value.kind is InvalidKind.STALE
    with pytest.raises(InvalidTransaction, match="report_blocks must be signed"):
        validate(TransactionSource.EXTERNAL, entry_of(Offences.report_blocks), (evidence, proof))
    with pytest.raises(frame.BadOrigin):
        world.offences.report_blocks(NONE, evidence, proof)
    with pytest.raises(frame.BadOrigin):
        world.offences.report_votes_unsigned(REPORTER, world.two_votes("v2"), world.proof("v2"))
    world.offences.report_votes_unsigned(NONE, world.two_votes("v2"), world.proof("v2"))


def test_without_a_reporter_the_treasury_gets_its_part() -> None:
    world = new_world()
    before = world.free("reporter")
    world.offences.report_blocks_unsigned(NONE, world.two_blocks("v1"), world.proof("v1"))
    world.block()
    taken = STAKE - world.bonded("v1")
    assert world.free("reporter") == before
    assert world.staking.currency.free(world.staking.config.treasury) == taken // 2
    assert sum(world.owned(name) for name in VALIDATORS) == 40 * STAKE - taken
