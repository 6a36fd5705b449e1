"""What the chapter claims of attackers, delegators and money; each claim is checked, in words.

The demonstration fails if one of them does not hold. Invariant: claims are judged by what stood on
the chain, never by what a worker says of itself.

Source: WP V.D to V.H, WP Table I (attacks), WP III.B.1 (bounties), WP IV.A (self-funded tasks).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from flockchain.devnet.arena.cast import (
    BOUNTY,
    BUDGET,
    CLONES,
    COPIER,
    DELEGATORS,
    FREE_RIDER,
    HONEST,
    OVERFITTER,
    OWN_TASK,
    SHARE,
    VERIFIED_TASK,
    Role,
)
from flockchain.devnet.arena.record import Record
from flockchain.devnet.arena.reporter import short
from flockchain.devnet.arena.traces import check_aliases
from flockchain.devnet.checks import CheckFailed, Verdict, ensure
from flockchain.sdk.client import Client
from flockchain.sdk.errors import BlobUnavailable
from flockchain.workers.sealed_dataset import open_dataset
from ml.sandbox import evaluate_sandboxed
from runtime.economy.tasks import Task
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey, DayResult, PaymentKind
from runtime.pallets.balances import Balances
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text

_BOUNTY_KINDS: Final = (PaymentKind.BOUNTY_TRAINING, PaymentKind.BOUNTY_VALIDATION)
PUBLISHED_BLOCKS_MAX: Final = 20  # after a task's end
_ROUNDING: Final = 8  # planck: an amount is cut twice, and a slash takes whole planck of each


async def check_claims(client: Client, record: Record) -> list[Verdict]:
    """Every claim of the chapter, in the order of the story. Raises CheckFailed, SdkError."""
    fee = client.preset.registration_fee
    return [
        check_paid(record),
        check_free_rider(record),
        check_overfitter(record, (await client.query(Tasks.tasks, VERIFIED_TASK)).final_day()),
        check_clones(record, fee, await _ranked_clones(client, record)),
        check_copier(record),
        await check_aliases(client, record),
        *check_delegators(record),
        check_own_task(record),
        check_emission(record, await client.query(Balances.total_minted)),
        await check_best_model(client, VERIFIED_TASK),
        await check_best_model(client, OWN_TASK),
    ]


def check_paid(record: Record) -> Verdict:
    """Somebody was paid."""
    total = sum(event.amount for event in record.paid)
    ensure(total > 0, "nobody was paid anything")
    return Verdict(f"{short(total)} were paid in {len(record.paid)} payments")


# -- attackers


def check_free_rider(record: Record) -> Verdict:
    """Noise is paid nothing."""
    paid = record.paid_to(FREE_RIDER.account)
    ensure(not paid, f"the free rider was paid {short(paid)}")
    return Verdict("the free rider was paid nothing")


def check_overfitter(record: Record, final_day: int) -> Verdict:
    """Above an honest node on set A, below it on set B, and paid less."""
    on_a, on_b = [day for day in record.days_of(VERIFIED_TASK) if day < final_day], final_day
    cheat, honest = (
        [record.score_of(VERIFIED_TASK, day, role.account) for day in (*on_a, on_b)]
        for role in (OVERFITTER, HONEST)
    )
    pairs = [(c, h) for c, h in zip(cheat[:-1], honest[:-1], strict=True) if c and h]
    ensure(any(c > h for c, h in pairs), f"the overfitter was never above {HONEST.name} on set A")
    best, last, other = max(c for c, _ in pairs), cheat[-1], honest[-1]
    ensure(last is not None and other is not None, "set B scored one of the two only")
    assert last is not None
    assert other is not None
    ensure(last < other, f"the overfitter has {_percent(last)} on set B, not below")
    paid, fair = record.paid_to(OVERFITTER.account), record.paid_to(HONEST.account)
    ensure(paid < fair, f"the overfitter was paid {short(paid)}, not less than {short(fair)}")
    return Verdict(
        f"the overfitter had {_percent(best)} on set A and {_percent(last)} on set B, where "
        f"{HONEST.name} had {_percent(other)}; it was paid {short(paid)}"
    )


def check_clones(record: Record, fee: int, ranked: int) -> Verdict:
    """Ten identities with one model rank once and earn less than one honest node.

    `ranked`: how many of the identities ever ranked on one day.
    """
    accounts = [role.account for role in CLONES]
    registered = [event for event in record.registered if event.who in accounts]
    ensure(len(registered) == len(CLONES), f"{len(registered)} clones registered")
    ensure(ranked <= 1, f"{ranked} clones ranked on one day")
    paid, honest = record.paid_to(*accounts), record.paid_to(HONEST.account)
    ensure(paid < honest, f"the clones were paid {short(paid)}, not less than {short(honest)}")
    return Verdict(
        f"ten clones paid fees of {short(len(registered) * fee)}, one of them ranked, they were "
        f"paid {short(paid)}; {HONEST.name}, with as much stake in one identity, {short(honest)}"
    )


async def _ranked_clones(client: Client, record: Record) -> int:
    """The most clones that ranked on one day. Raises SdkError."""
    accounts, most = {role.account for role in CLONES}, 0
    for day in record.days_of(VERIFIED_TASK):
        result: DayResult = await client.query(Arena.day_results, DayKey(VERIFIED_TASK, day))
        most = max(most, sum(node.owner in accounts for node in result.ranking))
    return most


def check_copier(record: Record) -> Verdict:
    """A copied seal does not open; its copier is slashed and paid nothing."""
    errors = [refusal.error for refusal in record.refusals if refusal.account == COPIER.account]
    ensure("WrongSeal" in errors, f"the copier was not refused for its seal, but for {errors}")
    slashed, paid = record.slashed_of(COPIER.account), record.paid_to(COPIER.account)
    ensure(slashed > 0, "the copier was not slashed")
    ensure(not paid, f"the copier was paid {short(paid)}")
    return Verdict(
        f"the score copier could not open what it copied, was slashed {short(slashed)} and paid "
        "nothing"
    )


# -- delegators


def check_delegators(record: Record) -> list[Verdict]:
    """They got their ratio of what their stake earned behind each operator, to the planck."""
    operators: dict[str, Role] = {each.operator.name: each.operator for each in DELEGATORS}
    return [_check_backers(record, operator) for operator in operators.values()]


def _check_backers(record: Record, operator: Role) -> Verdict:
    backers = {each.role.account: each.role for each in DELEGATORS if each.operator is operator}
    stake = operator.stake + sum(role.stake for role in backers.values())
    groups: dict[tuple[int, PaymentKind], dict[bytes, int]] = {}
    for event in record.paid:
        if (event.task, event.operator) == (VERIFIED_TASK, operator.account):
            group = groups.setdefault((event.day, event.kind), {})
            group[event.who] = group.get(event.who, 0) + event.amount
    ensure(bool(groups), f"{operator.name} earned nothing, nor its delegators")
    for (day, kind), group in groups.items():
        for account, role in backers.items():
            total = sum(group.values())
            due = Fraction(total * role.stake * SHARE.numerator, stake * SHARE.denominator)
            paid = group.get(account, 0)
            ensure(
                abs(paid - due) <= _ROUNDING,
                f"day {day}: {role.name} got {paid} of {total} planck {kind.name}, {due} are due",
            )
    to_backers = sum(group.get(account, 0) for group in groups.values() for account in backers)
    kept = sum(group.get(operator.account, 0) for group in groups.values())
    names = " and ".join(role.name for role in backers.values())
    return Verdict(
        f"{operator.name} kept {short(kept)}; {names}, with "
        f"{stake - operator.stake} of {stake} FML behind it and a share of {SHARE}, got "
        f"{short(to_backers)}, exactly"
    )


# -- money


def check_own_task(record: Record) -> Verdict:
    """The task that its creator and a sponsor paid for spent budget and bounty, nothing else."""
    returned = sum(event.amount for event in record.returned if event.task == OWN_TASK)
    bounty = record.paid_for(OWN_TASK, *_BOUNTY_KINDS)
    ensure(bounty + returned == BOUNTY, f"{bounty} + {returned} planck of the bounty came out")
    ensure(bounty > 0, "the bounty was paid to nobody")
    budget = record.paid_for(OWN_TASK) - bounty
    slashed = record.paid_for(OWN_TASK, PaymentKind.SLASHED_STAKE)
    ensure(0 < budget - slashed <= BUDGET, f"{budget - slashed} planck of the budget were paid")
    return Verdict(
        f"task {OWN_TASK} paid {short(budget - slashed)} of its creator's {short(BUDGET)} and "
        f"{short(bounty)} of the sponsor's {short(BOUNTY)}"
    )


def check_emission(record: Record, minted: int) -> Verdict:
    """All that was minted was paid for the verified task, and the other task minted nothing."""
    slashed = record.paid_for(VERIFIED_TASK, PaymentKind.SLASHED_STAKE)
    paid = record.paid_for(VERIFIED_TASK) - slashed
    ensure(paid == minted, f"{minted} planck were minted, {paid} paid for the verified task")
    return Verdict(f"the {short(minted)} that were minted are what task {VERIFIED_TASK} paid")


# -- the models


async def check_best_model(client: Client, number: int) -> Verdict:
    """The best model, fetched where nobody uploaded it, scores what the chain says."""
    task: Task = await client.query(Tasks.tasks, number)
    day = task.final_day()
    result: DayResult = await client.query(Arena.day_results, DayKey(number, day))
    ensure(bool(result.ranking), f"nobody was ranked on the final day of task {number}")
    best = result.ranking[0]
    model = await _published(client, best.content)
    spec = await client.get_blob(task.terms.spec)
    sealed = task.terms.validation_b
    ensure(task.key is not None, f"the key of set B of task {number} is not on chain")
    assert task.key is not None
    dataset = open_dataset(await client.get_blob(sealed.ciphertext), task.key, sealed)
    evaluation = evaluate_sandboxed(spec, dataset, model)
    ensure(
        evaluation.score * best.denominator == best.numerator,
        f"{cid_text(best.content)} scores {evaluation.score} here, "
        f"{best.numerator}/{best.denominator} on chain",
    )
    return Verdict(
        f"task {number}: {cid_text(best.content)}, fetched from a node that nobody gave it to, "
        f"scores {evaluation.score} here and on chain"
    )


async def _published(client: Client, content: bytes) -> bytes:
    """The winner in plain: its owner shows it once the task's end is final.

    Raises CheckFailed, SdkError.
    """
    first: int | None = None
    async for head in client.best_heads(latest_only=True):
        first = head.number if first is None else first
        try:
            return await client.get_blob(content)
        except BlobUnavailable:
            waited = head.number - first
            ensure(waited < PUBLISHED_BLOCKS_MAX, f"{cid_text(content)} was never published")
    raise CheckFailed("the node tells of no more blocks")


def _percent(score: Fraction) -> str:
    return f"{float(score) * 100:.2f} %"
