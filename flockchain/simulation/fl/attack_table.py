"""What attacks on the rules of a round earn, measured on the pallet: no option is free.

Owns the list of scripted attacks and their comparison with the attackers' honest selves.
Invariant: gains are differences of balances in the pallet; a claim that fails is told.
Source: WP VI.D to VI.F, Table I; the attacks are this project's list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, gcd, sqrt
from typing import Final

from flockchain.economics.attacks.findings import Row, show_fml
from flockchain.simulation.fl.drill import Behaviour, Drill, Drilled
from runtime.economy.alliance import is_good_enough
from runtime.economy.parameters import SCORE_MAX
from runtime.pallets.fl_alliance.sortition import draw
from runtime.primitives.hashing import blake2b_512
from runtime.primitives.rational import Rational

MINORITY: Final = 3  # of 15 members
TWO_FIFTHS: Final = 6
MAJORITY: Final = 8
NEVER: Final = "<= 0"
_BAD_ROUNDS: Final = frozenset({2, 5, 8})
_NONE: Final = frozenset[int]()
_CONFIDENCE: Final = 2.576  # standard errors of 99 %


@dataclass(frozen=True, slots=True)
class _Attack:
    code: str
    case: str
    behaviour: Behaviour
    attackers: int = MINORITY
    claim: str = NEVER
    bad_rounds: frozenset[int] = _NONE


_ACCEPTING: Final = Behaviour(vote="accept")
_FRAMING: Final = Behaviour(vote="accept", frames=True)
_POISON: Final = Behaviour(update="poison", vote="accept", frames=True)
_ATTACKS: Final = (
    _Attack("draw", "a proof only if one would propose", Behaviour(chooses=True)),
    _Attack("draw", "zero updates", Behaviour(update="zero")),
    _Attack("draw", "bytes of an earlier proposal", Behaviour(update="copy")),
    _Attack("F2", "no vote", Behaviour(vote="none")),
    _Attack("F2", "no vote by two fifths: void rounds", Behaviour(vote="none"), TWO_FIFTHS),
    _Attack("F3", "poison that is marked", _POISON),
    _Attack("F4", "framing by a fifth", _FRAMING),
    _Attack("F4", "framing by two fifths", _FRAMING, TWO_FIFTHS),
    _Attack("F4", "framing by more than half", _FRAMING, MAJORITY, ""),
    _Attack("F5", "n_p a hundredfold", Behaviour(units=1_000)),
    _Attack("data", "updates that nobody else can fetch", Behaviour(serves=False)),
    _Attack("data", "NO-DATA instead of votes", Behaviour(vote="missing")),
    _Attack("data", "a fifth deny others' proposals", Behaviour(denies=True)),
    _Attack("data", "more than half deny others' proposals", Behaviour(denies=True), MAJORITY, ""),
    _Attack("lazy", "always +1, all rounds good", _ACCEPTING, MINORITY, ""),
    _Attack("lazy", "always +1, three of ten bad", _ACCEPTING, MINORITY, NEVER, _BAD_ROUNDS),
)


@dataclass(frozen=True, slots=True)
class AttackTable:
    """Rows of the attackers' changes of balance, their codes, and claims without amounts."""

    codes: Sequence[str]
    rows: Sequence[Row]
    checks: dict[str, bool]

    def failures(self) -> list[str]:
        """What did not come out as claimed."""
        failed = [row.case for row in self.rows if not row.holds()]
        return failed + [name for name, holds in self.checks.items() if not holds]


def study_rounds() -> AttackTable:
    """Play all scripted attacks. Takes a quarter of a minute."""
    drilled = [
        Drill(each.behaviour, each.attackers, bad_rounds=each.bad_rounds).play()
        for each in _ATTACKS
    ]
    rows = [
        Row(
            each.case,
            _honest(each.attackers, each.bad_rounds).attackers,
            found.attackers,
            each.claim,
        )
        for each, found in zip(_ATTACKS, drilled, strict=True)
    ]
    return AttackTable([each.code for each in _ATTACKS], rows, _checks(drilled))


def _baseline(attack: _Attack) -> Drilled:
    return _honest(attack.attackers, attack.bad_rounds)


@cache
def _honest(attackers: int, bad_rounds: frozenset[int]) -> Drilled:
    return Drill(Behaviour(), attackers, bad_rounds=bad_rounds).play()


def _checks(drilled: Sequence[Drilled]) -> dict[str, bool]:
    found = dict(zip((each.case for each in _ATTACKS), drilled, strict=True))
    claimed, own = found["n_p a hundredfold"], _honest(MINORITY, _NONE)
    voiding = found["no vote by two fifths: void rounds"]
    expected, measured, error = capture_chance()
    slow = slowest_decay(Rational(1, 20), 40)
    capture = (
        f"F9: two fifths of 50 have most of 25 voters in {measured:.2%} of draws, by the formula "
        f"{expected:.2%} (99 %: ± {error:.2%})"
    )
    return {
        "F5: a hundredfold claim weighs at most twice": claimed.weight <= 2 * own.weight,
        "F7: forty rounds of slow decay cost at most 2ε": slow >= SCORE_MAX * 9 // 10,
        "F8: void rounds that opened bring a creator nothing back": voiding.creator == own.creator,
        capture: abs(measured - expected) <= error,
    }


def slowest_decay(tolerance: Rational, rounds: int) -> int:
    """The score that is left, from the best one, if each round loses what voters let pass."""
    best = score = SCORE_MAX
    for _ in range(rounds):
        floor, worst = 0, score
        while floor < worst:  # the lowest score that passes
            middle = (floor + worst) // 2
            if is_good_enough(middle, score, best, tolerance):
                worst = middle
            else:
                floor = middle + 1
        score = worst
    return score


def capture_chance(
    members: int = 50, malicious: int = 20, voters: int = 25, draws: int = 2_000
) -> tuple[float, float, float]:
    """How often the malicious are most of the voters: by the hypergeometric formula, in draws by
    the chain's rule, and the half width of 99 % of such measurements."""
    least = voters // 2 + 1
    ways = sum(
        comb(malicious, bad) * comb(members - malicious, voters - bad)
        for bad in range(least, min(malicious, voters) + 1)
    )
    expected = ways / comb(members, voters)
    common = gcd(members, voters)
    proposing = Rational((members - voters) // common, members // common)
    captured = 0
    for number in range(draws):
        outputs = [(blake2b_512(f"{number}/{at}".encode()), at) for at in range(members)]
        roles = draw(outputs, members, Rational(1, 1), proposing)
        captured += sum(at < malicious for at in roles.voters) >= least
    error = _CONFIDENCE * sqrt(expected * (1 - expected) / draws)
    return expected, captured / draws, error


def render_rounds(table: AttackTable) -> Iterator[str]:
    """The table as a section of a page."""
    yield from ("## What attacks on a round's rules earn", "", _INTRODUCTION, "")
    yield "| | attack | honest, FML | attack, FML | gain, FML | claim |"
    yield "|---|---|---:|---:|---:|---|"
    for code, row in zip(table.codes, table.rows, strict=True):
        gain = show_fml(row.gain)
        gain = f"**{gain}**" if row.gain > 0 else gain
        claim = row.claim.replace("<=", "≤")
        amounts = f"{show_fml(row.honest)} | {show_fml(row.attack)} | {gain}"
        yield f"| {code} | {row.case} | {amounts} | {claim} |"
    yield ""
    for name, holds in table.checks.items():
        yield f"- {'holds' if holds else '**fails**'}: {name}"
    yield from ("", _READING, "")


_INTRODUCTION: Final = """15 members stake 100 FML each for ten rounds of a pool of 1,500 FML, with
VRF proofs, seals and votes through the pallet's calls; a third propose. Amounts are what all
attackers together gained or lost; *honest* is the same task with them honest. A fifth are 3
members, two fifths 6, more than half 8. Nobody trains: whether an aggregate is good is scripted."""
_READING: Final = """What stays open. **Lazy voting** costs nothing while rounds are good: it saves
the work of evaluation, and loses as soon as rounds are bad. **Denial** (voters
report that others' proposals cannot be had, so that their proposers count as absent) and
**framing** need more than half of the drawn voters, who could reject every round too."""
