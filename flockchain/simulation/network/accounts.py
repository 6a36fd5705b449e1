"""Who is there at the beginning of a simulated network, and who pays whom in it.

Source: WP III.A.3 (stake); reliability 2 (client history).
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

from flockchain.keys import KeyPair, key_pair_from_seed
from flockchain.pool.errors import PoolError
from runtime.api import runtime_at
from runtime.economy.authorities import PLANCK_PER_WEIGHT
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
from runtime.pallets.balances import Balances
from runtime.pallets.staking import StakingParameters
from runtime.primitives.babe_digest import Authority
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import FML
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION

if TYPE_CHECKING:
    from flockchain.node import Node
    from flockchain.simulation.network.seat import Seat

STAKE: Final = 1_000 * FML
_ENDOWMENT: Final = 1_000_000 * FML
_WALLETS: Final = 4


@lru_cache(maxsize=256)
def named_key(name: str) -> KeyPair:
    """An ed25519 key pair named by a word."""
    return key_pair_from_seed(blake2b_256(b"simulated " + name.encode()), "ed25519")


def node_keys(count: int) -> list[KeyPair]:
    """The keys of the authorities."""
    return [named_key(f"authority {place}") for place in range(count)]


def network_genesis(authorities: list[KeyPair]) -> dict[bytes, bytes]:
    """A devnet whose authorities have bonded equal stakes, and wallets with tokens."""
    accounts = [key.account for key in authorities]
    wallets = [named_key(f"wallet {number}").account for number in range(_WALLETS)]
    weight = STAKE // PLANCK_PER_WEIGHT
    return build_genesis(
        GenesisConfig(
            "devnet",
            dict.fromkeys([*accounts, *wallets], _ENDOWMENT),
            [EpochAuthority(account, weight, account) for account in accounts],
            [Authority(account, weight) for account in accounts],
            staking=GenesisStaking(StakingParameters(validator_count=len(accounts))),
        )
    )


class Wallets:
    """Users who pay each other through whatever node they reach."""

    def __init__(self, prng: Random) -> None:
        self._prng = prng
        self._keys = [named_key(f"wallet {number}") for number in range(_WALLETS)]
        self.sent = 0

    def pay(self, seats: list[Seat]) -> None:
        """One payment, through a node that runs; a wallet whose last one waits does not pay."""
        seat = self._prng.choice(seats)
        payer, payee = self._prng.sample(self._keys, 2)
        node = seat.node
        if node is not None and not seat.has_ended:
            seat.enter(lambda: self._submit(node, payer, payee))

    def _submit(self, node: Node, payer: KeyPair, payee: KeyPair) -> None:
        nonce = runtime_at(node.backend.state_at(node.backend.best.hash)).system.nonce_of(
            payer.account
        )
        call = encode_call(Balances.transfer_keep_alive, Id(payee.account), FML)
        extra = Extra(IMMORTAL, nonce, 0, MetadataHashMode.DISABLED)
        genesis = node.backend.genesis
        additional = Additional(SPEC_VERSION, TRANSACTION_VERSION, genesis, genesis, None)
        signature = payer.sign(signing_payload(call, extra, additional))
        with suppress(PoolError):  # its last payment waits still
            node.submit(assemble(call, Preamble(Id(payer.account), Ed25519(signature), extra)))
            self.sent += 1
