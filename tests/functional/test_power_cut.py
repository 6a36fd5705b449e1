"""A validator's process is killed in each write to a real LevelDB; its log is cut anywhere.

It opens again, has every block and vote that it told the world, and signs nothing that contradicts
them. What is killed is forked from a process that has imported everything, so a death is cheap.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from flockchain.chain.backend import Backend
from flockchain.consensus.grandpa.messages import ENVELOPE, GossipVote
from flockchain.storage.leveldb import LevelDbStore
from flockchain.storage.state import StateStore
from flockchain.sync.messages import decode_announcement
from runtime.api import runtime_at
from runtime.primitives.babe_digest import find_claim
from runtime.primitives.types import Hash
from tests.simulation.world import devnet_genesis, keys_of

ROOT: Final = Path(__file__).resolve().parents[2]
KILLED: Final = -9
BLOCKS: Final = 50
MORE_BLOCKS: Final = 3
CUT_BYTES: Final = 64 * 1024
GENESIS: Final = devnet_genesis(keys_of(1))


@dataclass
class Told:
    """What a validator told the world, in one life or several. Raises on a contradiction."""

    blocks: dict[int, Hash] = field(default_factory=dict)
    votes: dict[tuple[int, int, str], object] = field(default_factory=dict)
    now_ms: int = 0
    writes: int = 0
    opened: tuple[int, int] = (0, 0)

    def hear(self, line: str) -> None:
        kind, *rest = line.split()
        match kind:
            case "now":
                self.now_ms = int(rest[0])
            case "opened":
                self.opened = (int(rest[0]), int(rest[1]))
            case "writes":
                self.writes = int(rest[0])
            case "block-announces":
                header = decode_announcement(bytes.fromhex(rest[0])).header
                claim = find_claim(header)
                assert claim is not None
                known = self.blocks.setdefault(claim.slot, header.hash())
                assert known == header.hash(), f"two blocks for slot {claim.slot}"
            case "grandpa":
                message = ENVELOPE.decode_all(bytes.fromhex(rest[0])).message
                if isinstance(message, GossipVote):
                    vote = message.vote
                    cast = vote.message.message
                    key = (vote.set_id, vote.round, type(cast).__name__)
                    assert self.votes.setdefault(key, cast) == cast, f"two votes for {key}"


class Machine:
    """The process from which validators are forked."""

    def __init__(self) -> None:
        script = [sys.executable, "-m", "tests.functional.power_cut_script"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(script, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def play(self, directory: Path, write: int, when: str, blocks: int, told: Told) -> int:
        """A life of a validator; its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(directory, write, when, blocks, told.now_ms, file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("status "):
                return int(line.split()[1])
            told.hear(line)
        raise AssertionError("the process that forks has ended")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """Shared: nothing of one life stays in it for the next."""
    made = Machine()
    yield made
    made.process.kill()
    made.process.wait()


def check_disk(directory: Path, told: Told) -> int:
    """All that was told is there, and the head's state is whole; the best block's number."""
    store = LevelDbStore(directory)
    backend = Backend(store, StateStore(store))
    backend.open(GENESIS)
    for slot, block in told.blocks.items():
        assert backend.header(block) is not None, f"the block of slot {slot} is lost"
    runtime_at(backend.state_at(backend.best.hash)).try_state()
    store.close()
    return backend.best.number


def die_in(machine: Machine, directory: Path, write: int, when: str) -> None:
    told = Told()
    assert machine.play(directory, write, when, BLOCKS, told) == KILLED, f"no write {write}"
    check_disk(directory, told)
    best = told.opened[0] + len(told.blocks)
    assert machine.play(directory, 0, "never", MORE_BLOCKS, told) == 0
    assert told.opened[0] >= best
    check_disk(directory, told)
    shutil.rmtree(directory)


def test_some_deaths_lose_nothing_that_was_told(machine: Machine, tmp_path: Path) -> None:
    for write, when in ((1, "before"), (1, "after"), (33, "before"), (34, "after")):
        die_in(machine, tmp_path / "db", write, when)


@pytest.mark.long
def test_no_death_loses_what_was_told(machine: Machine, tmp_path: Path) -> None:
    told = Told()
    assert machine.play(tmp_path / "whole", 0, "never", BLOCKS, told) == 0
    assert len(told.blocks) == BLOCKS
    assert told.writes > 2 * BLOCKS
    for write in range(1, told.writes + 1):
        for when in ("before", "after"):
            die_in(machine, tmp_path / "db", write, when)
    print(f"\n{2 * told.writes} deaths, before and after each of {told.writes} writes")


def cuts(machine: Machine, directory: Path, step_bytes: int) -> list[int]:
    """The best block's number with the log cut at every so manieth of its last bytes."""
    whole = directory / "whole"
    assert machine.play(whole, 0, "never", BLOCKS, Told()) == 0
    log = max(whole.glob("*.log"), key=lambda path: path.name)
    size = log.stat().st_size
    found = []
    for end in range(max(size - CUT_BYTES, 0), size, step_bytes):
        copy = directory / "copy"
        shutil.copytree(whole, copy)
        with (copy / log.name).open("r+b") as file:
            file.truncate(end)
        found.append(check_disk(copy, Told()))
        shutil.rmtree(copy)
    return found


def test_a_log_cut_somewhere_opens_at_an_earlier_block(machine: Machine, tmp_path: Path) -> None:
    found = cuts(machine, tmp_path, CUT_BYTES // 12 + 1)
    assert found == sorted(found)
    assert len(set(found)) > 3


@pytest.mark.long
def test_a_log_cut_anywhere_opens_at_an_earlier_block(machine: Machine, tmp_path: Path) -> None:
    found = cuts(machine, tmp_path, 61)
    assert found == sorted(found)
    print(f"\n{len(found)} cuts, best blocks {found[0]} to {found[-1]}")
