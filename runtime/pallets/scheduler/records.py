"""What the scheduler keeps and tells: tasks, where their calls lie, events, errors.

Source: Substrate `pallet_scheduler`, `frame_support::traits::preimages::Bounded`.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol, TypeAlias

from runtime import frame
from runtime.frame.dispatch_error import DispatchResult
from runtime.frame.origin import signed
from runtime.primitives.scale import Limit
from runtime.primitives.types import U8, U32, AccountId, BlockNumber, Bytes32, Hash

SCHEDULED_MAX: Final = 50  # tasks of one block
INLINE_BYTES_MAX: Final = 128  # longer calls lie among the preimages

Periodic: TypeAlias = tuple[BlockNumber, U32]
"""How many blocks between two calls, and how many calls."""
TaskAddress: TypeAlias = tuple[BlockNumber, U32]
"""A block and the place in its agenda."""


class Bounded(frame.ScaleEnum, path="frame_support::traits::preimages::Bounded"):
    """A call's bytes, or where they lie."""


class Legacy(Bounded, index=0):
    """By hash alone; not used."""

    hash: Hash


class Inline(Bounded, index=1, flat=True):
    """Here."""

    data: Annotated[bytes, Limit(INLINE_BYTES_MAX)]


class Lookup(Bounded, index=2):
    """Among the preimages."""

    hash: Hash
    len: U32


class RawOrigin(frame.ScaleEnum, path="frame_support::dispatch::RawOrigin"):
    """Who makes a call."""


class RootOrigin(RawOrigin, index=0, name="Root"):
    """The chain itself."""


class SignedOrigin(RawOrigin, index=1, flat=True, name="Signed"):
    """An account."""

    who: AccountId


class OriginCaller(frame.ScaleEnum, path="flockchain_runtime::OriginCaller"):
    """Who makes a call, by the pallet that says so."""


class SystemOrigin(OriginCaller, index=0, flat=True, name="system"):
    """An origin of system's."""

    origin: RawOrigin


def stored_origin(origin: frame.Origin) -> OriginCaller:
    """The form that is kept. Raises BadOrigin for nobody, and for an origin with filters."""
    if origin.filters:
        raise frame.BadOrigin
    if origin.is_root:
        return SystemOrigin(RootOrigin())
    return SystemOrigin(SignedOrigin(frame.ensure_signed(origin)))


def origin_of(stored: OriginCaller) -> frame.Origin:
    """The opposite of `stored_origin`."""
    assert isinstance(stored, SystemOrigin)
    return signed(stored.origin.who) if isinstance(stored.origin, SignedOrigin) else frame.ROOT


@frame.scale_type(path="pallet_scheduler::Scheduled")
class Task:
    """A task: lower priorities go first; `maybe_periodic` tells what is left after this time."""

    maybe_id: Bytes32 | None
    priority: U8
    call: Bounded
    maybe_periodic: Periodic | None
    origin: OriginCaller


Agenda = Annotated[list[Task | None], Limit(SCHEDULED_MAX)]


class Preimages(Protocol):
    """Where long calls lie."""

    def note(self, data: bytes) -> Hash:
        """Keep bytes and rely on them once. Raises DispatchError if there are too many."""

    def bytes_of(self, found: Hash) -> bytes | None:
        """The bytes of a hash, if they are there."""

    def request(self, found: Hash) -> None:
        """Rely on bytes once more."""

    def unrequest(self, found: Hash) -> bool:
        """Rely on bytes once less; False if nobody did."""


@frame.event(0)
class Scheduled:
    """A task stands in the agenda of block `when`."""

    when: BlockNumber
    index: U32


@frame.event(1)
class Canceled:
    """A task was cancelled."""

    when: BlockNumber
    index: U32


@frame.event(2)
class Dispatched:
    """A task's call was made; `result` is how it went."""

    task: TaskAddress
    id: Bytes32 | None
    result: DispatchResult


@frame.event(5)
class CallUnavailable:
    """A task's call is not on the chain or is none; the task is forgotten."""

    task: TaskAddress
    id: Bytes32 | None


@frame.event(6)
class PeriodicFailed:
    """The agenda where a task would stand again is full; the task is forgotten."""

    task: TaskAddress
    id: Bytes32 | None


@frame.event(8)
class PermanentlyOverweight:
    """A task's call is heavier than all that tasks may use in a block; the task is forgotten."""

    task: TaskAddress
    id: Bytes32 | None


@frame.event(9)
class AgendaIncomplete:
    """Some tasks of block `when` did not fit and wait for the next block."""

    when: BlockNumber


class FailedToSchedule(frame.ModuleError, index=0):
    """The agenda of that block is full, or the name is taken."""


class NotFound(frame.ModuleError, index=1):
    """There is no such task."""


class TargetBlockNumberInPast(frame.ModuleError, index=2):
    """A task can only be scheduled for a later block."""


class Named(frame.ModuleError, index=4):
    """The task has a name: use `cancel_named`."""
