"""A4: a validator that copies scores: another's commitment, opened scores, yesterday's consensus.

Owns three ways to copy. The first two meet the commit-reveal scheme; the third uses only what is
public and is therefore measured, not refused.
Source: WP V.D, V.F, Table I.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row
from flockchain.economics.attacks.stage import SALT, TASK, Judge, Rules, Stage
from runtime.frame.origin import signed
from runtime.pallets.arena import events
from runtime.primitives.types import FML

COPIER: Final = "copier"
VALIDATORS: Final = {f"validator {each}": 20_000 * FML for each in range(3)} | {
    COPIER: 20_000 * FML
}
NODES: Final = tuple(f"node {each}" for each in range(6))
SEED: Final = 4
DAYS: Final = 20
DAYS_THIN: Final = 4
NOISE: Final = 2_000_000  # 0.2 % of full scale between honest evaluations
FIRST_GUESS: Final = 750_000_000
PERCENTS: Final = (0, 25, 50, 75, 100)


def study_score_copying(*, is_thin: bool = False) -> Finding:
    """Try the three ways; the third for several rates at which models change."""
    days = DAYS_THIN if is_thin else DAYS
    honest = _play_window(is_absent=False)
    rows = [
        Row("copies a commitment, cannot open it (2 days)", honest, _play_replay()[0], "<= 0"),
        Row("waits for opened scores (2 days)", honest, _play_window(is_absent=True), "<= 0"),
    ]
    ratios = []
    for percent in PERCENTS[:: 4 if is_thin else 1]:
        evaluated = _play_days(days, percent, is_copying=False)
        copied = _play_days(days, percent, is_copying=True)
        claim = "<= 0" if percent == 100 else ""
        label = f"copies yesterday's consensus, {percent} % change daily ({days} days)"
        rows.append(Row(label, evaluated, copied, claim))
        ratios.append((float(percent), 100 * copied / evaluated))
    return Finding(
        "A4",
        "Score copying",
        "Four validators of 20,000 FML and six nodes; the copier is one of the four.",
        rows,
        _READING,
        Plot(
            "attack_score_copying",
            "A4: copying yesterday's consensus",
            "models that change a day, %",
            "copier's net, % of an honest validator's",
            {"copier": ratios},
        ),
        {
            "a copied commitment cannot be opened": _play_replay()[1],
            "a commitment after the first opening is refused": _is_late_commit_refused(),
        },
    )


_READING: Final = (
    "**A copied commitment is worthless**: the validator's account is in the seal, so nobody else "
    "can open it, and what is not opened is slashed by 1 %.",
    "**Copying opened scores comes too late**: the commit window is closed when the first sheet "
    "opens; who sealed nothing earns nothing and is slashed by 0.5 %.",
    "**Copying yesterday's consensus pays where nothing changes**: a standing model is scored "
    "anew every day on the same Dataset A, and its consensus is public. The rows count rewards "
    "only: what the copier saves in computing is not in them. Counterweights: new models and "
    "Dataset B on the final day are scored without a precedent, and a wrong score is dropped as "
    "an outlier; an honest validator may reuse its own score of an unchanged model, so little "
    "computing is saved.",
)


def _enter(days: int = 2) -> Stage:
    stage = Stage(Rules(days=days), dict.fromkeys(NODES, 5_000 * FML), VALIDATORS)
    stage.submit({name: name for name in NODES})
    return stage


def _flat(_: str, node: str) -> int:
    return 900_000_000 - 10_000_000 * NODES.index(node)


def _play_window(*, is_absent: bool) -> int:
    stage = _enter()
    for _ in range(stage.rules.days):
        stage.play(_flat, absent={COPIER} if is_absent else set())
    stage.chain.try_state()
    return stage.net(COPIER)


def _play_replay() -> tuple[int, bool]:
    """The copier's net, and whether it could never open what it copied."""
    stage, refusals = _enter(), 0
    arena, victim = stage.chain.arena, "validator 0"
    copier = signed(stage.accounts[COPIER])
    for _ in range(stage.rules.days):
        stage.open_commit_window()
        sheet = stage.sheet_of(victim, _flat)
        arena.commit_scores(copier, TASK, stage.seal_of(victim, sheet))
        stage.score(_flat, absent={COPIER})
        try:
            arena.reveal_scores(copier, TASK, sheet, SALT)
        except events.WrongSeal:
            refusals += 1
        stage.settle()
    stage.chain.try_state()
    return stage.net(COPIER), refusals == stage.rules.days


def _is_late_commit_refused() -> bool:
    stage = _enter()
    stage.score(_flat, absent={COPIER})
    seal = stage.seal_of(COPIER, stage.sheet_of(COPIER, _flat))
    try:
        stage.chain.arena.commit_scores(signed(stage.accounts[COPIER]), TASK, seal)
    except events.OutsideWindow:
        return True
    return False


@dataclass(slots=True)
class _World:
    """True scores of the standing models, day by day, and what validators make of them."""

    rng: random.Random = field(default_factory=lambda: random.Random(SEED))
    truth: dict[str, int] = field(default_factory=dict)

    def change(self, percent: int) -> None:
        """The day's new models: each node replaces its own with this probability."""
        for node in NODES:
            is_new, score = self.rng.randrange(100) < percent, self.draw()
            if node not in self.truth or is_new:
                self.truth[node] = score

    def change_dataset(self) -> None:
        """The final day: the same models on Dataset B."""
        for node, score in self.truth.items():
            self.truth[node] = score + self.rng.randrange(-50_000_000, 50_000_001)

    def draw(self) -> int:
        """A model's score."""
        return self.rng.randrange(650_000_000, 850_000_001)

    def judge(self, copied: dict[str, int] | None) -> Judge:
        """Honest evaluations with their noise; the copier's are `copied` where it copies."""
        seen = {
            (name, node): self.truth[node] + self.rng.randrange(-NOISE, NOISE + 1)
            for name in VALIDATORS
            for node in NODES
        }
        if copied is not None:
            seen |= {(COPIER, node): copied.get(node, FIRST_GUESS) for node in NODES}
        return lambda name, node: seen[name, node]


def _play_days(days: int, percent: int, *, is_copying: bool) -> int:
    world, stage = _World(), _enter(days)
    known: dict[str, int] = {}
    for _ in range(days):
        world.change(percent)
        if stage.is_final_day():
            world.change_dataset()
        result = stage.play(world.judge(known if is_copying else None))
        names = stage.names_of(result)
        known = {
            name: node.numerator // node.denominator
            for name, node in zip(names, result.ranking, strict=True)
        }
    stage.chain.try_state()
    return stage.net(COPIER)
