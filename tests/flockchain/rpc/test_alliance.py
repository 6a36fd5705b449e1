"""The FL Alliance over a node's socket, and a certificate of roles that proves itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flockchain.sdk.hex import from_hex
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_proof import verify_read_proof
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Stage
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.scale import codec_of
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML, Hash
from runtime.primitives.zk_profile import ChainSetup, install, setup_bytes
from tests.flockchain.rpc.dev_node import build, dev_node
from tests.flockchain.rpc.rpc_client import call
from tests.runtime.pallets.fl_alliance.alliance_world import Alliance, new_alliance, no, yes
from tests.runtime.pallets.world import account, content
from tests.runtime.played_state import top_of
from tests.zk_world import small_setup


@pytest.fixture(scope="module")
def made() -> Alliance:
    """A round with proofs of all but one was played; the next waits for proofs."""
    found = new_alliance(*"abcdef")
    found.check_in(*"abcde")
    found.seat("a", "bcd", absent=0)
    found.propose("a")
    found.report_all("bcd")
    found.vote({"b": yes(), "c": yes(), "d": no()})
    found.go_to(Stage.CHECK_IN)
    return found


def test_tasks_members_and_rounds(made: Alliance) -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(made.world))) as node:
            url = node.http_url
            (task,) = await call(url, "flock_allianceTasks")
            assert (task["task"], task["round"], task["progress"]["stage"]) == (1, 1, "checkIn")
            assert task["record"]["originModel"] == cid_text(content("arena model"))
            assert task["run"]["model"] == cid_text(content("aggregate"))
            assert task["record"]["terms"]["tolerance"] == "1/20"
            assert await call(url, "flock_allianceTask", 1) == task
            assert await call(url, "flock_allianceTask", 0) is None
            members = await call(url, "flock_allianceMembers", 1)
            assert members[0]["account"] == encode_address(account("a"))
            assert await call(url, "flock_allianceMembers", 1, 4) == members[4:]
            part = await call(url, "flock_alliancePart", 1, encode_address(account("a")))
            assert (part["role"], part["duty"], part["round"]) == ("undecided", "checkIn", 1)
            refused = await call(url, "flock_allianceTask", 2**32)
            assert refused["code"] == -32602

    asyncio.run(run())


def test_the_reference_string_of_the_chains_own(made: Alliance) -> None:
    setup = small_setup(11, is_lagrange=False)
    install(setup)
    own = ChainSetup(11, setup.id)

    async def ask(top: dict[bytes, bytes]) -> Any:
        async with dev_node(made=build(top)) as node:
            return await call(node.http_url, "flock_referenceString")

    top = top_of(made.world)
    assert asyncio.run(ask(top)) is None
    found = asyncio.run(ask({**top, FlAlliance.setup.path(): codec_of(ChainSetup).encode(own)}))
    cid = cid_text(content_id(setup_bytes(setup)))
    assert found == {"points": 11, "sha256": f"0x{setup.id.hex()}", "cid": cid}


def test_rounds_and_payments(made: Alliance) -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(made.world))) as node:
            url = node.http_url
            found = await call(url, "flock_round", 1, 0)
            assert found["result"]["outcome"] == "accepted"
            assert found["result"]["aggregate"] == cid_text(content("aggregate"))
            assert found["proposers"][0]["proposal"]["content"] == cid_text(content("a 0"))
            assert found["record"]["aggregate"] == "1"
            history = await call(url, "flock_roundHistory", 1)
            assert [each["round"] for each in history] == [0, 1]
            assert history[0]["result"] == found["result"]
            paid = await call(url, "flock_roundPayments", 1, 0)
            standings = [each["payment"]["standing"] for each in paid]
            assert standings == ["good", "good", "good", "losing"]
            explained = await call(url, "flock_explainRound", 1, 0, encode_address(account("d")))
            assert explained["payment"] == paid[3]["payment"]
            assert explained["payment"]["amount"] == str(FML)
            assert await call(url, "flock_round", 1, 7) is None
            nobody = await call(url, "flock_explainRound", 1, 0, encode_address(account("e")))
            assert nobody is None

    asyncio.run(run())


def test_a_role_proof_proves_what_it_shows(made: Alliance) -> None:
    async def run() -> None:
        async with dev_node(made=build(top_of(made.world))) as node:
            found = await call(node.http_url, "flock_roleProof", 1, 0)
            assert await call(node.http_url, "flock_roleProof", 1, 5) is None
            header = await call(node.http_url, "chain_getHeader", found["block"])
        assert header["stateRoot"] == found["stateRoot"]
        certificate = found["certificate"]
        posted = [each for each in certificate["proofs"] if each["proof"] is not None]
        assert (len(certificate["proofs"]), len(posted)) == (6, 5)
        assert certificate["members"] == 6
        root, proof = Hash(from_hex(found["stateRoot"])), [from_hex(n) for n in found["proof"]]
        keys = [from_hex(key) for key in found["keys"]]
        proven = verify_read_proof(root, proof, keys)
        key = RoundKey(1, 0)
        for name in "abcde":
            path = FlAlliance.check_ins.path((key, account(name)))
            assert from_hex(posted["abcde".index(name)]["proof"]) in (proven[path] or b"")
        assert proven[FlAlliance.check_ins.path((key, account("f")))] is None
        with pytest.raises(ProofError):
            verify_read_proof(root, proof[1:], keys)

    asyncio.run(run())
