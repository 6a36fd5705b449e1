"""What a participant remembers over a restart."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flockchain.workers.alliance.memory import (
    ROUNDS_KEPT,
    AllianceMemory,
    SealedBallot,
    TaskMemory,
)
from flockchain.workers.locked_file import StateFileError
from runtime.primitives.content_id import content_id
from runtime.primitives.types import AccountId, Hash

GENESIS, WHO = Hash(b"g" * 32), AccountId(b"w" * 32)


def open_memory(directory: Path) -> AllianceMemory:
    return AllianceMemory(directory, GENESIS, WHO)


def test_what_was_sealed_survives_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    memory = open_memory(tmp_path / "state")
    memory.put_proposal(1, 0, (b"update", b"sealed"), "aa" * 32)
    memory.put_ballot(1, 0, b"\x00ballot", "bb" * 32)
    memory.note_membership(1)
    memory.put_best(1, b"model")
    memory.put_made(1, b"aggregate")
    memory.close()

    again = open_memory(tmp_path / "state")
    proposal = again.find_proposal(1, 0)
    assert proposal is not None
    assert again.find_blob(bytes.fromhex(proposal.content)) == b"update"
    assert again.find_blob(bytes.fromhex(proposal.ciphertext)) == b"sealed"
    assert again.last_update(1) == b"update"
    assert again.last_update(2) is None
    assert again.find_ballot(1, 0) == SealedBallot(b"\x00ballot".hex(), "bb" * 32)
    best, made = content_id(b"model").hex(), content_id(b"aggregate").hex()
    assert again.of_task(1) == TaskMemory(True, best, (made,))
    assert again.of_task(2) == TaskMemory()
    again.close()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert modes == {0o600, 0o700}


def test_what_opens_commitments_is_kept_under_what_was_sealed(tmp_path: Path) -> None:
    memory = open_memory(tmp_path)
    memory.put_proposal(1, 0, (b"opening", b"sealed"), "aa" * 32, b"h" * 32)
    memory.put_ballot(1, 0, b"\x00", "aa" * 32, "01")
    memory.put_checked(1, b"m" * 32)
    memory.close()
    again = open_memory(tmp_path)
    proposal = again.find_proposal(1, 0)
    assert proposal is not None
    assert proposal.content == (b"h" * 32).hex()
    assert again.find_blob(proposal.kept) == b"opening"
    assert again.last_update(1) is None
    assert again.find_ballot(1, 0) == SealedBallot("00", "aa" * 32, "01")
    assert again.of_task(1).checked == (b"m" * 32).hex()
    again.put_proposal(1, ROUNDS_KEPT, (b"next", b"sealed next"), "bb" * 32, b"i" * 32)
    assert again.find_blob(proposal.kept) is None
    again.close()


def test_old_rounds_and_models_are_forgotten_with_their_files(tmp_path: Path) -> None:
    memory = open_memory(tmp_path)
    memory.put_proposal(1, 0, (b"first", b"sealed first"), "aa" * 32)
    memory.put_ballot(1, 0, b"\x00", "aa" * 32)
    memory.put_proposal(1, ROUNDS_KEPT, (b"later", b"sealed later"), "bb" * 32)
    memory.put_ballot(1, ROUNDS_KEPT, b"\x00", "bb" * 32)
    assert memory.find_proposal(1, 0) is None
    assert memory.find_ballot(1, 0) is None
    assert memory.find_blob(content_id(b"first")) is None
    assert memory.last_update(1) == b"later"

    memory.put_best(1, b"good")
    memory.put_best(1, b"better")
    assert memory.find_blob(content_id(b"good")) is None
    memory.put_made(1, b"better")
    memory.put_made(1, b"rejected")
    memory.drop_made(1, content_id(b"better"))
    memory.drop_made(1, content_id(b"rejected"))
    assert memory.of_task(1).made == ()
    assert memory.find_blob(content_id(b"better")) == b"better", "it is the best one still"
    assert memory.find_blob(content_id(b"rejected")) is None
    memory.close()


def test_one_process_at_a_time_and_no_damaged_file(tmp_path: Path) -> None:
    memory = open_memory(tmp_path)
    with pytest.raises(StateFileError, match=r" is in use by another worker: give each its own "):
        open_memory(tmp_path)
    memory.note_membership(1)
    memory.close()
    (path,) = tmp_path.glob("*.json")
    for text in ("{", '{"version": 9}', path.read_text().replace('"proposals": {}', '"pro": {}')):
        path.write_text(text)
        with pytest.raises(StateFileError, match=r"-alliance\.json is no worker state \("):
            open_memory(tmp_path)
