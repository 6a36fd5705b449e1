"""Boxes for drawn validators."""

from __future__ import annotations

import logging

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.workers.key_sharing import seal_to
from flockchain.workers.model_seal import open_key, sealing_key
from runtime.pallets.arena.views import Recipient
from runtime.primitives.types import AccountId, Bytes32, Hash

KEY = bytes(range(32))


def test_a_validator_that_cannot_be_sealed_to_keeps_no_other_from_its_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = sealing_key(key_pair_from_uri("//V"), Hash(bytes(32)))
    good = Recipient(AccountId(b"a" * 32), Bytes32(secret.public_key.encode()), False)
    bad = Recipient(AccountId(b"b" * 32), Bytes32(bytes(32)), False)
    with caplog.at_level(logging.WARNING, "flockchain.workers.key_sharing"):
        (box,) = seal_to([bad, good], KEY)
    assert box.validator == good.validator
    assert open_key(box.box, secret) == KEY
    assert [record.getMessage() for record in caplog.records] == [
        "validator 0x62626262: nothing can be sealed to this key"
    ]
