"""A6: a model fitted to Dataset A alone meets Dataset B on the final day.

Owns the comparison with the honest model that the same node could have submitted.
Source: WP V.H (two validation sets, Reward A and B).
"""

from __future__ import annotations

from typing import Final

from flockchain.economics.attacks.findings import Finding, Plot, Row, in_fml
from flockchain.economics.attacks.stage import TASK, Rules, Stage
from runtime.primitives.types import FML

CHEAT: Final = "overfitter"
RIVALS: Final = {"node 0": 80, "node 1": 78, "node 2": 76}  # on both sets, in hundredths
HONEST: Final = 79  # the cheat's honest model: the second of four
ON_A: Final = 95
ON_B: Final = (45, 50, 55, 60, 70, 75, 77, 79, 81)
ON_B_THIN: Final = (45, 77, 81)
DAYS: Final = 10
DAYS_THIN: Final = 3
VALIDATORS: Final = {f"validator {each}": 20_000 * FML for each in range(3)}
_HUNDREDTH: Final = 10_000_000


def study_overfitting(*, is_thin: bool = False) -> Finding:
    """Play the honest model, then overfitted ones by their score on Dataset B."""
    days = DAYS_THIN if is_thin else DAYS
    honest, is_sealed = _play(days, HONEST, HONEST)
    rows = []
    for score in ON_B_THIN if is_thin else ON_B:
        net, was_sealed = _play(days, ON_A, score)
        is_sealed = is_sealed and was_sealed
        # Who stays second or better on B loses nothing there.
        claim = "<= 0" if score < min(HONEST, 78) else ""
        rows.append(Row(f"0.95 on A, 0.{score} on B", honest, net, claim))
    gains = [
        (score / 100, in_fml(row.gain))
        for score, row in zip(ON_B_THIN if is_thin else ON_B, rows, strict=True)
    ]
    return Finding(
        "A6",
        "Overfitting to Dataset A",
        f"Four nodes of equal stake, {days} days; honest models score 0.80, 0.79 (the cheat's "
        "own), 0.78 and 0.76 on both sets. The baseline is 0.50.",
        rows,
        _READING,
        Plot(
            "attack_overfitting",
            "A6: 0.95 on Dataset A",
            "score on Dataset B",
            f"gain over the honest model, FML in {days} days",
            {"overfitter": gains},
        ),
        {"Dataset B's key is not on the chain while submissions are open": is_sealed},
    )


_READING: Final = (
    "**Losing one rank on Dataset B costs more than the first rank on A every day**: Reward A is "
    "a tenth of the nodes' reward, Reward B nine tenths and paid by the final ranking. Below the "
    "baseline Reward B is lost whole.",
    "**A model that is overfitted and still as good on B gains** the better rank in Reward A: the "
    "rows at 0.79 and above. That is no attack on the task, whose model is as good.",
    "Where nobody passes the baseline on Dataset B, Reward B goes by the days on Dataset A: a "
    "task whose nodes all overfit pays them. A baseline that honest models pass is the "
    "counterweight.",
)


def _play(days: int, on_a: int, on_b: int) -> tuple[int, bool]:
    """The cheat's net, planck, and whether the key stayed unknown until submissions froze."""
    stage = Stage(Rules(days=days), dict.fromkeys((*RIVALS, CHEAT), 5_000 * FML), VALIDATORS)
    stage.submit({name: name for name in stage.nodes})
    is_sealed = True
    for _ in range(days):
        is_final = stage.is_final_day()
        is_sealed = is_sealed and (is_final or stage.chain.tasks.get_task(TASK).key is None)
        scores = {**RIVALS, CHEAT: on_b if is_final else on_a}
        stage.score(lambda _, node, scores=scores: scores[node] * _HUNDREDTH)  # type: ignore[misc]
        stage.settle()
    stage.chain.try_state()
    return stage.net(CHEAT), is_sealed
