"""A census finds what an object holds by itself: each collection by its path, each byte once."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from random import Random

from flockchain.simulation.network.accounts import named_key
from flockchain.simulation.network.census import process_census, take_census
from flockchain.simulation.network.disk import SimulatedDisk

BLOB = 100_000


@dataclass(slots=True)
class Part:
    waiting: deque[bytes] = field(default_factory=deque)
    seen: OrderedDict[int, list[int]] = field(default_factory=OrderedDict)


class Whole:
    def __init__(self) -> None:
        self.parts = {"a": Part(deque([bytes(BLOB)])), "b": Part(seen=OrderedDict({1: [1, 2]}))}
        self.parts["b"].waiting.append(self.parts["a"].waiting[0])
        self.disk = SimulatedDisk(Random(1))
        self.acts: list[Callable[[], object]] = []


def test_collections_have_their_paths() -> None:
    census = take_census(Whole(), "node")
    assert census.elements == {
        "node.parts": 2,
        "node.parts[].waiting": 2,
        "node.parts[].seen": 1,
        "node.parts[].seen[]": 2,
        "node.acts": 0,
    }
    assert BLOB < census.size_bytes < BLOB + 5_000, "one blob, held twice"


def test_what_functions_hold_is_found() -> None:
    whole = Whole()
    table = {1: 1}
    whole.acts += [lambda: table, partial(len, [7]), Whole().parts["b"].waiting.popleft]
    remembers = lru_cache(8)(hex)
    remembers(5)
    whole.acts.append(remembers)  # type: ignore[arg-type]
    elements = take_census(whole).elements
    assert elements["acts"] == 4
    assert elements["acts[]"] == 1 + 1 + 1 + 1, "the table, the list, the queue and the cache"


def test_disks_are_not_the_nodes() -> None:
    whole = Whole()
    before = take_census(whole).size_bytes
    whole.disk = SimulatedDisk(Random(2))
    assert take_census(whole).size_bytes == before


def test_caches_of_the_process_are_counted() -> None:
    named_key("somebody who is counted")
    census = process_census()
    assert census.elements["flockchain.simulation.network.accounts.named_key"] >= 1
    assert census.size_bytes > 0
