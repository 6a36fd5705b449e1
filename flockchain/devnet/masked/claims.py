"""What the chapter claims of the masked sum, of who dropped out, the model and the money.

Invariant: claims are judged by what stood on the chain and by the models' own bytes.

Source: WP VI.H; Bonawitz et al. (2017), secure aggregation.
"""

from __future__ import annotations

from collections.abc import Sequence

from flockchain.devnet.checks import Verdict, ensure
from flockchain.devnet.fl.cast import name_of
from flockchain.devnet.fl.claims import check_accuracy, check_money
from flockchain.devnet.fl.record import Record
from flockchain.devnet.masked.cast import EVERYBODY, GONE, POOL, PROPOSERS
from runtime.pallets.fl_alliance.stages import Outcome, Standing
from runtime.primitives.types import AccountId


def check_round(record: Record) -> Verdict:
    """The round was accepted, by one sum that was proved by the first who was to."""
    outcomes = [each.outcome for each in record.tallied]
    ensure(outcomes == [Outcome.ACCEPTED], f"outcomes {[each.name for each in outcomes]}")
    ensure(len(record.proved) == 1, f"{len(record.proved)} sums were proved")
    ensure(not record.failed, f"{len(record.failed)} aggregators failed")
    return Verdict("the round was accepted, by a proof of 80 bytes over masked numbers")


def check_drop_outs(record: Record, gone: Sequence[AccountId]) -> Verdict:
    """They shared and did no more; who was left revealed; they alone paid, for absence."""
    shared, revealed = ({e.who for e in events} for events in (record.shared, record.revealed))
    ensure(len(gone) == GONE, f"{len(gone)} dropped out")
    ensure(len(shared) == PROPOSERS, f"{len(shared)} shared the secrets of their masks")
    ensure(shared.issuperset(gone), "who dropped out had shared no secrets before")
    ensure(revealed == shared - set(gone), f"{len(revealed)} revealed their shares")
    absent = [each.who for each in record.slashed if each.standing is Standing.ABSENT]
    ensure(sorted(absent) == sorted(gone), f"{len(absent)} lost as absent")
    ensure(len(record.slashed) == GONE, f"{len(record.slashed)} lost something")
    names = " and ".join(map(name_of, gone))
    return Verdict(
        f"{names} dropped out with their masks in all numbers; {len(revealed)} of {PROPOSERS} "
        "revealed the shares that strip them off; nobody else lost anything"
    )


def check_claims(record: Record, scores: Sequence[int], gone: Sequence[AccountId]) -> list[Verdict]:
    """Every claim of the chapter, in the order of the story. Raises CheckFailed."""
    ensure(len(record.claimed) == len(EVERYBODY), f"{len(record.claimed)} took their balance")
    return [
        check_round(record),
        check_drop_outs(record, gone),
        check_accuracy(scores),
        check_money(record, EVERYBODY, POOL),
    ]
