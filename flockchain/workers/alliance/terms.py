"""Terms of a task from what its creator chooses: the rest follows from the origin and the chain.

Windows are the longest that a phase takes; each ends as soon as all have acted, so long ones cost
time only when somebody is absent.

Source: WP VI.A, VI.B (task creation), Algorithm 2 (slash rate, threshold, rounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.constants import Preset
from runtime.pallets.fl_alliance.terms import (
    AllianceTerms,
    Mode,
    RoundWindows,
)
from runtime.primitives.rational import Rational

FRACTION_BITS: Final = 14
_WINDOW_BLOCKS_MIN: Final = 10
_WINDOWS_A_DAY: Final = 96  # a quarter of an hour on mainnet
_LONG: Final = 4  # times that for training and judging
_ALL, _TWO_THIRDS, _HALF = Rational(1, 1), Rational(2, 3), Rational(1, 2)
_FIFTH, _TENTH, _TWENTIETH = Rational(1, 5), Rational(1, 10), Rational(1, 20)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a creator chooses; amounts in planck, rates as parts of 1. See `AllianceTerms`."""

    name: str
    origin: int
    quantity: int
    rounds: int = 20
    days: int = 30
    participation: Rational = _ALL
    proposing: Rational = _FIFTH
    voters_min: int = 3
    quorum: Rational = _TWO_THIRDS
    tolerance: Rational = _TWENTIETH
    slash: Rational = _TENTH
    threshold: Rational = _HALF
    unit_samples: int = 16
    units_max: int = 1_024
    attributes: bool = False
    mode: Mode = Mode.OPEN


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What terms name of a model: the content id of an update that changes nothing, and how many
    numbers it has."""

    zero_update: bytes
    parameters: int


def make_terms(
    choices: Choices, spec: bytes, model: ModelFacts, windows: RoundWindows
) -> AllianceTerms:
    """The terms; `spec` is a content id."""
    return AllianceTerms(
        name=choices.name,
        spec=spec,
        mode=choices.mode,
        origin=choices.origin,
        quantity=choices.quantity,
        rounds=choices.rounds,
        days=choices.days,
        participation=choices.participation,
        proposing=choices.proposing,
        voters_min=choices.voters_min,
        quorum=choices.quorum,
        tolerance=choices.tolerance,
        slash=choices.slash,
        threshold=choices.threshold,
        windows=windows,
        fraction_bits=FRACTION_BITS,
        unit_samples=choices.unit_samples,
        units_max=choices.units_max,
        attributes=choices.attributes,
        zero_update=model.zero_update,
        parameters=0 if choices.mode is Mode.OPEN else model.parameters,
    )


def usual_windows(preset: Preset, mode: Mode = Mode.OPEN) -> RoundWindows:
    """Windows that suit a network: training and judging have three or four times the others', and
    an aggregator as much as training; masks two short ones more."""
    short = max(preset.calendar.day_blocks // _WINDOWS_A_DAY, _WINDOW_BLOCKS_MIN)
    is_slow = short > _WINDOW_BLOCKS_MIN
    long = short * (_LONG if is_slow else _LONG - 1)  # a devnet's day is short
    aggregate = 0 if mode is Mode.OPEN else long
    masks = short if mode is Mode.ZK_MASKED else 0
    return RoundWindows(short, long, short, long, aggregate, long, short, masks, masks)
