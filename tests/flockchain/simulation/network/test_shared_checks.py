"""Answers that nodes share: equal to those of one that asks alone, and holding nothing of it."""

from __future__ import annotations

import gc
import weakref

import pytest

from flockchain.chain import validation
from flockchain.simulation.network.shared_checks import shared_checks
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.executive import verify_signature
from runtime.frame.externalities import DictState
from runtime.frame.validity import TransactionSource
from runtime.primitives.types import ZERO_HASH
from tests.simulation.world import devnet_genesis, keys_of


def test_a_refusal_is_the_same_each_time_and_holds_no_state() -> None:
    """Errors were kept as they were raised, with the frames and the states behind them."""
    genesis = devnet_genesis(keys_of(1))

    class State(DictState):
        """One that can be watched."""

    with shared_checks():
        held = []
        for _ in range(2):
            state = State(dict(genesis))
            held.append(weakref.ref(state))
            asked = validation.Validation(state, ZERO_HASH, 0, verify_signature)
            with pytest.raises(InvalidTransaction) as refused:
                asked.validate(TransactionSource.EXTERNAL, b"\x04\x09")
            assert refused.value.kind is InvalidKind.CALL
            del state, asked, refused
        gc.collect()
        assert [each() for each in held] == [None, None]
