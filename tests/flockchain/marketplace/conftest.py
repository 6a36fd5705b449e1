"""The tiny Llama that tests of the marketplace serve, trained once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ml.devices import choose_device, limit_threads, set_deterministic
from ml.language.tiny_llama import TinyOptions, train_adapter, train_tiny_llama
from ml.options import TrainOptions
from ml.tasks.digits import create_digits_task
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from tests.flockchain.marketplace.market_world import (
    USUAL_TERMS,
    World,
    classifier,
    conversations,
    language_model,
    market,
)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory."""
    limit_threads()
    set_deterministic()
    directory = tmp_path_factory.mktemp("tiny-llama")
    train_tiny_llama(conversations(), directory)
    return directory


@pytest.fixture(scope="session")
def tiny_adapter(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that has learned other answers."""
    directory = tmp_path_factory.mktemp("tiny-adapter")
    learned = [
        [
            {"role": "user", "content": "What is FLock?"},
            {"role": "assistant", "content": "A flock of birds."},
        ]
    ]
    train_adapter(tiny_llama, learned, directory, TinyOptions(steps=80, learning_rate=0.01))
    return directory


@pytest.fixture(scope="session")
def digits() -> ReadyTask:
    """The digits' task and its data."""
    return create_digits_task()


@pytest.fixture(scope="session")
def digits_model(digits: ReadyTask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier's directory: the task and a model that it left."""
    directory = tmp_path_factory.mktemp("digits")
    task = open_task(digits.spec, choose_device("cpu"))
    task.init_dataset(digits.train)
    (directory / "task.json").write_bytes(digits.spec.to_bytes())
    (directory / "model.safetensors").write_bytes(
        task.train(None, TrainOptions(training_epochs=8, seed=3))
    )
    return directory


@pytest.fixture
def world(host: World) -> World:
    """The host on its usual terms."""
    host.view.current = USUAL_TERMS
    return host


@pytest.fixture(scope="session")
def host(
    tiny_llama: Path,
    tiny_adapter: Path,
    digits_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """One host for all tests; each has callers of its own."""
    models = [
        language_model(tiny_llama),
        language_model(tiny_llama, "birds", tiny_adapter),
        classifier(digits_model),
    ]
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opened = market(tmp_path_factory.mktemp("book"), models)
        yield runner.run(stack.enter_async_context(opened))
        runner.run(stack.aclose())
