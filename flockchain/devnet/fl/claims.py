"""What the chapter claims of the model, the poisoner and the money; each claim is checked.

The demonstration fails if one of them does not hold. Invariant: claims are judged by what stood on
the chain and by the models' own bytes, never by what a worker says of itself.

Source: WP VI.E (the vote keeps bad models out), WP VI.F, Algorithm 2 (reward and slash).
"""

from __future__ import annotations

from collections.abc import Sequence

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.checks import Verdict, ensure
from flockchain.devnet.fl.cast import (
    CHOICES,
    CLIENTS,
    EVERYBODY,
    HONEST,
    POISONER,
    POOL,
    QUANTITY,
)
from flockchain.devnet.fl.record import Record
from flockchain.devnet.person import Person
from runtime.pallets.fl_alliance.stages import Outcome, Standing


def check_rounds(record: Record) -> Verdict:
    """All rounds took place, and at least one model was accepted."""
    accepted = sum(each.outcome is Outcome.ACCEPTED for each in record.tallied)
    ensure(len(record.tallied) == CHOICES.rounds, f"{len(record.tallied)} rounds took place")
    ensure(accepted > 0, "no model was ever accepted")
    void = sum(each.outcome is Outcome.VOID for each in record.tallied)
    return Verdict(
        f"of {len(record.tallied)} rounds {accepted} were accepted, "
        f"{len(record.tallied) - accepted - void} rejected, {void} void"
    )


def check_accuracy(scores: Sequence[int]) -> Verdict:
    """`scores` of the Arena's model and every accepted one: the last is no worse than the first."""
    ensure(len(scores) > 1, "no model was made")
    shown = " -> ".join(f"{score / 10**7:.2f} %" for score in scores)
    ensure(scores[-1] >= scores[0], f"accuracy fell: {shown}")
    return Verdict(f"accuracy on rows that nobody trained on does not fall: {shown}")


def check_poisoner(record: Record) -> Verdict:
    """It ends below what it staked and below everybody honest."""
    account = POISONER.account
    left, lost = record.balance(account), record.lost(account)
    least = min(record.balance(honest) for honest in HONEST)
    ensure(left < QUANTITY, f"the poisoner has {short(left)} of {short(QUANTITY)}")
    ensure(left < least, f"the poisoner has {short(left)}, an honest client {short(least)}")
    is_expelled = any(event.who == account for event in record.expelled)
    fate = "and was expelled" if is_expelled else "and is still a member"
    return Verdict(
        f"the poisoner staked {short(QUANTITY)}, lost {short(lost)}, has {short(left)} {fate}; "
        f"the poorest honest client has {short(least)}"
    )


def check_nobody_absent(record: Record) -> Verdict:
    """Nobody honest was absent, though a worker was killed in the middle of a round."""
    absent = [
        f"{client.name} in round {event.round}"
        for event in record.slashed
        for client in CLIENTS
        if event.standing is Standing.ABSENT and event.who == client.account
    ]
    ensure(
        not absent,
        f"honest clients were absent ({', '.join(absent)}): their workers missed a phase, as on a "
        "machine with too much else to do",
    )
    return Verdict("no honest client was ever absent, though a worker was killed in a round")


def check_money(record: Record, clients: Sequence[Person], pool: int) -> Verdict:
    """Stakes and pool are what was taken home, returned and burned, to the planck."""
    ensure(record.ended is not None, "the task did not end")
    assert record.ended is not None
    staked = sum(event.stake for event in record.joined)
    home = sum(record.claimed_by(each.account) for each in clients)
    rest = record.ended.returned + record.ended.burned
    ensure(staked + pool == home + rest, f"{staked} + {pool} planck came in, {home} + {rest} out")
    return Verdict(
        f"{short(staked)} staked + {short(pool)} of the pool = {short(home)} taken home + "
        f"{short(rest)} returned or burned, exactly"
    )


def check_claims(record: Record, scores: Sequence[int]) -> list[Verdict]:
    """Every claim of the chapter, in the order of the story. Raises CheckFailed."""
    ensure(len(record.claimed) == len(CLIENTS) + 1, f"{len(record.claimed)} took their balance")
    return [
        check_rounds(record),
        check_accuracy(scores),
        check_poisoner(record),
        check_nobody_absent(record),
        check_money(record, EVERYBODY, POOL),
    ]
