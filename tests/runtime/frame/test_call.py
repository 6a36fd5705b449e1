"""Calls on the wire: two index bytes and arguments; nested ones down to a fixed depth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime import frame
from runtime.frame.call import (
    DEPTH_MAX,
    RUNTIME_CALL,
    RuntimeCall,
    install_pallets,
    installed_pallets,
)
from runtime.frame.pallet import encode_call, entry_of
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.multi import Id
from runtime.primitives.scale import DecodeError, EncodeError
from runtime.primitives.types import U8, AccountId
from runtime.runtime import PALLETS

BOB = AccountId(b"b" * 32)


class Nest(frame.Pallet[None], index=203):
    """A pallet whose calls hold calls."""

    @frame.call(1, weight=frame.ZERO_WEIGHT)
    def wrap(self, origin: frame.Origin, inner: RuntimeCall) -> None:
        """Hold one call."""

    @frame.call(2, weight=frame.ZERO_WEIGHT)
    def batch(self, origin: frame.Origin, calls: list[RuntimeCall]) -> None:
        """Hold many calls."""

    @frame.call(3, weight=lambda count, name: frame.Weight(count))
    def weigh(self, origin: frame.Origin, count: U8, name: str) -> None:
        """Weigh as much as it says."""


@pytest.fixture
def nest() -> Iterator[None]:
    install_pallets([*PALLETS, Nest])
    yield
    install_pallets(PALLETS)


def test_golden_indices() -> None:
    assert encode_call(System.remark, b"\1\2").hex() == "0000080102"
    assert encode_call(Timestamp.set, 5).hex() == "010014"
    assert encode_call(Balances.transfer_keep_alive, Id(BOB), 1).hex() == (
        "050300" + "62" * 32 + "04"
    )
    assert encode_call(Balances.transfer_all, Id(BOB), True).hex() == "050400" + "62" * 32 + "01"


def test_no_pallet_and_no_call_shares_an_index() -> None:
    indices = [pallet.pallet_index for pallet in PALLETS]
    assert len(set(indices)) == len(indices)
    assert installed_pallets() == PALLETS
    for pallet in PALLETS:
        for index, entry in pallet.calls.items():
            assert (entry.index, entry.pallet) == (index, pallet)


def test_a_call_comes_back() -> None:
    raw = encode_call(Balances.transfer_allow_death, Id(BOB), 10**20)
    found = RUNTIME_CALL.decode_all(raw)
    assert found == RuntimeCall(entry_of(Balances.transfer_allow_death), (Id(BOB), 10**20))
    assert RUNTIME_CALL.encode(found) == raw


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xfe\x00", "no call 254.0"),
        (b"\x00\xfe", "no call 0.254"),
        (b"", "end of data"),
        (b"\x00", "end of data"),
        (b"\x00\x00", "end of data"),
        (b"\x01\x00\x14\x00", "1 bytes left over"),
    ],
)
def test_what_is_no_call_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=f"^{message}"):
        RUNTIME_CALL.decode_all(raw)


def test_arguments_are_positional_and_of_their_types() -> None:
    with pytest.raises(EncodeError, match="positional arguments only"):
        encode_call(System.remark, remark=b"")
    with pytest.raises(EncodeError):
        encode_call(Timestamp.set, -1)


@pytest.mark.usefixtures("nest")
def test_calls_nest_to_a_fixed_depth_and_no_deeper() -> None:
    wrap = bytes((Nest.pallet_index, 1))
    remark = encode_call(System.remark, b"")
    for depth in range(DEPTH_MAX):
        assert RUNTIME_CALL.encode(RUNTIME_CALL.decode_all(wrap * depth + remark)) == (
            wrap * depth + remark
        )
    for depth in (DEPTH_MAX, DEPTH_MAX + 1, 100_000):
        with pytest.raises(DecodeError, match=f"^calls nested deeper than {DEPTH_MAX}$"):
            RUNTIME_CALL.decode_all(wrap * depth + remark)
    assert RUNTIME_CALL.decode_all(remark).entry is entry_of(System.remark)


@pytest.mark.usefixtures("nest")
def test_a_batch_that_claims_more_than_it_holds_is_refused() -> None:
    batch = bytes((Nest.pallet_index, 2))
    with pytest.raises(DecodeError, match="end of data in 1073741823 items"):
        RUNTIME_CALL.decode_all(batch + b"\xfe\xff\xff\xff" + encode_call(System.remark, b""))


def test_a_weight_may_follow_from_the_arguments() -> None:
    entry = entry_of(Nest.weigh)
    info = entry.info((7, "name"))
    assert info == frame.DispatchInfo(frame.Weight(7))
    assert entry_of(Timestamp.set).info((1,)).class_ is frame.DispatchClass.MANDATORY


def test_two_calls_of_one_index_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="Twice: call 1 twice"):

        class Twice(frame.Pallet[None], index=204):
            @frame.call(1, weight=frame.ZERO_WEIGHT)
            def one(self, origin: frame.Origin) -> None:
                """One."""

            @frame.call(1, weight=frame.ZERO_WEIGHT)
            def other(self, origin: frame.Origin) -> None:
                """Other."""
