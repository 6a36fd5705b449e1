"""What leaves a participant: calls, sealed updates and accepted models, and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import pytest

from flockchain.keys import KeyPair
from flockchain.sdk import Client
from flockchain.workers.alliance.zk_files import KEPT
from ml.artifact import ArtifactLimits
from ml.checkpoint import load_checked
from ml.datasets.labelled import DATASET_LIMITS
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.primitives.content_id import ContentId, content_id
from runtime.primitives.scale import DecodeError
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    KEYS,
    TASK,
    alliance_chain,
    at_work,
    digits,
    participants,
    proven,
    step,
    until_round,
)

FEW = KEYS[:5]
PARAMETERS = 1_210


class Wiretap:
    """Everything that a client sends, and to where."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[bytes] = []
        self.blobs: list[bytes] = []
        self.peers: set[object] = set()
        call, put, connect = client.transport.call, client.blobs.put, socket.socket.connect

        async def heard(method: str, params: object = ()) -> object:
            self.said.append(json.dumps([method, list(params)]).encode())  # type: ignore[call-overload]
            return await call(method, params)  # type: ignore[arg-type]

        async def kept(data: bytes, key: KeyPair, *, task: int | None = None) -> ContentId:
            self.blobs.append(data)
            return await put(data, key, task=task)

        def dialled(sock: socket.socket, address: object) -> None:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                self.peers.add(address[1])  # type: ignore[index]
            connect(sock, address)  # type: ignore[arg-type]

        monkeypatch.setattr(client.transport, "call", heard)
        monkeypatch.setattr(client.blobs, "put", kept)
        monkeypatch.setattr(socket.socket, "connect", dialled)

    def has(self, needle: bytes) -> bool:
        """Whether the bytes were sent, raw or in hexadecimal."""
        return any(
            needle in each or needle.hex().encode() in each for each in (*self.said, *self.blobs)
        )


def rows_of(shard: bytes) -> list[bytes]:
    """The features of each example as they lie in memory."""
    return [row.numpy().tobytes() for row in load_checked(shard, DATASET_LIMITS)["features"]]


def body_of(update: bytes) -> list[bytes]:
    """Pieces of an update that are long enough to be told from chance."""
    state = load_checked(update, ArtifactLimits(dtypes=("I16",)))
    body = state["hidden.weight"].numpy().tobytes()
    return [body[at : at + 64] for at in range(0, len(body), 64) if any(body[at : at + 64])]


def test_neither_rows_nor_updates_leave_a_participant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[FastChain, Wiretap]:
        async with alliance_chain(tmp_path, rounds=1) as (chain, client):
            tap = Wiretap(client, monkeypatch)
            async with at_work(client, participants(FEW), tmp_path / "state") as worker:
                result = await until_round(chain, 0, worker)
                assert result.outcome is Outcome.ACCEPTED
                for _ in range(3):
                    await step(chain, worker)
            return chain, tap

    chain, tap = asyncio.run(run())
    assert tap.peers <= {chain.port}
    assert tap.said, "calls were heard"
    assert not any(tap.has(row) for key in FEW for row in rows_of(digits().shards[KEYS.index(key)]))

    info = chain.runtime().alliance.views.round_info(TASK, 0)
    assert info is not None
    proposals = [entry.proposal for entry in info.proposers]
    sealed = {bytes(each.ciphertext) for each in proposals if each.ciphertext is not None}
    model = chain.runtime().alliance.runs.get(TASK).model
    assert model is not None
    assert {bytes(content_id(blob)) for blob in tap.blobs} == sealed | {bytes(model)}
    folders = (tmp_path / "state").glob("*/blobs/*")
    kept = {bytes(content_id(data)): data for data in (path.read_bytes() for path in folders)}
    updates = [kept[bytes(each.content)] for each in proposals if each.content is not None]
    assert updates, "they are kept here"
    assert not any(tap.has(piece) for update in updates for piece in body_of(update))
    assert not {bytes(each.content) for each in proposals if each.content} & set(chain.blobs.ids())


def kept_numbers(folder: Path) -> list[bytes]:
    """What opens each client's commitments, as 16-bit and as 32-bit numbers."""
    found = []
    for path in folder.glob("*/blobs/*"):
        try:
            opening = KEPT.decode_all(path.read_bytes()).opening
        except DecodeError:
            continue
        numbers = opening[: 4 * PARAMETERS]
        found += [numbers, b"".join(numbers[at : at + 2] for at in range(0, len(numbers), 4))]
    return found


def test_where_an_aggregator_sums_an_update_leaves_encrypted_to_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> tuple[FastChain, Wiretap]:
        async with alliance_chain(tmp_path, rounds=1, **proven()) as (chain, client):
            tap = Wiretap(client, monkeypatch)
            async with at_work(client, participants(), tmp_path / "state") as worker:
                result = await until_round(chain, 0, worker)
                assert result.outcome is Outcome.ACCEPTED
                for _ in range(3):
                    await step(chain, worker)
            return chain, tap

    chain, tap = asyncio.run(run())
    alliance = chain.runtime().alliance
    info, model = alliance.views.round_info(TASK, 0), alliance.runs.get(TASK).model
    opening = alliance.aggregations.get(RoundKey(TASK, 0)).opening
    assert info is not None
    assert model is not None
    assert opening is not None
    sent = {bytes(each.proposal.ciphertext or b"") for each in info.proposers}
    assert {bytes(content_id(blob)) for blob in tap.blobs} == sent | {bytes(opening), bytes(model)}
    numbers = kept_numbers(tmp_path / "state")
    assert len(numbers) == 2 * len(info.proposers)
    pieces = [each[at : at + 64] for each in numbers for at in range(0, len(each) - 64, 64)]
    assert not any(tap.has(piece) for piece in pieces)
    assert not any(
        tap.has(row) for key in KEYS for row in rows_of(digits().shards[KEYS.index(key)])
    )
