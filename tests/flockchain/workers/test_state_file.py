"""What a worker remembers over a restart."""

from __future__ import annotations

import stat
from fractions import Fraction
from pathlib import Path

import pytest

from flockchain.workers.state_file import (
    DAYS_KEPT,
    MODELS_KEPT,
    SealedModel,
    SealedSheet,
    StateFileError,
    WorkerState,
)
from runtime.primitives.types import AccountId, Hash

GENESIS, WHO = Hash(b"g" * 32), AccountId(b"w" * 32)
MODEL = SealedModel("aa" * 32, 10, "bb" * 32)
SHEET = SealedSheet("00", "cc" * 32)


def open_state(directory: Path) -> WorkerState:
    return WorkerState(directory, GENESIS, WHO)


def test_what_was_sealed_survives_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    state.put_model(1, 5, MODEL)
    state.put_sheet(1, 5, SHEET)
    state.count_attempt(1)
    digest = state.put_model_file(b"model", Fraction(9, 10))
    state.close()

    again = open_state(tmp_path / "state")
    assert again.find_model(1, 5) == MODEL
    assert again.find_sheet(1, 5) == SHEET
    assert again.attempts == {"1": 1}
    assert again.find_model_file(digest) == b"model"
    assert again.find_metric(digest) == Fraction(9, 10)
    again.close()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert modes == {0o600, 0o700}


def test_old_seals_and_models_are_forgotten(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    state.put_sheet(1, 1, SHEET)
    state.put_sheet(1, 1 + DAYS_KEPT, SHEET)
    assert state.find_sheet(1, 1) == SHEET
    state.put_sheet(1, 2 + DAYS_KEPT, SHEET)
    assert state.find_sheet(1, 1) is None
    first = state.put_model_file(b"first", Fraction(1))
    for number in range(MODELS_KEPT):
        state.put_model_file(b"%d" % number, Fraction(1))
    assert state.find_model_file(first) is None
    assert state.find_metric(first) is None
    state.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    with pytest.raises(StateFileError, match="in use by another worker"):
        open_state(tmp_path)
    state.close()
    open_state(tmp_path).close()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"version": 9}', b'{"version": 1, "models": {"x": {}}}', b"\xff"]
)
def test_a_damaged_file_is_named_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    state = open_state(tmp_path)
    state.put_model(1, 1, MODEL)
    state.close()
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="is no worker state"):
        open_state(tmp_path)
    assert path.read_bytes() == content


def test_a_damaged_model_is_not_returned(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    digest = state.put_model_file(b"model", Fraction(1))
    (path,) = (tmp_path / "blobs").iterdir()
    path.write_bytes(b"mod")
    assert state.find_model_file(digest) is None
    state.close()
