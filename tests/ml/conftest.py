"""What the machine learning tests share: one thread, fixed kernels, one task, one good model."""

from __future__ import annotations

import pytest
import torch

from ml.devices import choose_device, limit_threads, set_deterministic
from ml.options import TrainOptions
from ml.tasks.digits import create_digits_task
from ml.tasks.interface import Task
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task


def pytest_configure() -> None:
    """The settings of a worker process."""
    limit_threads()
    set_deterministic()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests that need CUDA uncollected on a machine without it."""
    if torch.cuda.is_available():
        return
    needing = [item for item in items if item.get_closest_marker("cuda")]
    if needing:
        items[:] = [item for item in items if item not in needing]
        config.hook.pytest_deselected(items=needing)


@pytest.fixture(scope="session")
def digits() -> ReadyTask:
    """The digits task of seed 1, with its data."""
    return create_digits_task()


@pytest.fixture
def task(digits: ReadyTask) -> Task:
    """The digits task, opened on the CPU, with the training set loaded."""
    opened = open_task(digits.spec, choose_device("cpu"))
    opened.init_dataset(digits.train)
    return opened


@pytest.fixture(scope="session")
def good_model(digits: ReadyTask) -> bytes:
    """What an honest, strong trainer submits."""
    opened = open_task(digits.spec, choose_device("cpu"))
    opened.init_dataset(digits.train)
    return opened.train(None, TrainOptions(seed=3))
