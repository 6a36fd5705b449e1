"""Who makes and finalizes blocks, as the pallets of consensus and stake speak of it.

Invariant: a member of a session keeps its keys and its weight to the session's end.
Source: WP II.A (stake behind consensus); Substrate `sp_session`, `pallet_session::historical`.
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime.primitives.merkle import prove_item, tree_root
from runtime.primitives.scale import Limit, codec_of, scale_type
from runtime.primitives.types import U32, U64, AccountId, Bytes32, Bytes64, Hash

PLANCK_PER_WEIGHT: Final = 10**9
DOMAIN: Final = b"flockchain/session_keys"
PATH_MAX: Final = 10  # 1,024 members


@scale_type(path="flockchain_runtime::SessionKeys")
class SessionKeys:
    """A validator's ed25519 keys: `babe` makes blocks, `grandpa` finalizes them."""

    babe: Bytes32
    grandpa: Bytes32


@scale_type(path="flockchain_runtime::SessionKeysProof")
class SessionKeysProof:
    """Each key's signature of `ownership_message`."""

    babe: Bytes64
    grandpa: Bytes64


@scale_type(path="flockchain_runtime::SessionMember")
class Member:
    """An authority of a session; `weight` is stake / 10^9 planck."""

    account: AccountId
    keys: SessionKeys
    weight: U64


@scale_type(path="flockchain_runtime::KeyOwnership")
class KeyOwnership:
    """That `member` stood at `place` of a session's members; `path` leads to their root."""

    session: U32
    place: U32
    member: Member
    path: Annotated[list[Hash], Limit(PATH_MAX)]


MEMBER: Final = codec_of(Member)
_KEYS: Final = codec_of(SessionKeys)


def ownership_message(genesis: Hash, account: AccountId, keys: SessionKeys) -> bytes:
    """What both session keys sign: that `account` may have them act for it."""
    return DOMAIN + genesis + account + _KEYS.encode(keys)


def members_root(members: list[Member]) -> Hash:
    """The root that stays of a session's members."""
    return tree_root([MEMBER.encode(member) for member in members])


def prove_member(session: int, members: list[Member], place: int) -> KeyOwnership:
    """The proof for the member at `place`."""
    path = prove_item([MEMBER.encode(member) for member in members], place)
    return KeyOwnership(session, place, members[place], path)
