"""Validation set B: opened only by its key, and only if it is what the chain says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.workers.sealed_dataset import SealedDatasetError, open_dataset, seal_dataset
from runtime.primitives.content_id import content_id
from runtime.primitives.hashing import blake2b_256

KEY = bytes(range(32))


def test_the_key_opens_what_the_three_hashes_fix() -> None:
    ciphertext, terms = seal_dataset(b"rows", KEY)
    assert b"rows" not in ciphertext
    assert terms.plaintext == content_id(b"rows")
    assert terms.ciphertext == content_id(ciphertext)
    assert terms.key_hash == blake2b_256(KEY)
    assert open_dataset(ciphertext, KEY, terms) == b"rows"


def test_another_key_ciphertext_or_plaintext_is_refused() -> None:
    ciphertext, terms = seal_dataset(b"rows", KEY)
    with pytest.raises(SealedDatasetError, match="not the one whose hash is on chain"):
        open_dataset(ciphertext, bytes(32), terms)
    with pytest.raises(SealedDatasetError, match="does not open"):
        open_dataset(ciphertext[:-1], KEY, terms)
    with pytest.raises(SealedDatasetError, match="not the data set on chain"):
        open_dataset(ciphertext, KEY, replace(terms, plaintext=bytes(32)))
