"""The budget of a block: what fits is begun, and so is the first piece whatever its size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.constants import PRESETS, Preset
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.pallet import BLOCK, STEP
from runtime.runtime import weights_of


def test_pieces_are_begun_while_they_fit() -> None:
    budget = Budget(10)
    assert budget.take(4)
    assert not budget.take(7)
    assert budget.take(6)
    assert budget.is_spent
    assert not budget.take(1)
    assert budget.used == 10


def test_the_first_piece_is_begun_whatever_its_size() -> None:
    budget = Budget(1)
    budget.spend(30)  # what must be read is no piece
    assert not budget.is_spent
    assert budget.take(50)
    assert budget.used == 80
    assert budget.fitting(1) == 0


def test_equal_pieces_are_counted() -> None:
    budget = Budget(10)
    assert budget.take_some(3, 2) == 2
    assert budget.take_some(3, 5) == 1
    assert budget.take_some(3, 5) == 0
    assert (budget.used, budget.is_spent) == (9, False)
    assert Budget(1).take_some(3, 5) == 1
    none = Budget(1)
    assert none.take_some(3, 0) == 0
    assert none.take(9)  # none was begun


def test_what_must_end_takes_what_it_takes() -> None:
    budget = Budget(1)
    budget.is_bounded = False
    assert budget.take(5)
    assert budget.take_some(5, 3) == 3
    assert not budget.is_spent
    budget.is_bounded = True
    assert budget.is_spent
    assert not budget.take(1)
    assert budget.used == 20


@given(st.integers(0, 60), st.lists(st.tuples(st.integers(1, 20), st.integers(0, 5)), max_size=20))
def test_a_block_takes_no_more_than_its_limit_or_its_first_piece(
    limit: int, pieces: list[tuple[int, int]]
) -> None:
    budget, first = Budget(limit), 0
    for steps, most in pieces:
        begun = budget.take_some(steps, most) if most else int(budget.take(steps))
        first = first or begun * steps
    assert budget.used <= max(limit, first)
    assert bool(pieces) == bool(budget.used)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_normal_calls_leave_a_block_what_the_budget_takes(preset: Preset) -> None:
    limits = weights_of(preset)
    normal = limits.per_class.normal.max_total
    assert normal is not None
    reading = 1_600  # a roster of 3,000 submissions and 200 validators
    hook = BLOCK + STEP.times(preset.settlement_steps + reading)
    left = limits.max_block.ref_time - normal.ref_time - limits.base_block.ref_time
    assert hook.ref_time <= left
