"""A masked round of ten, two of whom drop out, whose aggregator is a process of its own.

Its memory, and that of the process that sums for it, is read from outside: while it works, once it
has posted the proof, and at the end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch

from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.workers.alliance import proposer
from flockchain.workers.alliance.committing import commit_update
from flockchain.workers.fl_client import FlClient, Participant
from ml.artifact import ArtifactLimits
from ml.checkpoint import load_checked
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing
from runtime.pallets.fl_alliance.terms import RoundWindows
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, AccountId
from runtime.primitives.zk_aggregation import OFFSET
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    CREATOR,
    KEYS,
    TASK,
    alliance_chain,
    at_work,
    digits,
    masked,
    result_of,
    step,
)
from tests.flockchain.workers.alliance.process_memory import family_of, found_in
from tests.flockchain.workers.alliance.test_privacy import rows_of
from tests.flockchain.workers.alliance.test_proven_rounds import round_of, standings
from tests.flockchain.workers.digits_world import events_of, submit

PROPOSERS, VOTERS, GONE = 10, 9, 2
URIS = tuple(f"//Client{n}" for n in range(1, PROPOSERS + VOTERS + 1))
MANY = tuple(key_pair_from_uri(uri, "sr25519") for uri in URIS)
VOTERS_ACT = frozenset({Stage.REPORT, Stage.AGGREGATE, Stage.VOTE, Stage.OPEN})
FEW = 8  # numbers in a row that are looked for


def shard_of(key: KeyPair) -> bytes:
    return digits().shards[MANY.index(key) % len(KEYS)]


def members(keys: Sequence[KeyPair]) -> list[Participant]:
    return [Participant(key, shard_of(key)) for key in keys]


def forms(update: bytes, weight: int) -> set[bytes]:
    """A part of an update as it could lie in memory, with and without offset and weight."""
    state = load_checked(update, ArtifactLimits(dtypes=("I16",)))
    rows = state["hidden.weight"].flatten().to(torch.int64).unfold(0, FEW, 1)
    part = rows[int((rows != 0).sum(dim=1).argmax())]
    positive = part + OFFSET
    found = (
        *(part.to(kind) for kind in (torch.int16, torch.int64, torch.float32)),
        *(positive.to(kind) for kind in (torch.int32, torch.int64, torch.float64)),
        weight * positive,
    )
    return {numbers.numpy().tobytes() for numbers in found}


class Played:
    """The chain, its members in this process, and the one that is a process of its own."""

    def __init__(self, chain: FastChain, state: Path) -> None:
        self.chain = chain
        self.state = state
        self.updates: dict[AccountId, set[bytes]] = {}
        self.seen: list[set[str]] = []
        self.alone_account = AccountId(bytes(32))
        self._ready = asyncio.Event()
        chain.pool.listeners.append(lambda *_: self._ready.set())

    def stage(self) -> Stage | None:
        progress = self.chain.runtime().alliance.progress.find(TASK)
        return None if progress is None else progress.stage

    async def acted(self, who: AccountId) -> None:
        """Until the pool has an extrinsic of an account."""
        async with asyncio.timeout(120):
            while all(entry.sender != who for entry in self.chain.pool.best()):
                self._ready.clear()
                await self._ready.wait()

    @asynccontextmanager
    async def alone(self, key: KeyPair) -> AsyncIterator[int]:
        """A member as `flockchain worker`; its process."""
        rows = self.state / "rows"
        rows.write_bytes(shard_of(key))
        command = [sys.executable, "-m", "flockchain", "worker", "fl-client"]
        command += ["--rpc", self.chain.url, "--key", URIS[MANY.index(key)], "--task", str(TASK)]
        command += ["--data", str(rows), "--state-dir", str(self.state), "--device", "cpu"]
        child = await asyncio.create_subprocess_exec(*command)
        try:
            yield child.pid
        finally:
            child.terminate()
            await asyncio.wait_for(child.wait(), 60)

    async def until_result(self, worker: FlClient, who: AccountId, pid: int) -> None:
        """Blocks until the round has a result; the one that is alone acts in each of its stages."""
        done: set[Stage] = set()
        while result_of(self.chain, 0) is None:
            stage = self.stage()
            if stage in VOTERS_ACT and stage not in done:
                done.add(stage)
                await self._watched(stage, who, pid)
            await step(self.chain, worker)

    async def _watched(self, stage: Stage, who: AccountId, pid: int) -> None:
        if stage is Stage.AGGREGATE:
            await self.look(pid)
        await self.acted(who)
        if stage is Stage.AGGREGATE:
            await self.look(pid)

    async def look(self, pid: int) -> None:
        """Note what of all updates the process and its own hold, and what they must hold."""
        key = next(key for key in MANY if key.account == self.alone_account)
        wanted = {who.hex(): patterns for who, patterns in self.updates.items()}
        wanted["its own rows"] = set(rows_of(shard_of(key))[:1])
        self.seen.append(await asyncio.to_thread(found_in, family_of(pid), wanted))


async def play(directory: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Played, list[AccountId]]:
    """The round, and who dropped out of it."""
    windows = RoundWindows(*[8] * 9)
    terms = {**masked(), "voters_min": VOTERS, "windows": windows}
    async with alliance_chain(directory, rounds=1, **terms) as (chain, client):
        for key in MANY[len(KEYS) :]:
            call = encode_call(Balances.transfer_keep_alive, Id(key.account), 100 * FML)
            await submit(client, chain, call, CREATOR)
        state = directory / "state"
        played = Played(chain, state)

        async def heard(desk, view, base, update, mask=None):  # type: ignore[no-untyped-def]
            played.updates[desk.account] = forms(update, mask.weight)
            return await commit_update(desk, view, base, update, mask)

        monkeypatch.setattr(proposer, "commit_update", heard)
        async with at_work(client, members(MANY), state) as worker:
            while (made := round_of(chain)) is None or not made.record.voters:
                await step(chain, worker)
            while played.stage() is Stage.SHARE:
                await step(chain, worker)
        gone, aggregator = made.record.proposers[:GONE], made.record.voters[0]
        played.alone_account = aggregator
        rest = [key for key in MANY if key.account not in (*gone, aggregator)]
        key = next(key for key in MANY if key.account == aggregator)
        async with played.alone(key) as pid, at_work(client, members(rest), state) as worker:
            await played.until_result(worker, aggregator, pid)
            await played.look(pid)
    assert len(made.record.proposers) == PROPOSERS
    return played, gone


@pytest.mark.long
def test_an_aggregators_process_never_holds_an_update_and_two_of_ten_may_drop_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played, gone = asyncio.run(play(tmp_path, monkeypatch))
    chain, key = played.chain, RoundKey(TASK, 0)
    assert result_of(chain, 0).outcome is Outcome.ACCEPTED  # type: ignore[union-attr]
    assert [each.who for each in events_of(chain, events.SumProved)] == [played.alone_account]
    assert len(events_of(chain, events.SecretsShared)) == PROPOSERS
    assert chain.runtime().alliance.rounds.get(key).aggregate.bit_count() == PROPOSERS - GONE
    assert len(events_of(chain, events.SharesRevealed)) == PROPOSERS - GONE
    found = standings(chain)
    assert {who for who in found if found[who] is Standing.ABSENT} == set(gone)
    assert len(played.updates) >= PROPOSERS - GONE
    assert played.seen == [{"its own rows"}] * 3
