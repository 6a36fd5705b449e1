"""Juries: who is drawn, how three of five decide, and what that costs whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from runtime.economy.parameters import SCORE_MAX
from runtime.economy.stakes import OperatorStake
from runtime.economy.tasks import Hardware, Role
from runtime.frame.errors import TokenError
from runtime.frame.traits import HoldReason
from runtime.pallets.marketplace import case_records as of
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.case_records import CaseStage, Contribution, Verdict
from runtime.pallets.marketplace.jury import draw_jury
from runtime.pallets.marketplace.seals import seal_verdict
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.pallets.marketplace.market_world import (
    DAY,
    MODEL,
    START,
    Market,
    account,
    nobody,
    origin,
    sign,
)

JURORS = tuple(f"juror {n}" for n in range(7))
SALT = b"s" * 32
BOND, FEE, STAKE = 10 * FML, FML, 50 * FML
DRAW, SEAL, OPEN = 3, 40, 10
RIGHT, WRONG, NO_DATA = of.Right(), of.Wrong(), of.NoData()


@dataclass
class Validators:
    """Validators of task 0 with a stake."""

    stakes: dict[AccountId, int] = field(default_factory=dict)
    role: Role = Role.TASK_VALIDATOR

    def stake_of(self, task: int, who: AccountId, day: int) -> OperatorStake | None:
        if task or who not in self.stakes:
            return None
        return OperatorStake(who, self.role, self.stakes[who], 0, Hardware())


def with_jurors(count: int = 7) -> Market:
    """Hal hosts; validators stand ready."""
    world = Market()
    world.host("hal")
    validators = Validators({account(name): 30 * FML for name in JURORS})
    world.market.stakes = validators
    for name in JURORS[:count]:
        world.balances.mint(account(name), START)
        world.market.enlist(origin(name), 0)
    return world


def doubt(world: Market, seed: int = 1, by: str = "cal") -> int:
    """Cal challenges what Hal said."""
    said = world.answer("hal", "cal", seed)
    number = world.market.next_case.get()
    world.market.challenge(origin(by), said, sign("hal", said.payload()))
    return number


def drawn(world: Market, number: int) -> list[str]:
    """The jury's names once it is drawn."""
    by_account = {account(name): name for name in JURORS}
    return [by_account[each.who] for each in world.market.cases.get(number).jurors]


def seal(world: Market, number: int, name: str, verdict: Verdict) -> None:
    genesis = world.runtime.system.genesis_hash()
    made = seal_verdict(genesis, number, account(name), verdict, SALT)
    world.market.seal_verdict(origin(name), number, made)


def decide(world: Market, number: int, verdicts: list[Verdict | None]) -> list[str]:
    """Play a case to its end; None says nothing. The jury."""
    world.go(DRAW)
    jury = drawn(world, number)
    said = [(name, verdict) for name, verdict in zip(jury, verdicts, strict=True) if verdict]
    for name, verdict in said:
        seal(world, number, name, verdict)
    world.go(SEAL)
    for name, verdict in said:
        world.market.open_verdict(origin(name), number, verdict, SALT)
    world.go(OPEN)
    return jury


def test_a_wrong_answer_costs_the_host_a_fifth_of_its_stake() -> None:
    world = with_jurors()
    number = doubt(world)
    assert world.held(HoldReason.CHALLENGE, "cal") == BOND + 5 * FEE
    burned = world.balances.total_burned.get()
    jury = decide(world, number, [WRONG, WRONG, WRONG, RIGHT, None])
    assert world.market.cases.get(number).stage is CaseStage.UPHELD
    slashed = STAKE // 5
    assert world.held(HoldReason.HOST_STAKE, "hal") == STAKE - slashed
    assert world.balances.total_burned.get() - burned == slashed - slashed // 2
    assert world.free("cal") == START + slashed // 2 - 3 * FEE
    assert [world.free(name) - START for name in jury] == [FEE, FEE, FEE, 0, 0]
    host = world.market.hosts.get(account("hal"))
    assert (host.quality, host.cases) == (SCORE_MAX // 4, 0)
    assert not world.market.jurors.contains(account(jury[4]))  # drawn, and said nothing
    with pytest.raises(events.StakeTooSmall):
        world.host("hal")


@pytest.mark.parametrize("verdict", [RIGHT, NO_DATA])
def test_a_right_answer_or_withheld_bytes_cost_the_bond(verdict: Verdict) -> None:
    world = with_jurors()
    before, burned = world.free("hal"), world.balances.total_burned.get()
    decide(world, doubt(world), [verdict, verdict, verdict, WRONG, WRONG])
    assert world.free("hal") - before == BOND // 2
    assert world.balances.total_burned.get() - burned == BOND // 2
    assert world.free("cal") == START - BOND - 3 * FEE
    assert world.held(HoldReason.HOST_STAKE, "hal") == STAKE


def test_without_three_of_five_nobody_loses_and_work_is_paid() -> None:
    world = with_jurors()
    number = doubt(world)
    jury = decide(world, number, [WRONG, WRONG, RIGHT, RIGHT, NO_DATA])
    assert world.market.cases.get(number).stage is CaseStage.VOID
    assert world.free("cal") == START - 5 * FEE
    assert [world.free(name) - START for name in jury] == [FEE] * 5
    assert world.market.hosts.get(account("hal")).cases == 0
    doubt(world)  # it may be challenged again


def test_too_few_jurors_decide_nothing_and_cost_nothing() -> None:
    world = with_jurors(4)
    number = doubt(world)
    world.go(DRAW)
    assert world.market.cases.get(number).stage is CaseStage.VOID
    assert world.free("cal") == START
    assert world.market.live_cases.get() == []


def test_a_party_is_not_drawn_and_who_validates_no_more_is_struck() -> None:
    world = with_jurors()
    gone = account(JURORS[0])
    validators = world.market.stakes
    assert isinstance(validators, Validators)
    del validators.stakes[gone]
    number = doubt(world, by=JURORS[1])
    world.go(DRAW)
    assert sorted(drawn(world, number)) == sorted(JURORS[2:])
    assert not world.market.jurors.contains(gone)
    assert world.market.juror_count.get() == 6


def test_windows_are_half_open() -> None:
    world = with_jurors()
    number = doubt(world)
    world.go(DRAW - 1)
    assert world.market.cases.get(number).jurors == []
    world.next()
    name = drawn(world, number)[0]
    with pytest.raises(events.NotNow):
        world.market.open_verdict(origin(name), number, RIGHT, SALT)
    world.go(SEAL - 1)
    seal(world, number, name, RIGHT)
    world.next()
    with pytest.raises(events.NotNow):
        seal(world, number, name, RIGHT)
    world.go(OPEN - 1)
    world.market.open_verdict(origin(name), number, RIGHT, SALT)
    world.next()
    with pytest.raises(events.NotNow):
        world.market.open_verdict(origin(name), number, RIGHT, SALT)


def test_only_jurors_decide_and_only_as_they_sealed() -> None:
    world = with_jurors()
    number = doubt(world)
    world.go(DRAW)
    jury = drawn(world, number)
    with pytest.raises(events.NotAJuror):
        seal(world, number, "cal", WRONG)
    with pytest.raises(events.UnknownCase):
        seal(world, number + 1, jury[0], WRONG)
    scores = of.Scores(1, 1)
    seal(world, number, jury[0], RIGHT)
    seal(world, number, jury[1], scores)
    world.go(SEAL)
    with pytest.raises(events.BadOpening):
        world.market.open_verdict(origin(jury[0]), number, WRONG, SALT)
    with pytest.raises(events.BadOpening):
        world.market.open_verdict(origin(jury[1]), number, scores, SALT)
    with pytest.raises(events.BadOpening):
        world.market.open_verdict(origin(jury[2]), number, RIGHT, SALT)


def test_what_can_be_challenged() -> None:
    world = with_jurors()
    said = world.answer("hal", "cal", 1)
    with pytest.raises(events.BadSignature):
        world.market.challenge(origin("cal"), said, nobody())
    foreign = replace(said, genesis=Hash(b"x" * 32))
    with pytest.raises(events.BadSignature):
        world.market.challenge(origin("cal"), foreign, sign("hal", foreign.payload()))
    unknown = replace(said, model=bytes(32))
    with pytest.raises(events.UnknownModel):
        world.market.challenge(origin("cal"), unknown, sign("hal", unknown.payload()))
    others = replace(said, host=account("hub"))
    with pytest.raises(events.NotAHost):
        world.market.challenge(origin("cal"), others, sign("hub", others.payload()))
    with pytest.raises(events.OwnHost):
        doubt(world, by="hal")
    doubt(world)
    with pytest.raises(events.AlreadyDisputed):
        doubt(world, by="cat")
    world.rules(jury=replace(world.parameters().jury, bond=START))
    with pytest.raises(TokenError):
        doubt(world, seed=2, by="cat")


def test_an_answer_is_judged_once() -> None:
    world = with_jurors()
    decide(world, doubt(world), [RIGHT] * 5)
    with pytest.raises(events.AlreadyDisputed):
        doubt(world)


def test_a_host_that_has_itself_challenged_without_data_stays_challengeable() -> None:
    world = with_jurors()
    decide(world, doubt(world, by="cat"), [NO_DATA, NO_DATA, NO_DATA, WRONG, WRONG])
    number = doubt(world)
    decide(world, number, [WRONG] * 5)
    assert world.market.cases.get(number).stage is CaseStage.UPHELD
    with pytest.raises(events.AlreadyDisputed):
        doubt(world)


def test_a_host_in_dispute_does_not_get_away() -> None:
    world = with_jurors()
    world.rules(jury=replace(world.parameters().jury, verdict_blocks=3 * DAY))
    world.market.leave(origin("hal"))
    number = doubt(world)
    world.go(2 * DAY)
    with pytest.raises(events.InDispute):
        world.market.withdraw_host_stake(origin("hal"))
    for name in drawn(world, number):
        seal(world, number, name, WRONG)
    world.go(DAY + DRAW)
    for name in drawn(world, number):
        world.market.open_verdict(origin(name), number, WRONG, SALT)
    world.go(OPEN)
    world.market.withdraw_host_stake(origin("hal"))
    assert world.free("hal") == START - STAKE // 5


def test_cases_are_bounded_and_go_on_a_few_a_block() -> None:
    world = with_jurors()
    world.balances.mint(account("cal"), 1_000 * FML)
    world.rules(jury=replace(world.parameters().jury, verdict_blocks=3 * DAY))
    numbers = [doubt(world, seed) for seed in range(of.CASES_MAX)]
    with pytest.raises(events.TooManyCases):
        doubt(world, of.CASES_MAX)
    world.go(DRAW)
    stages = Counter(world.market.cases.get(number).stage for number in numbers)
    assert stages[CaseStage.SEALING] == of.MOVES_MAX
    world.go(of.CASES_MAX // of.MOVES_MAX - 1)
    stages = Counter(world.market.cases.get(number).stage for number in numbers)
    assert stages[CaseStage.DRAWING] == 0


def test_who_stands_ready_validates_a_live_task() -> None:
    world = with_jurors(1)
    with pytest.raises(events.NotAValidator):
        world.market.enlist(origin(JURORS[1]), 1)
    with pytest.raises(events.NotAValidator):
        world.market.enlist(origin("cal"), 0)
    world.market.enlist(origin(JURORS[0]), 0)
    assert world.market.juror_count.get() == 1
    world.market.stand_down(origin(JURORS[0]))
    with pytest.raises(events.NotAJuror):
        world.market.stand_down(origin(JURORS[0]))
    world.market.juror_count.put(of.JURORS_MAX)
    with pytest.raises(events.TooManyJurors):
        world.market.enlist(origin(JURORS[1]), 0)
    world.market.stakes = Validators({account("cal"): FML}, Role.TRAINING_NODE)
    with pytest.raises(events.NotAValidator):
        world.market.enlist(origin("cal"), 0)


@pytest.mark.parametrize("stands_down", [False, True])
def test_who_was_silent_stands_ready_again_only_days_later(stands_down: bool) -> None:
    world = with_jurors()
    number = doubt(world)
    world.go(DRAW)
    silent = drawn(world, number)[0]
    if stands_down:
        world.market.stand_down(origin(silent))
        world.market.enlist(origin(silent), 0)  # there is no verdict yet
        world.market.stand_down(origin(silent))
    world.go(SEAL + OPEN)
    ended = world.market.today()
    assert not world.market.jurors.contains(account(silent))
    world.go((ended + of.SILENT_DAYS) * DAY - world.number - 1)
    with pytest.raises(events.StruckOff):
        world.market.enlist(origin(silent), 0)
    world.next()
    world.market.enlist(origin(silent), 0)


def test_the_list_of_the_silent_is_bounded() -> None:
    world = with_jurors()
    for number in range(of.SILENT_MAX + 1):
        world.market.judging.jury.strike_off(account(f"silent {number}"))
    world.market.judging.jury.strike_off(account("silent 3"))
    found = [each.who for each in world.market.silent.get()]
    assert found[0] == account("silent 1")
    assert (found[-1], len(found)) == (account("silent 3"), of.SILENT_MAX)


def test_juries_are_drawn_by_stake() -> None:
    accounts = [AccountId(bytes([n]) * 32) for n in range(1, 11)]
    stakes = [(who, 1 + 9 * (place == 0)) for place, who in enumerate(accounts)]
    juries = [draw_jury(blake2b_256(n.to_bytes(4, "little")), stakes) for n in range(400)]
    assert all(len(set(jury)) == 5 for jury in juries)
    counts = Counter(who for jury in juries for who in jury)
    assert counts[accounts[0]] > 380  # ten times the stake of each other
    others = [counts[who] for who in accounts[1:]]
    assert min(others) > 0.75 * sum(others) / 9


# -- measurements


def with_used_data() -> tuple[Market, bytes]:
    """Cat's data set, used by the task that MODEL won."""
    world, dataset = with_jurors(), blake2b_256(b"samples")
    made = Contribution(account("cat"), MODEL, 0, task=2)
    world.market.contributions.put(dataset, made)
    world.market.contributed.put(account("cat"), [dataset])
    world.market.data_of.put(2, [dataset])
    return world, dataset


def scores(*pairs: tuple[int, int]) -> list[Verdict | None]:
    return [of.Scores(with_set * 10**6, without * 10**6) for with_set, without in pairs]


def test_a_data_sets_impact_is_the_median_of_what_is_measured() -> None:
    world, dataset = with_used_data()
    number = world.market.next_case.get()
    world.market.measure_contribution(origin("cat"), dataset, bytes(32))
    assert world.held(HoldReason.CHALLENGE, "cat") == 5 * FEE
    said = scores((800, 640), (805, 640), (900, 100), (800, 641), (1, 2))
    jury = decide(world, number, said)
    assert world.market.contributions.get(dataset).impact == 160 * 10**6
    # more than 1 % away from the median: not paid
    assert [world.free(name) - START for name in jury] == [FEE, FEE, 0, FEE, 0]
    with pytest.raises(events.AlreadyMeasured):
        world.market.measure_contribution(origin("cat"), dataset, bytes(32))


def test_royalties_are_shared_by_measured_impact() -> None:
    world, dataset = with_used_data()
    found = world.market.contributions.get(dataset)
    world.market.contributions.put(dataset, replace(found, impact=160 * 10**6))
    world.open("cal", "hal", 30 * FML)
    world.settle("hal", "cal", 30 * FML)
    before = world.free("cat"), world.free("max")
    world.market.pay_royalties(origin("cal"), MODEL)
    # 3 FML of royalty, a third for each of three models; the set made .16 of .8
    gained = world.free("cat") - before[0], world.free("max") - before[1]
    assert gained == (FML // 5, FML - FML // 5)


def test_its_owner_alone_has_a_set_measured_and_does_not_judge() -> None:
    world, dataset = with_used_data()
    with pytest.raises(events.NotTheOwner):
        world.market.measure_contribution(origin("cal"), dataset, bytes(32))
    found = world.market.contributions.get(dataset)
    owner = JURORS[0]
    world.market.contributions.put(dataset, replace(found, owner=account(owner)))
    world.market.contributed.remove(account("cat"))
    world.market.contributed.put(account(owner), [dataset])
    number = world.market.next_case.get()
    world.market.measure_contribution(origin(owner), dataset, bytes(32))
    world.go(DRAW)
    assert owner not in drawn(world, number)


def test_two_measures_are_too_few() -> None:
    world, dataset = with_used_data()
    number = world.market.next_case.get()
    world.market.measure_contribution(origin("cat"), dataset, bytes(32))
    with pytest.raises(events.AlreadyMeasured):
        world.market.measure_contribution(origin("cal"), dataset, bytes(32))
    decide(world, number, [*scores((3, 1), (3, 1)), NO_DATA, None, None])
    assert world.market.cases.get(number).stage is CaseStage.VOID
    assert world.market.contributions.get(dataset).impact is None
    world.market.measure_contribution(origin("cat"), dataset, bytes(32))


def test_a_score_is_within_the_scale_and_a_measurement_has_no_sides() -> None:
    world, dataset = with_used_data()
    number = world.market.next_case.get()
    world.market.measure_contribution(origin("cat"), dataset, bytes(32))
    world.go(DRAW)
    jury = drawn(world, number)
    bad: list[Verdict] = [of.Scores(SCORE_MAX + 1, 0), RIGHT, WRONG]
    for name, verdict in zip(jury, bad, strict=False):
        seal(world, number, name, verdict)
    world.go(SEAL)
    for name, verdict in zip(jury, bad, strict=False):
        with pytest.raises(events.BadOpening):
            world.market.open_verdict(origin(name), number, verdict, SALT)
