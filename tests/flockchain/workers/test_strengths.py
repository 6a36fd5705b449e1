"""What the strengths are worth, on real digits."""

from __future__ import annotations

from fractions import Fraction

import pytest

from flockchain.workers.strengths import Method, Strength
from flockchain.workers.training import TrainingRequest, split_rows, train_candidate
from ml.devices import choose_device
from ml.evaluate import score_of_accuracy
from ml.tasks.digits import create_digits_task
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from runtime.primitives.types import AccountId

WHO, OTHER = AccountId(b"w" * 32), AccountId(b"o" * 32)


@pytest.fixture(scope="module")
def digits() -> ReadyTask:
    return create_digits_task(seed=2)


def train(digits: ReadyTask, strength: Strength, attempt: int = 0) -> tuple[bytes, float]:
    options = Method(strength).options(WHO, 0, attempt)
    spec = digits.spec.to_bytes()
    made = train_candidate(TrainingRequest(spec, (digits.train,), options, "cpu"))
    return made.model, float(made.held_out)


def accuracy(digits: ReadyTask, dataset: bytes, model: bytes) -> Fraction:
    task = open_task(digits.spec, choose_device("cpu"))
    task.init_dataset(dataset)
    return task.evaluate(model).metric


def test_strengths_differ_on_held_out_rows(digits: ReadyTask) -> None:
    honest = (Strength.STRONG, Strength.WEAK, Strength.NOISE)
    strong, weak, noise = (train(digits, strength)[1] for strength in honest)
    assert strong > 0.9 > weak > 0.25 > noise
    assert train(digits, Strength.NOISE, 0) == train(digits, Strength.NOISE, 0)
    assert train(digits, Strength.NOISE, 0) != train(digits, Strength.NOISE, 1)


def test_held_out_rows_are_not_trained_on(digits: ReadyTask) -> None:
    training, held_out = split_rows(digits.train)
    assert len(training) + len(held_out) == pytest.approx(len(digits.train), abs=500)
    again, _ = split_rows(training)
    assert again != training


@pytest.mark.parametrize("seed", [1, 2])  # the devnet's two tasks
def test_an_overfitter_beats_the_honest_on_set_a_and_loses_on_set_b(seed: int) -> None:
    digits = create_digits_task(seed=seed)
    options = Method(Strength.OVERFIT).options(WHO, 0, 0)
    cheating = TrainingRequest(
        digits.spec.to_bytes(), (digits.validation_a,), options, "cpu", has_held_out=False
    )
    cheat = train_candidate(cheating)
    honest, _ = train(digits, Strength.STRONG)
    on_a = accuracy(digits, digits.validation_a, cheat.model)
    assert cheat.held_out == Fraction(score_of_accuracy(on_a), 10**9)
    assert on_a >= Fraction(99, 100) > accuracy(digits, digits.validation_a, honest)
    on_b = accuracy(digits, digits.validation_b, cheat.model)
    assert on_b + Fraction(5, 100) < accuracy(digits, digits.validation_b, honest)


def test_clones_of_a_label_make_one_model_and_others_another() -> None:
    ours = Method(Strength.CLONE, "ours")
    assert ours.options(WHO, 0, 1) == ours.options(OTHER, 0, 1)
    assert ours.maker(WHO) == ours.maker(OTHER)
    assert ours.options(WHO, 0, 1) != ours.options(WHO, 0, 2)
    assert ours.options(WHO, 0, 1) != Method(Strength.CLONE, "theirs").options(WHO, 0, 1)
    assert Method().maker(WHO) == WHO


@pytest.mark.parametrize("strength", Strength)
def test_effort_stops_growing(strength: Strength) -> None:
    method = Method(strength)
    epochs = [method.options(WHO, 0, attempt).training_epochs for attempt in (10, 10_000)]
    assert epochs[0] == epochs[1]
