"""Creation of tasks from finished Arena tasks, and who pays for them.

Invariant: a task's number belongs to no other task of Arena or FL Alliance.
Source: WP VI.A (task creators), WP IV.A.2 (verified or self-funded; the origin), WP III.A.2.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.schedule import in_force
from runtime.economy.tasks import (
    VERIFICATIONS_MAX,
    ContentDigest,
    Funding,
    SelfFunded,
    TaskStatus,
    Verified,
    VerifiedFrom,
)
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import AllianceTask, Progress, Purse, Run
from runtime.pallets.fl_alliance.sortition import members_needed, participants_of, proposers_of
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import FlAlliance, pot_of
from runtime.pallets.fl_alliance.terms import (
    DAYS_MAX,
    FINAL_WINDOW_MIN,
    FRACTION_BITS_MAX,
    MASKED_CLIENTS_MAX,
    NAME_BYTES_MAX,
    PARTICIPANTS_MAX,
    PARTS_MAX,
    PROPOSERS_MIN,
    ROUNDS_MAX,
    UNITS_MAX,
    AllianceParameters,
    AllianceTerms,
    Mode,
)
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId
from runtime.primitives.zk_aggregation import WEIGHTS_MAX
from runtime.primitives.zk_setup import BLINDERS, ETHEREUM_POINTS

_NOTHING = Rational(0, 1)
_ALL = Rational(1, 1)


class Creation:
    """Creates tasks, and keeps who verified them."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    def create(self, who: AccountId, terms: AllianceTerms, funding: Funding) -> int:
        """Create a task: locks what no lock covers of S_c, takes the pool. Emits TaskCreated."""
        alliance, config = self.alliance, self.alliance.config
        round_blocks_max = config.round_days * config.calendar.day_blocks
        ensure_valid_terms(terms, config.quantity_min, round_blocks_max)
        budget = funding.budget if isinstance(funding, SelfFunded) else 0
        if isinstance(funding, SelfFunded) and budget < terms.rounds:
            raise events.BudgetTooSmall
        setup = alliance.setup.find()
        chunk = ETHEREUM_POINTS - BLINDERS if setup is None else setup.chunk
        ensure_sums_fit(terms, config.members_max, config.commitments_max, chunk)
        least = 1 if terms.mode is Mode.OPEN else PROPOSERS_MIN, terms.voters_min
        needed = members_needed(least, terms.participation, terms.proposing, config.members_max)
        if needed is None:
            raise events.TooFewVotersDrawn
        model = self._origin_model(terms.origin)
        live, covered = alliance.live.get(), min(alliance.locks.spare(who), config.creator_stake)
        stake = config.creator_stake - covered
        if len(live) >= config.live_tasks_max:
            raise events.TooManyTasks
        if alliance.currency.spendable(who) < stake + budget:
            raise events.InsufficientFunds
        number = alliance.block.block_number()
        verification = [VerifiedFrom(0, isinstance(funding, Verified))]
        found = AllianceTask(
            who,
            terms,
            funding,
            model,
            stake,
            needed,
            number,
            number + terms.days * config.calendar.day_blocks,
            verification,
            creator_covered=covered,
        )
        return self._enter(found, budget)

    def _enter(self, found: AllianceTask, budget: int) -> int:
        alliance, who, model = self.alliance, found.creator, found.origin_model
        task = alliance.book.take_number()
        if found.creator_covered:
            alliance.locks.cover(who, found.creator_covered)
        alliance.currency.hold(HoldReason.FL_STAKE, who, found.creator_stake)
        if budget:
            alliance.currency.transfer(who, pot_of(task), budget)
        alliance.memberships.put(who, alliance.memberships.get(who) + 1)
        alliance.tasks.put(task, found)
        alliance.runs.put(task, Run(model, found.created_at))
        alliance.purses.put(task, Purse(budget))
        alliance.progress.put(task, Progress(Stage.IDLE))
        alliance.live.put([*alliance.live.get(), task])
        terms = found.terms
        alliance.deposit_event(
            events.TaskCreated(task, who, terms.spec, terms.origin, model, budget)
        )
        return task

    def _origin_model(self, origin: int) -> ContentDigest | None:
        """The consensus model that the task starts from; None if the Arena ranked nobody."""
        alliance = self.alliance
        if alliance.book.get_task(origin).status is not TaskStatus.COMPLETED:
            raise events.OriginNotFinished
        model = alliance.models.model_of(origin)
        return None if model is None else model.content

    # -- what the DAO decides

    def change_verification(self, task: int, *, is_verified: bool) -> None:
        """Grant or withdraw from tomorrow on. Emits VerificationChanged."""
        alliance = self.alliance
        found, from_day = alliance.live_task(task), alliance.today() + 1
        if found.is_verified_on(from_day) == is_verified:
            raise events.VerificationUnchanged
        changes = [entry for entry in found.verification if entry.from_day < from_day]
        if in_force(changes, from_day).is_verified != is_verified:
            changes = [*changes, VerifiedFrom(from_day, is_verified)]
        if len(changes) > VERIFICATIONS_MAX:
            raise events.TooManyVerifications
        alliance.tasks.put(task, replace(found, verification=changes))
        alliance.deposit_event(events.VerificationChanged(task, from_day, is_verified))

    def set_parameters(self, parameters: AllianceParameters) -> None:
        """For rounds that open from now on. Emits ParametersChanged."""
        if not _is_rate(parameters.absence_slash):
            raise events.ParametersOutOfBounds
        self.alliance.parameters.put(parameters)
        self.alliance.deposit_event(events.ParametersChanged(parameters))


def ensure_valid_terms(terms: AllianceTerms, quantity_min: int, round_blocks_max: int) -> None:
    """Raises the rule that the terms break, but for those that the state decides."""
    if not 1 <= len(terms.name.encode()) <= NAME_BYTES_MAX:
        raise events.BadName
    if not 1 <= terms.rounds <= ROUNDS_MAX:
        raise events.BadRounds
    if not 1 <= terms.days <= DAYS_MAX:
        raise events.BadDays
    if terms.quantity < max(quantity_min, 1):
        raise events.QuantityTooSmall
    _ensure_valid_rates(terms)
    if not 1 <= terms.voters_min < PARTICIPANTS_MAX:
        raise events.BadVotersMin
    windows = terms.windows
    is_open = terms.mode is Mode.OPEN
    if not all(windows.of_participants()) or (windows.aggregate == 0) != is_open:
        raise events.BadWindows
    of_masks, is_masked = (windows.share, windows.unmask), terms.mode is Mode.ZK_MASKED
    if any((window == 0) == is_masked for window in of_masks):
        raise events.BadWindows
    if is_masked and min(windows.propose, windows.unmask) < FINAL_WINDOW_MIN:
        raise events.BadWindows
    if windows.total() > round_blocks_max:
        raise events.BadWindows
    if not 1 <= terms.fraction_bits <= FRACTION_BITS_MAX:
        raise events.BadFractionBits
    if not terms.unit_samples or not 1 <= terms.units_max <= UNITS_MAX:
        raise events.BadUnits


def ensure_sums_fit(
    terms: AllianceTerms, members_max: int, commitments_max: int, chunk: int
) -> None:
    """Raises BadAggregation unless sums and proofs stay within bounds, whoever is drawn.

    `chunk`: how many parameters a commitment has.
    """
    drawn = participants_of(members_max, terms.participation)
    proposers = proposers_of(drawn, terms.proposing)
    if terms.mode is Mode.OPEN:
        is_fine = terms.parameters == 0
    else:
        commitments = -(-terms.parameters // chunk) * proposers
        is_fine = 0 < commitments <= commitments_max and proposers >= PROPOSERS_MIN
        is_fine = is_fine and terms.units_max * proposers <= WEIGHTS_MAX
        if terms.mode is Mode.ZK_MASKED:
            is_fine = is_fine and proposers <= MASKED_CLIENTS_MAX
        is_fine = is_fine and not terms.attributes  # no voter can leave one out
    if not is_fine:
        raise events.BadAggregation


def _ensure_valid_rates(terms: AllianceTerms) -> None:
    above_zero = (terms.participation, terms.proposing, terms.quorum, terms.tolerance)
    if not all(map(_is_rate, (*above_zero, terms.slash, terms.threshold))):
        raise events.BadRates
    if _NOTHING in above_zero or _ALL in (terms.proposing, terms.tolerance):
        raise events.BadRates


def _is_rate(rate: Rational) -> bool:
    return rate.is_at_most_one() and rate.denominator <= PARTS_MAX
