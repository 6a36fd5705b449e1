"""Classifiers answer rows alike, whether the Arena left them or the FL Alliance."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactError
from ml.datasets.labelled import LabelledData
from ml.language.sampling import GenerationError
from ml.round_files import encode_model
from ml.round_work import GlobalModel
from ml.serving.classifier import Classifier
from ml.tasks.ready_task import ReadyTask

CPU = torch.device("cpu")
BITS = 14


def test_a_model_in_fixed_point_answers_as_its_start(digits: ReadyTask, good_model: bytes) -> None:
    rows = LabelledData.from_bytes(digits.validation_a, 64, 10).features[:40].tolist()
    spec = digits.spec.to_bytes()
    plain = Classifier(spec, good_model, CPU).predict(rows)
    model = GlobalModel.read(good_model, BITS, len(good_model))
    fixed, _ = encode_model(model.vector, model.layout)
    found = Classifier(spec, fixed, CPU, BITS).predict(rows)
    assert [each.label for each in found] == [each.label for each in plain]
    assert found[0].probabilities == pytest.approx(plain[0].probabilities, abs=0.01)
    assert sum(found[0].probabilities) == pytest.approx(1)
    with pytest.raises(ArtifactError):
        Classifier(spec, fixed, CPU)


def test_a_row_is_answered_alone(digits: ReadyTask, good_model: bytes) -> None:
    rows = LabelledData.from_bytes(digits.validation_a, 64, 10).features[:3].tolist()
    classifier = Classifier(digits.spec.to_bytes(), good_model, CPU)
    labels = [each.label for each in classifier.predict(rows)]
    assert [classifier.predict([row])[0].label for row in rows] == labels


def test_rows_that_are_none_are_refused(digits: ReadyTask, good_model: bytes) -> None:
    classifier = Classifier(digits.spec.to_bytes(), good_model, CPU)
    for rows, message in (
        ([], "0 rows are outside 1..256"),
        ([[0.0]], "a row of this model has 64 numbers"),
        ([[1e39] * 64], "a number of a row is not finite in 32 bits"),
    ):
        with pytest.raises(GenerationError) as refused:
            classifier.predict(rows)
        assert str(refused.value) == message


def test_classes_that_rounding_decides_are_named(digits: ReadyTask, good_model: bytes) -> None:
    classifier = Classifier(digits.spec.to_bytes(), good_model, CPU)
    (found,) = classifier.predict([[0.5] * 64])
    assert found.near == [found.label]
    # The last layer's rows of two classes are made equal, but for what sums in float64 may lose.
    other = (found.label + 1) % 10
    weight, bias = list(classifier._state)[-2:]
    for name in (weight, bias):
        classifier._state[name][other] = classifier._state[name][found.label] * (1 - 1e-13)
    (tied,) = classifier.predict([[0.5] * 64])
    assert (tied.label, tied.near) == (found.label, sorted([found.label, other]))
    for name in (weight, bias):
        classifier._state[name][other] = classifier._state[name][found.label] * (1 - 1e-7)
    (apart,) = classifier.predict([[0.5] * 64])
    assert apart.near == [found.label]
