"""Clusters for the tests: a devnet of a few authorities, and the extrinsics they submit."""

from __future__ import annotations

from flockchain.keys import KeyPair
from flockchain.simulation.cluster import Cluster
from flockchain.simulation.staked import key_of, sign_forever
from runtime.frame.pallet import encode_call
from runtime.genesis import GenesisConfig, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.balances import Balances
from runtime.primitives.babe_digest import Authority
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, AccountId, Hash


def keys_of(count: int) -> list[KeyPair]:
    return [key_of(f"authority {number}") for number in range(count)]


def devnet_genesis(authorities: list[KeyPair], endowed: int = 0) -> dict[bytes, bytes]:
    """Authorities of equal weight; `endowed` more accounts tell one chain from another."""
    accounts = [key.account for key in authorities]
    others = [key_of(f"other {number}").account for number in range(endowed)]
    return build_genesis(
        GenesisConfig(
            "devnet",
            dict.fromkeys([*accounts, *others], 1_000_000 * FML),
            [EpochAuthority(account, 1, account) for account in accounts],
            [Authority(account, 1) for account in accounts],
        )
    )


def make_cluster(count: int, seed: int, watching: int = 0) -> Cluster:
    """`count` authorities and `watching` nodes without keys."""
    keys = keys_of(count)
    return Cluster(devnet_genesis(keys), [*keys, *[None] * watching], seed)


def transfer(key: KeyPair, dest: AccountId, amount: int, nonce: int, genesis: Hash) -> bytes:
    """A signed transfer in planck, as bytes."""
    call = encode_call(Balances.transfer_keep_alive, Id(dest), amount)
    return sign_forever(key, nonce, call, genesis)
