"""What the chapter claims of calls, pay, the cheating host and the jury; each claim is checked.

Invariant: claims are judged by what stood on the chain, what hosts told in their answers' headers,
and the balances of accounts before and after a block.

Source: WP II.C, III.B.2 (free calls by stake, payment, hosts' stakes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.checks import Verdict, ensure
from flockchain.devnet.market.cast import CALLER, CALLER_STAKE, CHEAT, HONEST, PAID_CALLS, name_of
from flockchain.devnet.market.changes import Change
from flockchain.devnet.market.record import Called, Record
from flockchain.devnet.market.rows import Rows
from runtime.economy.market import MarketParameters
from runtime.pallets.marketplace.case_records import JURY, MAJORITY, CaseStage, Wrong
from runtime.primitives.types import AccountId


def check_calls(calls: Sequence[Called], rules: MarketParameters, days: int) -> Verdict:
    """Calls of each model were free as often as the stake gives, then paid; one price a model.

    `days`: over which the calls may lie, each with free calls of its own.
    """
    free = rules.free_calls(CALLER_STAKE)
    counts = []
    for task in sorted({each.task for each in calls}):
        charges = [each.charge for each in calls if each.task == task]
        paid = [charge for charge in charges if charge]
        spared = len(charges) - len(paid)
        ensure(not any(charges[:free]), f"task {task}: one of the first {free} calls was not free")
        ensure(
            free <= spared <= free * days,
            f"task {task}: {spared} calls were free in {days} days, not {free} a day",
        )
        ensure(len(paid) >= PAID_CALLS, f"task {task}: only {len(paid)} calls were paid")
        ensure(len(set(paid)) == 1, f"task {task}: calls cost {sorted(set(paid))}")
        counts.append(f"{spared} free and {len(paid)} for {short(paid[0])} each")
    strange = [each.host for each in calls if each.host != f"0x{HONEST.account.hex()}"]
    ensure(not strange, f"{len(strange)} calls were answered by another host")
    return Verdict(f"the openai client called both models of host 1: {', then '.join(counts)}")


def check_streams(calls: Sequence[Called]) -> Verdict:
    """Chats came in pieces, as they were made."""
    chats = [each for each in calls if each.pieces]
    ensure(bool(chats), "nobody chatted")
    least = min(each.pieces for each in chats)
    ensure(least > 1, "an answer came in one piece")
    return Verdict(f"{len(chats)} chats were streamed, each in {least} pieces or more")


def check_settlement(
    record: Record,
    calls: Mapping[bytes, int],
    changes: Mapping[int, Change],
    rules: MarketParameters,
) -> Verdict:
    """`calls`: what host 1's calls of each model cost. Its own part of that came in, to the planck.

    `changes`: of host 1, in the blocks in which it settled.
    """
    mine = [(block, each) for block, _, each in record.settled if each.host == HONEST.account]
    for model, cost in calls.items():
        settled = record.settled_of(HONEST.account, model)
        ensure(settled == cost, f"{settled} planck were settled of {cost}")
    for block, change in changes.items():
        parts = [each for at, each in mine if at == block]
        own = sum(rules.split(each.paid).host for each in parts)
        ensure(change.earned == own, f"host 1 earned {change.earned} in #{block}, not {own}")
    extrinsics = {
        (block, place) for block, place, each in record.settled if each.host == HONEST.account
    }
    paid = sum(calls.values())
    own = sum(change.earned for change in changes.values())
    times = "1 extrinsic" if len(extrinsics) == 1 else f"{len(extrinsics)} extrinsics"
    return Verdict(
        f"{short(paid)} of {len(calls)} channels were settled by {times}; host 1 keeps "
        f"{short(own)} of it, exactly"
    )


def check_doubt(cheap: Called, honest: Called, rows: Rows) -> Verdict:
    """The cheap host's answers are worse than those of the host that serves what it offers."""
    ensure(cheap.host == f"0x{CHEAT.account.hex()}", f"the cheapest host was {cheap.host}")
    right, wrong = rows.right(honest.labels), rows.right(cheap.labels)
    ensure(honest.labels != cheap.labels, "both hosts gave the same answer")
    ensure(right > wrong, f"host 1 named {right} rows right, host 2 {wrong}")
    count = len(rows.labels)
    return Verdict(f"of {count} rows host 1 named {right} right, the cheaper host 2 {wrong}")


def check_slash(
    record: Record, stake: int, changes: Mapping[AccountId, Change], rules: MarketParameters
) -> Verdict:
    """Three of five found the answer wrong; the host lost its part, who doubted got half of it.

    `stake`: of host 2 before. `changes`: in the block in which the case ended. Planck.
    """
    assert record.ended is not None, "the case was followed to its end"
    ended = record.ended[1]
    wrong = [each.juror for each in record.verdicts if isinstance(each.verdict, Wrong)]
    ensure(ended.outcome is CaseStage.UPHELD, f"the case ended as {ended.outcome.name}")
    ensure(len(wrong) >= MAJORITY, f"{len(wrong)} jurors found the answer wrong")
    ensure(set(ended.paid) == set(wrong), "others than those who found it wrong were paid")
    slashed = rules.jury.host_slash.mul_floor(stake)
    told = record.slashed
    ensure(told is not None and told.host == CHEAT.account, "nobody was slashed")
    assert told is not None
    ensure((told.slashed, told.reward) == (slashed, slashed // 2), f"slashed: {told}")
    lost = -changes[CHEAT.account].held
    ensure(lost == slashed, f"{lost} planck left host 2's stake, not {slashed}")
    fee = rules.jury.juror_fee
    back = told.reward + rules.jury.bond + (JURY - len(wrong)) * fee
    got = changes[CALLER.account].earned
    ensure(got == back, f"{got} planck came to the caller, not {back}")
    for juror in wrong:
        earned = changes[juror].earned
        ensure(earned == fee, f"{name_of(juror)} earned {earned}, not {fee} planck")
    return Verdict(
        f"{len(wrong)} of {JURY} jurors, keys of one worker that ran the pinned model again, found "
        f"host 2's answer wrong: it lost {short(slashed)} of {short(stake)}, "
        f"{short(told.reward)} of it to the caller, who has its bond back; each of them "
        f"earned {short(fee)}, exactly"
    )
