"""Treasury: only root spends, and never more than there is."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets import balances, system, treasury
from runtime.pallets.treasury import TREASURY, Spent, Treasury
from runtime.primitives.types import FML, AccountId

ALICE, BOB = AccountId(b"\1" * 32), AccountId(b"\2" * 32)


def make() -> tuple[Treasury, balances.Balances]:
    ext = frame.Externalities(frame.DictState())
    currency = balances.Balances(
        ext, balances.Config(), accounts=system.System(ext, system.Config())
    )
    currency.genesis_build({ALICE: FML, TREASURY: 10 * FML})
    return Treasury(ext, treasury.Config(), currency=currency), currency


def test_root_spends_to_the_last_planck() -> None:
    pallet, currency = make()
    pallet.spend(frame.ROOT, BOB, 3 * FML)
    assert currency.ext.events[-1][1] == Spent(BOB, 3 * FML)
    pallet.spend(frame.ROOT, BOB, 7 * FML)
    assert (currency.free(BOB), currency.free(TREASURY)) == (10 * FML, 0)
    currency.try_state()


@pytest.mark.parametrize("origin", [frame.NONE, signed(ALICE), signed(TREASURY)])
def test_nobody_else_spends(origin: frame.Origin) -> None:
    pallet, currency = make()
    with pytest.raises(frame.BadOrigin):
        pallet.spend(origin, ALICE, 1)
    assert currency.free(TREASURY) == 10 * FML


def test_more_than_there_is_cannot_be_spent_and_dust_makes_no_account() -> None:
    pallet, _ = make()
    with pytest.raises(balances.InsufficientBalance):
        pallet.spend(frame.ROOT, ALICE, 10 * FML + 1)
    with pytest.raises(balances.ExistentialDeposit):
        pallet.spend(frame.ROOT, BOB, 1)
