"""A model's lineage as the chain's state has it: tasks, rounds, parents, owners, data, votes.

Owns which storage keys tell it. Invariant: whatever is told was read through the given state alone,
so that a state of proven keys gives a proven lineage.
Source: WP V.H (consensus model), WP VI.B (FL tasks start from Arena models), WP VI.F.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from runtime.economy.tasks import Task
from runtime.frame.storage import StorageMap
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import AllianceTask, RoundKey, RoundResult
from runtime.pallets.model_registry import Model, ModelRegistry
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text
from runtime.primitives.ss58 import encode_address

V = TypeVar("V")
MODELS_MAX: Final = 64


class Values(Protocol):
    """A state."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None."""


@dataclass(frozen=True, slots=True)
class Node:
    """A model in the graph. `task` is of the Arena or of the FL Alliance; `votes`: on its round."""

    model: Model
    task: Task | AllianceTask
    votes: RoundResult | None

    def as_document(self) -> dict[str, object]:
        """JSON: amounts and scores as they are on the chain, content ids and accounts as text."""
        model, task = self.model, self.task
        facts: dict[str, object] = {
            "content": cid_text(model.content),
            "task": model.task,
            "name": task.terms.name,
            "kind": "arena" if isinstance(task, Task) else "alliance",
            "owner": encode_address(model.owner),
            "creator": encode_address(task.creator),
            "spec": cid_text(task.terms.spec),
            "parents": [cid_text(each) for each in model.parents],
            "recorded_in_block": model.block,
        }
        if isinstance(task, Task):
            terms = task.terms
            return facts | {
                "submission": model.submission,
                "score": f"{model.score_numerator}/{model.score_denominator}",
                "training_data": [cid_text(each) for each in terms.training],
                "validation_a": cid_text(terms.validation_a),
                "validation_b": cid_text(terms.validation_b.plaintext),
            }
        return facts | {
            "round": model.submission,
            "origin_task": task.terms.origin,
            "votes": None if self.votes is None else _votes(self.votes),
        }


def _votes(result: RoundResult) -> dict[str, object]:
    outcome = result.outcome.name.lower()
    return {"sum": result.votes, "opened": result.opened, "outcome": outcome}


def read_lineage(state: Values, content: bytes) -> list[Node]:
    """The model with this content id and those that led to it, the nearest first, each once.

    Empty if no task ended with it.
    """
    nodes: list[Node] = []
    queue, seen = [content], {content}
    while queue and len(nodes) < MODELS_MAX:
        task = _find(state, ModelRegistry.by_content, queue.pop(0))
        model = None if task is None else _find(state, ModelRegistry.models, task)
        if model is None:
            continue
        nodes.append(_node(state, model))
        fresh = [parent for parent in model.parents if parent not in seen]
        seen.update(fresh)
        queue.extend(fresh)
    return nodes


def _node(state: Values, model: Model) -> Node:
    arena = _find(state, Tasks.tasks, model.task)
    if arena is not None:
        return Node(model, arena, None)
    alliance = _find(state, FlAlliance.tasks, model.task)
    assert alliance is not None, "a model's task is of the Arena or of the FL Alliance"
    votes = _find(state, FlAlliance.results, RoundKey(model.task, model.submission))
    return Node(model, alliance, votes)


def _find(state: Values, item: StorageMap[Any, V], key: object) -> V | None:
    raw = state.get(item.path(key))
    return None if raw is None else item.value_codec.decode_all(raw)


class Recorded:
    """A state that notes every key that is read; `fetch` knows the values."""

    def __init__(self, fetch: Callable[[bytes], bytes | None]) -> None:
        self._fetch = fetch
        self.values: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        if key not in self.values:
            self.values[key] = self._fetch(key)
        return self.values[key]


class UnprovenKey(ValueError):
    """The lineage needs a key that the certificate does not prove."""


class Proven:
    """A state of proven keys."""

    def __init__(self, values: dict[bytes, bytes | None]) -> None:
        self._values = values

    def get(self, key: bytes, /) -> bytes | None:
        """Raises UnprovenKey."""
        if key not in self._values:
            raise UnprovenKey(f"the certificate does not prove key 0x{key.hex()}")
        return self._values[key]
