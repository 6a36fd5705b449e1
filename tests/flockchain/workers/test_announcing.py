"""Announcements through a real node's RPC: what is refused is logged, and nothing else happens."""

from __future__ import annotations

import asyncio
import logging

import pytest

from flockchain.model_hash_message import ModelHash, ModelHashError, decode_model_hash
from flockchain.sdk import Client
from flockchain.workers.announcing import announce_submission
from runtime.frame.executive import verify_signature
from runtime.primitives.types import Hash
from tests.flockchain.rpc.dev_node import ALICE, dev_node

SEAL = Hash(b"\5" * 32)
BLOB = b"\6" * 32


def test_commitment_alone_then_with_its_blob() -> None:
    received: list[ModelHash] = []

    async def run() -> None:
        async with dev_node() as node:
            genesis = node.backend.genesis

            def announce(data: bytes) -> None:
                message, signature = decode_model_hash(data)
                digest = message.signing_hash(genesis)
                assert verify_signature(signature, ALICE.account, digest)
                received.append(message)

            node.context.announce_model = announce
            async with await Client.connect(node.ws_url) as client:
                assert await announce_submission(client, ALICE, 3, 7, SEAL, None)
                assert await announce_submission(client, ALICE, 3, 7, SEAL, (BLOB, 1_000))

    asyncio.run(run())
    assert [(m.task, m.period, m.kind, m.commitment) for m in received] == [
        (3, 7, "submission", SEAL)
    ] * 2
    assert [(m.content, m.size) for m in received] == [(None, 0), (BLOB, 1_000)]
    assert {m.provider for m in received} == {"12D3KooWlocal"}


def test_a_refusal_is_logged_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(data: bytes) -> None:
        raise ModelHashError("its account takes no part in task 3")

    async def run() -> None:
        async with dev_node() as node, await Client.connect(node.ws_url) as client:
            assert not await announce_submission(client, ALICE, 3, 7, SEAL, None)
            node.context.announce_model = refuse
            assert not await announce_submission(client, ALICE, 3, 7, SEAL, None)
            assert not await announce_submission(client, ALICE, 3, 7, SEAL, (BLOB, 0))

    with caplog.at_level(logging.INFO, "flockchain.workers.announcing"):
        asyncio.run(run())
    reasons = [record.getMessage().split(": ", 2)[2] for record in caplog.records]
    assert "this node announces no models" in reasons[0]
    assert "its account takes no part in task 3" in reasons[1]
    assert reasons[2] == "0 bytes do not fit the content id"
