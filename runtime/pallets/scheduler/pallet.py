"""Scheduler: calls that are made in a later block, once or repeatedly.

Root schedules by calls, other pallets by `schedule_call`, which keeps the origin that they give. A
block's tasks run before its extrinsics, by priority, within a part of the block's weight; what does
not fit waits for the next block, ahead of that block's own. A task that can never run is forgotten.
Invariant (`try_state`): names and named tasks point at each other; no agenda of the past is left
but those that wait since `incomplete_since`.

Source: Substrate `pallet_scheduler`; WP VII (what was decided is executed).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from runtime import frame
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.dispatch import Dispatch
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.traits import BlockInfo
from runtime.frame.weights import Weight
from runtime.pallets.scheduler import records as of
from runtime.pallets.scheduler.records import Task
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import U8, U32, BlockNumber, Bytes32, Hash

CHANGE: Final = Weight(300_000_000)  # a full agenda is read and written
CALL_BYTE: Final = Weight(5_000)
AGENDA: Final = Weight(300_000_000)
TASK: Final = Weight(60_000_000)
_LAST_BLOCK: Final = 2**32 - 1


def _weight(call: frame.RuntimeCall) -> Weight:
    return CHANGE + CALL_BYTE.times(len(RUNTIME_CALL.encode(call)))


@dataclass(frozen=True)
class Config:
    """`maximum_weight`: what tasks may use of a block, the largest call included."""

    maximum_weight: Weight
    max_scheduled_per_block: U32 = of.SCHEDULED_MAX


class Scheduler(frame.Pallet[Config], index=12):
    incomplete_since = frame.StorageValue[int](
        BlockNumber, docs="The first block whose tasks have not all run."
    )
    agenda = frame.StorageMap[int, list[Task | None]](
        BlockNumber,
        of.Agenda,
        default=[],
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Tasks by block; places of cancelled ones are empty.",
    )
    lookup = frame.StorageMap[bytes, of.TaskAddress](
        Bytes32,
        of.TaskAddress,
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Where the task of a name stands.",
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        dispatcher: Dispatch,
        preimages: of.Preimages,
        block: BlockInfo,
    ) -> None:
        super().__init__(ext, config)
        self.dispatcher, self.preimages, self.block = dispatcher, preimages, block
        self._left = frame.ZERO_WEIGHT  # of the weight that tasks may use in this block

    # -- calls

    @frame.call(0, weight=lambda when, periodic, priority, call: _weight(call))
    def schedule(
        self,
        origin: frame.Origin,
        when: BlockNumber,
        maybe_periodic: of.Periodic | None,
        priority: U8,
        call: frame.RuntimeCall,
    ) -> None:
        """Make a call in block `when`, and so often after it. Root. Emits Scheduled.

        Raises TargetBlockNumberInPast, FailedToSchedule.
        """
        frame.ensure_root(origin)
        self._schedule_new(None, when, maybe_periodic, priority, call)

    @frame.call(1, weight=CHANGE)
    def cancel(self, origin: frame.Origin, when: BlockNumber, index: U32) -> None:
        """Forget a task without a name. Root. Emits Canceled. Raises NotFound, Named."""
        frame.ensure_root(origin)
        task = self._task_at((when, index))
        if task.maybe_id is not None:
            raise of.Named
        self._cancel((when, index), task)

    @frame.call(2, weight=lambda id_, when, periodic, priority, call: _weight(call))
    def schedule_named(
        self,
        origin: frame.Origin,
        id_: Bytes32,
        when: BlockNumber,
        maybe_periodic: of.Periodic | None,
        priority: U8,
        call: frame.RuntimeCall,
    ) -> None:
        """As `schedule`, under a name that nothing else has."""
        frame.ensure_root(origin)
        self._schedule_new(id_, when, maybe_periodic, priority, call)

    @frame.call(3, weight=CHANGE)
    def cancel_named(self, origin: frame.Origin, id_: Bytes32) -> None:
        """Forget the task of a name. Root. Emits Canceled. Raises NotFound."""
        frame.ensure_root(origin)
        self.cancel_task(id_)

    @frame.call(4, weight=lambda after, periodic, priority, call: _weight(call))
    def schedule_after(
        self,
        origin: frame.Origin,
        after: BlockNumber,
        maybe_periodic: of.Periodic | None,
        priority: U8,
        call: frame.RuntimeCall,
    ) -> None:
        """As `schedule`, with so many blocks in between; 0 is the next block."""
        frame.ensure_root(origin)
        self._schedule_new(None, self._behind(after), maybe_periodic, priority, call)

    @frame.call(5, weight=lambda id_, after, periodic, priority, call: _weight(call))
    def schedule_named_after(
        self,
        origin: frame.Origin,
        id_: Bytes32,
        after: BlockNumber,
        maybe_periodic: of.Periodic | None,
        priority: U8,
        call: frame.RuntimeCall,
    ) -> None:
        """As `schedule_named`, with so many blocks in between; 0 is the next block."""
        frame.ensure_root(origin)
        self._schedule_new(id_, self._behind(after), maybe_periodic, priority, call)

    def _behind(self, after: int) -> int:
        return self.block.block_number() + after + 1

    def _schedule_new(
        self,
        name: bytes | None,
        when: int,
        periodic: of.Periodic | None,
        priority: int,
        call: frame.RuntimeCall,
    ) -> None:
        data = RUNTIME_CALL.encode(call)
        is_short = len(data) <= of.INLINE_BYTES_MAX
        # Checks come before the preimage is written.
        self._ensure_place(name, when)
        bounded = of.Inline(data) if is_short else of.Lookup(self.preimages.note(data), len(data))
        self._place(when, _task(name, priority, bounded, periodic, frame.ROOT))

    # -- for other pallets

    def schedule_call(
        self,
        when: int,
        call: of.Bounded,
        origin: frame.Origin,
        *,
        name: bytes | None = None,
        priority: int = 128,
        periodic: of.Periodic | None = None,
    ) -> None:
        """Let `origin` make a call in block `when`. Bytes among the preimages may still come.

        Emits Scheduled. Raises TargetBlockNumberInPast, FailedToSchedule, BadOrigin.
        """
        task = _task(name, priority, call, periodic, origin)
        self._ensure_place(name, when)
        if isinstance(call, of.Lookup):
            self.preimages.request(call.hash)
        self._place(when, task)

    def schedule_noted(self, earliest: int, found: Hash, length: int, name: bytes) -> int:
        """Let root make the call whose bytes lie at a hash, in the first block from `earliest`
        whose agenda has a place; that block. Emits Scheduled. Raises as `schedule_call`."""
        when = earliest
        while not self._has_place(when) and when < _LAST_BLOCK:
            when += 1
        self.schedule_call(when, of.Lookup(found, length), frame.ROOT, name=name)
        return when

    def cancel_task(self, name: bytes) -> None:
        """Forget the task of a name. Emits Canceled. Raises NotFound."""
        address = self.lookup.find(name)
        if address is None:
            raise of.NotFound
        self._cancel(address, self._task_at(address))

    # -- agendas

    def _task_at(self, address: of.TaskAddress) -> Task:
        when, index = address
        tasks = self.agenda.get(when)
        task = tasks[index] if index < len(tasks) else None
        if task is None:
            raise of.NotFound
        return task

    def _ensure_place(self, name: bytes | None, when: int) -> None:
        if when <= self.block.block_number():
            raise of.TargetBlockNumberInPast
        is_taken = name is not None and self.lookup.contains(name)
        if is_taken or not self._has_place(when):
            raise of.FailedToSchedule

    def _has_place(self, when: int) -> bool:
        if when > _LAST_BLOCK:
            return False
        tasks = self.agenda.get(when)
        return None in tasks or len(tasks) < self.config.max_scheduled_per_block

    def _place(self, when: int, task: Task) -> None:
        tasks = list(self.agenda.get(when))
        index = tasks.index(None) if None in tasks else len(tasks)
        tasks[index : index + 1] = [task]
        self.agenda.put(when, tasks)
        if task.maybe_id is not None:
            self.lookup.put(task.maybe_id, (when, index))
        self.deposit_event(of.Scheduled(when, index))

    def _put_agenda(self, when: int, tasks: list[Task | None]) -> None:
        while tasks and tasks[-1] is None:
            tasks = tasks[:-1]
        if tasks:
            self.agenda.put(when, tasks)
        else:
            self.agenda.remove(when)

    def _cancel(self, address: of.TaskAddress, task: Task) -> None:
        when, index = address
        tasks = list(self.agenda.get(when))
        tasks[index] = None
        self._put_agenda(when, tasks)
        self._forget(task)
        self.deposit_event(of.Canceled(when, index))

    def _forget(self, task: Task) -> None:
        """Give back what a task that is over had: its name, and its call's bytes."""
        if task.maybe_id is not None:
            self.lookup.remove(task.maybe_id)
        if isinstance(task.call, of.Lookup):
            self.preimages.unrequest(task.call.hash)

    # -- running

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Run what is due, as far as it fits; the weight that it used."""
        self._left = self.config.maximum_weight
        since = self.incomplete_since.find()
        when = number if since is None else since
        while when <= number and self._take(AGENDA) and self._run_agenda(when):
            when += 1
        if when <= number:
            self.incomplete_since.put(when)
        elif since is not None:
            self.incomplete_since.remove()
        return _difference(self.config.maximum_weight, self._left)

    def _run_agenda(self, when: int) -> bool:
        """Run the tasks of a block by priority; whether none is left."""
        tasks = list(self.agenda.get(when))
        if not tasks:
            return True
        self.agenda.remove(when)  # what runs cannot cancel what runs with it
        order = sorted((task.priority, place) for place, task in enumerate(tasks) if task)
        for _, index in order:
            task = tasks[index]
            assert task is not None
            if self._run_task((when, index), task):
                tasks[index] = None
        self._put_agenda(when, tasks)
        is_done = not self.agenda.contains(when)
        if not is_done:
            self.deposit_event(of.AgendaIncomplete(when))
        return is_done

    def _run_task(self, address: of.TaskAddress, task: Task) -> bool:
        """Run or forget a task; False if it has to wait."""
        looking = TASK + CALL_BYTE.times(_length_of(task.call))
        if not self._take(looking):
            return False
        call = self._call_of(task.call)
        if call is None:
            self.deposit_event(of.CallUnavailable(address, task.maybe_id))
            self._forget(task)
            return True
        weight = call.info().weight
        if not (AGENDA + looking + weight).fits(self.config.maximum_weight):
            self.deposit_event(of.PermanentlyOverweight(address, task.maybe_id))
            self._forget(task)
            return True
        if not self._take(weight):
            return False
        error = self.dispatcher.dispatch(call, of.origin_of(task.origin))
        self.deposit_event(of.Dispatched(address, task.maybe_id, dispatch_result(error)))
        self._repeat(address, task)
        return True

    def _repeat(self, address: of.TaskAddress, task: Task) -> None:
        if task.maybe_periodic is None:
            self._forget(task)
            return
        period, count = task.maybe_periodic
        when = self.block.block_number() + period
        if not self._has_place(when):
            self.deposit_event(of.PeriodicFailed(address, task.maybe_id))
            self._forget(task)
            return
        following = (period, count - 1) if count > 1 else None
        self._place(when, replace(task, maybe_periodic=following))

    def _call_of(self, bounded: of.Bounded) -> frame.RuntimeCall | None:
        data = bounded.data if isinstance(bounded, of.Inline) else None
        if isinstance(bounded, of.Lookup):
            found = self.preimages.bytes_of(bounded.hash)
            # Who scheduled it said how long it is: that is what was weighed.
            data = found if found is not None and len(found) == bounded.len else None
        try:
            return None if data is None else RUNTIME_CALL.decode_all(data)
        except DecodeError:
            return None

    def _take(self, weight: Weight) -> bool:
        """Use weight of what is left in this block, if there is so much."""
        if not weight.fits(self._left):
            return False
        self._left = _difference(self._left, weight)
        return True

    def try_state(self) -> None:
        since, number = self.incomplete_since.find(), self.block.block_number()
        named = {}
        for when, tasks in self.agenda.items():
            assert when > number or (since is not None and when >= since), f"agenda of {when}"
            assert tasks[-1] is not None, f"agenda of {when} ends empty"
            for index, task in enumerate(tasks):
                if task is not None and task.maybe_id is not None:
                    named[task.maybe_id] = (when, index)
        assert named == dict(self.lookup.items())


def _task(
    name: bytes | None,
    priority: int,
    call: of.Bounded,
    periodic: of.Periodic | None,
    origin: frame.Origin,
) -> Task:
    """A task; its period tells what is left after the first time."""
    repeats = periodic is not None and periodic[0] > 0 and periodic[1] > 1
    left = (periodic[0], periodic[1] - 1) if repeats and periodic is not None else None
    return Task(name, priority, call, left, of.stored_origin(origin))


def _length_of(bounded: of.Bounded) -> int:
    return bounded.len if isinstance(bounded, of.Lookup) else of.INLINE_BYTES_MAX


def _difference(larger: Weight, smaller: Weight) -> Weight:
    return Weight(larger.ref_time - smaller.ref_time, larger.proof_size - smaller.proof_size)
