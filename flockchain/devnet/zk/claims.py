"""What the chapter claims of proofs, the cheating aggregator, the model and the money.

Invariant: claims are judged by what stood on the chain and by the models' own bytes.

Source: WP VI.H; WP VI.F, Algorithm 2 (slash).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.checks import Verdict, ensure
from flockchain.devnet.fl.cast import EVERYBODY, name_of
from flockchain.devnet.fl.claims import check_accuracy, check_money
from flockchain.devnet.fl.record import Record
from flockchain.devnet.zk.cast import CHOICES, POOL
from runtime.pallets.fl_alliance.stages import FailureReason, Outcome, Standing
from runtime.primitives.types import AccountId

_ROUND: Final = 0


def check_rounds(record: Record) -> Verdict:
    """The round was accepted, by a sum that was proved."""
    accepted = [each.round for each in record.tallied if each.outcome is Outcome.ACCEPTED]
    ensure(accepted == list(range(CHOICES.rounds)), f"rounds {accepted} were accepted")
    proved = {each.round for each in record.proved}
    ensure(proved == set(accepted), f"sums of rounds {sorted(proved)} were proved")
    return Verdict("the round was accepted, by a proof of 80 bytes")


def check_cheater(record: Record, cheater: AccountId) -> Verdict:
    """It alone failed; the next voter proved; it lost stake."""
    failed = [(each.round, each.who, each.reason) for each in record.failed]
    expected = [(_ROUND, cheater, FailureReason.NO_OPENING)]
    ensure(failed == expected, f"{len(failed)} aggregators failed: {failed}")
    last = [each.who for each in record.proved if each.round == _ROUND][-1]
    ensure(last != cheater, "nobody took over from the cheating aggregator")
    losers = [(each.round, each.who, each.standing) for each in record.slashed]
    ensure(losers == [(_ROUND, cheater, Standing.LOSING)], f"slashed: {losers}")
    return Verdict(
        f"{name_of(cheater)} changed one number of the sum, was caught by the voters, lost "
        f"{short(record.lost(cheater))}, and {name_of(last)} took over within the round; nobody "
        "else lost anything"
    )


def check_claims(record: Record, scores: Sequence[int], cheater: AccountId) -> list[Verdict]:
    """Every claim of the chapter, in the order of the story. Raises CheckFailed."""
    ensure(len(record.claimed) == len(EVERYBODY), f"{len(record.claimed)} took their balance")
    return [
        check_rounds(record),
        check_cheater(record, cheater),
        check_accuracy(scores),
        check_money(record, EVERYBODY, POOL),
    ]
