"""What a pallet is made of: storage items, calls, events, errors, constants, hooks.

All reflection happens once, while the pallet class is created; a dispatch is two table look-ups,
one decode and one plain method call. Pallets are built anew over each block's state and never
import one another: `runtime.runtime` hands each what it asks for.

Source: FRAME (`frame_support::pallet`).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    TypeVar,
    dataclass_transform,
    get_type_hints,
)

from runtime.frame.errors import PALLET_INDICES, InvalidTransaction, ModuleError
from runtime.frame.errors import InvalidKind as Invalid
from runtime.frame.externalities import Externalities
from runtime.frame.naming import pallet_key
from runtime.frame.storage import StorageItem
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.frame.weights import ZERO_WEIGHT, DispatchClass, DispatchInfo, Pays, Weight
from runtime.primitives.scale import Codec, EncodeError, codec_of, scale_type
from runtime.primitives.types import BlockNumber

C = TypeVar("C")
T = TypeVar("T")
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., None])


@dataclass_transform(frozen_default=True)
def event(index: int) -> Callable[[type[T]], type[T]]:
    """Declare an event of the module's pallet. `index` is part of the encoding: never renumber."""

    def declare(cls: type[T]) -> type[T]:
        made = scale_type(cls)
        events = EVENTS.setdefault(pallet_key(cls.__module__), {})
        assert index not in events, f"{cls.__module__}: event index {index} used twice"
        events[index] = made
        EVENT_INDEX[made] = index
        return made

    return declare


EVENTS: dict[str, dict[int, type]] = {}  # pallet key → index → event
EVENT_INDEX: dict[type, int] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class CallEntry:
    """One dispatchable, ready to decode and run."""

    pallet: type[Pallet[Any]]
    name: str
    index: int
    function: Callable[..., None]
    parameters: tuple[tuple[str, Any], ...]  # name, annotation
    codec: Codec[tuple[Any, ...]]
    weight: Weight | Callable[..., Weight]
    dispatch_class: DispatchClass
    pays: Pays
    docs: tuple[str, ...]
    fixed_info: DispatchInfo | None  # where the weight does not depend on the arguments

    @property
    def indices(self) -> tuple[int, int]:
        """Of the pallet, and of the call in it."""
        return self.pallet.pallet_index, self.index

    def info(self, arguments: tuple[Any, ...]) -> DispatchInfo:
        """What a call with these arguments is weighed and classed as."""
        if self.fixed_info is not None:
            return self.fixed_info
        assert not isinstance(self.weight, Weight)
        return DispatchInfo(self.weight(*arguments), self.dispatch_class, self.pays)


_MARKED: dict[Callable[..., None], tuple[int, Any, DispatchClass, Pays]] = {}
_ENTRIES: dict[Callable[..., None], CallEntry] = {}


def call(
    index: int,
    *,
    weight: Weight | Callable[..., Weight],
    dispatch_class: DispatchClass = DispatchClass.NORMAL,
    pays: Pays = Pays.YES,
) -> Callable[[F], F]:
    """Mark a method as dispatchable. `index` is part of the encoding: never renumber.

    `weight` is the worst case, or a function of the call's arguments.
    """

    def mark(function: F) -> F:
        _MARKED[function] = (index, weight, dispatch_class, pays)
        return function

    return mark


class Pallet(Generic[C]):
    """A pallet: subclass it with `index=`, declare items and calls, override the hooks it needs.

    Fields of the config dataclass that have a SCALE form are the pallet's constants in metadata.
    `stored_version` is that of the state which the class reads; `migrations` bring an older state
    up, by the version that they begin with.
    """

    pallet_index: ClassVar[int]
    stored_version: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Callable[[Any], None]]] = {}
    calls: ClassVar[dict[int, CallEntry]] = {}
    event_types: ClassVar[dict[int, type]] = {}
    error_types: ClassVar[dict[int, type[ModuleError]]] = {}
    storage_items: ClassVar[tuple[StorageItem, ...]] = ()

    def __init_subclass__(cls, *, index: int) -> None:
        key = pallet_key(cls.__module__)
        cls.pallet_index = PALLET_INDICES[key] = index
        cls.event_types = EVENTS.setdefault(key, {})
        cls.error_types = ModuleError.by_pallet.setdefault(key, {})
        found = {
            item.name: item if base is cls else item.copy_for(cls.__name__)
            for base in reversed(cls.__mro__)
            for item in vars(base).values()
            if isinstance(item, StorageItem)
        }
        cls.storage_items = tuple(found.values())
        for item in cls.storage_items:
            setattr(cls, item.name, item)
        cls.calls = {}
        for base in reversed(cls.__mro__):
            for function in vars(base).values():
                if isinstance(function, FunctionType) and function in _MARKED:
                    entry = _entry(cls, function)
                    assert entry.index not in cls.calls, f"{cls.__name__}: call {entry.index} twice"
                    cls.calls[entry.index] = _ENTRIES[function] = entry

    def __init__(self, ext: Externalities, config: C) -> None:
        self.ext = ext
        self.config = config

    def deposit_event(self, event: object) -> None:
        """Record one of the pallet's events."""
        self.ext.deposit_event(event)

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Before the block's extrinsics; the weight that it used."""
        return ZERO_WEIGHT

    def on_idle(self, number: BlockNumber, remaining: Weight) -> Weight:
        """With the weight that extrinsics left; the weight that it used, at most `remaining`."""
        return ZERO_WEIGHT

    def on_finalize(self, number: BlockNumber) -> None:
        """After the block's extrinsics."""

    def validate_unsigned(
        self, source: TransactionSource, entry: CallEntry, arguments: tuple[Any, ...]
    ) -> ValidTransaction:
        """Accept an unsigned, feeless extrinsic of this pallet, or raise InvalidTransaction."""
        raise InvalidTransaction(Invalid.BAD_SIGNER, f"{entry.name} must be signed")

    def try_state(self) -> None:
        """Raise AssertionError if an invariant is broken. Run by tests, not by blocks."""


def _entry(pallet: type[Pallet[Any]], function: Callable[..., None]) -> CallEntry:
    index, weight, dispatch_class, pays = _MARKED[function]
    hints = get_type_hints(function, include_extras=True)
    parameters = tuple((name, tp) for name, tp in hints.items() if name not in ("origin", "return"))
    codec: Codec[tuple[Any, ...]] = codec_of(tuple[tuple(tp for _, tp in parameters) or ((),)])  # type: ignore[misc]
    docs = tuple((inspect.getdoc(function) or "").splitlines())
    return CallEntry(
        pallet,
        function.__name__,
        index,
        function,
        parameters,
        codec,
        weight,
        dispatch_class,
        pays,
        docs,
        DispatchInfo(weight, dispatch_class, pays) if isinstance(weight, Weight) else None,
    )


def entry_of(function: Callable[..., None]) -> CallEntry:
    """The table entry of a call, by its function: `entry_of(Balances.transfer_keep_alive)`."""
    return _ENTRIES[function]


def encode_call(
    function: Callable[Concatenate[Any, Any, P], None], *args: P.args, **kwargs: P.kwargs
) -> bytes:
    """Pallet index, call index and arguments of `function(origin, *args)`, as they are signed."""
    entry = _ENTRIES[function]
    if kwargs:
        raise EncodeError("positional arguments only: the order is the wire order")
    return bytes(entry.indices) + entry.codec.encode(args)
