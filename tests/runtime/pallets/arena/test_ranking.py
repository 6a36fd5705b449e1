"""Ranking: ties, baseline, clones, committees that did not answer, the cut to k_1."""

import pytest

from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.ranking import Entry, rank


def entry(
    score: int | None, committed_at: int, content: bytes = b"", counted: int = 1, seats: int = 1
) -> Entry:
    consensus = None if score is None else ConsensusScore(score * counted, counted, (True,))
    return Entry(consensus, committed_at, content or committed_at.to_bytes(4, "big"), seats)


@pytest.mark.parametrize(
    ("scores", "ranking"),
    [
        ([5, 9, 7], [1, 2, 0]),
        ([5, 5, 5], [0, 1, 2]),
        ([0, 5, 0], [1]),
        ([None, 5], [1]),
        ([], []),
    ],
)
def test_by_score_then_commitment(scores: list[int | None], ranking: list[int]) -> None:
    assert rank([entry(score, at) for at, score in enumerate(scores)], 0, None) == ranking


def test_ties_go_to_the_earliest_commitment_whatever_the_order_given() -> None:
    assert rank([entry(5, 3), entry(5, 1), entry(6, 9), entry(5, 2)], 0, None) == [2, 1, 3, 0]


def test_score_at_the_baseline_is_not_ranked() -> None:
    assert rank([entry(4, 0), entry(5, 1), entry(6, 2)], 5, None) == [2]


def test_only_the_earliest_of_equal_contents_is_ranked() -> None:
    clones = [entry(9, 3, b"m"), entry(8, 1, b"m"), entry(7, 2)]
    assert rank(clones, 0, None) == [1, 2]


@pytest.mark.parametrize(
    "original", [entry(None, 1, b"m"), entry(2, 1, b"m"), entry(9, 1, b"m", 1, 3)]
)
def test_a_clone_does_not_inherit_the_place_of_an_unranked_original(original: Entry) -> None:
    assert rank([original, entry(9, 2, b"m")], 5, None) == []


@pytest.mark.parametrize(
    ("counted", "seats", "ranking"), [(1, 2, [0]), (2, 5, []), (3, 5, [0]), (2, 3, [0])]
)
def test_half_of_the_seats_must_have_been_counted(
    counted: int, seats: int, ranking: list[int]
) -> None:
    assert rank([entry(5, 0, counted=counted, seats=seats)], 0, None) == ranking


@pytest.mark.parametrize(("k_1", "ranking"), [(None, [1, 2, 0]), (2, [1, 2]), (9, [1, 2, 0])])
def test_cut_to_k_1(k_1: int | None, ranking: list[int]) -> None:
    assert rank([entry(5, 0), entry(9, 1), entry(7, 2)], 0, k_1) == ranking


def test_an_unranked_submission_takes_no_place_from_k_1() -> None:
    assert rank([entry(9, 0, counted=1, seats=3), entry(8, 1), entry(7, 2)], 0, 2) == [1, 2]
