"""The whitepaper's Table II, both ways: as printed there, and as the pallets pay it.

Owns the example's inputs: one verified task, 200 FML a day for five days, three nodes of equal
stake ranked 1, 2, 3, two validators of equal scores whose stakes change, nothing for the creator.
Invariant: the exact ledger is what an in-memory chain paid; only the paper's is computed here.
Source: WP V.I, Table II.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from flockchain.economics.arena_task import ArenaTask
from flockchain.economics.day_scenario import DayScenario, Operator
from runtime.economy.parameters import ArenaParameters
from runtime.pallets.arena.records import PaymentKind
from runtime.pallets.arena.shares import rank_weights
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

REWARD: Final = 200 * FML
NODES: Final = ("Node 1", "Node 2", "Node 3")
VALIDATORS: Final = ("Validator 1", "Validator 2")
VALIDATOR_STAKES: Final = ((400, 600), (400, 600), (450, 550), (450, 550), (500, 500))
SCORES: Final = (750_000_000, 500_000_000, 250_000_000)
_COLUMNS: Final = (*(f"{node} A" for node in NODES), *(f"{node} B" for node in NODES), *VALIDATORS)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows of amounts in base units, one amount a column of Table II."""

    title: str
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    columns: tuple[str, ...] = _COLUMNS

    def totals(self) -> tuple[int, ...]:
        """The sum of every column."""
        return tuple(map(sum, zip(*(amounts for _, amounts in self.rows), strict=True)))

    def totals_by_participant(self) -> dict[str, int]:
        """What each node (A and B) and each validator has in the end."""
        totals = self.totals()
        count = len(NODES)
        by_node = [a + b for a, b in zip(totals[:count], totals[count : 2 * count], strict=True)]
        return dict(zip((*NODES, *VALIDATORS), (*by_node, *totals[2 * count :]), strict=True))

    def as_document(self) -> dict[str, object]:
        """For JSON: amounts are base-unit strings."""
        rows = [
            {"row": label}
            | {name: str(amount) for name, amount in zip(self.columns, amounts, strict=True)}
            for label, amounts in self.rows
        ]
        totals = {name: str(amount) for name, amount in self.totals_by_participant().items()}
        return {"title": self.title, "rows": rows, "totals": totals}


@dataclass(frozen=True, slots=True)
class Table2:
    """The table as the paper rounds it and as the ledger has it."""

    paper: Ledger
    exact: Ledger

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return {"paper": self.paper.as_document(), "exact": self.exact.as_document()}


def compute_table2(*, is_reversed: bool = False) -> Table2:
    """Both ledgers; `is_reversed` turns the nodes' ranks round on the last day."""
    return Table2(_compute_paper(is_reversed), _compute_exact(is_reversed))


def _compute_paper(is_reversed: bool) -> Ledger:
    """As printed: g to two decimals, B of every day shown on that day by the final ranking."""
    weights = rank_weights(Rational(17, 20), len(NODES))
    rounded = [
        int((Decimal(weight) / sum(weights)).quantize(Decimal("0.01"), ROUND_HALF_EVEN) * 100)
        for weight in weights
    ]
    rows = []
    for day, stakes in enumerate(VALIDATOR_STAKES, start=1):
        is_last = day == len(VALIDATOR_STAKES)
        by_rank = rounded[::-1] if is_reversed and is_last else rounded
        final = rounded[::-1] if is_reversed else rounded
        a = [REWARD // 2 * share // 1_000 for share in by_rank]
        b = [REWARD // 2 * 9 * share // 1_000 for share in final]
        validators = [REWARD // 2 * stake // sum(stakes) for stake in stakes]
        rows.append((f"Day {day}", (*a, *b, *validators)))
    return Ledger("Table II as printed: g rounded to two decimals", tuple(rows))


def _compute_exact(is_reversed: bool) -> Ledger:
    """As paid: Reward B of all days at completion, by the final day's ranking."""
    task = ArenaTask(_scenario(), days=len(VALIDATOR_STAKES))
    rows, vested = [], [0] * len(NODES)
    for day in range(1, len(VALIDATOR_STAKES) + 1):
        is_last = day == len(VALIDATOR_STAKES)
        if not is_last:  # a change counts from the next day on
            for name, stake in zip(VALIDATORS, VALIDATOR_STAKES[day], strict=True):
                task.change_stake(name, stake * FML)
        scores = SCORES[::-1] if is_reversed and is_last else SCORES
        by_node = dict(zip(NODES, scores, strict=True))
        settled = task.play_day(dict.fromkeys(VALIDATORS, by_node))
        a = settled.payments.get(PaymentKind.REWARD_A, {})
        b = settled.payments.get(PaymentKind.REWARD_B, {})
        validation = settled.payments.get(PaymentKind.VALIDATION, {})
        vested = [b.get(node, 0) for node in NODES]
        paid = (*(a.get(node, 0) for node in NODES), *(0 for _ in NODES))
        rows.append((f"Day {day}", (*paid, *(validation.get(name, 0) for name in VALIDATORS))))
    rows.append(("Completion", (*(0 for _ in NODES), *vested, *(0 for _ in VALIDATORS))))
    task.chain.try_state()
    return Ledger("Table II as the ledger pays it: exact, B at completion", tuple(rows))


def _scenario() -> DayScenario:
    none = Rational(0, 1)
    return DayScenario(
        reward=REWARD,
        baseline=0,
        parameters=ArenaParameters(creator_share=none),
        nodes=tuple(Operator(name, 100 * FML, none, {}, at) for at, name in enumerate(NODES)),
        validators=tuple(
            Operator(name, stake * FML, none, {})
            for name, stake in zip(VALIDATORS, VALIDATOR_STAKES[0], strict=True)
        ),
    )
