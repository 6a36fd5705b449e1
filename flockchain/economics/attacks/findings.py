"""What an attack's scenario found: rows of net amounts, a curve, and whether the claim held.

Invariant: amounts are planck that accounts of an in-memory chain ended up with, less what they
began with; nothing here is a model of the reward rules.
Source: WP Table I.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison of the attacker with its honest self, net of fees and slashes, planck.

    `claim` is what the specification says of the gain: "<= 0", or "" where it claims nothing.
    """

    case: str
    honest: int
    attack: int
    claim: str = ""

    @property
    def gain(self) -> int:
        """What the attack adds, planck; negative: the attacker is worse off."""
        return self.attack - self.honest

    def holds(self) -> bool:
        """Whether the claim, if any, is true."""
        return self.claim != "<= 0" or self.gain <= 0


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves by label; `name` is the file's name without its ending."""

    name: str
    title: str
    across: str
    up: str
    curves: Mapping[str, Points]


@dataclass(frozen=True, slots=True)
class Finding:
    """An attack's result: `checks` are claims that are no amounts; `reading` is plain text.

    `measured` are claims of the specification that shipped parameters need not meet: whether they
    held is told, and is no failure.
    """

    code: str
    title: str
    setting: str
    rows: Sequence[Row]
    reading: Sequence[str]
    plot: Plot
    checks: Mapping[str, bool]
    measured: Mapping[str, bool] = field(default_factory=dict)

    def failures(self) -> list[str]:
        """The claims of the specification that did not come out true."""
        rows = [f"{row.case}: {row.gain} > 0" for row in self.rows if not row.holds()]
        return rows + [name for name, holds in self.checks.items() if not holds]

    def departures(self) -> list[str]:
        """The measured claims that shipped parameters do not meet."""
        return [name for name, holds in self.measured.items() if not holds]

    def as_document(self) -> dict[str, object]:
        """For JSON: amounts are base-unit strings."""
        return {
            "code": self.code,
            "title": self.title,
            "setting": self.setting,
            "rows": [
                {
                    "case": row.case,
                    "honest": str(row.honest),
                    "attack": str(row.attack),
                    "gain": str(row.gain),
                    "claim": row.claim,
                }
                for row in self.rows
            ],
            "checks": dict(self.checks),
            "measured": dict(self.measured),
            "reading": list(self.reading),
            "failures": self.failures(),
        }


def in_fml(amount: int) -> float:
    """For curves and texts; tables print exact amounts rounded by `show_fml`."""
    return amount / FML


def show_ratio(ratio: Rational) -> str:
    """ "2" or "1/2"."""
    is_whole = ratio.denominator == 1
    return str(ratio.numerator) if is_whole else f"{ratio.numerator}/{ratio.denominator}"


def show_fml(amount: int) -> str:
    """FML to two decimals, half away from zero, with a sign where it is negative."""
    hundredths = (abs(amount) * 100 + FML // 2) // FML
    sign = "-" if amount < 0 and hundredths else ""
    return f"{sign}{hundredths // 100:,}.{hundredths % 100:02d}"
