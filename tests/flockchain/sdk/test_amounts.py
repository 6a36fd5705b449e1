"""Amounts of FML as people write them."""

from __future__ import annotations

import pytest

from flockchain.sdk import AmountError, format_amount, parse_amount
from runtime.primitives.types import FML


@pytest.mark.parametrize(
    ("text", "planck"),
    [
        ("12.5 FML", 12 * FML + FML // 2),
        ("12.5", 12 * FML + FML // 2),
        (" 1,000_000 fml ", 1_000_000 * FML),
        ("0.000000000000000001 FML", 1),
        ("7 planck", 7),
        ("0", 0),
    ],
)
def test_amounts_are_read_exactly(text: str, planck: int) -> None:
    assert parse_amount(text) == planck


@pytest.mark.parametrize(
    "text",
    ["", "FML", "-1 FML", "1.0000000000000000001", "1e3", "1.5 planck", "1 wei", "٣", "9" * 40],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_amount(text)


@pytest.mark.parametrize("planck", [0, 1, FML, FML + 1, 123_456_789 * FML // 10, 2**128 - 1])
def test_what_is_shown_can_be_read_back(planck: int) -> None:
    assert parse_amount(format_amount(planck)) == planck


def test_only_digits_that_matter_are_shown() -> None:
    assert format_amount(12 * FML + FML // 2) == "12.5 FML"
    assert format_amount(-FML) == "-1 FML"
