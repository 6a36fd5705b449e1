"""What checkers look back on is bounded: long runs measure nodes, not their watchers."""

from __future__ import annotations

from flockchain.simulation.network.checkers import Recent


def test_the_oldest_give_way() -> None:
    table = Recent[int, str](3)
    for number in range(5):
        assert table.setdefault(number, f"{number}") == f"{number}"
    assert list(table) == [2, 3, 4]
    assert table.setdefault(4, "another") == "4", "what is known stays"
    table[5] = "5"
    assert list(table.items()) == [(3, "3"), (4, "4"), (5, "5")]
