"""What is hashed to seal a proposal or a vote, and what VRF keys sign.

Each names the chain, the task, the round and its maker, so that nobody can use another's.
Source: WP VI.B, VI.H (VRF), Algorithm 1; the sealing itself is this project's.
"""

from __future__ import annotations

from typing import Final

from runtime.pallets.fl_alliance.records import Ballot
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Bytes32, Hash

_POSSESSION: Final = b"flockchain/fl/possession"
_PROPOSAL: Final = codec_of(tuple[Hash, U32, U32, AccountId, Bytes32, Bytes32, Bytes32])
_DELIVERY: Final = codec_of(tuple[Hash, U32, U32, AccountId, Bytes32])
_DEALT: Final = b"flockchain/fl/deal"
_DEAL: Final = codec_of(tuple[Hash, U32, U32, AccountId])
_VOTE: Final = codec_of(tuple[Hash, U32, U32, AccountId, Ballot, Bytes32])


def possession_message(genesis: Hash, task: int, who: AccountId) -> bytes:
    """What a VRF key proves when it is registered: it belongs to this account in this task."""
    return _POSSESSION + genesis + task.to_bytes(4, "little") + who


def vrf_input(genesis: Hash, randomness: Hash, task: int, round_: int, who: AccountId) -> bytes:
    """genesis ‖ R(N) ‖ task ‖ round ‖ account; numbers as u32 LE."""
    numbers = task.to_bytes(4, "little") + round_.to_bytes(4, "little")
    return genesis + randomness + numbers + who


def seal_proposal(
    genesis: Hash,
    place: tuple[int, int],
    proposer: AccountId,
    content: bytes,
    ciphertext: bytes,
    salt: bytes,
) -> Hash:
    """blake2b-256 of SCALE(genesis, task, round, proposer, both content ids, salt).

    `place` is (task, round); the salt has 32 random bytes.
    """
    return blake2b_256(_PROPOSAL.encode((genesis, *place, proposer, content, ciphertext, salt)))


def delivery_context(
    genesis: Hash, place: tuple[int, int], client: AccountId, receiver: bytes
) -> bytes:
    """What a client binds to what it sends an aggregator: SCALE(genesis, task, round, client,
    receiver). `receiver`: the aggregator's VRF key."""
    return _DELIVERY.encode((genesis, *place, client, receiver))


def deal_context(genesis: Hash, place: tuple[int, int], dealer: AccountId) -> bytes:
    """What shared secrets are bound to: a label and SCALE(genesis, task, round, dealer)."""
    return _DEALT + _DEAL.encode((genesis, *place, dealer))


def seal_vote(
    genesis: Hash, place: tuple[int, int], voter: AccountId, ballot: Ballot, salt: bytes
) -> Hash:
    """blake2b-256 of SCALE(genesis, task, round, voter, ballot, salt)."""
    return blake2b_256(_VOTE.encode((genesis, *place, voter, ballot, salt)))
