"""The tree of an explanation: terms with their formula, what was put in, and where it was read.

Owns `Term`, `Read` and the comparison that every term passes. Invariant: a term exists only if what
the pallets' own functions compute equals what the state holds, to the unit.
Source: WP III.A, WP IV.A, WP V.D to V.I.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from runtime.primitives.types import Hash


class ExplainError(Exception):
    """A term cannot be recomputed, or is not what the state holds; the message names it."""


class Unit(enum.Enum):
    """What a result counts. SHARE: parts of 2^128; PLANCK_DAYS: stakes summed over days."""

    PLANCK = "planck"
    PLANCK_DAYS = "planck days"
    SHARE = "2^-128"
    SCORE = "score of 10^9"
    RANK = "rank"
    RATIO = "ratio"
    FINGERPRINT = "64 bits"


@dataclass(frozen=True, slots=True)
class Read:
    """A storage key that a term was made from, present or absent, in the state after `block`."""

    block: Hash
    item: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Term:
    """A result, how it follows from `inputs`, and the terms that those follow from.

    `result` is an integer in `unit`, or an exact rational. `source` is the whitepaper's section.
    """

    name: str
    formula: str
    source: str
    inputs: Mapping[str, str]
    result: int | Fraction
    unit: Unit = Unit.PLANCK
    reads: tuple[Read, ...] = ()
    parts: tuple[Term, ...] = ()
    note: str | None = field(default=None)

    def walk(self) -> Iterator[Term]:
        """This term and all below it, parents first."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def keys_by_block(self) -> dict[Hash, list[bytes]]:
        """Every storage key of the tree once, by block, in the order of the terms."""
        found: dict[Hash, dict[bytes, None]] = {}
        for term in self.walk():
            for read in term.reads:
                found.setdefault(read.block, {})[read.key] = None
        return {block: list(keys) for block, keys in found.items()}

    def as_document(self) -> dict[str, object]:
        """The tree in JSON: numbers are decimal strings, rationals "a/b", keys hex."""
        return {
            "name": self.name,
            "formula": self.formula,
            "source": self.source,
            "inputs": dict(self.inputs),
            "result": str(self.result),
            "unit": self.unit.value,
            "reads": [
                {"item": read.item, "key": f"0x{read.key.hex()}", "block": f"0x{read.block.hex()}"}
                for read in self.reads
            ],
            "parts": [part.as_document() for part in self.parts],
            "note": self.note,
        }


def ensure_equal(term: str, computed: object, recorded: object) -> None:
    """Raises ExplainError, which names the term."""
    if computed != recorded:
        raise ExplainError(f"{term}: recomputed {computed}, the state holds {recorded}")
