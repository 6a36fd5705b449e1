"""Clusters whose authorities have bonded, and the extrinsics by which others join them."""

from __future__ import annotations

from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from runtime.api import runtime_at
from runtime.economy.authorities import (
    PLANCK_PER_WEIGHT,
    SessionKeys,
    SessionKeysProof,
    ownership_message,
)
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.genesis import GenesisConfig, GenesisStaking, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking, StakingParameters, ValidatorPrefs
from runtime.primitives.babe_digest import Authority
from runtime.primitives.era import IMMORTAL
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import FML, AccountId
from runtime.runtime import Runtime
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION
from tests.simulation.world import key_of, keys_of

STAKE = 1_000 * FML
NEWCOMER = key_of("newcomer")


def staked_genesis(authorities: list[KeyPair]) -> dict[bytes, bytes]:
    """Authorities that have bonded equal stakes; a newcomer has tokens too."""
    accounts = [key.account for key in authorities]
    weight = STAKE // PLANCK_PER_WEIGHT
    return build_genesis(
        GenesisConfig(
            "devnet",
            dict.fromkeys([*accounts, NEWCOMER.account], 1_000_000 * FML),
            [EpochAuthority(account, weight, account) for account in accounts],
            [Authority(account, weight) for account in accounts],
            staking=GenesisStaking(StakingParameters(validator_count=8)),
        )
    )


def staked_cluster(count: int, seed: int, *, newcomer: bool = False) -> Cluster:
    """`count` authorities, and a node with the newcomer's key."""
    keys = keys_of(count)
    return Cluster(staked_genesis(keys), [*keys, *([NEWCOMER] if newcomer else [])], seed)


def runtime_of(node: Node) -> Runtime:
    """The pallets over the head's state."""
    return runtime_at(node.backend.state_at(node.backend.best.hash))


def signed_call(node: Node, key: KeyPair, nonce: int, call: bytes) -> bytes:
    genesis = node.backend.genesis
    extra = Extra(IMMORTAL, nonce, 0, MetadataHashMode.DISABLED)
    additional = Additional(SPEC_VERSION, TRANSACTION_VERSION, genesis, genesis, None)
    signature = key.sign(signing_payload(call, extra, additional))
    return assemble(call, Preamble(Id(key.account), Ed25519(signature), extra))


def join(node: Node, key: KeyPair) -> None:
    """Bond, register the key for blocks and votes, and be a candidate."""
    keys = SessionKeys(key.public, key.public)
    signature = key.sign(ownership_message(node.backend.genesis, key.account, keys))
    calls = (
        encode_call(Staking.bond, STAKE),
        encode_call(Session.set_keys, keys, SessionKeysProof(signature, signature)),
        encode_call(Staking.validate, ValidatorPrefs(Perbill(0))),
    )
    for nonce, call in enumerate(calls):
        node.submit(signed_call(node, key, nonce, call))


def bonded(node: Node, who: AccountId) -> int:
    ledger = runtime_of(node).staking.ledger.find(who)
    return 0 if ledger is None else ledger.total
