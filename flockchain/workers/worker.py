"""The worker: follow the best block, let every key do its duty in every task, repeat.

Owns the processes, state files and jobs of its keys. A tick follows each new best block and each
job that ends, at most so many a second, so nothing is polled; what a tick does follows from the
block's state alone, so forks, restarts of the node and of the worker are nothing special. Duties
are served some at a time in rotation, and a newer block comes before the rest of them. Invariant:
an error in one duty stops no other.

Source: WP II.B (roles), WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from flockchain.keys import KeyPair
from flockchain.sdk import Client, Head, SdkError, StateView
from flockchain.workers.actions import Actions
from flockchain.workers.alias_lines import AliasLines
from flockchain.workers.attacks.copier import CopierDuty
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.court import Court
from flockchain.workers.creator import CreatorDuty
from flockchain.workers.desk import Desk, Duty
from flockchain.workers.evaluating import Bench
from flockchain.workers.head_loop import TICK_GAP_S, HeadLoop
from flockchain.workers.jobs import Jobs
from flockchain.workers.juror import Juries, JurorDuty
from flockchain.workers.moment import Moment
from flockchain.workers.opened_models import OpenedModels
from flockchain.workers.rota import Rota
from flockchain.workers.state_file import WorkerState
from flockchain.workers.strengths import STRONG, Method
from flockchain.workers.trainer import TrainerDuty
from flockchain.workers.training import TrainingPool
from flockchain.workers.validator import ValidatorDuty
from runtime.economy.tasks import Task
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.marketplace.case_records import LiveCase
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)

SERVED_AT_ONCE_MAX: Final = 64  # duties whose questions are under way at the node
NO_SHARE: Final = Rational(0, 1)


class WorkerRole(enum.StrEnum):
    """What a key does."""

    TRAINER = "trainer"
    VALIDATOR = "validator"
    CREATOR = "creator"
    JUROR = "juror"  # in juries only: its validator is another worker


class Behaviour(enum.StrEnum):
    """How a task validator comes by its scores."""

    HONEST = "honest"
    COPIER = "copier"  # attack: seals and opens what another validator sealed and opened


@dataclass(frozen=True, slots=True)
class Member:
    """A key and its part. `method` is a trainer's, `behaviour` a validator's.

    `stake` in planck, None for the minimum; `share` is what delegators get of their pro-rata part.
    A trainer that `is_blind` submits under aliases wherever a crowd can hide it. `juries`: of
    validators and jurors.
    """

    key: KeyPair
    role: WorkerRole
    method: Method = STRONG
    behaviour: Behaviour = Behaviour.HONEST
    stake: int | None = None
    share: Rational = NO_SHARE
    is_blind: bool = False
    juries: Juries = Juries.DRAWN


class Worker:
    """Runs the duties of its members. Use it as `async with`, or call `close`."""

    def __init__(
        self,
        client: Client,
        members: Sequence[Member],
        state_directory: Path,
        *,
        tasks: Sequence[int] | None = None,
        device: str = "auto",
        blind_rpc: str | None = None,
        random: Random | None = None,
        tick_gap_s: float = TICK_GAP_S,
    ) -> None:
        """Works in `tasks`, or in every live task. Raises StateFileError.

        `blind_rpc`: the node that aliases speak to, by default that of `client`; `random`: what
        keys, salts and moments of aliases are made with, by default the operating system's.
        """
        self.ticks = 0
        self._client = client
        self._directory = state_directory
        self._tasks = None if tasks is None else frozenset(tasks)
        self._unchecked = self._tasks or frozenset()
        self._loop = HeadLoop(client, self._tick, tick_gap_s)
        self._rota: Rota[tuple[int, int]] = Rota()
        self._jobs = Jobs(self._loop.wake)
        self._actions = Actions(client, self._loop.wake)
        self._bench = Bench(device)
        self._training = TrainingPool()
        self._states: list[WorkerState] = []
        self._desks: list[tuple[Member, Desk]] = []
        self._duties: dict[tuple[int, int], Duty] = {}
        self._jurors: list[JurorDuty] = []
        self._lines = AliasLines(blind_rpc or client.transport.url, client.genesis)
        if blind_rpc is None and any(member.is_blind for member in members):
            log.warning(
                "aliases act through the worker's own node: who runs it, or watches its traffic, "
                "learns whose they are; --blind-rpc names another node for them"
            )
        blobs, opened = BlobCache(client), OpenedModels()
        self._court = Court(client, blobs, state_directory, device)
        try:
            for member in members:
                state = WorkerState(state_directory, client.genesis, member.key.account)
                self._states.append(state)
                desk = Desk(
                    client,
                    member.key,
                    state,
                    self._jobs,
                    self._actions,
                    blobs,
                    opened,
                    self._bench,
                    self._training,
                    device,
                    member.stake,
                    member.share,
                    member.is_blind,
                    self._lines,
                    random or SystemRandom(),
                )
                self._desks.append((member, desk))
                if _sits_in_juries(member):
                    self._jurors.append(JurorDuty(desk, self._court, member.juries))
        except BaseException:
            self._close_states()
            raise

    async def run(self) -> None:
        """Work until cancelled. Raises WrongChain, RpcFailed if the node cannot be followed."""
        await self._loop.run()

    async def settled(self, block: Hash) -> None:
        """Wait until all that this best block calls for is done, or in the node's pool."""
        await self._loop.settled(block)

    async def close(self) -> None:
        """End jobs and processes, release the state files."""
        await self._jobs.close()
        await self._actions.close()
        await self._lines.close()
        await self._court.close()
        await self._bench.close()
        await self._training.close()
        self._close_states()

    async def __aenter__(self) -> Worker:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- ticks

    async def _tick(self, head: Head) -> None:
        self.ticks += 1
        view = self._client.gathered_at(head.hash)
        moment = Moment(head, view, self._client.preset.calendar)
        try:
            live, cases = await asyncio.gather(
                view.query(Tasks.live), view.query(Marketplace.live_cases)
            )
            wanted = [task for task in live if self._tasks is None or task in self._tasks]
            ended = sorted(self._tasks_with_secrets() - set(live))
            records = await view.query_many(Tasks.tasks, [*wanted, *ended])
            if self._unchecked:
                await self._name_unknown(view)
        except SdkError as error:
            log.warning("block %d cannot be read: %s", head.number, error)
            return
        tasks = {
            number: record
            for number, record in zip([*wanted, *ended], records, strict=True)
            if record is not None
        }
        for place in [place for place in self._duties if place[1] not in tasks]:
            del self._duties[place]
        await asyncio.gather(*(self._sit(each, moment, wanted, cases) for each in self._jurors))
        if not any(each.is_sitting for each in self._jurors):
            await self._court.rest()
        if not await self._serve(moment, tasks):
            return
        if not (self._loop.has_changed or self._jobs.running or self._actions.entering):
            await self._loop.settle(head.hash)

    def _tasks_with_secrets(self) -> set[int]:
        return set().union(*(desk.state.tasks_with_secrets() for _, desk in self._desks))

    async def _serve(self, moment: Moment, tasks: Mapping[int, Task]) -> bool:
        """Serve every duty, some at a time; False if something newer came before the last."""
        places = [
            (index, number)
            for number, task in tasks.items()
            for index, (member, desk) in enumerate(self._desks)
            if member.role is not WorkerRole.JUROR
            if task.status.is_live() or number in desk.state.tasks_with_secrets()
        ]
        order = self._rota.order(places)
        for start in range(0, len(order), SERVED_AT_ONCE_MAX):
            if start and self._loop.has_changed:
                return False
            served = order[start : start + SERVED_AT_ONCE_MAX]
            await asyncio.gather(
                *(self._step(index, number, moment, tasks[number]) for index, number in served)
            )
            self._rota.served(served)
        return True

    async def _sit(
        self, juror: JurorDuty, moment: Moment, tasks: Sequence[int], cases: Sequence[LiveCase]
    ) -> None:
        try:
            await juror.step(moment, tasks, cases)
        except SdkError as error:
            log.warning("juries: %s", error)
        except Exception:
            log.exception("a juror failed")

    async def _name_unknown(self, view: StateView) -> None:
        """Say, once, which of the tasks that were asked for the chain does not have."""
        asked = sorted(self._unchecked)
        records = await view.query_many(Tasks.tasks, asked)
        for task, record in zip(asked, records, strict=True):
            if record is None:
                log.warning("task %d is unknown to the chain: waiting for it", task)
        self._unchecked = frozenset()

    async def _step(self, index: int, number: int, moment: Moment, task: Task) -> None:
        member, desk = self._desks[index]
        duty = self._duties.get((index, number))
        if duty is None:
            duty = self._duties[index, number] = self._duty(member, desk, number)
        try:
            await duty.step(moment, task)
        except SdkError as error:
            log.warning("%s, task %d: %s", desk.name, number, error)
        except Exception:
            log.exception("%s, task %d: a duty failed", desk.name, number)

    def _duty(self, member: Member, desk: Desk, task: int) -> Duty:
        match member.role:
            case WorkerRole.TRAINER:
                return TrainerDuty(desk, task, member.method)
            case WorkerRole.VALIDATOR if member.behaviour is Behaviour.COPIER:
                return CopierDuty(desk, task)
            case WorkerRole.VALIDATOR:
                return ValidatorDuty(desk, task)
            case WorkerRole.CREATOR:
                return CreatorDuty(desk, task, self._directory)
            case WorkerRole.JUROR:
                raise AssertionError("jurors have no duty in tasks")

    def _close_states(self) -> None:
        for state in self._states:
            state.close()
        self._states.clear()


def _sits_in_juries(member: Member) -> bool:
    is_able = member.role in (WorkerRole.VALIDATOR, WorkerRole.JUROR)
    return is_able and member.juries is not Juries.OFF
