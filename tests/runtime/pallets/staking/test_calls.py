"""Every refusal of staking's calls, and that a refused call writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets.staking import StakingParameters, ValidatorPrefs
from runtime.pallets.staking import records as errors
from runtime.pallets.treasury import TREASURY
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import FML
from tests.runtime.pallets.staking.stake_world import RULES, STAKE, StakeWorld, account

PREFS = ValidatorPrefs(Perbill(0))
N1, N2, V1, C1 = (signed(account(name)) for name in ("n1", "n2", "v1", "c1"))

Act = Callable[[StakeWorld], None]


def bonded_world() -> StakeWorld:
    """n1 has bonded 100 FML and backs v1."""
    world = StakeWorld()
    world.block()
    world.nominate("n1", 100 * FML, "v1")
    return world


REFUSED: list[tuple[type[frame.ModuleError], Act]] = [
    (errors.AlreadyBonded, lambda world: world.staking.bond(V1, STAKE)),
    (errors.BondTooLow, lambda world: world.staking.bond(N2, 10 * FML - 1)),
    (errors.BadStash, lambda world: world.staking.bond(signed(TREASURY), STAKE)),
    (errors.NotStash, lambda world: world.staking.bond_extra(N2, FML)),
    (errors.InsufficientBond, lambda world: world.staking.bond_extra(N1, 0)),
    (errors.NotStash, lambda world: world.staking.unbond(N2, FML)),
    (errors.InsufficientBond, lambda world: world.staking.unbond(N1, 0)),
    (errors.InsufficientBond, lambda world: world.staking.unbond(N1, 100 * FML + 1)),
    (errors.BondTooLow, lambda world: world.staking.unbond(N1, 91 * FML)),
    (errors.BondTooLow, lambda world: world.staking.unbond(V1, 501 * FML)),
    (errors.NotStash, lambda world: world.staking.withdraw_unbonded(N2)),
    (errors.NothingToWithdraw, lambda world: world.staking.withdraw_unbonded(N1)),
    (errors.NotStash, lambda world: world.staking.validate(N2, PREFS)),
    (errors.BondTooLow, lambda world: world.staking.validate(N1, PREFS)),
    (errors.NotStash, lambda world: world.staking.nominate(N2, [account("v1")])),
    (errors.BadTargets, lambda world: world.staking.nominate(N1, [])),
    (errors.BadTargets, lambda world: world.staking.nominate(N1, [account("v1")] * 2)),
    (errors.BadTargets, lambda world: world.staking.nominate(N1, [account("c1")])),
    (errors.BadTargets, lambda world: world.staking.nominate(V1, [account("v1")])),
    (errors.NoRole, lambda world: world.staking.chill(N2)),
    (errors.NothingToClaim, lambda world: world.staking.payout_stakers(N2, account("v1"), 0)),
    (frame.BadOrigin, lambda world: world.staking.set_parameters(N1, RULES)),
    (
        errors.UnsoundParameters,
        lambda world: world.staking.set_parameters(frame.ROOT, replace(RULES, validator_count=9)),
    ),
]


@pytest.mark.parametrize(("error", "act"), REFUSED)
def test_a_refused_call_writes_nothing(error: type[frame.ModuleError], act: Act) -> None:
    world = bonded_world()
    before = dict(world.ext.changes())
    with pytest.raises(error):
        act(world)
    assert world.ext.changes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"treasury_percent": 101},
        {"finalizer_percent": 101},
        {"slash_burn_percent": 61},
        {"slash_defer_eras": 2},
        {"minimum_count": 0},
        {"nominator_bond_min": FML - 1},
        {"validator_bond_min": 9 * FML},
    ],
)
def test_unsound_parameters_are_refused(change: dict[str, int]) -> None:
    rules = replace(RULES, **change)
    assert RULES.is_sound(4, 2)
    assert not rules.is_sound(4, 2)


def test_the_dao_sets_parameters() -> None:
    world = bonded_world()
    rules = replace(RULES, treasury_percent=50)
    world.staking.set_parameters(frame.ROOT, rules)
    assert world.staking.parameters.get() == rules


def test_a_candidate_needs_keys() -> None:
    world = bonded_world()
    world.staking.bond(C1, STAKE)
    with pytest.raises(errors.NoSessionKeys):
        world.staking.validate(C1, PREFS)
    world.set_keys("c1")
    world.staking.validate(C1, PREFS)


def test_places_are_bounded_and_open_again() -> None:
    world = bonded_world()
    world.staking.counter_for_nominators.put(8)
    world.staking.bond(N2, 100 * FML)
    with pytest.raises(errors.TooManyNominators):
        world.staking.nominate(N2, [account("v1")])
    world.staking.nominate(N1, [account("v2")])  # who has a place changes its mind
    world.staking.counter_for_nominators.put(1)
    world.staking.chill(N1)
    world.staking.nominate(N2, [account("v1")])
    world.staking.counter_for_validators.put(8)
    world.staking.bond(C1, STAKE)
    world.set_keys("c1")
    with pytest.raises(errors.TooManyValidators):
        world.staking.validate(C1, PREFS)
    world.staking.validate(V1, PREFS)
    world.staking.counter_for_validators.put(4)
    world.check()


def test_pieces_of_one_era_are_one_and_there_are_only_so_many() -> None:
    world = bonded_world()
    for _ in range(3):
        world.staking.unbond(N1, FML)
    assert len(world.staking.ledger.get(account("n1")).unlocking) == 1
    for era in range(1, errors.CHUNKS_MAX):
        world.staking.current_era.put(era)
        world.staking.unbond(N1, FML)
    world.staking.current_era.put(errors.CHUNKS_MAX)
    with pytest.raises(errors.TooManyChunks):
        world.staking.unbond(N1, FML)


def test_nothing_is_withdrawn_while_a_slash_waits() -> None:
    world = bonded_world()
    world.report("v2")
    world.staking.chill(N1)
    world.staking.unbond(N1, 100 * FML)
    with pytest.raises(errors.SlashesPending):
        world.staking.withdraw_unbonded(N1)


def test_who_acts_keeps_a_bond() -> None:
    """All chilled and unbonded, nobody else there: those who act stay liable."""
    world = StakeWorld(rules=StakingParameters(validator_count=4, minimum_count=4))
    world.block()
    world.staking.chill(V1)
    world.staking.unbond(V1, STAKE)
    world.to_session(12)
    assert "v1" in world.acting()
    with pytest.raises(errors.StillActing):
        world.staking.withdraw_unbonded(V1)


def test_a_validator_may_become_a_nominator() -> None:
    world = bonded_world()
    world.staking.nominate(V1, [account("v2")])
    assert world.staking.counter_for_validators.get() == 3
    assert world.staking.counter_for_nominators.get() == 2
    world.staking.validate(V1, PREFS)
    world.staking.bond_extra(V1, FML)
    world.check()
