"""Who plays in the chapter, what they stake and lock, and what they decide.

Source: WP VII; WP V.E (q).
"""

from __future__ import annotations

from typing import Final

from flockchain.keys import KeyPair, key_pair_from_uri
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

SPONSOR: Final = key_pair_from_uri("//Sponsor")  # who pays for the others, and for the task
LOCKER: Final = key_pair_from_uri("//Bob")  # an account of the chain with the most to lock
NODES: Final = tuple(key_pair_from_uri(f"//DaoNode{n}") for n in (1, 2))
VALIDATORS: Final = tuple(key_pair_from_uri(f"//DaoValidator{n}") for n in (1, 2))
PLAYERS: Final[tuple[KeyPair, ...]] = (*NODES, *VALIDATORS)
ALLOWANCE: Final = 100 * FML
NODE_STAKE: Final = 10 * FML
VALIDATOR_STAKE: Final = 40 * FML
BUDGET: Final = 400 * FML
DAYS: Final = 8
LOCKED: Final = 2_000_000 * FML  # more than the quorum: a hundredth of all tokens
DEBATE: Final = b"Rank the second more like the first: q from 0.85 to 0.99.\n"
RULE: Final = "vesting.rank_ratio=99/100"
WANTED: Final = Rational(99, 100)
SCORES: Final = (950_000_000, 900_000_000)  # of the nodes' models, by both validators
SALT: Final = bytes(32)
DATASET_KEY: Final = blake2b_256(b"flockchain devnet, the DAO's chapter")
