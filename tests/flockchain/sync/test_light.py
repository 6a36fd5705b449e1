"""Single keys of a peer's state, proven by the header alone."""

from __future__ import annotations

import pytest

from flockchain.simulation.cluster import Cluster, Member
from flockchain.simulation.long_chain import LongChain
from flockchain.storage.errors import ProofError
from flockchain.storage.state import StateStore
from flockchain.sync import light
from flockchain.sync.light import (
    LIGHT_KEYS_MAX,
    LightRequest,
    check_light_answer,
    decode_light_request,
    serve_light,
)
from p2p.envelope import decode, encode
from p2p.interface import PeerError
from runtime.pallets.system import System
from runtime.primitives.header import Header
from runtime.primitives.types import Hash
from runtime.version import CODE_KEY, code_stub
from tests.simulation.world import make_cluster

NUMBER = System.number.path()
KEYS = (NUMBER, CODE_KEY, b"nothing is here")


@pytest.fixture(scope="module")
def chain() -> LongChain:
    chain = LongChain(changes_every=0)
    chain.backend.state = StateStore(chain.store, states_max=16)
    chain.grow(24)
    return chain


def head_of(chain: LongChain) -> Header:
    header = chain.backend.header(chain.backend.best.hash)
    assert header is not None
    return header


def test_what_a_header_says_is_read_without_a_state(chain: LongChain) -> None:
    header = head_of(chain)
    request = decode_light_request(LightRequest(header.hash(), KEYS).encode())
    found = check_light_answer(serve_light(chain.backend, request), header.state_root, KEYS)
    assert found == {
        NUMBER: (24).to_bytes(4, "little"),
        CODE_KEY: code_stub("devnet"),
        b"nothing is here": None,
    }


def test_a_false_answer_proves_nothing(chain: LongChain) -> None:
    header = head_of(chain)
    answer = serve_light(chain.backend, LightRequest(header.hash(), (NUMBER,)))
    fields = decode(answer)
    assert isinstance(fields, dict)
    proof = fields["proof"]
    assert isinstance(proof, list)
    for false in (proof[:-1], [*proof, b"more"], [*proof[:-1], b"\0" + bytes(40)]):
        with pytest.raises(ProofError):
            check_light_answer(encode({"proof": false}), header.state_root, (NUMBER,))
    with pytest.raises(ProofError):
        check_light_answer(answer, bytes(32), (NUMBER,))


def test_what_cannot_be_asked_is_refused(chain: LongChain, monkeypatch: pytest.MonkeyPatch) -> None:
    header, backend = head_of(chain), chain.backend
    with pytest.raises(PeerError, match="is not known here"):
        serve_light(backend, LightRequest(Hash(b"?" * 32), KEYS))
    early = backend.blocks.hash_at(1)
    assert early is not None
    with pytest.raises(PeerError, match="the state of block 1 is not kept here"):
        serve_light(backend, LightRequest(early, KEYS))
    for keys in ((), (b"x" * 20_000,)):
        with pytest.raises(PeerError, match="a state's keys are one at least"):
            decode_light_request(LightRequest(header.hash(), keys).encode())
    many = tuple(bytes([number]) for number in range(LIGHT_KEYS_MAX + 1))
    with pytest.raises(PeerError):
        decode_light_request(LightRequest(header.hash(), many).encode())
    monkeypatch.setattr(light, "RESPONSE_BYTES_MAX", 400)
    with pytest.raises(PeerError, match="the proof is too large: ask for fewer keys"):
        serve_light(backend, LightRequest(header.hash(), KEYS))


def test_a_node_serves_it_to_its_peers() -> None:
    cluster: Cluster = make_cluster(1, seed=3, watching=1)
    cluster.run(5_000)
    serving, asking = cluster.members
    assert asking.node is not None
    header = asking.node.backend.header(asking.node.backend.finalized.hash)
    assert header is not None
    answers: list[bytes | PeerError] = []
    _ask(asking, serving, LightRequest(header.hash(), (NUMBER,)), answers)
    cluster.run(1_000)
    (answer,) = answers
    assert isinstance(answer, bytes)
    found = check_light_answer(answer, header.state_root, (NUMBER,))
    assert found == {NUMBER: header.number.to_bytes(4, "little")}


def _ask(
    asking: Member, serving: Member, request: LightRequest, answers: list[bytes | PeerError]
) -> None:
    assert asking.node is not None
    network = asking.node.network
    network.request(serving.peer, "light", request.encode(), answers.append, 5_000)
