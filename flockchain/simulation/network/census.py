"""What a node holds in memory: how many bytes, and how many elements in each of its collections.

Owns a walk over everything that is reached from an object, name by name; nothing has to be listed
by hand, so a collection that is new is counted too. Bytes are those of Python's objects, each once.
Invariant: what the simulation holds itself (disks, wires, checkers) is not the node's.
Source: reliability goals (long runs with flat memory).
"""

from __future__ import annotations

import gc
import logging
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any, Final

from flockchain.simulation.network import shared_checks
from flockchain.simulation.network.checkers import Checkers
from flockchain.simulation.network.disk import SimulatedDisk
from flockchain.simulation.network.seat import Seat
from flockchain.simulation.network.trace import Trace
from p2p.memory import MemoryHub

_PACKAGES: Final = ("flockchain", "runtime", "p2p")
_FOREIGN: Final = (Seat, SimulatedDisk, MemoryHub, Checkers, Trace, logging.Logger)
_CODE: Final = (type, ModuleType, CodeType, FrameType)
_ATOMS: Final = (bytes, int, str, bool, float, type(None))
_CACHE: Final = type(lru_cache(len))


@dataclass(frozen=True, slots=True)
class Census:
    """What was found: bytes of all objects, and elements by the path to their collection."""

    size_bytes: int
    elements: dict[str, int]
    """Equal paths are added up: `peers[].votes` are those of all peers."""


def take_census(root: object, name: str = "") -> Census:
    """Everything that `root` holds, but what the simulation and the program itself hold."""
    return _walk([(root, name)], is_shared=False)


def process_census() -> Census:
    """What modules of this project hold for the whole process: caches, and shared answers."""
    found = (
        (value, f"{name}.{key}")
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _PACKAGES
        for key, value in vars(module).items()
        if not key.startswith("__") and _is_state(value)
    )
    return _walk(found, is_shared=True)


def _is_state(value: object) -> bool:
    of_project = type(value).__module__.partition(".")[0] in _PACKAGES
    return of_project or isinstance(value, (_CACHE, dict, list, set, deque))


def _walk(roots: Iterable[tuple[object, str]], *, is_shared: bool) -> Census:
    """`is_shared`: answers that simulated nodes share are counted."""
    found: dict[str, int] = {}
    known: dict[int, object] = {}  # an id is an object's as long as that lives
    size_bytes = 0
    waiting = deque(roots)
    while waiting:
        value, path = waiting.popleft()
        if id(value) in known or isinstance(value, (*_CODE, *_FOREIGN)):
            continue
        if not is_shared and type(value).__module__ == shared_checks.__name__:
            continue
        known[id(value)] = value
        size_bytes += sys.getsizeof(value)
        if isinstance(value, _ATOMS):
            continue
        count = _count(value)
        if count is not None:
            found[path] = found.get(path, 0) + count
        waiting.extend(_held_by(value, path))
    return Census(size_bytes, found)


def _count(value: object) -> int | None:
    if isinstance(value, (dict, list, set, deque)):
        return len(value)
    if isinstance(value, _CACHE):
        return value.cache_info().currsize
    return None


def _held_by(value: object, path: str) -> Iterator[tuple[object, str]]:
    match value:
        case dict():
            for key, element in value.items():
                yield key, f"{path}[]"
                yield element, f"{path}[]"
        case list() | set() | deque() | tuple() | frozenset():
            for element in value:
                yield element, f"{path}[]"
        case MethodType() | BuiltinFunctionType():
            yield value.__self__, path
        case FunctionType():
            for cell in value.__closure__ or ():
                yield cell, path
        case CellType():
            yield from ((held, path) for held in gc.get_referents(value))
        case partial():
            yield from ((held, path) for held in (value.func, *value.args))
        case _:
            yield from _attributes(value, path)


def _attributes(value: object, path: str) -> Iterator[tuple[Any, str]]:
    names = [
        name for kind in type(value).__mro__ for name in _slots_of(kind) if hasattr(value, name)
    ]
    names += getattr(value, "__dict__", ())
    if not names:
        yield from ((held, path) for held in gc.get_referents(value))
    for name in names:
        yield getattr(value, name), f"{path}.{name}" if path else name


def _slots_of(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
