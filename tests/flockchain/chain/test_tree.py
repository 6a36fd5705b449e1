"""The block tree: the best leaf, finality, routes; against a model that scans everything."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.chain import tree as tree_module
from flockchain.chain.tree import BlockTree, TreeBlock
from runtime.primitives.types import Hash


def block(name: str) -> Hash:
    return Hash(name.encode().rjust(32, b"\0"))


def name(found: Hash) -> str:
    return found.lstrip(b"\0").decode()


def names(found: tuple[TreeBlock, ...] | list[TreeBlock]) -> str:
    return "".join(name(node.hash) for node in found)


def build(steps: str) -> BlockTree:
    """Blocks as `parent>child` for a primary, `parent-child` for a secondary slot."""
    tree = BlockTree(block("g"), 0)
    for step in steps.split():
        mark = ">" if ">" in step else "-"
        parent, child = step.split(mark)
        above = tree.get(block(parent))
        assert above is not None
        tree.insert(block(child), above.hash, above.number + 1, is_primary=mark == ">")
    return tree


def test_an_empty_tree_is_its_root() -> None:
    tree = BlockTree(block("g"), 7)
    assert (name(tree.best().hash), tree.best().number, len(tree)) == ("g", 7, 1)
    assert tree.leaves() == [tree.root]


def test_primary_slots_outweigh_length() -> None:
    assert name(build("g-a a-b b-c g>x").best().hash) == "x"


def test_equal_primaries_are_decided_by_length() -> None:
    assert name(build("g>a g>x x-y").best().hash) == "y"
    assert name(build("g>a a-b").best().hash) == "b"


def test_equal_chains_are_decided_by_the_lowest_hash_whatever_came_first() -> None:
    assert name(build("g>a g>b").best().hash) == "a"
    assert name(build("g>b g>a").best().hash) == "a"


def test_a_block_that_is_there_changes_nothing() -> None:
    tree = build("g>b g-a")
    known = tree.insert(block("a"), block("g"), 1, is_primary=True)
    assert known.primaries == 0
    assert len(tree) == 3
    assert names(tree.leaves()) == "ba"
    assert len(tree.children(block("g"))) == 2


def test_a_child_of_an_unknown_block_is_refused() -> None:
    with pytest.raises(KeyError):
        BlockTree(block("g"), 0).insert(block("a"), block("x"), 1, is_primary=True)


def test_finality_drops_forks_and_never_reverts() -> None:
    tree = build("g>a a>b g>x x>y y>z")
    assert name(tree.best().hash) == "z"
    final, lost = tree.finalize(block("a"))
    assert (names(final), names(lost)) == ("a", "xyz")
    assert (name(tree.best().hash), name(tree.root.hash)) == ("b", "a")
    for gone in "gxyz":
        assert block(gone) not in tree
        with pytest.raises(KeyError):
            tree.finalize(block(gone))
        with pytest.raises(KeyError):
            tree.insert(block("w"), block(gone), 2, is_primary=True)
    assert tree.finalize(block("a")) == ([], [])


def test_finality_takes_the_ancestors_along_oldest_first() -> None:
    final, lost = build("g>a a>b b>c a>x").finalize(block("c"))
    assert (names(final), names(lost)) == ("abc", "x")


def test_primaries_count_from_the_finalized_block() -> None:
    tree = build("g>a a>b b-c b-d")
    tree.finalize(block("b"))
    assert [node.primaries for node in tree.leaves()] == [0, 0]
    assert name(tree.best().hash) == "c"
    tree.insert(block("e"), block("d"), 4, is_primary=True)
    assert name(tree.best().hash) == "e"


def test_the_best_block_above_a_given_one() -> None:
    tree = build("g>a a>b g>x x>y y>z")
    found = [tree.best_containing(block(base)) for base in "ag"]
    assert [node and name(node.hash) for node in found] == ["b", "z"]
    assert tree.best_containing(block("?")) is None


def test_ancestry() -> None:
    tree = build("g>a a>b g>x")
    assert tree.is_descendant(block("g"), block("b"))
    assert tree.is_descendant(block("b"), block("b"))
    assert not tree.is_descendant(block("b"), block("a"))
    assert not tree.is_descendant(block("x"), block("b"))
    assert not tree.is_descendant(block("?"), block("b"))
    assert not tree.is_descendant(block("g"), block("?"))
    assert names(tree.path(block("g"), block("b")) or []) == "ba"
    assert tree.path(block("x"), block("b")) is None
    assert tree.path(block("b"), block("b")) == []


def test_routes_take_back_newest_first_and_enact_oldest_first() -> None:
    tree = build("g>a a>b b>c a>x x>y")
    route = tree.route(block("c"), block("y"))
    assert (names(route.retracted), names(route.enacted)) == ("cb", "xy")
    forward = tree.route(block("a"), block("c"))
    assert (names(forward.retracted), names(forward.enacted)) == ("", "bc")
    nowhere = tree.route(block("c"), block("c"))
    assert nowhere.retracted == nowhere.enacted == ()


def test_the_tree_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_module, "BLOCKS_MAX", 2)
    assert not build("g>a").is_full()
    assert build("g>a a>b").is_full()


Steps = list[tuple[int, bool]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1 << 16), st.booleans()), max_size=40),
    st.integers(0, 1 << 16),
)
def test_the_best_is_what_a_scan_finds(steps: Steps, chosen: int) -> None:
    tree, known = BlockTree(block("g"), 0), [block("g")]
    for index, (pick, is_primary) in enumerate(steps):
        parent = tree.get(known[pick % len(known)])
        assert parent is not None
        made = tree.insert(
            block(f"n{index}"), parent.hash, parent.number + 1, is_primary=is_primary
        )
        known.append(made.hash)
        assert tree.best() == max(tree.descendants(tree.root.hash), key=TreeBlock.order)
    final = known[chosen % len(known)]
    kept = {node.hash for node in tree.descendants(final)}
    below = set(known) - kept
    became_final, lost = tree.finalize(final)
    told = {node.hash for node in [*became_final, *lost]} - {final} | {block("g")} - kept
    assert told == below
    assert {hash_ for hash_ in known if hash_ in tree} == kept
    assert tree.best() == max(tree.descendants(final), key=TreeBlock.order)
    assert tree.best() == tree.leaves()[0]


def test_every_order_of_arrival_ends_with_the_same_best_block() -> None:
    draw = random.Random(5)
    steps = [("g", "n0", True)]
    steps += [
        (f"n{draw.randrange(max(0, n - 4), n)}", f"n{n}", draw.random() < 0.4) for n in range(1, 30)
    ]
    bests = set()
    for _ in range(20):
        tree, waiting = BlockTree(block("g"), 0), steps.copy()
        while waiting:
            draw.shuffle(waiting)
            for parent, child, primary in waiting.copy():
                above = tree.get(block(parent))
                if above is not None:
                    tree.insert(block(child), above.hash, above.number + 1, is_primary=primary)
                    waiting.remove((parent, child, primary))
        bests.add(tree.best().hash)
    assert len(bests) == 1
