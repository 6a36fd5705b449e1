"""Chains of simulations: validators of equal stake on the devnet preset, and what accounts sign.

Source: WP III.A.3 (stake).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flockchain.keys import KeyPair, key_pair_from_seed
from flockchain.sdk.signing import Validity, sign_call
from runtime.economy.authorities import PLANCK_PER_WEIGHT
from runtime.genesis import GenesisConfig, GenesisStaking, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.staking import StakingParameters
from runtime.primitives.babe_digest import Authority
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId, Hash

STAKE: Final = 1_000 * FML
_ENDOWMENT: Final = 1_000_000 * FML
_VALIDATORS: Final = 8


def key_of(name: str) -> KeyPair:
    """An ed25519 key pair named by words."""
    return key_pair_from_seed(blake2b_256(name.encode()), "ed25519")


def staked_genesis(
    keys: Iterable[KeyPair], endowed: Iterable[AccountId] = (), validator_count: int = _VALIDATORS
) -> dict[bytes, bytes]:
    """Validators that have bonded `STAKE` each, and other accounts with tokens."""
    accounts = [key.account for key in keys]
    weight = STAKE // PLANCK_PER_WEIGHT
    return build_genesis(
        GenesisConfig(
            "devnet",
            dict.fromkeys([*accounts, *endowed], _ENDOWMENT),
            [EpochAuthority(account, weight, account) for account in accounts],
            [Authority(account, weight) for account in accounts],
            staking=GenesisStaking(StakingParameters(validator_count=validator_count)),
        )
    )


def sign_forever(key: KeyPair, nonce: int, call: bytes, genesis: Hash) -> bytes:
    """The signed extrinsic, without a tip, valid at any height."""
    validity = Validity(IMMORTAL, genesis)
    return sign_call(call, key, nonce=nonce, tip=0, validity=validity, genesis=genesis)
