"""A training node: train, seal, open in the reveal window, and do better the next day.

Submissions are uploaded in plain when they are opened, not before: until then a model is only on
this machine. A new model replaces the standing
one if it is better on rows that were held out of the training data.

Source: WP V.C (training nodes), WP V.E (submissions), Table I (free riders).
"""

from __future__ import annotations

import logging
import secrets
from fractions import Fraction

from flockchain.workers.announcing import announce_submission
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.state_file import SealedModel
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.training import TrainedModel, TrainingRequest
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account, SubmittedModel
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)


class TrainerDuty:
    """One key's training in one task."""

    def __init__(self, desk: Desk, task: int, method: Method) -> None:
        self._desk = desk
        self._task = task
        self._method = method
        self._passed: int | None = None  # the last day on which no model was better

    async def step(self, now: Moment, task: Task) -> None:
        """Register, train, commit, reveal: whatever the block calls for. Raises SdkError."""
        operator = await self._desk.registration(now, self._task, task, Role.TRAINING_NODE)
        if operator is None:
            return
        if now.day >= task.final_day():
            return  # the final day scores what was revealed before
        calendar = now.calendar
        sealed = self._desk.state.find_model(self._task, now.day)
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
        if is_running and now.is_in(0, calendar.submit_end):
            await self._commit(now, sealed)
        elif is_running and now.is_in(calendar.submit_end, calendar.reveal_end):
            await self._reveal(now, sealed)

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
        standing = await self._standing_metric(now)
        if self._method.strength is not Strength.CLONE:  # the other clones want it too
            desk.jobs.forget(self._training_name())
        state.count_attempt(self._task)
        if standing is not None and made.held_out <= standing:
            self._passed = now.day
            log.info("%s keeps its model in task %d", desk.name, self._task)
            return None
        content = state.put_model_file(made.model, made.held_out)
        sealed = SealedModel(content.hex(), len(made.model), secrets.token_hex(32))
        state.put_model(self._task, now.day, sealed)
        return sealed

    async def _standing_metric(self, now: Moment) -> Fraction | None:
        """The standing model's own metric. Noise knows no better, so it is always replaced."""
        number = await now.view.find(Arena.standing, (self._task, self._desk.key.account))
        if number is None or self._method.strength is Strength.NOISE:
            return None
        standing = await now.view.find(Arena.submissions, (self._task, number))
        return None if standing is None else self._desk.state.find_metric(standing.content)

    # -- the chain

    async def _commit(self, now: Moment, sealed: SealedModel) -> None:
        seal = self._seal(sealed)
        if seal in await self._seals(now):
            return
        desk = self._desk
        self._announce(now, sealed, seal, is_revealed=False)
        desk.actions.act(
            ("commit model", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(Arena.commit_submission, self._task, seal),
            f"{desk.name} sealed a model for task {self._task}",
        )

    async def _reveal(self, now: Moment, sealed: SealedModel) -> None:
        desk, content = self._desk, bytes.fromhex(sealed.content)
        is_open = (await self._seals(now)).get(self._seal(sealed))
        if is_open is None or is_open:
            return
        uploaded = desk.jobs.poll(
            ("upload", content), now.head.number, lambda: self._upload(content)
        )
        if uploaded is None:
            return
        self._announce(now, sealed, self._seal(sealed), is_revealed=True)
        desk.actions.act(
            ("reveal model", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(
                Arena.reveal_submission,
                self._task,
                content,
                content,
                sealed.size_bytes,
                bytes.fromhex(sealed.salt),
            ),
            f"{desk.name} opened its model for task {self._task}",
        )

    def _announce(self, now: Moment, sealed: SealedModel, seal: Hash, *, is_revealed: bool) -> None:
        """Tell other nodes of the seal, or of the blob behind it: once, and only if they listen."""
        desk, day = self._desk, now.day
        blob = (bytes.fromhex(sealed.content), sealed.size_bytes) if is_revealed else None
        desk.jobs.poll(
            ("announce", seal, is_revealed),
            now.head.number,
            lambda: announce_submission(desk.client, desk.key, self._task, day, seal, blob),
        )

    async def _upload(self, content: bytes) -> bytes:
        model = self._desk.state.find_model_file(content)
        if model is None:
            raise FileNotFoundError(f"the sealed model {content.hex()} is not on disk any more")
        return await self._desk.client.put_blob(model, self._desk.key)

    def _seal(self, sealed: SealedModel) -> Hash:
        content = bytes.fromhex(sealed.content)
        return seal_submission(
            self._desk.client.genesis,
            self._task,
            Account(self._desk.key.account),
            SubmittedModel(content, content, sealed.size_bytes),
            bytes.fromhex(sealed.salt),
        )

    async def _seals(self, now: Moment) -> dict[Hash, bool]:
        """Today's seals on the chain, and whether each is open."""
        place = (self._task, Account(self._desk.key.account))
        found = await now.view.find(Arena.seals, place)
        if found is None or found.day != now.day:
            return {}
        return {known.seal: known.is_revealed for known in found.seals}
