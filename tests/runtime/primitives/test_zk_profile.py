"""Strings of profile B: only the bytes that a chain names are taken, and none is made up."""

from __future__ import annotations

import pytest

from runtime.primitives.hashing import sha2_256
from runtime.primitives.types import Hash
from runtime.primitives.zk_profile import (
    ChainSetup,
    SetupMissing,
    install,
    parse_setup,
    setup_bytes,
    setup_of,
)
from runtime.primitives.zk_setup import SetupError, ethereum_setup
from tests.zk_world import small_setup


def test_the_string_of_a_chain_of_its_own() -> None:
    setup = small_setup(9, is_lagrange=False)
    data = setup_bytes(setup)
    declared = ChainSetup(9, Hash(sha2_256(data)))
    assert (declared.digest, declared.chunk) == (setup.id, 5)
    assert parse_setup(data, declared) == setup
    with pytest.raises(SetupMissing, match=r"^no reference string of SHA-256 [0-9a-f]{64} was"):
        setup_of(declared)
    install(setup)
    assert setup_of(declared) is setup
    assert setup_of(None) is ethereum_setup()


def test_other_bytes_are_refused() -> None:
    setup = small_setup(10, is_lagrange=False)
    data, declared = setup_bytes(setup), ChainSetup(10, setup.id)
    with pytest.raises(SetupError, match=r"^575 bytes are no string of 10 points$"):
        parse_setup(data[:-1], declared)
    for place in (0, 100, len(data) - 1):
        altered = data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]
        with pytest.raises(SetupError, match=r"^the file has the SHA-256 [0-9a-f]{64}, not "):
            parse_setup(altered, declared)
