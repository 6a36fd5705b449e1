"""Storage items: golden keys of Substrate, defaults, iteration, values that share nothing."""

from __future__ import annotations

from typing import Annotated

import pytest

from runtime import frame
from runtime.frame.call import installed_pallets
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.naming import pascal_case
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.pallets.timestamp import Timestamp
from runtime.pallets.transaction_payment import TransactionPayment
from runtime.primitives.hashing import blake2b_128, twox_64, twox_128
from runtime.primitives.scale import EncodeError, Limit
from runtime.primitives.types import U16, U32, AccountId

ALICE = AccountId(bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"))


@frame.scale_type
class Box:
    """A record with a list: its decoded form may not be shared."""

    items: list[U16]


class Storage(frame.Pallet[None], index=201):
    """One item of each kind."""

    single = frame.StorageValue[int](U32, default=7)
    optional = frame.StorageValue[int](U32)
    flag = frame.StorageValue[bool](bool, default=False)
    listed = frame.StorageValue[list[int]](list[U16], default=[])
    box = frame.StorageValue[Box](Box, default=Box([]))
    bounded = frame.StorageValue[list[int]](Annotated[list[U16], Limit(2)], default=[])
    by_number = frame.StorageMap[int, str](U32, str, hasher=frame.Hasher.TWOX_64_CONCAT)
    by_account = frame.StorageMap[AccountId, int](AccountId, U32, default=0)
    plain = frame.StorageMap[int, int](U16, U16, hasher=frame.Hasher.IDENTITY)
    pairs = frame.StorageDoubleMap[tuple[int, AccountId], int](U32, AccountId, U32, default=0)
    named = frame.StorageDoubleMap[tuple[str, str], int](
        str, str, U32, hashers=(frame.Hasher.IDENTITY, frame.Hasher.IDENTITY)
    )


def make() -> Storage:
    return Storage(Externalities(DictState()), None)


def test_every_item_lies_under_the_name_of_its_pallet() -> None:
    """Clients compute the keys from the metadata, which knows no base classes."""
    for pallet in installed_pallets():
        names = [item.name for item in pallet.storage_items]
        assert len(set(names)) == len(names)
        for item in pallet.storage_items:
            expected = twox_128(pallet.__name__.encode()) + twox_128(
                pascal_case(item.name).encode()
            )
            assert item.prefix == expected, f"{pallet.__name__}.{item.name}"


def test_a_subclass_has_its_own_items_and_leaves_its_bases_where_they_are() -> None:
    class Heir(Storage, index=201):
        own = frame.StorageValue[int](U32, default=1)

    assert Heir.single.prefix == twox_128(b"Heir") + twox_128(b"Single")
    assert Storage.single.prefix == twox_128(b"Storage") + twox_128(b"Single")
    names = [item.name for item in Storage.storage_items]
    assert [item.name for item in Heir.storage_items] == [*names, "own"]

    class Grandchild(Heir, index=201):
        """Two classes away from its items."""

    assert [item.name for item in Grandchild.storage_items] == [*names, "own"]
    ext = Externalities(DictState())
    base, heir = Storage(ext, None), Heir(ext, None)
    base.by_account.put(ALICE, 7)
    heir.by_account.put(ALICE, 8)
    assert (base.by_account.get(ALICE), heir.by_account.get(ALICE)) == (7, 8)
    base.pairs.put((5, ALICE), 7)
    heir.pairs.put((5, ALICE), 8)
    assert (dict(base.pairs.items_of(5)), dict(heir.pairs.items_of(5))) == ({ALICE: 7}, {ALICE: 8})


def test_golden_keys() -> None:
    assert System.number.path().hex() == (
        "26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac"
    )
    assert System.events.path().hex() == (
        "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"
    )
    assert Timestamp.now.path().hex() == (
        "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
    )
    assert Balances.total_issuance.path().hex() == (
        "c2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80"
    )
    assert TransactionPayment.next_fee_multiplier.path().hex() == (
        "3f1467a096bcd71a5b6a0c8155e208103f2edf3bdf381debe331ab7446addfdc"
    )
    assert System.account.path(ALICE).hex() == (
        "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
        "de1e86a9a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6"
        "822c8558854ccde39a5684e7a56da27d"
    )
    assert System.block_hash.path(0).hex() == (
        "26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c118746b4def25cfda6ef3a00000000"
    )


def test_keys_are_pallet_item_hash_and_key() -> None:
    prefix = twox_128(b"Storage")
    number = (5).to_bytes(4, "little")
    assert Storage.single.path() == prefix + twox_128(b"Single")
    assert Storage.by_number.path(5) == prefix + twox_128(b"ByNumber") + twox_64(number) + number
    assert Storage.by_account.path(ALICE) == (
        prefix + twox_128(b"ByAccount") + blake2b_128(ALICE) + ALICE
    )
    assert Storage.plain.path(5) == prefix + twox_128(b"Plain") + b"\5\0"
    assert Storage.pairs.path((5, ALICE)) == (
        prefix + twox_128(b"Pairs") + twox_64(number) + number + blake2b_128(ALICE) + ALICE
    )
    assert Storage.by_number.key_of(Storage.by_number.path(5)) == 5
    assert Storage.pairs.key_of(Storage.pairs.path((5, ALICE))) == (5, ALICE)


def test_values() -> None:
    pallet = make()
    assert (pallet.single.get(), pallet.single.find(), pallet.single.exists()) == (7, None, False)
    pallet.single.put(9)
    assert (pallet.single.get(), pallet.single.find(), pallet.single.exists()) == (9, 9, True)
    pallet.single.put(0)
    assert (pallet.single.get(), pallet.single.find()) == (0, 0)
    pallet.single.remove()
    assert (pallet.single.get(), pallet.single.exists()) == (7, False)
    pallet.flag.put(False)
    assert (pallet.flag.get(), pallet.flag.exists()) == (False, True)


def test_without_a_default_a_missing_value_is_an_error() -> None:
    pallet = make()
    with pytest.raises(KeyError, match="optional: no value, and none by default"):
        pallet.optional.get()
    with pytest.raises(KeyError, match="by_number: no value, and none by default"):
        pallet.by_number.get(3)
    assert (pallet.optional.find(), pallet.by_number.find(3)) == (None, None)


def test_what_the_type_cannot_hold_is_not_stored() -> None:
    pallet = make()
    pallet.single.put(3)
    with pytest.raises(EncodeError):
        pallet.single.put(2**32)
    with pytest.raises(EncodeError):
        pallet.bounded.put([1, 2, 3])
    with pytest.raises(EncodeError):
        pallet.by_number.put(-1, "x")
    assert pallet.single.get() == 3
    assert not pallet.bounded.exists()


def test_lists_are_decoded_anew_for_every_reader() -> None:
    pallet = make()
    given = [1, 2]
    pallet.listed.put(given)
    given.append(3)
    pallet.listed.get().append(4)
    assert pallet.listed.get() == [1, 2]
    pallet.box.put(Box([1]))
    pallet.box.get().items.append(2)
    assert pallet.box.get() == Box([1])


def test_maps_are_walked_in_the_order_of_their_keys() -> None:
    pallet = make()
    for number in range(20):
        pallet.by_number.put(number, f"n{number}")
    pallet.by_number.remove(3)
    expected = sorted((number for number in range(20) if number != 3), key=Storage.by_number.path)
    assert list(pallet.by_number.keys()) == expected
    assert list(pallet.by_number.items()) == [(number, f"n{number}") for number in expected]
    assert pallet.by_number.contains(4)
    assert not pallet.by_number.contains(3)


def test_the_entries_of_one_first_key_lie_together() -> None:
    pallet = make()
    bob = AccountId(bytes(32))
    for first in range(3):
        for who in (ALICE, bob):
            pallet.pairs.put((first, who), first + 10)
    assert dict(pallet.pairs.items_of(1)) == {ALICE: 11, bob: 11}
    assert pallet.pairs.remove_all(1) == 2
    assert pallet.pairs.remove_all(1) == 0
    assert list(pallet.pairs.items_of(1)) == []
    assert len(list(pallet.pairs.items())) == 4
    assert pallet.pairs.get((0, bob)) == 10
    assert pallet.pairs.get((9, bob)) == 0


def test_the_entries_after_one_are_found_without_it() -> None:
    pallet = make()
    for who in range(5):
        pallet.pairs.put((1, AccountId(bytes([who]) * 32)), who)
    entries = list(pallet.pairs.items_of(1))
    for place, (who, _) in enumerate(entries):
        assert list(pallet.pairs.items_of(1, who)) == entries[place + 1 :]
    gone, _ = entries[2]
    pallet.pairs.remove((1, gone))
    assert list(pallet.pairs.items_of(1, gone)) == entries[3:]
    assert list(pallet.pairs.items_of(2, gone)) == []


def test_first_keys_of_different_length_do_not_mix() -> None:
    pallet = make()
    pallet.named.put(("a", "bc"), 1)
    pallet.named.put(("ab", "c"), 2)
    assert list(pallet.named.items_of("a")) == [("bc", 1)]
    assert list(pallet.named.items_of("ab")) == [("c", 2)]


def test_two_states_share_nothing() -> None:
    one, two = make(), make()
    one.by_account.put(ALICE, 5)
    assert (one.by_account.get(ALICE), two.by_account.get(ALICE)) == (5, 0)


def test_a_rollback_takes_back_decoded_values() -> None:
    pallet = make()
    pallet.single.put(1)

    def fail() -> None:
        with pallet.ext.transaction():
            pallet.single.put(2)
            assert pallet.single.get() == 2
            raise frame.OtherError

    with pytest.raises(frame.OtherError):
        fail()
    assert pallet.single.get() == 1


def test_paths_of_numbers_are_soon_forgotten() -> None:
    """A block's number is read for a block or two: a long life must not gather them."""
    storage = make()
    for number in range(1_000):
        assert storage.by_number.path(number) == storage.by_number.path(number)
        assert storage.pairs.prefix_of(number) == storage.pairs.prefix_of(number)
        storage.by_account.path(AccountId(number.to_bytes(32, "big")))
    assert len(storage.by_number._paths) <= 256
    assert len(storage.pairs._prefixes) <= 256
    assert len(storage.by_account._paths) >= 1_000
