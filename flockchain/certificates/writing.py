"""Writing a certificate: the first voters from the chain spec, the rest from a node.

The node is believed in nothing: what it sends is checked as whoever gets the certificate will.
Source: WP VI.H (anyone can verify).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flockchain.certificates.certificate import VOTER_KEYS, Certificate, verify_lineage
from flockchain.certificates.lineage import Recorded, read_lineage
from flockchain.chain.backend import Backend, genesis_header
from flockchain.consensus.grandpa.warp_proof import Fragment
from flockchain.sdk import BlockingClient
from flockchain.sdk.errors import BadAnswer
from flockchain.sdk.hex import from_hex, to_hex
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.primitives.header import HEADER, Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash


class NotProvable(ValueError):
    """The node cannot prove what is asked; the message says what is missing."""


def voters_proof(genesis: Mapping[bytes, bytes]) -> tuple[Header, list[bytes]]:
    """The header of block 0, and the proof of its voters under its state root."""
    store = MemoryStore()
    backend = Backend(store, StateStore(store))
    backend.open(genesis)
    header = genesis_header(root_of(genesis, StateVersion.V1))
    return header, backend.state.reader(header.state_root).read_proof(VOTER_KEYS)


def make_certificate(
    client: BlockingClient, genesis: Mapping[bytes, bytes], content: bytes
) -> Certificate:
    """A certificate of a model, verified. Raises NotProvable, CertificateError, SdkError."""
    first, proof = voters_proof(genesis)
    if first.hash() != client.client.genesis:
        raise NotProvable(
            f"the chain spec gives genesis 0x{first.hash().hex()}, the node is on "
            f"0x{client.client.genesis.hex()}: name the chain with --chain"
        )
    fragments = _fragments(client, first.hash())
    if not fragments:
        raise NotProvable("the node has no proof of finality above block 0 yet")
    head = fragments[-1].header
    view = client.client.at(head.hash())
    recorded = Recorded(lambda key: client.run(view.values([key]))[0])
    if not read_lineage(recorded, content):
        raise NotProvable("no task of the chain ended with this model")
    keys = sorted(recorded.values)
    asked = [[to_hex(key) for key in keys], to_hex(head.hash())]
    answer = client.run(client.client.rpc("state_getReadProof", asked))
    try:
        nodes = [from_hex(node) for node in answer["proof"]]
    except (LookupError, TypeError) as error:
        raise BadAnswer("state_getReadProof: no proof") from error
    made = Certificate(first, proof, fragments, content, keys, nodes)
    verify_lineage(made, first.hash())
    return made


def _fragments(client: BlockingClient, begin: Hash) -> list[Fragment]:
    found: list[Fragment] = []
    while True:
        answer: Any = client.run(client.client.rpc("flock_finalityProof", [to_hex(begin)]))
        try:
            part = [
                Fragment(HEADER.decode_all(from_hex(each["header"])), from_hex(each["proof"]))
                for each in answer["fragments"]
            ]
            is_last = bool(answer["isLast"])
        except (LookupError, TypeError, DecodeError) as error:
            raise BadAnswer("flock_finalityProof: no fragments") from error
        found += part
        if is_last:
            return found
        if not part:
            raise BadAnswer("flock_finalityProof: the proofs do not go on")
        begin = part[-1].header.hash()
