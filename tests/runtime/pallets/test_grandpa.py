"""Grandpa: the voters of genesis."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.pallets.grandpa import Config, Grandpa
from runtime.primitives.babe_digest import Authority


def test_genesis_sets_the_first_voters() -> None:
    pallet = Grandpa(frame.Externalities(frame.DictState()), Config())
    with pytest.raises(ValueError, match=r"^grandpa: no authorities$"):
        pallet.genesis_build([])
    pallet.genesis_build([Authority(b"k" * 32, 5)])
    assert pallet.authorities.get() == [Authority(b"k" * 32, 5)]
    assert pallet.current_set_id.get() == 0
