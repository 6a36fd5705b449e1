"""A participant's own app in a child process: its weights, and every way in which it gives none."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest
import torch

from ml.artifact import ArtifactError, ArtifactLimits
from ml.checkpoint import load_checked
from ml.flower import FlowerCode, FlowerError, train_with_flower
from ml.options import TrainOptions
from ml.round_files import read_update
from ml.round_work import RoundTask, make_update, split_into_shards
from ml.tasks.ready_task import ReadyTask
from tests.ml.flower_app import write_apps

ROUND = 3


@pytest.fixture
def around(digits: ReadyTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RoundTask:
    write_apps(tmp_path)
    monkeypatch.chdir(tmp_path)
    return RoundTask(digits.spec.to_bytes(), 14, split_into_shards(digits.train, 7)[0], "cpu")


def code(app: str, timeout_s: float = 60.0) -> FlowerCode:
    return FlowerCode(f"apps:{app}", sys.executable, timeout_s)


def test_the_apps_weights_become_the_update(around: RoundTask, good_model: bytes) -> None:
    examples: list[int] = []

    def halve(weights: bytes, rows: bytes) -> bytes:
        work = train_with_flower(code("halve"), weights, rows, ROUND)
        examples.append(work.examples)
        return work.weights

    update = make_update(around, good_model, TrainOptions(), own=halve)
    assert update is not None
    assert examples == [ROUND]
    start = around.read(good_model)
    moved = read_update(update, start.layout).to(torch.int64)
    assert int((2 * moved + start.vector).abs().max()) <= 2


@pytest.mark.parametrize(
    ("app", "error"),
    [
        ("forget", "the app answered with ['hidden.weight', 'output.bias', 'output.weight']"),
        ("flatten", "hidden.weight has shape (4096,), not (64, 64)"),
        ("count_nothing", "the app did not answer with one num-examples of at least 1"),
        ("count_a_truth", "the app did not answer with one num-examples of at least 1"),
        ("babble", "RuntimeError: said enough"),
        ("two", "the app answered with 2 records of arrays, not 1"),
        ("fail", "RuntimeError: no memory left"),
        ("nobody", "AttributeError: module 'apps' has no attribute 'nobody'"),
    ],
)
def test_errors_of_the_app_are_told(
    app: str, error: str, around: RoundTask, good_model: bytes
) -> None:
    with pytest.raises(FlowerError) as found:
        train_with_flower(code(app), good_model, around.training_rows(), ROUND)
    assert str(found.value).startswith(f"apps:{app}: the other process closed its end: ")
    assert error in str(found.value)


def test_an_app_that_hangs_is_ended(around: RoundTask, good_model: bytes) -> None:
    with pytest.raises(FlowerError, match="the deadline passed"):
        train_with_flower(code("hang", 1.0), good_model, around.training_rows(), ROUND)


def test_what_an_app_starts_ends_with_it(
    around: RoundTask, good_model: bytes, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    work = train_with_flower(code("spawn"), good_model, around.training_rows(), ROUND)
    assert work.examples == 1
    readable, _, _ = select.select([reader], [], [], 10.0)
    assert readable, "a process still holds the pipe"
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_child_that_lies_about_examples_is_refused(around: RoundTask, good_model: bytes) -> None:
    with pytest.raises(FlowerError, match="bytes of weights on -1 examples"):
        train_with_flower(code("lie"), good_model, around.training_rows(), ROUND)


def test_a_python_that_is_not_there(around: RoundTask, good_model: bytes) -> None:
    nowhere = FlowerCode("apps:halve", "/nowhere/python", 1.0)
    with pytest.raises(FlowerError, match="No such file"):
        train_with_flower(nowhere, good_model, around.training_rows(), ROUND)


def test_a_name_without_an_app(around: RoundTask, good_model: bytes) -> None:
    with pytest.raises(FlowerError, match="'apps' is not of the form module:app"):
        train_with_flower(
            FlowerCode("apps", sys.executable, 60.0), good_model, around.training_rows(), ROUND
        )


def test_weights_that_are_no_numbers_are_refused(around: RoundTask, good_model: bytes) -> None:
    work = train_with_flower(code("poison"), good_model, around.training_rows(), ROUND)
    with pytest.raises(ArtifactError):
        load_checked(work.weights, ArtifactLimits(1 << 20))
