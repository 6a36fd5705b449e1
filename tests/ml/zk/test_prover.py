"""Proofs: of both bases, checked by two verifiers, with sums that open as they should."""

from __future__ import annotations

import pytest
import torch
from py_ecc.optimized_bls12_381 import G2, multiply

from ml.zk.openings import (
    Opening,
    OpeningError,
    add_up,
    are_openings,
    commit,
    committers,
    fold,
    fresh_opening,
    is_opening,
    opening_of,
    update_in,
)
from runtime.primitives.zk_aggregation import is_statement, verify_aggregation
from runtime.primitives.zk_points import ORDER
from tests.ml.zk.independent import accepts
from tests.zk_world import TAU, ProvedRound, proved_round, small_setup


def plain(proved: ProvedRound) -> tuple[tuple, list[tuple]]:
    context = proved.statement.context
    head = (context.chain, context.task, context.round, context.setup)
    clients = [
        (each.id, each.key, each.weight, each.points, each.signature)
        for each in proved.statement.clients
    ]
    return (*head, context.parameters, context.scale), clients


@pytest.mark.parametrize("is_lagrange", [True, False])
@pytest.mark.parametrize("parameters", [1, 4, 9])
def test_a_proof_verifies(is_lagrange: bool, parameters: int) -> None:
    proved = proved_round(small_setup(is_lagrange=is_lagrange), parameters)
    assert is_statement(proved.statement, proved.setup)
    assert len(proved.proof) == 80
    assert verify_aggregation(proved.statement, proved.proof, proved.setup)


@pytest.mark.parametrize("is_lagrange", [True, False])
def test_another_implementation_agrees(is_lagrange: bool) -> None:
    proved = proved_round(small_setup(is_lagrange=is_lagrange), 5, (1, 1000))
    context, clients = plain(proved)
    tau = multiply(G2, TAU)
    assert accepts(context, clients, proved.proof, tau)
    assert not accepts((*context[:1], 2, *context[2:]), clients, proved.proof, tau)


@pytest.mark.parametrize("is_lagrange", [True, False])
def test_the_sum_opens_the_sum_of_commitments(is_lagrange: bool) -> None:
    proved = proved_round(small_setup(is_lagrange=is_lagrange))
    weights = [client.weight for client in proved.statement.clients]
    total = add_up(proved.openings, weights)
    assert is_opening(proved.statement.totals, total, proved.setup)
    assert commit(total, proved.setup) == proved.statement.totals
    expected = sum(
        weight * update.to(torch.int64)
        for weight, update in zip(weights, proved.updates, strict=True)
    )
    assert torch.equal(update_in(total, sum(weights)), torch.as_tensor(expected))


def test_a_wrong_sum_or_blinder_does_not_open() -> None:
    proved = proved_round(small_setup())
    total = add_up(proved.openings, [1, 3, 1000])
    for place in range(9):
        numbers = total.numbers.clone()
        numbers[place] += 1
        altered = Opening(numbers, total.blinders)
        assert not is_opening(proved.statement.totals, altered, proved.setup)
    for row in range(3):
        rows = [list(each) for each in total.blinders]
        rows[row][3] = (rows[row][3] + 1) % ORDER
        altered = Opening(total.numbers, tuple(map(tuple, rows)))
        assert not is_opening(proved.statement.totals, altered, proved.setup)
    assert not is_opening(
        proved.statement.totals, add_up(proved.openings, [1, 3, 999]), proved.setup
    )


@pytest.mark.parametrize("largest", [2**16 - 1, 2**32 - 1, 2**48 - 1])
def test_folding_is_exact_for_the_largest_numbers_and_more_rows_than_fit_at_once(
    largest: int,
) -> None:
    """Against Python's integers: 2,050 rows, the last one short."""
    setup, rows = small_setup(), 2_050
    numbers = torch.full((4 * rows - 1,), largest, dtype=torch.int64)
    numbers[::3] = 0
    row = tuple(ORDER - 1 for _ in range(4))
    openings = [Opening(numbers, (row,) * rows), Opening(numbers.flip(0), (row,) * rows)]
    factors = [2**128 - 1 - at for at in range(2 * rows)]
    plain = [[*each.numbers.tolist(), 0] for each in openings]
    expected = [
        sum(
            factors[client * rows + at] * plain[client][4 * at + slot]
            for client in (0, 1)
            for at in range(rows)
        )
        % ORDER
        for slot in range(4)
    ]
    found = fold(openings, factors, setup)
    assert found[:4] == expected
    assert found[4:] == [sum(factors) * (ORDER - 1) % ORDER] * 4


def test_openings_of_several_are_checked_at_once() -> None:
    proved = proved_round(small_setup())
    points = [client.points for client in proved.statement.clients]
    assert are_openings(points, proved.openings, proved.setup)
    assert not are_openings(points, proved.openings[::-1], proved.setup)
    numbers = proved.openings[2].numbers.clone()
    numbers[-1] ^= 1
    altered = [*proved.openings[:2], Opening(numbers, proved.openings[2].blinders)]
    assert not are_openings(points, altered, proved.setup)


def test_openings_that_fit_no_commitments() -> None:
    setup = small_setup()
    update = torch.zeros(9, dtype=torch.int16)
    opening = opening_of(update, setup)
    points = commit(opening, setup)
    with pytest.raises(OpeningError, match=r"^9 numbers, 2 rows of blinders$"):
        is_opening(points, Opening(opening.numbers, opening.blinders[:2]), setup)
    with pytest.raises(OpeningError, match=r"^2 commitments, 3 chunks$"):
        is_opening(points[:2], opening, setup)
    with pytest.raises(OpeningError, match=r"^a number is not from 0 to below 2\^32$"):
        commit(Opening(opening.numbers - (1 << 16), opening.blinders), setup)
    with pytest.raises(OpeningError, match=r"^a row has not 4 blinders$"):
        commit(Opening(opening.numbers, ((1,), (2,), (3,))), setup)
    with pytest.raises(OpeningError, match=r"^a blinder is no scalar$"):
        commit(Opening(opening.numbers, ((ORDER, 0, 0, 0), *opening.blinders[1:])), setup)


def test_commitments_hide_what_they_hold() -> None:
    """The same numbers give other points each time."""
    setup, numbers = small_setup(), torch.zeros(4, dtype=torch.int64)
    first, second = (commit(fresh_opening(numbers, setup), setup) for _ in range(2))
    assert first != second


def test_processes_share_the_chunks() -> None:
    setup = small_setup()
    opening = opening_of(torch.arange(-50, 50, dtype=torch.int16), setup)
    with committers(setup, 2) as executor:
        assert commit(opening, setup, executor) == commit(opening, setup)
