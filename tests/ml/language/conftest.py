"""The tiny Llama of the language model tests, trained once, and an adapter for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ml.language.language_model import LanguageModel
from ml.language.tiny_llama import TinyOptions, train_adapter, train_tiny_llama

LEARNED = {"What is FLock?": "Federated learning on a chain.", "Say hello": "Hellö, wörld!"}
RELEARNED = {"What is FLock?": "A flock of birds."}


def conversations(learned: dict[str, str]) -> list[list[dict[str, str]]]:
    return [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
        for asked, said in learned.items()
    ]


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory."""
    directory = tmp_path_factory.mktemp("tiny-llama")
    losses = train_tiny_llama(conversations(LEARNED), directory)
    assert losses[-1] < losses[0] / 20
    return directory


@pytest.fixture(scope="session")
def tiny_adapter(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that has learned another answer."""
    directory = tmp_path_factory.mktemp("tiny-adapter")
    options = TinyOptions(steps=80, learning_rate=0.01)
    train_adapter(tiny_llama, conversations(RELEARNED), directory, options)
    return directory


@pytest.fixture
def model(tiny_llama: Path) -> LanguageModel:
    """The tiny Llama, opened on the CPU."""
    return LanguageModel(tiny_llama, torch.device("cpu"))
