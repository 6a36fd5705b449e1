"""An epoch's data: the total weight, and that somebody must have some."""

from __future__ import annotations

import pytest

from flockchain.consensus.babe.epochs import EpochData, InvalidEpoch
from runtime.primitives.babe_digest import Authority
from runtime.primitives.types import Hash

RANDOMNESS = Hash(bytes(32))


def test_the_weights_are_summed() -> None:
    listed = [Authority(b"a" * 32, 3), Authority(b"b" * 32, 4)]
    data = EpochData.of(listed, RANDOMNESS)
    assert (data.authorities, data.total_weight) == (tuple(listed), 7)


def test_an_epoch_without_weight_is_refused() -> None:
    with pytest.raises(InvalidEpoch, match=r"^1 authorities have no weight$"):
        EpochData.of([Authority(b"a" * 32, 0)], RANDOMNESS)
