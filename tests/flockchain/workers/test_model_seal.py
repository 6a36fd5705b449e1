"""A model is opened by its key alone, and its key by its receiver alone."""

from __future__ import annotations

import pytest
from nacl.public import PrivateKey

from flockchain.keys import SCHEMES, Scheme, key_pair_from_uri
from flockchain.workers.model_seal import (
    TAG_BYTES,
    ModelSealError,
    new_model_key,
    open_key,
    open_model,
    seal_key,
    seal_model,
    sealing_key,
)
from runtime.primitives.content_id import content_id
from runtime.primitives.sealing import is_sealing_key
from runtime.primitives.types import Hash

MODEL, KEY = b"weights" * 100, bytes(range(32))
GENESIS = Hash(b"g" * 32)


def test_a_key_opens_its_model_and_nothing_else() -> None:
    ciphertext = seal_model(MODEL, KEY)
    assert len(ciphertext) == len(MODEL) + TAG_BYTES
    assert MODEL[:7] not in ciphertext
    assert open_model(ciphertext, KEY, content_id(MODEL)) == MODEL
    with pytest.raises(ModelSealError, match="the key does not open the ciphertext"):
        open_model(ciphertext, bytes(32), content_id(MODEL))
    with pytest.raises(ModelSealError, match="the key does not open the ciphertext"):
        open_model(ciphertext[:-1], KEY, content_id(MODEL))
    with pytest.raises(ModelSealError, match="is not the model on chain"):
        open_model(ciphertext, KEY, content_id(b"another"))


def test_every_model_has_a_key_of_its_own() -> None:
    assert len({new_model_key() for _ in range(100)}) == 100


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sealing_key_follows_from_account_and_chain(scheme: Scheme) -> None:
    def keys() -> list[bytes]:
        pairs = [key_pair_from_uri(uri, scheme) for uri in ("//A", "//B")]
        chains = (GENESIS, Hash(bytes(32)))
        return [sealing_key(pair, chain).encode() for pair in pairs for chain in chains]

    assert len(set(keys())) == 4
    assert keys() == keys()
    assert all(is_sealing_key(PrivateKey(key).public_key.encode()) for key in keys())


def test_a_box_is_opened_by_its_receiver_alone() -> None:
    ours, theirs = (
        sealing_key(key_pair_from_uri(uri, "ed25519"), GENESIS) for uri in ("//A", "//B")
    )
    box = seal_key(KEY, ours.public_key.encode())
    assert len(box) == 80
    assert box != seal_key(KEY, ours.public_key.encode())
    assert open_key(box, ours) == KEY
    with pytest.raises(ModelSealError, match="sealed to another key"):
        open_key(box, theirs)
    with pytest.raises(ModelSealError, match="sealed to another key"):
        open_key(box[:-1] + bytes([box[-1] ^ 1]), ours)
    short = seal_key(b"short", ours.public_key.encode())
    with pytest.raises(ModelSealError, match="the box holds 5 bytes, a key has 32"):
        open_key(short, ours)


def test_nothing_is_sealed_to_a_key_of_small_order() -> None:
    with pytest.raises(ModelSealError, match="nothing can be sealed to this key"):
        seal_key(KEY, bytes(32))
