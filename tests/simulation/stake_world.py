"""Clusters whose authorities have bonded, and the extrinsics by which others join them."""

from __future__ import annotations

from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from flockchain.simulation.staked import STAKE, key_of, sign_forever, staked_genesis
from runtime.api import runtime_at
from runtime.economy.authorities import (
    SessionKeys,
    SessionKeysProof,
    ownership_message,
)
from runtime.frame.pallet import encode_call
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import AccountId
from runtime.runtime import Runtime
from tests.simulation.world import keys_of

NEWCOMER = key_of("newcomer")


def staked_cluster(count: int, seed: int, *, newcomer: bool = False) -> Cluster:
    """`count` authorities, and a node with the newcomer's key."""
    keys = keys_of(count)
    return Cluster(
        staked_genesis(keys, [NEWCOMER.account]), [*keys, *([NEWCOMER] if newcomer else [])], seed
    )


def runtime_of(node: Node) -> Runtime:
    """The pallets over the head's state."""
    return runtime_at(node.backend.state_at(node.backend.best.hash))


def signed_call(node: Node, key: KeyPair, nonce: int, call: bytes) -> bytes:
    return sign_forever(key, nonce, call, node.backend.genesis)


def join(node: Node, key: KeyPair) -> None:
    """Bond, register the key for blocks and votes, and be a candidate."""
    register(node, key)
    call = encode_call(Staking.validate, ValidatorPrefs(Perbill(0)))
    node.submit(signed_call(node, key, 2, call))


def register(node: Node, key: KeyPair) -> None:
    """Bond and register the key for blocks and votes; nobody elects it yet."""
    keys = SessionKeys(key.public, key.public)
    signature = key.sign(ownership_message(node.backend.genesis, key.account, keys))
    calls = (
        encode_call(Staking.bond, STAKE),
        encode_call(Session.set_keys, keys, SessionKeysProof(signature, signature)),
    )
    for nonce, call in enumerate(calls):
        node.submit(signed_call(node, key, nonce, call))


def bonded(node: Node, who: AccountId) -> int:
    ledger = runtime_of(node).staking.ledger.find(who)
    return 0 if ledger is None else ledger.total
