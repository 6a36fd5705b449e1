"""Workers of these tests share slow processes, but where a test is about them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flockchain.workers.kept_processes import Kept, KeptBench, KeptPool


@pytest.fixture(scope="session")
def _kept() -> Iterator[None]:
    yield
    Kept.end()


@pytest.fixture(autouse=True)
def processes(_kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module whose workers are to have processes of their own has a fixture of this name."""
    monkeypatch.setattr("flockchain.workers.worker.TrainingPool", KeptPool)
    monkeypatch.setattr("flockchain.workers.worker.Bench", KeptBench)
    monkeypatch.setattr("flockchain.workers.fl_client.TrainingPool", KeptPool)
