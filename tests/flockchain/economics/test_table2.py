"""Table II both ways, with the figures of the whitepaper and of the exact ledger."""

import pytest

from flockchain.economics.table2 import REWARD, compute_table2

FML = 10**18


def micro(amounts: dict[str, int]) -> list[int]:
    return [(amount + FML // 2_000_000) // (FML // 1_000_000) for amount in amounts.values()]


def test_paper_rows_are_the_printed_ones() -> None:
    paper = compute_table2().paper
    tenth = FML // 10
    nodes = [39 * tenth, 33 * tenth, 28 * tenth, 351 * tenth, 297 * tenth, 252 * tenth]
    validators = [(40, 60), (40, 60), (45, 55), (45, 55), (50, 50)]
    assert [amounts for _, amounts in paper.rows] == [
        (*nodes, a * FML, b * FML) for a, b in validators
    ]
    assert list(paper.totals_by_participant().values()) == [
        total * FML for total in (195, 165, 140, 220, 280)
    ]


@pytest.mark.parametrize(
    ("is_reversed", "nodes"),
    [
        (False, [194_363_460, 165_208_941, 140_427_600]),
        (True, [144_742_468, 165_208_941, 190_048_591]),
    ],
)
def test_exact_ledger(is_reversed: bool, nodes: list[int]) -> None:
    exact = compute_table2(is_reversed=is_reversed).exact
    assert micro(exact.totals_by_participant()) == [*nodes, 220_000_000, 280_000_000]
    assert sum(exact.totals()) == 5 * REWARD
    assert [label for label, _ in exact.rows] == [
        *(f"Day {day}" for day in range(1, 6)),
        "Completion",
    ]


def test_document_has_base_units_as_text() -> None:
    document = compute_table2().as_document()
    paper = document["paper"]
    assert isinstance(paper, dict)
    assert paper["totals"]["Node 1"] == "195000000000000000000"
    assert paper["rows"][0]["row"] == "Day 1"
    assert paper["rows"][0]["Node 1 A"] == "3900000000000000000"
