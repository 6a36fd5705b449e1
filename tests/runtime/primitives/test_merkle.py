"""Hash trees: every item is proved, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.primitives.hashing import blake2b_256
from runtime.primitives.merkle import prove_item, tree_root, verify_item


def items_of(count: int) -> list[bytes]:
    return [bytes([place]) * 3 for place in range(count)]


def test_the_shape() -> None:
    one, two, three = (blake2b_256(b"\0" + item) for item in items_of(3))
    assert tree_root(items_of(1)) == one
    assert tree_root(items_of(3)) == blake2b_256(b"\1" + blake2b_256(b"\1" + one + two) + three)
    with pytest.raises(ValueError, match=r"^a hash tree of nothing$"):
        tree_root([])


@given(st.integers(1, 40), st.data())
def test_an_item_is_proved_at_its_place_only(count: int, data: st.DataObject) -> None:
    items = items_of(count)
    root, place = tree_root(items), data.draw(st.integers(0, count - 1))
    path = prove_item(items, place)
    assert verify_item(root, count, place, items[place], path)
    for other in range(-1, count + 1):
        assert verify_item(root, count, other, items[place], path) is (other == place)
    assert not verify_item(root, count, place, b"x", path)
    assert not verify_item(root, count, place, items[place], [*path, root])
    if path:
        assert not verify_item(root, count, place, items[place], path[:-1])


def test_an_inner_node_is_no_item() -> None:
    items = items_of(4)
    root = tree_root(items)
    left, right = (
        b"".join(blake2b_256(b"\0" + item) for item in pair) for pair in (items[:2], items[2:])
    )
    assert not verify_item(root, 2, 0, left, [blake2b_256(b"\1" + right)])
