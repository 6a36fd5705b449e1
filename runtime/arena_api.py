"""What every client may ask of tasks, rankings, payments and emission: typed in the metadata.

Owns the runtime APIs `ArenaApi` and `EconomyApi`. Everything is read-only and costs what the
records cost that it returns. The sum of all balances is not computed: it would read every account.

Source: Substrate runtime APIs (`decl_runtime_apis!`); WP V.D to V.I, WP III.A (emission).
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.parameters import ArenaParameters
from runtime.frame.runtime_api import runtime_api
from runtime.pallets.arena.key_records import RingPlace, SealedBox
from runtime.pallets.arena.records import DayKey, Payment, RankedNode, Submission
from runtime.pallets.arena.views import DayReport, Recipient, ScoredSubmission, TaskInfo, ToScore
from runtime.pallets.emission import Allotment, EmissionParameters
from runtime.pallets.model_registry import Model
from runtime.primitives.types import U32, AccountId, Balance, Bytes32
from runtime.runtime import Runtime

SUBMISSIONS_MAX = 256  # in one answer


@frame.scale_type
class NumberedSubmission:
    """A revealed submission of a task."""

    submission: U32
    record: Submission


@frame.scale_type
class IssuanceFigures:
    """Where all FML come from and went, in planck: `total` = genesis + minted − burned.

    `emitted` is the part of `minted` that emission paid; it never exceeds `emission_ceiling`.
    """

    genesis: Balance
    minted: Balance
    burned: Balance
    total: Balance
    cap: Balance
    emitted: Balance
    emission_ceiling: Balance


class _OverRuntime:
    """What both are methods of."""

    _runtime: Runtime


@runtime_api("ArenaApi", version=1)
class ArenaApi(_OverRuntime):
    """Tasks of the AI Arena, their days and their payments."""

    def task_info(self, task: U32) -> TaskInfo | None:
        """A task and where it stands today; None if there is none of this number."""
        return self._runtime.arena.views.task_info(task)

    def live_tasks(self) -> list[TaskInfo]:
        """The tasks that have not ended, those included whose first day is still to come."""
        infos = (self.task_info(task) for task in self._runtime.tasks.live.get())
        return [info for info in infos if info is not None]

    def last_settled_day(self, task: U32) -> U32 | None:
        """The latest day whose ranking and payments are known and kept; None if there is none."""
        arena = self._runtime.arena
        info = self.task_info(task)
        if info is None:
            return None
        last = min(info.today, info.record.final_day())
        first = max(info.record.start_day, last - arena.config.kept_days - 1)
        days = range(last, first - 1, -1)
        found = ((day, arena.day_results.find(DayKey(task, day))) for day in days)
        # Nodes of a day that is held are ranked with the next one.
        ranked = (day for day, result in found if result and result.ranked_on is not None)
        return next(ranked, None)

    def leaderboard(self, task: U32, day: U32) -> list[RankedNode]:
        """A settled day's ranking, the best first; empty if the day is not settled."""
        return self._runtime.arena.views.leaderboard(task, day)

    def to_score(self, task: U32, day: U32, validator: AccountId) -> list[ToScore]:
        """What a validator must score on a day, ascending; empty before the draw."""
        return self._runtime.arena.views.to_score(task, day, validator)

    def validators_of(self, task: U32, day: U32, submission: U32) -> list[Recipient]:
        """To whom the owner of a submission seals its key that day; empty before the draw."""
        return self._runtime.arena.views.validators_of(task, day, submission)

    def model_key_for(
        self, task: U32, day: U32, submission: U32, validator: AccountId
    ) -> SealedBox | None:
        """A submission's key as its owner sealed it to a validator that day; None if not yet."""
        return self._runtime.arena.views.model_key_for(task, day, submission, validator)

    def ring_places(self, task: U32, day: U32, who: AccountId) -> list[RingPlace]:
        """The rings in which an account may sign that day, one for each alias; none before."""
        return self._runtime.arena.rings.places_of(DayKey(task, day), who)

    def ring_of(self, task: U32, day: U32, index: U32, ring: U32) -> list[Bytes32]:
        """The keys of a ring in their order; empty if there is none of this number."""
        return self._runtime.arena.rings.ring_of(DayKey(task, day), index, ring)

    def submissions(self, task: U32, start: U32) -> list[NumberedSubmission]:
        """Revealed submissions among the 256 numbers from `start` on, ascending."""
        arena = self._runtime.arena
        end = min(start + SUBMISSIONS_MAX, arena.next_submission.get(task))
        found = ((number, arena.submissions.find((task, number))) for number in range(start, end))
        return [NumberedSubmission(number, made) for number, made in found if made is not None]

    def scored_submission(self, task: U32, day: U32, submission: U32) -> ScoredSubmission | None:
        """A submission's consensus on a day and its ballots; None if it has none."""
        return self._runtime.arena.views.scored_submission(task, day, submission)

    def day_report(self, task: U32, day: U32) -> DayReport | None:
        """A settled day; None before its settlement and after its records were dropped."""
        return self._runtime.arena.views.day_report(task, day)

    def payments(self, task: U32, day: U32) -> list[Payment]:
        """What a settled day pays, operator by operator; each shares with its delegators."""
        return self._runtime.arena.payments.get(DayKey(task, day))

    def model(self, task: U32) -> Model | None:
        """The consensus model of a completed task."""
        return self._runtime.models.model_of(task)

    def parameters(self) -> ArenaParameters:
        """Today's reward rules."""
        runtime = self._runtime
        return runtime.tasks.parameters_on(runtime.arena.today())


@runtime_api("EconomyApi", version=1)
class EconomyApi(_OverRuntime):
    """How many FML there are and how many come, in planck."""

    def issuance(self) -> IssuanceFigures:
        """Genesis, minted, burned, and what bounds them."""
        balances, emission = self._runtime.balances, self._runtime.emission
        return IssuanceFigures(
            balances.genesis_issuance.get(),
            balances.total_minted.get(),
            balances.total_burned.get(),
            balances.issuance(),
            balances.config.cap,
            emission.minted.get(),
            emission.ceiling.get(),
        )

    def emission_of(self, day: U32) -> Balance | None:
        """C(day): as it was allotted, or as the curve in force has it for a day to come.

        None for a past day whose allotment is not kept any more.
        """
        emission = self._runtime.emission
        allotted = emission.allotments.find(day)
        if allotted is not None:
            return allotted.emission + allotted.hosts
        return emission.emission_of(day) if day >= emission.last_day.get() else None

    def allotment_of(self, day: U32) -> Allotment | None:
        """How a day's emission was divided among tasks; None before, and once it is dropped."""
        return self._runtime.emission.allotments.find(day)

    def emission_parameters(self) -> EmissionParameters:
        """Every parameter of emission as last set."""
        return self._runtime.emission.parameters.get()
