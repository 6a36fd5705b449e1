"""Reward A and Reward B of a training node: the pot by f_i = g_k · t_i^α / Σ g_j · t_j^α.

Source: WP V.E (g_k, f_i), WP V.H (A by the day's ranking, B at completion by the final one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.economics.derivation.day_record import DayRecord, was_held
from flockchain.economics.derivation.pots import Pots, reward_a_pot
from flockchain.economics.derivation.ranking import explain_rank, place_of, recompute_ranking
from flockchain.economics.derivation.state_book import Page
from flockchain.economics.derivation.terms import ExplainError, Read, Term, Unit, ensure_equal
from runtime.economy.parameters import VestingRules
from runtime.pallets.arena.records import DayKey, Payment, PaymentKind
from runtime.pallets.arena.shares import floor_shares, node_weights, rank_weights
from runtime.pallets.arena.wrong_data import is_carried
from runtime.pallets.delegation.records import NotRegistered
from runtime.primitives.apportion import apportion
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId

_HELD: Final = (
    "the day's nodes were ranked and paid with the next day: they could open aliases until then"
)


def explain_reward_a(record: DayRecord, payment: Payment, pots: Pots) -> Term:
    """R_A by the day's f_i. Raises ExplainError."""
    ranking, rules = record.result.ranking, record.result.parameters.vesting
    owners = [node.owner for node in ranking]
    stakes = [node.stake for node in ranking]
    weights = node_weights(stakes, rules.rank_ratio, rules.node_alpha)
    ensure_equal("f_i", floor_shares(weights), [node.share for node in ranking])
    record.ensure_payments(PaymentKind.REWARD_A, owners, apportion(pots.paid_now, weights))
    place = place_of(payment.operator, owners, "f_i")
    stake = explain_stake(record, payment.operator, stakes[place])
    rank = explain_rank(record, payment.operator)
    share = share_term(rules, stakes, place, (rank, stake), record.reads)
    return Term(
        "Reward A",
        "R_A,i = R_A · f_i, to the planck by largest remainders",
        "WP V.H",
        {"R_A": str(pots.paid_now), "operator": encode_address(payment.operator)},
        payment.amount,
        reads=record.reads,
        parts=(share, reward_a_pot(record, pots)),
        note=_HELD if was_held(record.result, record.key.day) else None,
    )


def share_term(
    rules: VestingRules,
    stakes: list[int],
    place: int,
    parts: tuple[Term, ...],
    reads: tuple[Read, ...],
) -> Term:
    """f_i of the node at `place` (0 is the best)."""
    weights = node_weights(stakes, rules.rank_ratio, rules.node_alpha)
    series = floor_shares(rank_weights(rules.rank_ratio, len(stakes)))
    g_k = Term(
        "g_k",
        "g_k = (1 − q) / (1 − q^n) · q^(k−1); 1/n for q = 1",
        "WP V.E",
        {"q": str(rules.rank_ratio), "n": str(len(stakes)), "k": str(place + 1)},
        series[place],
        Unit.SHARE,
        reads,
    )
    return Term(
        "f_i",
        "f_i = g_k · t_i^α / Σ_j g_j · t_j^α",
        "WP V.E",
        {"k": str(place + 1), "t_i": str(stakes[place]), "alpha": str(rules.node_alpha)},
        floor_shares(weights)[place],
        Unit.SHARE,
        reads,
        (g_k, *parts),
    )


def explain_stake(record: DayRecord, owner: AccountId, recorded: int) -> Term:
    """t_i at the start of the day, as the ledger has it if it still knows the day."""
    page, key = record.book.open(), record.key
    inputs, note = {"t_i": str(recorded)}, None
    try:
        found = page.runtime.delegation.stake_of(key.task, owner, key.day)
    except ValueError:
        found = None
    if found is None:
        note = "the ledger has forgotten the day's stake; this is the day's record"
    else:
        ensure_equal("t_i", found.total, recorded)
        inputs = {"own": str(found.own), "delegated": str(found.delegated)}
    return Term(
        "t_i",
        "t_i = own + delegated stake at the start of the day",
        "WP V.E",
        inputs,
        recorded,
        reads=record.reads if found is None else page.reads(),
        note=note,
    )


# -- Reward B


@dataclass(frozen=True, slots=True)
class _Vested:
    """Who shares at completion by which weights; `stakes` only if a ranking decides."""

    owners: list[AccountId]
    weights: list[int]
    stakes: list[int] | None
    reads: tuple[Read, ...]
    note: str | None = None


def explain_reward_b(record: DayRecord, payment: Payment) -> Term:
    """What vested, by the final ranking and the stakes of all days. Raises ExplainError."""
    pool = explain_pool(record)
    assert isinstance(pool.result, int), "planck"
    share = explain_final_share(record, payment, pool.result)
    return Term(
        "Reward B",
        "R_B,i = Σ_d (1 − δ) R_nodes(d) · f_i of the final day, stakes the mean of all days",
        "WP V.H",
        {"R_B": str(pool.result), "operator": encode_address(payment.operator)},
        payment.amount,
        reads=record.reads,
        parts=(share, pool),
    )


def explain_final_share(record: DayRecord, payment: Payment, amount: int) -> Term:
    """f_i by which `amount` is shared at completion; all payments of that kind must follow."""
    vested = _vested_weights(record)
    record.ensure_payments(payment.kind, vested.owners, apportion(amount, vested.weights))
    place = place_of(payment.operator, vested.owners, "f_i at completion")
    if vested.stakes is None:
        return Term(
            "f_i",
            "f_i = the sum of the node's f_i over the earlier days, as the final day ranked nobody",
            "WP V.H",
            {"sum": str(vested.weights[place])},
            floor_shares(vested.weights)[place],
            Unit.SHARE,
            vested.reads,
            note=vested.note,
        )
    days = _stake_days(record, payment.operator, vested.stakes[place])
    parts = (
        days,
        *((explain_rank(record, payment.operator),) if record.result.ranking else ()),
    )
    return share_term(record.task.vesting, vested.stakes, place, parts, vested.reads)


def _vested_weights(record: DayRecord) -> _Vested:
    rules, page, key = record.task.vesting, record.book.open(), record.key
    ranking = recompute_ranking(record, rules.ranked_max)
    owners = ranking.owners
    try:
        stakes = [
            page.runtime.delegation.stake_days_of(key.task, owner, key.day) for owner in owners
        ]
    except (ValueError, NotRegistered) as error:
        raise ExplainError(
            f"f_i: the stakes of the task's days are not known after block "
            f"0x{record.book.block.hex()}; ask at the day's settlement"
        ) from error
    weights = node_weights(stakes, rules.rank_ratio, rules.node_alpha)
    if any(weights):
        return _Vested(owners, weights, stakes, (*ranking.reads, *page.reads()))
    records = sorted(page.runtime.arena.node_records.items_of(key.task))
    owners = [owner for owner, _ in records]
    sums = [each.share_sum for _, each in records]
    if not any(sums):
        raise ExplainError("f_i: nobody was ever ranked, but nodes were paid at completion")
    note = _explain_void(page, record)
    return _Vested(owners, sums, None, (*ranking.reads, *page.reads()), note)


def _explain_void(page: Page, record: DayRecord) -> str | None:
    """What is to be said if the final day's seats found that Dataset B does not match."""
    arena, key = page.runtime.arena, record.key
    weight, roster = arena.wrong_data.get(key), arena.rosters.get(key)
    if not is_carried(weight, roster):
        return None
    dealt = sum(entry.dealt for entry in roster.entries)
    return f"{weight} of {dealt} seats or stake said that Dataset B is not what the task names"


def _stake_days(record: DayRecord, owner: AccountId, amount: int) -> Term:
    page, key = record.book.open(), record.key
    found = page.runtime.delegation.stake_days_of(key.task, owner, key.day)
    ensure_equal("t_i over all days", found, amount)
    return Term(
        "t_i",
        "t_i = Σ_d own + delegated stake at the start of each day of the task",
        "WP V.H",
        {"days": str(record.task.terms.days)},
        found,
        Unit.PLANCK_DAYS,
        page.reads(),
    )


def explain_pool(record: DayRecord) -> Term:
    """R_B: what vested on all days of the task, as far as their records are kept."""
    page, key = record.book.open(), record.key
    recorded = sum(amount for _, amount in record.payments_of(PaymentKind.REWARD_B))
    inputs: dict[str, str] = {}
    total, missing = 0, 0
    for day in range(record.task.start_day, key.day + 1):
        found = page.runtime.arena.day_results.find(DayKey(key.task, day))
        if found is None:
            missing += 1
            continue
        total += found.vested
        inputs[f"day {day}"] = str(found.vested)
    note = f"the records of {missing} days were dropped" if missing else None
    if not missing:
        ensure_equal("R_B", total, recorded)
    return Term(
        "R_B",
        "R_B = Σ_d (1 − δ) · R_nodes(d) over the days with a ranking",
        "WP V.H",
        inputs,
        recorded,
        reads=page.reads(),
        note=note,
    )
