"""From bond to election to slash and payout, with every balance exact."""

from __future__ import annotations

import pytest

from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.offences import Offended
from runtime.pallets.staking import POT
from runtime.pallets.staking.records import (
    ElectionFailed,
    EraPaid,
    Exposure,
    IndividualExposure,
    NothingToClaim,
    SlashDivided,
    StakersElected,
)
from runtime.pallets.treasury import TREASURY
from runtime.primitives.types import FML
from tests.runtime.pallets.staking.stake_world import (
    STAKE,
    VALIDATORS,
    StakeWorld,
    account,
)

RICH = 10 * STAKE


def test_genesis_bonds_the_authorities() -> None:
    world = StakeWorld()
    world.block()
    assert [world.bonded(name) for name in VALIDATORS] == [STAKE] * 4
    assert [world.free(name) for name in VALIDATORS] == [RICH - STAKE] * 4
    assert world.staking.exposure_of(0, account("v1")) == Exposure(STAKE, STAKE, [])
    assert world.acting() == [*VALIDATORS]


def test_the_most_backed_candidates_act_from_the_next_era_on() -> None:
    world = StakeWorld()
    world.block()
    world.become_candidate("c1", 2 * STAKE)
    world.become_candidate("c2", STAKE // 2)
    world.nominate("n1", 3 * STAKE, "c2", "v4")
    world.to_session(1)
    assert world.acting() == [*VALIDATORS]
    world.to_session(2)  # here the election takes place
    assert world.events(StakersElected) == [StakersElected(1, 4)]
    assert world.acting() == [*VALIDATORS]
    world.to_session(3)
    # v1 to v3 have 1,000 each: the tie goes to the lower accounts.
    assert world.acting() == ["c1", "c2", "v1", "v4"]
    half = IndividualExposure(account("n1"), 3 * STAKE // 2)
    era = world.staking.active_era.get().index
    assert era == 1
    assert world.staking.exposure_of(era, account("c2")) == Exposure(2 * STAKE, STAKE // 2, [half])
    assert world.staking.exposure_of(era, account("v4")) == Exposure(5 * STAKE // 2, STAKE, [half])
    assert world.staking.exposure_of(era, account("v2")) is None
    assert world.staking.eras_total_stake.get(era) == 15 * STAKE // 2
    weights = [each.weight for each in world.babe.authorities.get()]
    assert weights == [2_000 * 10**9, 2_000 * 10**9, 1_000 * 10**9, 2_500 * 10**9]
    assert [each.weight for each in world.grandpa.authorities.get()] == weights
    assert world.grandpa.current_set_id.get() == 1
    assert world.grandpa.sessions_of_set(1) == (3, None)


def test_a_nominator_of_a_loser_stands_behind_its_other_choice_alone() -> None:
    world = StakeWorld()
    world.block()
    world.become_candidate("c1", STAKE // 2)
    world.nominate("n1", 100 * FML, "c1", "v2")
    world.to_session(3)
    assert world.acting() == [*VALIDATORS]
    behind = [IndividualExposure(account("n1"), 100 * FML)]
    assert world.staking.exposure_of(1, account("v2")) == Exposure(1_100 * FML, STAKE, behind)


def test_too_few_candidates_change_nothing() -> None:
    world = StakeWorld()
    world.block()
    for name in VALIDATORS:
        world.staking.chill(signed(account(name)))
    world.to_session(3)
    assert world.events(ElectionFailed) == [ElectionFailed(1, 0)]
    assert world.acting() == [*VALIDATORS]
    assert world.staking.exposure_of(1, account("v1")) == Exposure(STAKE, STAKE, [])
    world.to_session(6)
    assert world.staking.active_era.get().index == 2
    assert world.acting() == [*VALIDATORS]


def nominated_world() -> StakeWorld:
    """Era 1: v1 has 1,000 of its own and 600 of n1, and takes a tenth; n1 has unbonded half."""
    world = StakeWorld(commissions={"v1": 10})
    world.block()
    world.nominate("n1", 600 * FML, "v1")
    world.to_session(3, VALIDATORS)
    world.staking.unbond(signed(account("n1")), 300 * FML)
    return world


def test_a_slash_reaches_nominators_and_what_unbonds() -> None:
    world = nominated_world()
    issued, treasury = world.balances.issuance(), world.balances.free(TREASURY)
    world.report("v1")
    # w = 1,600 of W = 4,600: (3·1600/4600)² > 1, so everything.
    assert [event.fraction for event in world.events(Offended)] == [10**18]  # type: ignore[attr-defined]
    world.block()
    assert (world.bonded("v1"), world.bonded("n1")) == (0, 0)
    assert not world.session.has_keys(account("v1"))
    taken = 1_600 * FML
    assert world.balances.issuance() == issued - taken // 2
    assert world.balances.free(TREASURY) == treasury + taken * 4 // 10
    assert world.free("reporter") == RICH + taken // 10
    shares = (taken // 2, taken * 4 // 10, taken // 10)
    assert world.events(SlashDivided) == [SlashDivided(1, account("v1"), *shares)]


def test_a_slash_of_a_part_is_taken_pro_rata() -> None:
    world = nominated_world()
    world.report("v2")  # w = 1,000 of W = 4,600: 9 · (10/46)² = 0.42533...
    fraction = 9 * 1_000**2 * 10**18 // 4_600**2
    assert [event.fraction for event in world.events(Offended)] == [fraction]  # type: ignore[attr-defined]
    world.block()
    assert world.bonded("v2") == STAKE - STAKE * fraction // 10**18
    world.report("v3")
    world.report("v1")
    world.block()
    world.block()
    world.block()
    assert [world.bonded(name) for name in ("v1", "v2", "v3")] == [0, 0, 0]
    assert world.bonded("n1") == 0
    assert world.bonded("v4") == STAKE


def test_what_was_unbonded_before_an_era_does_not_pay_for_it() -> None:
    world = StakeWorld()
    world.block()
    world.nominate("n1", 600 * FML, "v1")
    world.staking.unbond(signed(account("n1")), 300 * FML)  # in era 0, before the election
    world.to_session(3)
    world.report("v1")
    world.block()
    ledger = world.staking.ledger.get(account("n1"))
    fraction = 9 * 1_300**2 * 10**18 // 4_300**2
    assert ledger.active == 300 * FML - 300 * FML * fraction // 10**18
    assert [chunk.value for chunk in ledger.unlocking] == [300 * FML]


def test_an_era_pays_authors_finalizers_and_nominators() -> None:
    world = StakeWorld(commissions={"v1": 10})
    world.block()
    world.nominate("n1", 600 * FML, "v1")
    world.to_session(3, ["v2"])
    world.balances.transfer(account("reporter"), POT, 1_000 * FML)
    world.balances.transfer(account("reporter"), TREASURY, 500 * FML)
    while world.staking.active_era.get().index == 1:
        world.block("v1" if world.number % 3 else "v2")
    blocks = {name: world.staking.eras_blocks.get((1, account(name))) for name in VALIDATORS}
    assert blocks == {"v1": 20, "v2": 10, "v3": 0, "v4": 0}
    # 1,000 of the pot and a tenth of what the treasury gained; a fifth of it by stake.
    pay = 1_050 * FML
    assert world.events(EraPaid) == [EraPaid(1, pay)]
    by_stake = {"v1": 210 * FML * 1_600 // 2_600, "v2": 210 * FML * 1_000 // 2_600 + 1}
    assert sum(by_stake.values()) == 210 * FML
    one = by_stake["v1"] + 560 * FML
    assert world.staking.eras_payouts.get((1, account("v1"))) == one
    assert world.staking.eras_payouts.get((1, account("v2"))) == by_stake["v2"] + 280 * FML
    assert world.staking.owed.get() == pay == world.balances.free(POT)
    before = world.free("v1"), world.free("n1")
    world.staking.payout_stakers(signed(account("n3")), account("v1"), 1)
    rest = one - one // 10
    backer = rest * 600 // 1_600
    paid = world.free("v1") - before[0], world.free("n1") - before[1]
    assert sum(paid) == one
    assert abs(paid[1] - backer) <= 1
    assert world.staking.owed.get() == world.balances.free(POT) == pay - one
    with pytest.raises(NothingToClaim):
        world.staking.payout_stakers(signed(account("n3")), account("v1"), 1)


def test_what_nobody_claims_goes_to_the_treasury() -> None:
    world = StakeWorld()
    world.block()
    world.balances.transfer(account("reporter"), POT, 1_000 * FML)
    world.to_session(3, VALIDATORS)
    assert world.staking.owed.get() == 1_000 * FML
    world.to_session(15, VALIDATORS)
    assert world.staking.active_era.get().index == 5
    assert world.balances.free(TREASURY) == 1_000 * FML
    assert world.staking.owed.get() == world.balances.free(POT) == 0
    assert world.staking.exposure_of(0, account("v1")) is None


def test_stake_leaves_when_it_has_matured() -> None:
    world = StakeWorld()
    world.block()
    world.become_candidate("c1", 2 * STAKE)
    who = account("c1")
    world.to_session(3)
    world.staking.unbond(signed(who), STAKE)
    world.staking.chill(signed(who))
    world.staking.unbond(signed(who), STAKE)
    assert [chunk.era for chunk in world.staking.ledger.get(who).unlocking] == [3]
    world.to_session(9)
    world.staking.withdraw_unbonded(signed(who))
    assert world.free("c1") == RICH
    assert world.balances.held(HoldReason.CHAIN_STAKE, who) == 0
    assert not world.session.has_keys(who)
    world.block()
