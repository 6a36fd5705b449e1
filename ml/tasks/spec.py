"""The specification of a task: one canonical JSON blob whose content id goes on chain.

Owns its fields, limits and strict reader. Invariant: one specification has one encoding, so
everyone who reads a task from its content id reads the same task.
Source: WP V.A (task creation), V.D (metric and validation sets), V.H (set B).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ml.strict_json import JsonValue, StrictJsonError, canonical_json, parse_strict_json
from runtime.primitives.content_id import (
    ContentId,
    ContentIdError,
    cid_text,
    content_id,
    parse_cid_text,
)

SPEC_VERSION: Final = 1
SPEC_BYTES_MAX: Final = 64 << 10
SCORE_MAX: Final = 10**9
"""Full scale of a score."""
LANGUAGE: Final = "language"
"""The kind whose models are language models: its name, for those who do not load torch."""
_DEPTH_MAX: Final = 6
_TITLE_CHARACTERS_MAX: Final = 80
_TRAINING_SETS_MAX: Final = 64
_FIELDS: Final = frozenset(
    {"version", "title", "kind", "model", "metric", "data", "seed", "baseline", "limits"}
)


class TaskSpecError(ValueError):
    """Bytes that are not a task specification, or one that no kind here can serve."""


@dataclass(frozen=True, slots=True)
class DataSplits:
    """Content ids of the plaintext sets: training (public), A for daily scores, B for the last."""

    train: tuple[ContentId, ...]
    validation_a: ContentId
    validation_b: ContentId


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """What a submission and its evaluation may take at most."""

    model_bytes_max: int
    train_seconds_max: int
    evaluate_seconds_max: int
    memory_bytes_max: int


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task. `baseline` is a score (0 to 10^9) that a model must exceed to be paid."""

    title: str
    kind: str
    model: Mapping[str, JsonValue]
    metric: str
    data: DataSplits
    seed: int
    baseline: int
    limits: TaskLimits

    @staticmethod
    def parse(data: bytes) -> TaskSpec:
        """The specification of these bytes. Raises `TaskSpecError` unless they are canonical."""
        try:
            value = parse_strict_json(data, SPEC_BYTES_MAX, _DEPTH_MAX)
        except StrictJsonError as error:
            raise TaskSpecError(f"task specification: {error}") from error
        spec = _read_spec(Fields("specification", value, _FIELDS))
        if spec.to_bytes() != data:
            raise TaskSpecError("task specification is not in canonical form")
        return spec

    def to_bytes(self) -> bytes:
        """The canonical JSON."""
        return canonical_json(
            {
                "version": SPEC_VERSION,
                "title": self.title,
                "kind": self.kind,
                "model": self.model,
                "metric": self.metric,
                "data": {
                    "train": [cid_text(blob) for blob in self.data.train],
                    "validation_a": cid_text(self.data.validation_a),
                    "validation_b": cid_text(self.data.validation_b),
                },
                "seed": self.seed,
                "baseline": self.baseline,
                "limits": {
                    "model_bytes_max": self.limits.model_bytes_max,
                    "train_seconds_max": self.limits.train_seconds_max,
                    "evaluate_seconds_max": self.limits.evaluate_seconds_max,
                    "memory_bytes_max": self.limits.memory_bytes_max,
                },
            }
        )

    def content_id(self) -> ContentId:
        """The id that names this task on chain."""
        return content_id(self.to_bytes())


class Fields:
    """One JSON object whose keys are known, read field by field with a named error for each."""

    def __init__(self, where: str, value: JsonValue, keys: frozenset[str]) -> None:
        """Raises `TaskSpecError` unless the value is an object of exactly these keys."""
        if not isinstance(value, Mapping):
            raise TaskSpecError(f"{where} is not an object")
        if value.keys() != keys:
            wrong = sorted(value.keys() ^ keys)[0]
            problem = "lacks" if wrong in keys else "has an unknown"
            raise TaskSpecError(f"{where} {problem} field {wrong[:40]!r}")
        self._where = where
        self._value = value

    def integer(self, key: str, low: int, high: int) -> int:
        """An integer of `low` to `high`, both included."""
        value = self._value[key]
        if type(value) is not int or not low <= value <= high:
            raise TaskSpecError(f"{self._where}: {key} is not an integer of {low} to {high}")
        return value

    def text(self, key: str, characters_max: int = 40) -> str:
        """A printable, not empty string."""
        value = self._value[key]
        if not isinstance(value, str) or not 1 <= len(value) <= characters_max:
            raise TaskSpecError(f"{self._where}: {key} is not 1 to {characters_max} characters")
        if not value.isprintable():
            raise TaskSpecError(f"{self._where}: {key} is not printable")
        return value

    def blob(self, key: str) -> ContentId:
        """A content id."""
        return _blob(f"{self._where}: {key}", self._value[key])

    def blobs(self, key: str, count_max: int) -> tuple[ContentId, ...]:
        """At least one content id."""
        value = self._value[key]
        if not isinstance(value, list) or not 1 <= len(value) <= count_max:
            raise TaskSpecError(f"{self._where}: {key} is not a list of 1 to {count_max}")
        return tuple(_blob(f"{self._where}: {key}", item) for item in value)

    def mapping(self, key: str) -> Mapping[str, JsonValue]:
        """An object whose fields someone else reads."""
        value = self._value[key]
        if not isinstance(value, Mapping):
            raise TaskSpecError(f"{self._where}: {key} is not an object")
        return value


def _blob(where: str, value: JsonValue) -> ContentId:
    if not isinstance(value, str):
        raise TaskSpecError(f"{where} is not a content id")
    try:
        return parse_cid_text(value)
    except ContentIdError as error:
        raise TaskSpecError(f"{where}: {error}") from error


def _read_spec(fields: Fields) -> TaskSpec:
    fields.integer("version", SPEC_VERSION, SPEC_VERSION)
    data = Fields(
        "data", fields.mapping("data"), frozenset({"train", "validation_a", "validation_b"})
    )
    splits = DataSplits(
        train=data.blobs("train", _TRAINING_SETS_MAX),
        validation_a=data.blob("validation_a"),
        validation_b=data.blob("validation_b"),
    )
    if splits.validation_b in (splits.validation_a, *splits.train):
        raise TaskSpecError("data: validation_b is also another set")
    return TaskSpec(
        title=fields.text("title", _TITLE_CHARACTERS_MAX),
        kind=fields.text("kind"),
        model=fields.mapping("model"),
        metric=fields.text("metric"),
        data=splits,
        seed=fields.integer("seed", 0, 2**63 - 1),
        baseline=fields.integer("baseline", 0, SCORE_MAX),
        limits=_read_limits(fields.mapping("limits")),
    )


def _read_limits(value: JsonValue) -> TaskLimits:
    names = ("model_bytes_max", "train_seconds_max", "evaluate_seconds_max", "memory_bytes_max")
    fields = Fields("limits", value, frozenset(names))
    return TaskLimits(
        model_bytes_max=fields.integer("model_bytes_max", 1, 1 << 36),
        train_seconds_max=fields.integer("train_seconds_max", 1, 30 * 86_400),
        evaluate_seconds_max=fields.integer("evaluate_seconds_max", 1, 86_400),
        memory_bytes_max=fields.integer("memory_bytes_max", 1 << 20, 1 << 42),
    )
