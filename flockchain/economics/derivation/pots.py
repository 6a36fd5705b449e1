"""From the curve of emission down to the pots of a task's day: C(d), R_i, and the split inside.

Every amount is computed by the emission's and the arena's own functions and compared with the day's
records.
Source: WP III.A (C(d)), WP IV.A (R_i, the creator's slice), WP V.H (A and B), WP V.I (50/50).
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.economics.derivation.day_record import DayRecord
from flockchain.economics.derivation.terms import ExplainError, Read, Term, ensure_equal
from runtime.economy.tasks import Role
from runtime.pallets.arena.shares import keep_best, node_weights
from runtime.pallets.arena.split import split_reward, split_vesting
from runtime.pallets.emission import MONTH_DAYS, Allotment, TaskReward, split_between_tasks
from runtime.primitives.rational import Rational

_NOTHING = Rational(0, 1)


@dataclass(frozen=True, slots=True)
class Pots:
    """A day's pots in planck, checked, and the term that they follow from."""

    reward: Term
    creator: int
    paid_now: int
    vested: int
    validators: int

    @property
    def nodes(self) -> int:
        """R_nodes, or 0 on a day without a ranking."""
        return self.paid_now + self.vested


def explain_pots(record: DayRecord) -> Pots:
    """The pots of the day. Raises ExplainError."""
    result, rules = record.result, record.result.parameters
    split = split_reward(
        result.reward,
        result.node_stake,
        result.validator_stake,
        rules.gamma,
        creator_share_of(record),
    )
    vesting = rules.vesting
    weights = node_weights(
        [node.stake for node in result.ranking], vesting.rank_ratio, vesting.node_alpha
    )
    nodes = split.nodes if any(weights) else 0
    paid_now, vested = split_vesting(nodes, record.task.vesting.paid_daily)
    best = keep_best([juror.share for juror in result.jurors], rules.paid_validators_max)
    validators = split.validators if any(best) else 0
    creator = split.creator if any(weights) or validators else 0
    ensure_equal("R_creator", creator, result.for_creator)
    ensure_equal("R_nodes", nodes, result.for_nodes)
    ensure_equal("R_B of the day", vested, result.vested)
    ensure_equal("R_validators", validators, result.for_validators)
    return Pots(explain_reward(record), creator, paid_now, vested, validators)


def creator_share_of(record: DayRecord) -> Rational:
    """kappa_c of the day's month; nothing of a self-funded task."""
    if not record.task.is_verified_on(record.key.day):
        return _NOTHING
    return record.result.parameters.creator_share_in(record.key.day // MONTH_DAYS)


def split_inputs(record: DayRecord) -> dict[str, str]:
    """What the split inside the task is made from."""
    result = record.result
    return {
        "R": str(result.reward),
        "T": str(result.node_stake),
        "S": str(result.validator_stake),
        "gamma": str(result.parameters.gamma),
        "kappa_c": str(creator_share_of(record)),
    }


def creator_pot(record: DayRecord, pots: Pots) -> Term:
    """The creator's slice."""
    return Term(
        "R_creator",
        "R_creator = R · κ_c(month)",
        "WP IV.A",
        split_inputs(record),
        pots.creator,
        reads=record.reads,
        parts=(pots.reward, explain_stakes(record)),
    )


def validators_pot(record: DayRecord, pots: Pots) -> Term:
    """What the day's task validators share."""
    return Term(
        "R_validators",
        "R_validators = R (1 − κ_c) (γ + (1 − 2γ) S / (T + S))",
        "WP V.F, V.I",
        split_inputs(record),
        pots.validators,
        reads=record.reads,
        parts=(pots.reward, explain_stakes(record)),
    )


def nodes_pot(record: DayRecord, pots: Pots) -> Term:
    """What the day's training nodes share, now and at completion."""
    return Term(
        "R_nodes",
        "R_nodes = R (1 − κ_c) (γ + (1 − 2γ) T / (T + S))",
        "WP V.E, V.I",
        split_inputs(record),
        pots.nodes,
        reads=record.reads,
        parts=(pots.reward, explain_stakes(record)),
    )


def reward_a_pot(record: DayRecord, pots: Pots) -> Term:
    """What the day's ranking is paid by."""
    return Term(
        "R_A",
        "R_A = δ · R_nodes",
        "WP V.H",
        {"delta": str(record.task.vesting.paid_daily), "R_nodes": str(pots.nodes)},
        pots.paid_now,
        reads=record.reads,
        parts=(nodes_pot(record, pots),),
    )


def explain_stakes(record: DayRecord) -> Term:
    """T + S as the stake ledger has them, if it still knows the day."""
    page, result = record.book.open(), record.result
    ledger, (task, day) = page.runtime.delegation, (record.key.task, record.key.day)
    recorded = (result.node_stake, result.validator_stake)
    note = "the ledger has forgotten the day; these are the day's record"
    found = recorded
    try:
        if ledger.starts.contains(task):  # else all stakes are freed
            roles = (Role.TRAINING_NODE, Role.TASK_VALIDATOR)
            found = ledger.total_of(task, roles[0], day), ledger.total_of(task, roles[1], day)
            note = ""
    except ValueError:
        pass
    ensure_equal("T and S", found, recorded)
    return Term(
        "T + S",
        "T = Σ t_i of all nodes, S = Σ s_j of all validators, at the day's start",
        "WP V.E, V.F",
        {"T": str(recorded[0]), "S": str(recorded[1])},
        sum(recorded),
        reads=record.reads if note else page.reads(),
        note=note or None,
    )


# -- between tasks


def explain_reward(record: DayRecord) -> Term:
    """R: the task's part of the day's emission, or of its own budget. Raises ExplainError."""
    return (
        _from_emission(record)
        if record.task.is_verified_on(record.key.day)
        else _from_budget(record)
    )


def _from_budget(record: DayRecord) -> Term:
    page, key = record.book.open(), record.key
    budget = page.runtime.tasks.daily_budget(key.task, key.day)
    ensure_equal("R_d", budget, record.result.reward)
    return Term(
        "R_d",
        "R_d = the task's budget in equal days, the odd planck to the first days",
        "WP IV.A",
        {"days": str(record.task.terms.days), "day": str(key.day - record.task.start_day)},
        budget,
        reads=page.reads(),
    )


def _from_emission(record: DayRecord) -> Term:
    page, key = record.book.open(), record.key
    emission = page.runtime.emission
    allotment = emission.allotments.find(key.day)
    if allotment is None:
        raise ExplainError(f"R_i: the allotment of day {key.day} is not kept any more")
    exponent = emission.parameters.get().stake_exponent
    parts = split_between_tasks(
        allotment.emission,
        exponent,
        [each.stake for each in allotment.arena],
        [each.stake for each in allotment.alliance],
    )
    for kind, rewards, amounts in (
        ("R^AI", allotment.arena, parts[0]),
        ("R^FL", allotment.alliance, parts[1]),
    ):
        ensure_equal(kind, amounts, [each.amount for each in rewards])
    own = next((each for each in allotment.arena if each.task == key.task), None)
    if own is None:
        raise ExplainError(f"R_i: task {key.task} has no part of day {key.day}'s emission")
    ensure_equal("R_i", own.amount, record.result.reward)
    return _between_tasks(record, allotment, own, exponent, page.reads())


def _between_tasks(
    record: DayRecord,
    allotment: Allotment,
    own: TaskReward,
    exponent: Rational,
    reads: tuple[Read, ...],
) -> Term:
    to_arena = sum(each.amount for each in allotment.arena)
    of_arena = Term(
        "R^AI",
        "R^AI = C(d) · S^AI / (S^AI + S^FL)",
        "WP IV.A",
        {
            "C": str(allotment.emission),
            "S_AI": str(sum(each.stake for each in allotment.arena)),
            "S_FL": str(sum(each.stake for each in allotment.alliance)),
        },
        to_arena,
        reads=reads,
        parts=(explain_curve(record, allotment),),
    )
    return Term(
        "R_i",
        "R_i = R^AI · S_i^p / Σ_k S_k^p",
        "WP IV.A",
        {
            "R_AI": str(to_arena),
            "S_i": str(own.stake),
            "p": str(exponent),
            "tasks": str(len(allotment.arena)),
        },
        own.amount,
        reads=reads,
        parts=(of_arena, _explain_task_stake(record, own.stake, reads)),
    )


def _explain_task_stake(record: DayRecord, recorded: int, reads: tuple[Read, ...]) -> Term:
    """S_i as the stake ledger has it, if it still knows the day."""
    page, (task, day) = record.book.open(), (record.key.task, record.key.day)
    ledger = page.runtime.delegation
    note = "the ledger has forgotten the day; this is the day's allotment"
    found = recorded
    try:
        if ledger.starts.contains(task):
            found, note = ledger.task_stake(task, day), ""
    except ValueError:
        pass
    ensure_equal("S_i", found, recorded)
    return Term(
        "S_i",
        "S_i = all stake in the task at the day's start: creator, nodes, validators, delegations",
        "WP IV.A",
        {"task": str(task)},
        recorded,
        reads=reads if note else page.reads(),
        note=note or None,
    )


def explain_curve(record: DayRecord, allotment: Allotment) -> Term:
    """C(d), as the pallet computed it that day over what was minted or set aside by then."""
    page, day = record.book.open(), record.key.day
    emission = page.runtime.emission
    before = emission.committed_before(day)
    curve, upcoming = emission.curve.get(), emission.next_curve.find()
    if upcoming is not None and day // MONTH_DAYS >= upcoming.from_month:
        curve = upcoming
    left = emission.ceiling.get() - before
    reads = page.reads()
    emission.minted.put(before)
    try:
        amount = emission.emission_of(day)
    except ValueError as error:
        raise ExplainError(f"C(d): {error}; ask at the day's settlement") from error
    ensure_equal("C(d)", amount, allotment.emission)
    return Term(
        "C(d)",
        "C(d) = min(⌊C_0 · ρ^(⌊d/30⌋ − m_0)⌋, ceiling − minted or allotted before)",
        "WP III.A",
        {
            "C_0": str(curve.daily),
            "rho": str(curve.decay),
            "d": str(day),
            "m_0": str(curve.from_month),
            "left": str(left),
        },
        amount,
        reads=reads,
    )
