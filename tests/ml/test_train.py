"""The training loop: the loss falls, less data means fewer examples, options are bounded."""

from __future__ import annotations

import pytest

from ml.datasets.labelled import LabelledData
from ml.devices import DeviceError, choose_device
from ml.models.mlp import MlpConfig
from ml.options import TrainOptions
from ml.tasks.ready_task import ReadyTask
from ml.train import train_mlp

CONFIG = MlpConfig(inputs=64, classes=10, hidden_width_max=64)


def test_the_loss_falls(digits: ReadyTask) -> None:
    data = LabelledData.from_bytes(digits.train, inputs=64, classes=10)
    result = train_mlp(data, CONFIG, TrainOptions(training_epochs=6), choose_device("cpu"))
    assert len(result.losses) == 6
    assert list(result.losses) == sorted(result.losses, reverse=True)
    assert result.losses[-1] < result.losses[0] / 4
    assert result.examples == data.examples == 1197


def test_a_fraction_of_the_data(digits: ReadyTask) -> None:
    data = LabelledData.from_bytes(digits.train, inputs=64, classes=10)
    options = TrainOptions(training_epochs=1, data_fraction=0.1)
    assert train_mlp(data, CONFIG, options, choose_device("cpu")).examples == 119


def test_options_are_bounded() -> None:
    with pytest.raises(ValueError, match=r"^-1 training epochs are outside 0\.\.100000$"):
        TrainOptions(training_epochs=-1)
    with pytest.raises(ValueError, match=r"^data fraction 0 is outside \(0, 1\]$"):
        TrainOptions(data_fraction=0)
    with pytest.raises(ValueError, match=r"^batch size 0 is outside 1\.\.1048576$"):
        TrainOptions(batch_size=0)
    with pytest.raises(ValueError, match=r"^learning rate nan is outside \(0, 10\]$"):
        TrainOptions(learning_rate=float("nan"))


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(DeviceError, match=r"^device 'tpu' is not auto, cpu or cuda$"):
        choose_device("tpu")
