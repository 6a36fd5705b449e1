"""What a worker remembers over a restart."""

from __future__ import annotations

import stat
from fractions import Fraction
from pathlib import Path

import pytest

from flockchain.workers.locked_file import FILE_BYTES_MAX
from flockchain.workers.model_seal import seal_model
from flockchain.workers.state_file import (
    DAYS_KEPT,
    SealedAlias,
    SealedModel,
    SealedSheet,
    SealedVerdict,
    StateFileError,
    WorkerState,
)
from runtime.pallets.arena.records import SubmittedModel
from runtime.primitives.content_id import content_id
from runtime.primitives.types import AccountId, Hash

GENESIS, WHO = Hash(b"g" * 32), AccountId(b"w" * 32)
SEALED = SealedModel("aa" * 32, "bb" * 32)
SHEET = SealedSheet("00", "cc" * 32)
ALIAS = SealedAlias("dd" * 32, "bb" * 32, "ee" * 32, "ff" * 32, index=1, send_at=5)


def open_state(directory: Path) -> WorkerState:
    return WorkerState(directory, GENESIS, WHO)


def test_what_was_sealed_survives_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state")
    state.put_submission(1, 5, SEALED)
    state.put_alias(1, 6, ALIAS)
    state.put_sheet(1, 5, SHEET)
    state.count_attempt(1)
    kept = state.keep_model(1, b"model", Fraction(9, 10))
    state.close()

    again = open_state(tmp_path / "state")
    assert again.find_submission(1, 5) == SEALED
    assert again.find_alias(1, 6) == ALIAS
    assert again.find_sheet(1, 5) == SHEET
    assert again.attempts == {"1": 1}
    assert again.find_kept(1, content_id(b"model")) == kept
    assert again.read_model(kept) == b"model"
    assert kept.metric == Fraction(9, 10)
    again.close()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert modes == {0o600, 0o700}


def test_a_kept_model_knows_its_ciphertext_and_is_sealed_once(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    kept = state.keep_model(1, b"model", Fraction(1))
    ciphertext = seal_model(b"model", bytes.fromhex(kept.key))
    assert kept.submitted == SubmittedModel(
        content_id(b"model"), content_id(ciphertext), len(ciphertext)
    )
    assert state.keep_model(1, b"model", Fraction(1)) == kept
    assert state.keep_model(2, b"model", Fraction(1)).key != kept.key
    state.close()


def test_old_seals_are_forgotten(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    state.put_sheet(1, 1, SHEET)
    state.put_sheet(1, 1 + DAYS_KEPT, SHEET)
    assert state.find_sheet(1, 1) == SHEET
    state.put_sheet(1, 2 + DAYS_KEPT, SHEET)
    assert state.find_sheet(1, 1) is None
    state.put_submission(1, 7, SEALED)
    assert (state.contents_of(1), state.contents_of(11)) == ({b"\xaa" * 32}, set())
    state.put_alias(1, 7, ALIAS)
    assert state.contents_of(1) == {b"\xaa" * 32, b"\xdd" * 32}
    state.put_alias(1, 8 + DAYS_KEPT, ALIAS)
    assert state.find_alias(1, 7) is None
    state.close()


def test_models_are_dropped_unless_they_are_needed_or_another_tasks(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    old, new = (state.keep_model(1, model, Fraction(1)) for model in (b"old", b"new"))
    other = state.keep_model(2, b"old", Fraction(1))
    state.drop_models(1, [bytes.fromhex(new.content)])
    assert state.find_kept(1, bytes.fromhex(old.content)) is None
    assert state.read_model(other) == b"old"
    assert state.tasks_with_secrets() == {1, 2}
    state.mark_published(new)
    state.drop_models(2)
    assert state.tasks_with_secrets() == set()
    assert state.read_model(new) == b"new"
    with pytest.raises(FileNotFoundError, match="is not in"):
        state.read_model(other)
    state.close()


def test_two_keys_in_one_directory_have_their_own_files(tmp_path: Path) -> None:
    ours, theirs = (
        WorkerState(tmp_path, GENESIS, AccountId(letter * 32)) for letter in (b"a", b"b")
    )
    kept = [state.keep_model(1, b"clone", Fraction(1)) for state in (ours, theirs)]
    assert kept[0].key != kept[1].key
    ours.drop_models(1)
    assert theirs.read_model(kept[1]) == b"clone"
    ours.close()
    theirs.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    with pytest.raises(StateFileError, match="in use by another worker"):
        open_state(tmp_path)
    state.close()
    open_state(tmp_path).close()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"version": 1}', b'{"version": 3, "models": {"x": {}}}', b"\xff"]
)
def test_a_damaged_file_is_named_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    state = open_state(tmp_path)
    state.put_submission(1, 1, SEALED)
    state.close()
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="is no worker state"):
        open_state(tmp_path)
    assert path.read_bytes() == content


def test_a_damaged_model_is_not_returned(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    kept = state.keep_model(1, b"model", Fraction(1))
    (path,) = tmp_path.glob("*/blobs/*")
    path.write_bytes(b"mod")
    with pytest.raises(FileNotFoundError, match=f"model {kept.content} is not in"):
        state.read_model(kept)
    state.close()


def test_a_verdict_that_is_not_on_disk_is_not_remembered(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    kept = SealedVerdict("aa", "bb", "cc", "why", "dd")
    state.put_verdict(3, kept)
    with pytest.raises(OSError, match="settle or finish"):
        state.put_verdict(4, SealedVerdict("aa", "bb", "cc", "y" * FILE_BYTES_MAX))
    assert (state.find_verdict(3), state.find_verdict(4)) == (kept, None)
    state.close()
    again = open_state(tmp_path)
    assert (again.find_verdict(3), again.find_verdict(4)) == (kept, None)
    again.close()
