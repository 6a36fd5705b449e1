"""A1: one model under n identities, exact and nearly so, with the attacker's stake split over them.

Owns the comparison at equal capital: the same stake under one identity and under n. Near clones are
played with behaviour duplicates off, as tasks are by default, and on.
Source: WP V.E (f_i), WP Table I; the clone curve is this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row, in_fml, show_fml, show_ratio
from flockchain.economics.attacks.stage import Rules, Stage
from runtime.constants import MAINNET
from runtime.pallets.delegation.records import StakeTooLow
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

CAPITAL: Final = 20_000 * FML  # of the attacker and of each honest node
RIVALS: Final = ("rival 1", "rival 2")
VALIDATORS: Final = {f"validator {each}": 20_000 * FML for each in range(3)}
SHOWN: Final = (2, 5, 10, 20)
IDENTITIES: Final = tuple(range(1, 21))
IDENTITIES_THIN: Final = (1, 2, 10, 20)
ALPHAS: Final = (Rational(0, 1), Rational(1, 2), Rational(1, 1), Rational(3, 2))
DISTANCE: Final = 6  # of tasks that compare behaviour
# Of 30 pairs that answer 99.5 % of a thousand examples alike, the furthest.
NEAR_BITS: Final = 5
ALPHAS_THIN: Final = (Rational(0, 1), Rational(1, 1))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Planck: net of fees, the fees, and the attacker's part of all node rewards in 1/10,000."""

    net: int
    fees: int
    share: int


def study_clones(*, is_thin: bool = False) -> Finding:
    """Play every n and α for exact and for near clones, these with the switch off and on."""
    counts = IDENTITIES_THIN if is_thin else IDENTITIES
    alphas = ALPHAS_THIN if is_thin else ALPHAS
    rows, curves = [], {}
    for alpha in alphas:
        alone = _play(1, alpha, is_exact=True)
        exact = {n: _play(n, alpha, is_exact=True) for n in counts}
        near = {n: _play(n, alpha, is_exact=False) for n in counts}
        found = {n: _play(n, alpha, is_exact=False, distance=DISTANCE) for n in counts}
        for kind, outcomes, claim in (
            ("exact clones", exact, "<= 0"),
            ("near clones", near, ""),
            ("near clones compared", found, "<= 0"),
        ):
            rows += [
                Row(
                    f"{kind}, α = {show_ratio(alpha)}, n = {n}",
                    alone.net,
                    outcomes[n].net,
                    claim,
                )
                for n in counts
                if n in SHOWN
            ]
        curves[f"near, α = {show_ratio(alpha)}: before fees"] = [
            (n, in_fml(out.net + out.fees - alone.net - alone.fees)) for n, out in near.items()
        ]
        curves[f"exact, α = {show_ratio(alpha)}: net"] = [
            (n, in_fml(out.net - alone.net)) for n, out in exact.items()
        ]
        if alpha == Rational(1, 1):
            curves["near, compared, α = 1: net"] = [
                (n, in_fml(out.net - alone.net)) for n, out in found.items()
            ]
            published = (alone.share, near[10].share)
    plot = Plot("attack_clones", "A1: the gain of clones", "identities", "FML in two days", curves)
    shares = " to ".join(f"{share // 100}.{share % 100:02d} %" for share in published)
    return Finding(
        "A1",
        "Clones of the winning model",
        "Three nodes of 20,000 FML, the attacker's model the best; the attacker's stake is split "
        "evenly over n identities. No committees, two days.",
        rows,
        _read(shares),
        plot,
        {
            "the share of α = 1 rises from 38.87 % to 59.51 % at n = 10 (±0.02)": (
                abs(published[0] - 3_887) <= 2 and abs(published[1] - 5_951) <= 2
            ),
            "an identity below the minimum stake is refused": _is_small_stake_refused(),
        },
    )


def _read(shares: str) -> list[str]:
    fee = show_fml(MAINNET.registration_fee)
    return [
        "**Exact clones never pay.** Only the earliest commitment of a content id is scored; the "
        "others' stake earns nothing and each cost a fee.",
        "**Near clones do pay at the shipped α = 1** and below: they push the rivals down the "
        "geometric ranks. (At α = 3/2 the split loses; before fees it "
        "gains from 15 identities on.) "
        f"At α = 1 the attacker's part of the node rewards goes from {shares} with ten "
        "identities at no more capital. The curve before fees is the bare formula's.",
        f"Counterweights: {fee} FML an identity and task (a small task makes it a loss, a long "
        f"one does not), at least {show_fml(MAINNET.node_stake)} FML an identity, which caps n "
        f"at stake / minimum, the cut to the best k_1 = {MAINNET.arena.vesting.ranked_max}, and "
        "that nobody but its owner has a model's weights before the task ends.",
        f"**Compared, near clones never pay.** A task may switch on behaviour duplicates, here at "
        f"{DISTANCE} of 64 bits: a model whose fingerprint is that near to an earlier commitment "
        f"of another owner is not ranked. The clones played differ from it in {NEAR_BITS} bits, as "
        "models do at most that answer 99.5 % of a thousand examples alike. It is off by default: "
        "models trained apart on the handwritten digits differ in 3 to 9 bits, so on easy data it "
        "also strikes the honest. A clone that answers enough otherwise is not found. On Dataset "
        "A, which leaks, it can change answers that were wrong anyway, at no cost; on Dataset B, "
        "which decides Reward B, it changes blindly and loses score.",
    ]


def _play(
    identities: int, alpha: Rational, *, is_exact: bool, distance: int | None = None
) -> _Outcome:
    attackers = {f"clone {each}": CAPITAL // identities for each in range(identities)}
    arena = MAINNET.arena
    parameters = replace(arena, vesting=replace(arena.vesting, node_alpha=alpha))
    nodes = {**attackers, **dict.fromkeys(RIVALS, CAPITAL)}
    fingerprints = {name: _near(each) for each, name in enumerate(attackers)}
    rules = Rules(parameters, duplicate_distance=distance, fingerprints=fingerprints)
    stage = Stage(rules, nodes, VALIDATORS)
    models = {name: "winner" if is_exact and name in attackers else name for name in nodes}
    stage.submit(models)
    scores = dict(zip(RIVALS, (800_000_000, 700_000_000), strict=True))
    for _ in range(stage.rules.days):
        stage.play(lambda _, node: scores.get(node, 900_000_000))
    stage.chain.try_state()
    fees, rivals = MAINNET.registration_fee, stage.net(*RIVALS) + 2 * MAINNET.registration_fee
    won = stage.net(*attackers) + identities * fees
    return _Outcome(stage.net(*attackers), identities * fees, won * 10_000 // (won + rivals))


def _near(clone: int) -> int:
    """The fingerprint of a clone: the first one's is 0, each other has its own few bits."""
    return sum(1 << (7 * bit + clone) % 64 for bit in range(NEAR_BITS)) if clone else 0


def _is_small_stake_refused() -> bool:
    small: Sequence[int] = (MAINNET.node_stake - 1,)
    try:
        Stage(Rules(), {f"clone {stake}": stake for stake in small}, VALIDATORS)
    except StakeTooLow:
        return True
    return False
