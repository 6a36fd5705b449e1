"""What ties an owner to a model in the bytes of a block."""

from __future__ import annotations

from flockchain.devnet.arena.cast import HONEST
from flockchain.devnet.arena.traces import find_traces
from flockchain.keys import key_pair_from_uri
from flockchain.sdk.signing import Validity, sign_call
from runtime.frame.extrinsic import assemble
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.key_records import SealedKey
from runtime.pallets.tasks import Tasks
from runtime.primitives.era import IMMORTAL
from runtime.primitives.types import Hash

ALIAS, CONTENT, BLOB, SALT = (bytes((n,)) * 32 for n in range(1, 5))
GENESIS = Hash(bytes(32))
MARKS = ALIAS, CONTENT, BLOB
REVEAL = encode_call(Arena.reveal_alias, 0, ALIAS, CONTENT, BLOB, 1_000, SALT)
BY_NAME = encode_call(Arena.reveal_submission, 0, CONTENT, BLOB, 1_000, SALT)


def signed(call: bytes) -> bytes:
    validity = Validity(IMMORTAL, GENESIS)
    return sign_call(call, HONEST.key, nonce=0, tip=0, validity=validity, genesis=GENESIS)


def traces(*extrinsics: bytes) -> list[str]:
    return find_traces(extrinsics, MARKS, HONEST.account)


def boxes(validator: bytes) -> bytes:
    shared = [SealedKey(validator, bytes(80))]  # type: ignore[arg-type]
    return encode_call(Arena.share_keys_of_alias, 0, 3, shared, bytes(64))


def test_what_nobody_signed_and_names_nobody_leaves_no_trace() -> None:
    other = key_pair_from_uri("//Validator1")
    assert traces(assemble(REVEAL, None), assemble(boxes(other.account), None)) == []


def test_a_signed_call_about_the_model_is_a_trace() -> None:
    assert traces(signed(BY_NAME)) == ["reveal_submission"]
    assert traces(signed(REVEAL)) == ["reveal_alias"]


def test_an_owner_in_an_aliass_call_is_a_trace() -> None:
    assert traces(assemble(boxes(HONEST.account), None)) == ["share_keys_of_alias"]


def test_other_work_of_the_owner_is_none() -> None:
    assert traces(signed(encode_call(Tasks.reveal_key, 0, SALT))) == []
