"""What the benchmarks run on: accounts, signed transfers, whole blocks made beforehand.

Strict rules: every transfer is between existing accounts, none is touched twice in a block, so that
no cache inside the block helps.

Source: performance targets T1, T2 (strict sTPS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nacl.signing import SigningKey

from flockchain.chain.backend import Backend
from flockchain.chain.builder import build_block
from flockchain.chain.importer import Importer
from flockchain.storage.kv import KeyValueStore, MemoryStore
from flockchain.storage.state import StateStore
from runtime.frame.executive import Verifier, verify_signature
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.genesis import GenesisConfig, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.balances import Balances
from runtime.primitives.babe_digest import Authority, instant_log
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Header
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import FML, AccountId, Hash
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION

_ENDOWMENT: Final = 1_000 * FML
_SLOT_MS: Final = 6_000


class AnyAuthor:
    """Blocks of the benchmark claim no slots."""

    def verify(self, header: Header, parent: Header) -> None:
        """Every header is fine."""


@dataclass(frozen=True)
class Workload:
    """A genesis and the blocks on it."""

    genesis: dict[bytes, bytes]
    blocks: list[tuple[Header, list[bytes]]]
    transfers: int  # in all blocks together


def _key(index: int) -> SigningKey:
    return SigningKey(blake2b_256(b"bench" + index.to_bytes(4, "big")))


def open_chain(
    genesis: dict[bytes, bytes], store: KeyValueStore, verify: Verifier
) -> tuple[Backend, Importer]:
    """A chain over a store."""
    backend = Backend(store, StateStore(store))
    backend.open(genesis)
    return backend, Importer(backend, AnyAuthor(), verify)


def make_workload(blocks: int, transfers: int, accounts: int) -> Workload:
    """`blocks` blocks of `transfers` transfers each, over a state of `accounts` accounts."""
    signers = [_key(index) for index in range(transfers)]
    publics = [AccountId(bytes(key.verify_key)) for key in signers]
    others = [
        AccountId(blake2b_256(b"other" + index.to_bytes(4, "big")))
        for index in range(max(accounts, 2 * transfers) - transfers)
    ]
    author = publics[0]
    config = GenesisConfig(
        "mainnet",
        dict.fromkeys([*publics, *others], _ENDOWMENT),
        [EpochAuthority(author, 1, author)],
        [Authority(author, 1)],
    )
    genesis = build_genesis(config)
    backend, importer = open_chain(genesis, MemoryStore(), verify_signature)
    made: list[tuple[Header, list[bytes]]] = []
    for height in range(1, blocks + 1):
        extrinsics = [
            sign_transfer(key, public, others[index], height - 1, backend.genesis)
            for index, (key, public) in enumerate(zip(signers, publics, strict=True))
        ]
        parent = backend.best
        built = build_block(
            backend.state_at(parent.hash),
            parent.hash,
            height,
            [instant_log(0)],
            height * _SLOT_MS,
            extrinsics,
            lambda *_: True,
            lambda: False,
            lambda _: None,
        )
        header, delta = importer.prepare(built)
        importer.import_own(header, built.body, delta)
        assert len(built.body) == transfers + 1, "every transfer fits into the block"
        made.append((header, built.body))
    return Workload(genesis, made, blocks * transfers)


def sign_transfer(
    key: SigningKey, sender: AccountId, dest: AccountId, nonce: int, genesis: Hash
) -> bytes:
    """A signed transfer of one FML."""
    call = encode_call(Balances.transfer_keep_alive, Id(dest), FML)
    extra = Extra(IMMORTAL, nonce, 0, MetadataHashMode.DISABLED)
    additional = Additional(SPEC_VERSION, TRANSACTION_VERSION, genesis, genesis, None)
    signature = key.sign(signing_payload(call, extra, additional)).signature
    return assemble(call, Preamble(Id(sender), Ed25519(signature), extra))
