"""The best leaf: primary slots, then length, then the lowest hash; finality prunes."""

import random

import pytest

from flockchain.consensus.fork_choice import ForkChoice, TooManyBlocks, UnknownParent
from runtime.primitives.types import Hash


def block(name: str) -> Hash:
    return Hash(name.encode().rjust(32, b"\0"))


def build(chains: str, **options: int) -> ForkChoice:
    """Blocks as `parent>child` for a primary, `parent-child` for a secondary slot."""
    choice = ForkChoice(block("g"), 0, **options)
    for step in chains.split():
        mark = ">" if ">" in step else "-"
        parent, child = step.split(mark)
        choice.import_block(block(child), block(parent), is_primary=mark == ">")
    return choice


def test_primary_slots_outweigh_length():
    assert build("g-a a-b b-c g>x").best == block("x")


def test_equal_primaries_are_decided_by_length():
    assert build("g>a g>x x-y").best == block("y")
    assert build("g>a a-b").best == block("b")


def test_equal_chains_are_decided_by_the_lowest_hash_whatever_came_first():
    assert build("g>a g>b").best == build("g>b g>a").best == block("a")


def test_an_import_says_whether_the_best_block_changed():
    choice = build("g>b")
    assert not choice.import_block(block("c"), block("g"), is_primary=True)
    assert choice.import_block(block("a"), block("g"), is_primary=True)
    assert not choice.import_block(block("a"), block("g"), is_primary=True)
    assert len(choice) == 3


def test_finality_prunes_forks_and_never_reverts():
    choice = build("g>a a>b g>x x>y y>z")
    assert choice.best == block("z")
    assert choice.finalize(block("a")) == [block("x"), block("y"), block("z")]
    assert (choice.best, choice.finalized) == (block("b"), block("a"))
    with pytest.raises(UnknownParent):
        choice.import_block(block("w"), block("z"), is_primary=True)
    with pytest.raises(UnknownParent, match="is not in the tree"):
        choice.finalize(block("z"))
    with pytest.raises(UnknownParent):
        choice.finalize(block("g"))
    assert choice.finalize(block("a")) == []


def test_primaries_count_from_the_finalized_block():
    choice = build("g>a a>b b-c b-d")
    choice.finalize(block("b"))
    assert choice.best == block("c")
    choice.import_block(block("e"), block("d"), is_primary=True)
    assert choice.best == block("e")


def test_the_best_block_above_a_given_one():
    choice = build("g>a a>b g>x x>y y>z")
    assert choice.best_containing(block("a")) == (block("b"), 2)
    assert choice.best_containing(block("g")) == (block("z"), 3)
    assert choice.best_containing(block("?")) is None


def test_the_tree_is_bounded():
    with pytest.raises(TooManyBlocks, match=r"^2 unfinalized blocks$"):
        build("g>a a>b b>c", blocks_max=2)


def test_every_order_of_import_ends_with_the_same_best_block():
    draw = random.Random(5)
    steps = [("g", "n0", True)]
    steps += [
        (f"n{draw.randrange(max(0, n - 4), n)}", f"n{n}", draw.random() < 0.4) for n in range(1, 30)
    ]
    bests = set()
    for _ in range(20):
        choice, waiting = ForkChoice(block("g"), 0), steps.copy()
        while waiting:
            draw.shuffle(waiting)
            for parent, child, primary in waiting.copy():
                if block(parent) in choice:
                    choice.import_block(block(child), block(parent), is_primary=primary)
                    waiting.remove((parent, child, primary))
        bests.add(choice.best)
    assert len(bests) == 1
