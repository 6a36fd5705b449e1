"""A training node: train, seal, open in the reveal window, and do better the next day.

A new model replaces the standing one if it is better on rows that were held out of the training
data. Models travel encrypted; the drawn validators get their keys. Whether a day's model goes out
under an alias or under the account's name is decided once, when it is sealed on disk.

Source: WP V.C (training nodes), WP V.E (submissions), Table I (free riders).
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.workers.alias_opening import AliasOpening
from flockchain.workers.alias_submission import AliasSubmission
from flockchain.workers.crowds import NoCrowd, choose_position, find_crowd
from flockchain.workers.desk import Desk
from flockchain.workers.finished_task import FinishedTask
from flockchain.workers.key_sharing import KeySharing
from flockchain.workers.moment import Moment
from flockchain.workers.named_submission import NamedSubmission
from flockchain.workers.ring_key import has_ring_key, publish_ring_key
from flockchain.workers.state_file import SealedAlias, SealedModel
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.training import TrainedModel, TrainingRequest
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.pallets.arena import Arena
from runtime.pallets.arena.key_records import RingPlace

log = logging.getLogger(__name__)

SECRET_BYTES: Final = 32
_ASKED: Final = NoCrowd("it was told to")


class TrainerDuty:
    """One key's training in one task."""

    def __init__(self, desk: Desk, task: int, method: Method) -> None:
        self._desk = desk
        self._task = task
        self._method = method
        self._named = NamedSubmission(desk, task)
        self._hidden = AliasSubmission(desk, task)
        self._opening = AliasOpening(desk, task)
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
        if self._is_nothing_sealed(now) and now.day < task.final_day():
            self._desk.jobs.poll("load libraries", now.head.number, self._desk.training.load)
        operator = await self._desk.registration(now, self._task, task, Role.TRAINING_NODE)
        if operator is None:
            return
        await self._keys.step(now)
        await self._hidden.step(now, task)
        await self._opening.step(now, task)
        if now.day >= task.final_day():
            return  # the final day scores what was revealed before
        if self._desk.is_blind and not await has_ring_key(self._desk, now):
            publish_ring_key(self._desk, now)
        has_stake = operator.own.at(now.day) + operator.delegated.at(now.day) > 0
        if has_stake and task.status is TaskStatus.ACTIVE and task.is_on(now.day):
            await self._submit(now, task)
        elif self._is_nothing_sealed(now):
            self._train(now, task)

    async def _submit(self, now: Moment, task: Task) -> None:
        """Seal the day's model, and submit it if that is done under one's name. Raises SdkError."""
        calendar, state = now.calendar, self._desk.state
        if self._is_nothing_sealed(now):
            candidate = self._train(now, task)
            if candidate is not None and now.is_in(0, calendar.submit_end):
                await self._choose(now, candidate)
        sealed = state.find_submission(self._task, now.day)
        kept = None if sealed is None else state.find_kept(self._task, _content_of(sealed))
        if sealed is None or kept is None:
            return
        if now.is_in(0, calendar.submit_end):
            await self._named.commit(now, sealed, kept)
        elif now.is_in(calendar.submit_end, calendar.reveal_end):
            await self._named.reveal(now, sealed, kept)

    def _is_nothing_sealed(self, now: Moment) -> bool:
        """Whether a model of today is still to be made or chosen."""
        state, task = self._desk.state, self._task
        return (
            state.find_submission(task, now.day) is None
            and state.find_alias(task, now.day) is None
            and self._passed != now.day
        )

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

    async def _choose(self, now: Moment, made: TrainedModel) -> None:
        """Seal the candidate on disk if it is worth a submission; the attempt is used up."""
        desk, state = self._desk, self._desk.state
        crowd = await find_crowd(desk, now, self._task) if desk.is_blind else _ASKED
        if crowd is None:
            return  # rings are dealt in the day's first blocks
        standing = await self._standing(now)
        if self._method.strength is not Strength.CLONE:  # the other clones want it too
            desk.jobs.forget(self._training_name())
        state.count_attempt(self._task)
        known = None if standing is None else state.find_kept(self._task, standing)
        if known is not None and made.held_out <= known.metric and self._knows_better:
            self._passed = now.day
            log.info("%s keeps its model in task %d", desk.name, self._task)
            return
        kept = state.keep_model(self._task, made.model, made.held_out)
        self._seal(now, kept.content, crowd)
        needed = state.contents_of(self._task) | ({standing} if standing else set())
        state.drop_models(self._task, needed)

    def _seal(self, now: Moment, content: str, crowd: RingPlace | NoCrowd) -> None:
        """Write down all that the submission is made of, before anything is sent."""
        desk, state = self._desk, self._desk.state
        salt = desk.random.randbytes(SECRET_BYTES).hex()
        if isinstance(crowd, NoCrowd):
            if crowd is not _ASKED:
                log.warning(
                    "%s submits to task %d under its name: %s", desk.name, self._task, crowd.reason
                )
            state.put_submission(self._task, now.day, SealedModel(content, salt))
            return
        secret, entropy = (desk.random.randbytes(SECRET_BYTES).hex() for _ in range(2))
        send_at = choose_position(now, desk.random)
        sealed = SealedAlias(content, salt, secret, entropy, crowd.index, send_at)
        state.put_alias(self._task, now.day, sealed)
        log.info(
            "%s submits to task %d under an alias, with block %d of the day",
            desk.name,
            self._task,
            send_at,
        )

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


def _content_of(sealed: SealedModel) -> bytes:
    return bytes.fromhex(sealed.content)
