"""Random days of the arena: one description, drawn by Hypothesis or by a seed.

Hypothesis makes small what fails; a seed makes a day in a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

NODES = [f"n{index}" for index in range(5)]
VALIDATORS = [f"v{index}" for index in range(4)]
DELEGATORS = ["a-first", "d1", "z-last"]
STAKE_MAX = 10**25
ALPHAS = ("0", "1/3", "1/2", "1", "2")
CUTS = (None, 1, 2, 3, 4)
FULL_SCALES = (100, 10**6, 10**9)


class Choices(Protocol):
    """Where a day's numbers come from."""

    def integer(self, least: int, most: int) -> int:
        """One of `least` to `most`."""

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""

    def some(self, items: Sequence[T], least: int = 0) -> list[T]:
        """Some of them, in any order, each once."""

    def fraction(self, most: int, denominator_max: int) -> Fraction:
        """One from 0 to `most`."""


class Drawn:
    """By Hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integer(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))

    def pick(self, items: Sequence[T]) -> T:
        return self._draw(st.sampled_from(items))

    def some(self, items: Sequence[T], least: int = 0) -> list[T]:
        return self._draw(st.lists(st.sampled_from(items), min_size=least, unique=True))

    def fraction(self, most: int, denominator_max: int) -> Fraction:
        return self._draw(st.fractions(0, most, max_denominator=denominator_max))


class Seeded:
    """By a seed. The ends of each range come up often, as they do with Hypothesis."""

    def __init__(self, prng: Random) -> None:
        self._prng = prng

    def integer(self, least: int, most: int) -> int:
        place = self._prng.randrange(8)
        if place < 2:
            return (least, most)[place]
        bits = self._prng.randint(0, (most - least).bit_length())  # small ones as often as large
        return min(least + self._prng.getrandbits(bits), most)

    def pick(self, items: Sequence[T]) -> T:
        return self._prng.choice(items)

    def some(self, items: Sequence[T], least: int = 0) -> list[T]:
        return self._prng.sample(items, self._prng.randint(least, len(items)))

    def fraction(self, most: int, denominator_max: int) -> Fraction:
        denominator = self._prng.randint(1, denominator_max)
        return Fraction(self.integer(0, most * denominator), denominator)


def random_day(choices: Choices) -> dict[str, Any]:
    """A scenario of `economics evaluate`, with ties, outliers, cuts and empty stakes."""
    nodes, validators = _operators(choices, NODES), _operators(choices, VALIDATORS)
    places = range(len(nodes))
    for node, place in zip(nodes, choices.some(places, least=len(places)), strict=True):
        node["committed_at"] = place
    full_scale = choices.pick(FULL_SCALES)
    for validator in validators:
        judged = [node["id"] for node in nodes if choices.integer(0, 5)]
        # Few different scores, so that ties, medians and outliers come up.
        validator["scores"] = {name: choices.integer(0, 20) * full_scale // 20 for name in judged}
    return {
        "kind": "arena_day",
        "reward": str(choices.integer(0, 10**24)),
        "q": _share(choices),
        "alpha_t": choices.pick(ALPHAS),
        "alpha_v": choices.pick(ALPHAS),
        "lambda": str(choices.fraction(100, 10)),
        "delta": _share(choices),
        "gamma": _share(choices),
        "k1": choices.pick(CUTS),
        "k2": choices.pick(CUTS),
        "baseline": choices.pick((0, full_scale // 4)),
        "full_scale": full_scale,
        "outliers": choices.pick((False, True)),
        "nodes": nodes,
        "validators": validators,
    }


def _operators(choices: Choices, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "own": str(choices.integer(0, choices.pick((0, 10**6, STAKE_MAX)))),
            "share": _share(choices),
            "delegations": {
                delegator: str(choices.integer(1, STAKE_MAX))
                for delegator in choices.some(DELEGATORS)
            },
        }
        for name in choices.some(names, least=1)
    ]


def _share(choices: Choices) -> str:
    return str(choices.fraction(1, 50))
