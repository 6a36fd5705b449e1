"""The kind `classification`, end to end on real digits: train, evaluate, aggregate."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
import torch

from ml.artifact import ArtifactLimits, ArtifactMismatchError, ArtifactSizeError
from ml.checkpoint import load_checked, save_canonical
from ml.devices import choose_device
from ml.fingerprint import hamming_distance
from ml.options import TrainOptions
from ml.tasks.interface import Task
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task

LIMITS = ArtifactLimits()


def test_a_good_trainer_is_good_on_the_hidden_set(
    task: Task, digits: ReadyTask, good_model: bytes
) -> None:
    task.init_dataset(digits.validation_b)
    assert task.evaluate(good_model).metric >= Fraction(93, 100)


def test_a_weak_trainer_is_worse_and_noise_is_chance(
    task: Task, digits: ReadyTask, good_model: bytes
) -> None:
    weak = task.train(None, TrainOptions(training_epochs=8, hidden_width=12, data_fraction=0.25))
    noise = task.train(None, TrainOptions(training_epochs=0, seed=5))
    task.init_dataset(digits.validation_b)
    best, middle, worst = (task.evaluate(model).metric for model in (good_model, weak, noise))
    assert worst <= Fraction(20, 100) < middle < best


def test_training_is_repeatable_and_seeded(task: Task, good_model: bytes) -> None:
    brief = TrainOptions(training_epochs=2, seed=9)
    assert task.train(None, brief) == task.train(None, brief)
    assert task.train(None, brief) != task.train(None, dataclasses.replace(brief, seed=10))
    assert task.train(None, TrainOptions(seed=3)) == good_model


def test_training_goes_on_from_a_model_and_stops_when_told(task: Task, good_model: bytes) -> None:
    untouched = task.train(good_model, TrainOptions(training_epochs=0))
    assert untouched == good_model
    assert task.train(good_model, TrainOptions(training_epochs=1)) != good_model
    asked: list[int] = []

    def stop_after_two() -> bool:
        asked.append(1)
        return len(asked) == 2

    task.train(None, TrainOptions(training_epochs=1000), stop_after_two)
    assert len(asked) == 2


def test_fingerprints_tell_models_apart(task: Task, digits: ReadyTask, good_model: bytes) -> None:
    noise = task.train(None, TrainOptions(training_epochs=0, seed=5))
    other = task.train(None, TrainOptions(training_epochs=20, seed=8))
    task.init_dataset(digits.validation_b)
    same = task.evaluate(good_model).fingerprint
    assert same == task.evaluate(good_model).fingerprint
    near = hamming_distance(same, task.evaluate(other).fingerprint)
    far = hamming_distance(same, task.evaluate(noise).fingerprint)
    assert near < far


def test_accuracy_is_counted_and_ties_go_to_the_lowest_class(task: Task, digits: ReadyTask) -> None:
    silent = save_canonical(
        {
            "hidden.weight": torch.zeros(1, 64),
            "hidden.bias": torch.zeros(1),
            "output.weight": torch.zeros(10, 1),
            "output.bias": torch.zeros(10),
        }
    )
    task.init_dataset(digits.validation_a)
    labels = load_checked(digits.validation_a, ArtifactLimits(dtypes=("F32", "I64")))["labels"]
    zeros = int((labels == 0).sum())
    assert task.evaluate(silent).metric == Fraction(zeros, 300)


def test_models_of_other_shapes_are_refused(task: Task, good_model: bytes) -> None:
    state = load_checked(good_model, LIMITS)
    cut = {**state, "hidden.bias": state["hidden.bias"][:-1]}
    with pytest.raises(ArtifactMismatchError, match=r"^hidden widths \[63, 64\] are not one of"):
        task.evaluate(save_canonical(cut))
    wide = task.spec.model["hidden_width_max"]
    assert isinstance(wide, int)
    with pytest.raises(ValueError, match=r"^hidden width 257 is outside 1..256$"):
        task.train(None, TrainOptions(hidden_width=wide + 1))
    with pytest.raises(ArtifactMismatchError):
        task.evaluate(save_canonical({"weights": torch.zeros(3)}))


def test_a_model_above_the_task_s_limit_is_refused(digits: ReadyTask, good_model: bytes) -> None:
    limits = dataclasses.replace(digits.spec.limits, model_bytes_max=len(good_model) - 1)
    small = open_task(dataclasses.replace(digits.spec, limits=limits), choose_device("cpu"))
    small.init_dataset(digits.validation_a)
    with pytest.raises(ArtifactSizeError):
        small.evaluate(good_model)


def test_aggregation_is_the_mean_in_any_order(task: Task, good_model: bytes) -> None:
    other = task.train(None, TrainOptions(training_epochs=1, seed=4))
    mean = task.aggregate([good_model, other], [3, 1])
    assert mean == task.aggregate([other, good_model], [1, 3])
    states = [load_checked(model, LIMITS) for model in (good_model, other, mean)]
    expected = states[0]["output.bias"] * 0.75 + states[1]["output.bias"] * 0.25
    assert torch.allclose(states[2]["output.bias"], expected, atol=2**-13)


@pytest.mark.cuda
def test_training_and_evaluation_on_cuda(digits: ReadyTask) -> None:
    on_cuda = open_task(digits.spec, choose_device("cuda"))
    on_cuda.init_dataset(digits.train)
    model = on_cuda.train(None, TrainOptions(seed=3))
    assert on_cuda.train(None, TrainOptions(seed=3)) == model
    on_cuda.init_dataset(digits.validation_b)
    on_cpu = open_task(digits.spec, choose_device("cpu"))
    on_cpu.init_dataset(digits.validation_b)
    measured = on_cuda.evaluate(model)
    assert measured.metric >= Fraction(93, 100)
    assert on_cpu.evaluate(model) == measured
