"""Who is there at the beginning of a simulated network, and who pays whom in it.

Source: WP III.A.3 (stake); reliability 2 (client history).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from flockchain.keys import KeyPair
from flockchain.pool.errors import PoolError
from flockchain.simulation.staked import key_of, sign_forever, staked_genesis
from runtime.frame.externalities import Externalities
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.system import Config, System
from runtime.primitives.multi import Id
from runtime.primitives.types import FML

if TYPE_CHECKING:
    from flockchain.node import Node
    from flockchain.simulation.network.seat import Seat

_WALLETS: Final = 4


@lru_cache(maxsize=256)
def named_key(name: str) -> KeyPair:
    """An ed25519 key pair named by a word."""
    return key_of(f"simulated {name}")


def node_keys(count: int) -> list[KeyPair]:
    """The keys of the authorities."""
    return [named_key(f"authority {place}") for place in range(count)]


@lru_cache(maxsize=16)
def network_genesis(nodes: int) -> Mapping[bytes, bytes]:
    """A devnet whose authorities have bonded equal stakes, and wallets with tokens."""
    authorities = node_keys(nodes)
    wallets = [named_key(f"wallet {number}").account for number in range(_WALLETS)]
    return MappingProxyType(staked_genesis(authorities, wallets, validator_count=nodes))


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
            seat.enter(self._submit, node, payer, payee)

    def _submit(self, node: Node, payer: KeyPair, payee: KeyPair) -> None:
        state = node.backend.state_at(node.backend.best.hash)
        nonce = System(Externalities(state), Config()).nonce_of(payer.account)
        call = encode_call(Balances.transfer_keep_alive, Id(payee.account), FML)
        with suppress(PoolError):  # its last payment waits still
            node.submit(sign_forever(payer, nonce, call, node.backend.genesis))
            self.sent += 1
