"""The task specification: one encoding, a named refusal of everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml.devices import choose_device
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from ml.tasks.spec import TaskSpec, TaskSpecError
from runtime.primitives.content_id import content_id


def encode(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@pytest.fixture
def fields(digits: ReadyTask) -> Any:
    return json.loads(digits.spec.to_bytes())


def test_round_trip_and_id(digits: ReadyTask) -> None:
    data = digits.spec.to_bytes()
    assert TaskSpec.parse(data) == digits.spec
    assert digits.spec.content_id() == content_id(data)


CHANGES: list[tuple[str, object, str]] = [
    ("version", 2, "specification: version is not an integer of 1 to 1"),
    ("version", True, "specification: version is not an integer of 1 to 1"),
    ("title", "", "specification: title is not 1 to 80 characters"),
    ("title", "a\nb", "specification: title is not printable"),
    ("title", "x" * 81, "specification: title is not 1 to 80 characters"),
    ("kind", 7, "specification: kind is not 1 to 40 characters"),
    ("model", [], "specification: model is not an object"),
    ("seed", -1, "specification: seed is not an integer of 0 to 9223372036854775807"),
    ("baseline", 10**9 + 1, "specification: baseline is not an integer of 0 to 1000000000"),
    ("data.train", [], "data: train is not a list of 1 to 64"),
    ("data.train", ["x"] * 65, "data: train is not a list of 1 to 64"),
    ("data.train", [1], "data: train is not a content id"),
    (
        "data.validation_a",
        "../a",
        "data: validation_a: a content id's text is 'b' and 60 characters of lower-case base32",
    ),
    ("limits.model_bytes_max", 0, "limits: model_bytes_max is not an integer of 1 to 68719476736"),
    (
        "limits.evaluate_seconds_max",
        86_401,
        "limits: evaluate_seconds_max is not an integer of 1 to 86400",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), CHANGES)
def test_bad_fields(fields: Any, path: str, value: object, message: str) -> None:
    *outer, last = path.split(".")
    target = fields
    for key in outer:
        target = target[key]
    target[last] = value
    with pytest.raises(TaskSpecError) as caught:
        TaskSpec.parse(encode(fields))
    assert str(caught.value) == message


def test_unknown_and_missing_fields(fields: Any) -> None:
    with pytest.raises(TaskSpecError, match=r"^specification has an unknown field 'code'$"):
        TaskSpec.parse(encode({**fields, "code": "x"}))
    del fields["seed"]
    with pytest.raises(TaskSpecError, match=r"^specification lacks field 'seed'$"):
        TaskSpec.parse(encode(fields))


def test_set_b_is_a_set_of_its_own(fields: Any) -> None:
    fields["data"]["validation_b"] = fields["data"]["train"][0]
    with pytest.raises(TaskSpecError, match=r"^data: validation_b is also another set$"):
        TaskSpec.parse(encode(fields))


def test_one_encoding(digits: ReadyTask, fields: Any) -> None:
    data = digits.spec.to_bytes()
    for other in (
        json.dumps(fields).encode(),
        data + b" ",
        data.replace(b'"seed":1', b'"seed":01'),
        data.replace(b'"seed":1', b'"seed":1.0'),
        data.replace(b'"seed":1', b'"seed":1,"seed":1'),
        data.replace(b"digits", b"digit\\u0073"),
        data[:-1],
        b"[]",
        b"",
    ):
        assert other != data
        with pytest.raises(TaskSpecError):
            TaskSpec.parse(other)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("kind", "regression", "kind 'regression' is not one of classification, language"),
        ("metric", "loss", "metric 'loss' is not one of classification"),
        ("model.type", "resnet", "model: type is not 'mlp'"),
        ("model.classes", 1, "model: classes is not an integer of 2 to 65536"),
        ("model.extra", 1, "model has an unknown field 'extra'"),
    ],
)
def test_what_no_kind_can_serve(fields: Any, path: str, value: object, message: str) -> None:
    *outer, last = path.split(".")
    (fields[outer[0]] if outer else fields)[last] = value
    spec = TaskSpec.parse(encode(fields))
    with pytest.raises(TaskSpecError) as caught:
        open_task(spec, choose_device("cpu"))
    assert str(caught.value) == message
