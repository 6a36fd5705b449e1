"""A training node: train, seal, open in the reveal window, and do better the next day.

A new model replaces the standing one if it is better on rows that were held out of the training
data. Models travel encrypted; the drawn validators get their keys.

Source: WP V.C (training nodes), WP V.E (submissions), Table I (free riders).
"""

from __future__ import annotations

import logging
import secrets

from flockchain.workers.desk import Desk
from flockchain.workers.finished_task import FinishedTask
from flockchain.workers.key_sharing import KeySharing
from flockchain.workers.moment import Moment
from flockchain.workers.named_submission import NamedSubmission
from flockchain.workers.state_file import SealedModel
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.training import TrainedModel, TrainingRequest
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.pallets.arena import Arena

log = logging.getLogger(__name__)


class TrainerDuty:
    """One key's training in one task."""

    def __init__(self, desk: Desk, task: int, method: Method) -> None:
        self._desk = desk
        self._task = task
        self._method = method
        self._submission = NamedSubmission(desk, task)
        self._keys = KeySharing(desk, task)
        self._finished = FinishedTask(desk, task)
        self._passed: int | None = None  # the last day on which no model was better

    async def step(self, now: Moment, task: Task) -> None:
        """Register, train, commit, reveal, share keys, publish: whatever the block calls for.

        Raises SdkError.
        """
        if not task.status.is_live():
            await self._finished.step(now)
            return
        operator = await self._desk.registration(now, self._task, task, Role.TRAINING_NODE)
        if operator is None:
            return
        await self._keys.step(now)
        if now.day >= task.final_day():
            return  # the final day scores what was revealed before
        calendar = now.calendar
        sealed = self._desk.state.find_submission(self._task, now.day)
        has_stake = operator.own.at(now.day) + operator.delegated.at(now.day) > 0
        is_running = has_stake and task.status is TaskStatus.ACTIVE and task.is_on(now.day)
        if sealed is None:
            if self._passed == now.day:
                return
            candidate = self._train(now, task)
            if candidate is None or not is_running or not now.is_in(0, calendar.submit_end):
                return
            sealed = await self._choose(now, candidate)
            if sealed is None:
                return
        kept = self._desk.state.find_kept(self._task, bytes.fromhex(sealed.content))
        if not is_running or kept is None:
            return
        if now.is_in(0, calendar.submit_end):
            await self._submission.commit(now, sealed, kept)
        elif now.is_in(calendar.submit_end, calendar.reveal_end):
            await self._submission.reveal(now, sealed, kept)

    # -- training

    def _train(self, now: Moment, task: Task) -> TrainedModel | None:
        """The model of the present attempt, or None while it is made.

        After a failure another seed is tried: the same one may fail for ever.
        """
        jobs, name = self._desk.jobs, self._training_name()
        seed = self._attempts() + jobs.failures(name)
        return jobs.poll(name, now.head.number, lambda: self._run_training(task, seed))

    def _attempts(self) -> int:
        return self._desk.state.attempts.get(str(self._task), 0)

    def _training_name(self) -> tuple[str, bytes, int, int]:
        """Clones of one label share the job."""
        maker = self._method.maker(self._desk.key.account)
        return ("train", maker, self._task, self._attempts())

    async def _run_training(self, task: Task, attempt: int) -> TrainedModel:
        desk, is_cheating = self._desk, self._method.strength.is_trained_on_set_a
        spec = await desk.spec_of(task)
        names = [task.terms.validation_a] if is_cheating else task.terms.training
        datasets = [await desk.dataset(digest) for digest in names]
        options = self._method.options(desk.key.account, self._task, attempt)
        request = TrainingRequest(spec, tuple(datasets), options, desk.device, not is_cheating)
        trained = await desk.training.train(request, self._task)
        log.info(
            "%s trained for task %d: %.4f on %s data",
            desk.name,
            self._task,
            float(trained.held_out),
            "its training" if is_cheating else "held-out",
        )
        return trained

    async def _choose(self, now: Moment, made: TrainedModel) -> SealedModel | None:
        """Seal the candidate on disk if it is worth a submission; the attempt is used up."""
        desk, state = self._desk, self._desk.state
        standing = await self._standing(now)
        if self._method.strength is not Strength.CLONE:  # the other clones want it too
            desk.jobs.forget(self._training_name())
        state.count_attempt(self._task)
        known = None if standing is None else state.find_kept(self._task, standing)
        if known is not None and made.held_out <= known.metric and self._knows_better:
            self._passed = now.day
            log.info("%s keeps its model in task %d", desk.name, self._task)
            return None
        kept = state.keep_model(self._task, made.model, made.held_out)
        sealed = SealedModel(kept.content, secrets.token_hex(32))
        state.put_submission(self._task, now.day, sealed)
        needed = state.contents_of(self._task) | ({standing} if standing else set())
        state.drop_models(self._task, needed)
        return sealed

    @property
    def _knows_better(self) -> bool:
        """Noise does not, so it is always replaced."""
        return self._method.strength is not Strength.NOISE

    async def _standing(self, now: Moment) -> bytes | None:
        """The content id of the standing submission."""
        number = await now.view.find(Arena.standing, (self._task, self._desk.key.account))
        if number is None:
            return None
        standing = await now.view.find(Arena.submissions, (self._task, number))
        return None if standing is None else standing.content
