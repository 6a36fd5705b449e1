"""Evaluates scenarios of every kind, and checks lists of them against what they expect.

Owns the table of kinds and the comparison. An answer is a JSON document: amounts are base-unit
strings, as in the scenario. A chain's rules may stand in for what a scenario leaves out.
Source: WP IV.A, V.D to V.I, VI.F; the scenario files of `flockchain economics evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from flockchain.economics.arena_day import evaluate_arena_day
from flockchain.economics.emission import evaluate_emission
from flockchain.economics.fields import Fields, ScenarioError, describe
from flockchain.economics.fl_rounds import evaluate_fl
from flockchain.economics.live_day import evaluate_live_day
from flockchain.economics.live_rules import with_live_rules
from flockchain.economics.live_state import LiveState
from flockchain.economics.overrides import override
from flockchain.economics.rate_limit import evaluate_rate_limit
from flockchain.economics.task_split import evaluate_task_split
from runtime.api import runtime_at

Answer = dict[str, object]

EVALUATORS: Final[Mapping[str, Callable[[Fields], Answer]]] = {
    "arena_day": evaluate_arena_day,
    "emission": evaluate_emission,
    "fl": evaluate_fl,
    "rate_limit": evaluate_rate_limit,
    "task_split": evaluate_task_split,
}
LIVE_KIND: Final = "live_day"
ANNOTATIONS: Final = ("kind", "name", "description", "comment")


class LiveSource(Protocol):
    """A chain to start from."""

    def rules(self) -> LiveState:
        """The rules in force after its last final block. Raises SdkError."""

    def state(self) -> LiveState:
        """The whole state after its last final block. Raises SdkError."""

    def on_block(self, done: int, total: int) -> None:
        """So many blocks of a question are played."""


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of a list: `answer` is None if evaluation was refused, for the reason in `fault`.

    `fault` also tells the first difference from what was expected; None: the case holds.
    """

    name: str
    answer: Answer | None
    fault: str | None


def evaluate(
    scenario: object, settings: Sequence[str] = (), source: LiveSource | None = None
) -> Answer:
    """The answer to one scenario, with `--set` style settings applied first.

    With a source, a chain's rules stand in for what the scenario leaves out, and the answer says
    of which block they are. Raises: ScenarioError, and what the source raises.
    """
    fields = Fields(override(scenario, settings), "scenario")
    kind = fields.text("kind")
    kinds = (*EVALUATORS, LIVE_KIND)
    if kind not in kinds:
        raise ScenarioError(f"scenario.kind: {describe(kind)} is none of {', '.join(kinds)}")
    if source is None and kind == LIVE_KIND:
        raise ScenarioError(f"scenario.kind: {kind} needs a chain: name a node with --at")
    if source is None:
        fields.allow(*ANNOTATIONS)
        return EVALUATORS[kind](fields)
    live = source.state() if kind == LIVE_KIND else source.rules()
    filled = with_live_rules(override(scenario, settings), runtime_at(live.state))
    fields = Fields(filled, "scenario")
    fields.allow(*ANNOTATIONS)
    if kind == LIVE_KIND:
        answer = evaluate_live_day(fields, live, source.on_block)
    else:
        answer = EVALUATORS[kind](fields)
    return {**answer, "at": _place_of(live)}


def _place_of(live: LiveState) -> dict[str, object]:
    """Which block the answer starts from, and whether the node proved what it sent of it."""
    block = f"0x{live.head.hash.hex()}"
    return {"block": block, "number": live.head.number, "proven": live.is_proven}


def check(
    entry: object, index: int, settings: Sequence[str] = (), source: LiveSource | None = None
) -> Case:
    """Evaluate one {name, scenario, expected} of a list; without `expected` nothing is compared."""
    if not isinstance(entry, Mapping) or "scenario" not in entry:
        return Case(f"#{index}", None, "an object with name, scenario and expected is needed")
    name = str(entry.get("name", f"#{index}"))
    try:
        answer = evaluate(entry["scenario"], settings, source)
    except ScenarioError as error:
        return Case(name, None, str(error))
    return Case(name, answer, find_difference(answer, entry.get("expected", {})))


def find_difference(answer: object, expected: object, path: str = "") -> str | None:
    """Where the answer first departs from what is expected, or None.

    Objects are compared by the expected keys; payouts by both, where no payout is a payout of 0.
    """
    if not isinstance(expected, Mapping) or not isinstance(answer, Mapping):
        if answer == expected:
            return None
        return f"{path or 'answer'}: {describe(answer)} instead of {describe(expected)}"
    keys = list(expected)
    if path == "payouts":
        keys += [key for key in answer if key not in expected]
    for key in keys:
        nobody = "0" if path == "payouts" else None
        step = f"{path}.{key}" if path else str(key)
        if fault := find_difference(answer.get(key, nobody), expected.get(key, nobody), step):
            return fault
    return None
