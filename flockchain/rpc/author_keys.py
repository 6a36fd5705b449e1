"""`author_rotateKeys` and its like: the node's session keys, for its operator alone.

A key that is made here acts from the session on for which it was registered; one that is inserted
waits (`inserted_keys`).
Source: Substrate `sc_rpc::author`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flockchain.keystore import KeystoreError
from flockchain.rpc.errors import OTHER_AUTHOR_ERROR, RpcError
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex
from flockchain.session_keyring import BABE, GRANDPA, KeyDerivationError, SessionKeyring
from runtime.economy.authorities import SessionKeys, SessionKeysProof
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.types import AccountId

_KEYS: Final = codec_of(SessionKeys)
_PROOF: Final = codec_of(SessionKeysProof)
_KEY_TYPE: Final = re.compile(r"[a-z0-9]{4}", re.ASCII)
_ACCOUNT_BYTES: Final = 32


@method("author_rotateKeys", safe=False)
async def rotate_keys(call: Call) -> Json:
    """Make a new key of each kind; both public keys, as `session.set_keys` takes them."""
    with _keyring(call) as keyring:
        return to_hex(_KEYS.encode(await keyring.rotate()))


@method("author_rotateKeysWithOwner", safe=False)
async def rotate_keys_with_owner(call: Call, owner: HexBytes) -> Json:
    """Make new keys, and both their signatures that they act for the account `owner`."""
    if len(owner) != _ACCOUNT_BYTES:
        raise _refused(f"an owner is an account of {_ACCOUNT_BYTES} bytes, got {len(owner)}")
    with _keyring(call) as keyring:
        keys = await keyring.rotate()
        proof = keyring.prove(keys, AccountId(owner))
    return {"keys": to_hex(_KEYS.encode(keys)), "proof": to_hex(_PROOF.encode(proof))}


@method("author_insertKey", safe=False)
async def insert_key(call: Call, key_type: str, suri: str, public_key: HexBytes) -> Json:
    """Store a secret under a type of key; its public key must be the one given.

    A session key acts after two sessions in which the chain did not know it, else after a restart.
    """
    _ensure_key_type(key_type)
    with _keyring(call) as keyring:
        await keyring.insert(key_type, suri, public_key)
    return None


@method("author_hasKey", safe=False)
def has_key(call: Call, public_key: HexBytes, key_type: str) -> Json:
    """Whether the node has the secret of a key."""
    _ensure_key_type(key_type)
    with _keyring(call) as keyring:
        return keyring.has(key_type, public_key)


@method("author_hasSessionKeys", safe=False)
def has_session_keys(call: Call, session_keys: HexBytes) -> Json:
    """Whether the node has the secrets of all keys that `author_rotateKeys` gave."""
    try:
        keys = _KEYS.decode_all(session_keys)
    except DecodeError:
        raise _refused("Session keys are not encoded correctly") from None
    with _keyring(call) as keyring:
        return keyring.has(BABE, keys.babe) and keyring.has(GRANDPA, keys.grandpa)


@contextmanager
def _keyring(call: Call) -> Iterator[SessionKeyring]:
    keyring = call.context.session_keys
    if keyring is None:
        raise _refused("The key store is unavailable")
    try:
        yield keyring
    except (KeystoreError, KeyDerivationError) as error:
        raise _refused(str(error)) from None  # the cause may hold a secret


def _ensure_key_type(key_type: str) -> None:
    if not _KEY_TYPE.fullmatch(key_type):
        raise _refused("Invalid key type ID format (should be of length four)")


def _refused(reason: str) -> RpcError:
    return RpcError(OTHER_AUTHOR_ERROR, reason)
