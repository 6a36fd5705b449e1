"""Samples of payers: drawn by what each paid, however it is divided into payments."""

from __future__ import annotations

import math

import pytest

from runtime.pallets.marketplace.records import RATERS_MAX, Rater
from runtime.pallets.marketplace.sampling import ticket_of, with_payment
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId


def drawn(payments: list[tuple[str, int]], day: int = 0) -> list[Rater]:
    """The sample after these payments, in this order."""
    raters: list[Rater] = []
    for place, (name, paid) in enumerate(payments):
        number = int.from_bytes(blake2b_256(f"{day} {place}".encode()), "little")
        raters = with_payment(raters, Rater(caller(name), paid, ticket=ticket_of(number, paid)))
    return raters


def caller(name: str) -> AccountId:
    """The account of a name."""
    return AccountId(blake2b_256(name.encode()))


@pytest.mark.parametrize("number", [0, 1, 2**255 - 1, 2**255, 3 * 2**254 - 1, 2**256 - 1])
def test_a_ticket_is_a_logarithm_over_what_was_paid(number: int) -> None:
    wanted = 256 - math.log2(number + 1)
    assert ticket_of(number, FML) * FML / 2**112 == pytest.approx(wanted, abs=2**-30)
    assert ticket_of(0, 1) < 2**128


def test_dust_does_not_drive_payers_out_of_a_sample() -> None:
    payers = [(f"payer {n}", FML) for n in range(12)]
    dust = [(f"own {n}", FML // 10**6) for n in range(300)]
    names = {each.caller for each in drawn([*payers, *dust])}
    assert {caller(name) for name, _ in payers} <= names
    assert {caller(name) for name, _ in payers} <= {e.caller for e in drawn([*dust, *payers])}


def test_many_small_payments_are_worth_their_sum() -> None:
    others = [(f"payer {n}", FML) for n in range(2 * RATERS_MAX - 1)]
    parts = [("self", FML // 20)] * 20
    days = 300
    seen = sum(
        caller("self") in {e.caller for e in drawn([*others, *parts], d)} for d in range(days)
    )
    assert days * 4 // 10 < seen < days * 6 // 10  # half of 32 equal payers are in it
