"""Proposals: debate and flags, votes and quorum, timelock and call, deposit and reward."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.economy.governance import GovernanceParameters, Track
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import ROOT, signed
from runtime.frame.traits import HoldReason
from runtime.pallets.balances import Balances
from runtime.pallets.governance import events, records
from runtime.pallets.governance.records import Stage
from runtime.pallets.grandpa import Grandpa, Stall
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.pallets.treasury import TREASURY
from runtime.pallets.utility import Utility
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, Hash
from runtime.runtime import PALLETS
from runtime.track_calls import ON_TRACK
from tests.runtime.block_chain import call_of
from tests.runtime.pallets.governance.dao_world import PAYEE, SPEND, START, WHY, Dao, account

DEPOSIT, REWARD = 100 * FML, 50 * FML


def set_rules(world: Dao, **changes: object) -> None:
    rules = replace(world.dao.parameters.get(), **changes)  # type: ignore[arg-type]
    world.dao.set_parameters(ROOT, rules)


def test_a_proposal_passes_is_made_and_rewarded() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    number = world.open_vote("ben")
    assert world.held(HoldReason.PROPOSAL, "ben") == DEPOSIT
    world.vote("ann", number)
    world.close()
    assert world.proposal(number).stage is Stage.TIMELOCK
    world.go(4)
    assert world.balances.free(PAYEE) == 0
    world.next()
    assert world.balances.free(PAYEE) == 7 * FML
    assert world.proposal(number).stage is Stage.ENACTED
    assert world.free("ben") == START + REWARD
    assert world.balances.free(TREASURY) == (200 - 7) * FML - REWARD
    assert world.dao.preimages.bytes_of(world.proposal(number).call) is None


def test_an_empty_treasury_and_a_second_proposal_of_a_week_reward_nobody() -> None:
    world = Dao()
    world.lock("ann", 200 * FML)
    first, second = world.propose("ben"), world.propose("cat")
    world.go(9)
    for number in (first, second):
        world.go(1)
        world.vote("ann", number)
    world.go(30)
    assert world.proposal(second).stage is Stage.ENACTED
    assert (world.free("ben"), world.free("cat")) == (START + REWARD, START)
    set_rules(world, reward=10_000 * FML, reward_days=1)
    world.go(20)
    third = world.open_vote("dan")
    world.vote("ann", third)
    world.close()
    world.enact()
    assert (world.proposal(third).stage, world.free("dan")) == (Stage.ENACTED, START)


def test_the_next_rules_of_the_arena_are_voted_on() -> None:
    world = Dao()
    rules = ArenaParameters(vesting=VestingRules(rank_ratio=Rational(1, 2)))
    world.lock("ann", 100 * FML)
    call = call_of(Tasks.set_parameters, rules)
    number = world.open_vote("ben", track=Track.PARAMETERS, call=call)
    world.vote("ann", number)
    world.close()
    world.enact()
    tomorrow = world.runtime.tasks.today() + 1
    assert world.runtime.tasks.parameters_on(tomorrow) == rules


def test_a_tie_and_a_majority_against_defeat() -> None:
    world = Dao()
    for name in ("ann", "ben"):
        world.lock(name, 100 * FML)
    number = world.open_vote("cat")
    world.vote("ann", number)
    world.vote("ben", number, is_aye=False)
    world.close()
    assert world.proposal(number).stage is Stage.DEFEATED
    assert world.free("cat") == START
    world.go(10)
    assert world.balances.free(PAYEE) == 0


@pytest.mark.parametrize(("short", "stage"), [(1, Stage.QUORUM_MISSED), (0, Stage.TIMELOCK)])
def test_a_fifth_of_what_is_locked_must_vote(short: int, stage: Stage) -> None:
    world = Dao()
    world.lock("ann", 60 * FML - short)
    world.lock("ben", 240 * FML + short)
    number = world.open_vote("cat")
    assert world.proposal(number).quorum == 60 * FML
    world.vote("ann", number)
    world.close()
    assert world.proposal(number).stage is stage


def test_the_quorum_is_at_least_a_part_of_all_tokens() -> None:
    rules = GovernanceParameters()
    assert rules.quorum(1_000_000, 10**6) == 200_000
    assert rules.quorum(1_000_001, 10**6) == 200_001
    assert rules.quorum(0, 10**9 + 1) == 10**7 + 1


def test_weights_are_those_of_the_opening() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    number = world.open_vote("ben")
    world.lock("ann", 300 * FML, days=365)
    world.lock("cat", 300 * FML)
    with pytest.raises(events.NoVotes):
        world.vote("cat", number, is_aye=False)
    with pytest.raises(events.NoVotes):
        world.vote("dan", number)
    world.vote("ann", number)
    assert world.proposal(number).votes == records.Tally(100 * FML, 0, 100 * FML)


def test_a_later_vote_takes_the_place_of_the_first() -> None:
    world = Dao()
    world.lock("ann", 100 * FML, days=365)
    number = world.open_vote("ben")
    world.vote("ann", number)
    world.vote("ann", number, is_aye=False)
    assert world.proposal(number).votes == records.Tally(0, 301 * FML, 100 * FML)
    world.next()


def test_a_delegate_votes_for_others() -> None:
    world = Dao()
    world.lock("ann", 100 * FML, days=365)
    world.lock("ben", FML)
    world.dao.delegate(signed(account("ann")), account("ben"))
    number = world.open_vote("cat")
    world.dao.undelegate(signed(account("ann")))
    with pytest.raises(events.NoVotes):
        world.vote("ann", number)
    world.vote("ben", number)
    assert world.proposal(number).votes == records.Tally(302 * FML, 0, 101 * FML)


def test_roots_of_attested_accounts_outvote_one_holder() -> None:
    """One with 10,000 for, forty with 100 against: 10000:4000 by weight, 100:400 by roots."""
    names = [f"small {n}" for n in range(40)]
    for is_quadratic, tally in ((False, (10_000, 4_000)), (True, (100, 400))):
        world = Dao()
        for name, tokens in (("whale", 10_000), *((name, 100) for name in names)):
            world.balances.mint(account(name), 2 * tokens * FML)
            world.lock(name, tokens * FML)
            world.dao.attest_account(ROOT, account(name), True)
        set_rules(world, quadratic=[Track.TREASURY] * is_quadratic)
        number = world.open_vote("ann")
        world.vote("whale", number)
        for name in names:
            world.vote(name, number, is_aye=False)
        votes, unit = world.proposal(number).votes, 10**9 if is_quadratic else FML
        assert (votes.ayes // unit, votes.nays // unit) == tally
        assert votes.turnout == 14_000 * FML
        world.close()
        expected = Stage.DEFEATED if is_quadratic else Stage.TIMELOCK
        assert world.proposal(number).stage is expected


def test_only_attested_accounts_count_roots() -> None:
    world = Dao()
    set_rules(world, quadratic=[Track.TREASURY])
    world.lock("ann", 100 * FML)
    number = world.open_vote("ben")
    with pytest.raises(events.NoVotes):
        world.vote("ann", number)
    world.dao.attest_account(ROOT, account("ann"), True)
    world.vote("ann", number)
    world.dao.attest_account(ROOT, account("ann"), False)
    with pytest.raises(events.NoVotes):
        world.vote("ann", number)


@pytest.mark.parametrize(
    ("flags", "against", "stage", "deposit"),
    [
        (24, 0, Stage.VOTING, None),
        (25, 0, Stage.REJECTED, DEPOSIT),
        (30, 30, Stage.VOTING, None),
        (49, 0, Stage.REJECTED, DEPOSIT),
        (50, 0, Stage.SCAM, 0),
    ],
)
def test_flags_end_a_debate(flags: int, against: int, stage: Stage, deposit: int | None) -> None:
    world = Dao()
    for name, tokens in (("ann", flags), ("ben", against), ("cat", 100 - flags - against)):
        if tokens:
            world.lock(name, tokens * FML)
    number = world.propose("dan")
    issued = world.balances.issuance()
    world.dao.flag(signed(account("ann")), number, True)
    if against:
        world.dao.flag(signed(account("ben")), number, False)
    world.go(10)
    assert world.proposal(number).stage is stage
    left = DEPOSIT if deposit is None else 0
    assert world.held(HoldReason.PROPOSAL, "dan") == left
    burned = DEPOSIT if stage is Stage.SCAM else 0
    assert issued - world.balances.issuance() == burned
    assert world.free("dan") == START - left - burned


def test_a_flag_can_be_taken_back_but_not_by_who_came_later() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    number = world.propose("ben")
    world.lock("cat", 100 * FML)
    with pytest.raises(events.NoVotes):
        world.dao.flag(signed(account("cat")), number, True)
    world.dao.flag(signed(account("ann")), number, True)
    world.dao.flag(signed(account("ann")), number, False)
    assert world.proposal(number).flags == records.Tally(0, 100 * FML, 100 * FML)
    world.go(10)
    world.vote("ann", number)
    with pytest.raises(events.NotInDebate):
        world.dao.flag(signed(account("ann")), number, True)


def test_who_flagged_may_leave_while_the_vote_lasts() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    world.lock("cat", 400 * FML)
    number = world.propose("ben")
    world.dao.flag(signed(account("ann")), number, True)
    world.dao.unlock(signed(account("ann")), 100 * FML)
    days = world.dao.config.day_blocks
    world.go(days)
    assert world.proposal(number).stage is Stage.VOTING
    world.dao.withdraw(signed(account("ann")))
    assert world.free("ann") == START
    world.next()


def test_who_left_is_no_longer_engaged() -> None:
    """The position stays for a vote that may count it; with that it ends, though nobody acts."""
    world = Dao()
    world.lock("ann", 100 * FML)
    number = world.propose("ben")
    world.dao.unlock(signed(account("ann")), 100 * FML)
    world.go(world.dao.config.day_blocks)
    world.dao.withdraw(signed(account("ann")))
    while world.proposal(number).stage.is_live():
        world.next()
    assert not world.dao.is_engaged(account("ann"))


def test_comments_are_kept_for_the_debate() -> None:
    world = Dao()
    world.lock("ann", FML)
    number = world.propose("ben")
    for words in (b"one", b"two"):
        world.dao.comment(signed(account("ann")), number, blake2b_256(words))
    assert world.dao.comments.get(number) == [records.Comment(account("ann"), blake2b_256(b"two"))]
    with pytest.raises(events.NoLock):
        world.dao.comment(signed(account("ben")), number, WHY)
    world.dao.comments.put(number, [records.Comment(account("x"), WHY)] * records.COMMENTS_MAX)
    with pytest.raises(events.TooManyComments):
        world.dao.comment(signed(account("ann")), number, WHY)
    world.go(10)
    with pytest.raises(events.NotInDebate):
        world.dao.comment(signed(account("ann")), number, WHY)
    world.close()
    assert world.dao.comments.get(number) == []


def test_a_track_makes_its_own_calls_only() -> None:
    world = Dao()
    who = signed(account("ann"))
    batch = call_of(Utility.batch_all, [SPEND, SPEND])
    world.dao.propose(who, Track.TREASURY, WHY, batch)
    strangers = (
        call_of(Utility.batch_all, []),
        call_of(Utility.batch_all, [SPEND, call_of(System.remark, b"")]),
        call_of(Utility.batch_all, [batch]),
        call_of(Balances.transfer_keep_alive, Id(PAYEE), 1),
    )
    for call in strangers:
        with pytest.raises(events.NotOnTrack):
            world.dao.propose(who, Track.TREASURY, WHY, call)
    with pytest.raises(events.NotOnTrack):
        world.dao.propose(who, Track.PARAMETERS, WHY, SPEND)


def test_a_call_may_be_noted_before() -> None:
    world = Dao()
    who, data = signed(account("ann")), RUNTIME_CALL.encode(SPEND)
    found = Hash(blake2b_256(data))
    with pytest.raises(events.PreimageMissing):
        world.dao.propose_noted(who, Track.TREASURY, WHY, found)
    world.runtime.preimage.note_preimage(who, data)
    world.runtime.preimage.note_preimage(who, b"no call")
    with pytest.raises(events.PreimageMissing):
        world.dao.propose_noted(who, Track.TREASURY, WHY, Hash(blake2b_256(b"no call")))
    long = bytes(records.CALL_BYTES_MAX + 1)
    world.runtime.preimage.note_preimage(who, long)
    with pytest.raises(events.CallTooLong):
        world.dao.propose_noted(who, Track.TREASURY, WHY, Hash(blake2b_256(long)))
    world.dao.propose_noted(who, Track.TREASURY, WHY, found)
    world.runtime.preimage.unnote_preimage(who, found)
    world.lock("ann", 100 * FML)
    world.go(11)
    world.vote("ann", 0)
    world.close()
    world.enact()
    assert world.balances.free(PAYEE) == 7 * FML


def test_so_much_is_on_its_way_at_once_and_no_call_is_long() -> None:
    world = Dao()
    long = call_of(Utility.batch_all, [SPEND] * 400)
    with pytest.raises(events.CallTooLong):
        world.dao.propose(signed(account("ann")), Track.TREASURY, WHY, long)
    world.balances.mint(account("ann"), 4_000 * FML)
    for _ in range(records.LIVE_MAX):
        world.dao.propose(signed(account("ann")), Track.TREASURY, WHY, SPEND)
    with pytest.raises(events.TooManyProposals):
        world.dao.propose(signed(account("ann")), Track.TREASURY, WHY, SPEND)
    world.go(40)
    assert world.dao.live.get() == []
    assert world.free("ann") == START + 4_000 * FML


def test_old_outcomes_are_forgotten() -> None:
    world = Dao()
    world.balances.mint(account("ann"), 4_000 * FML)
    set_rules(world, debate=1, voting=1, timelock=1)
    for _ in range(4):
        for _ in range(records.LIVE_MAX):
            world.dao.propose(signed(account("ann")), Track.TREASURY, WHY, SPEND)
        world.go(3)
    assert world.dao.finished.get() == list(range(28, 128))
    assert not world.dao.proposals.contains(27)


def test_calls_at_the_wrong_time_or_on_nothing() -> None:
    world = Dao()
    world.lock("ann", FML)
    with pytest.raises(events.UnknownProposal):
        world.vote("ann", 0)
    number = world.propose("ben")
    with pytest.raises(events.NotInVoting):
        world.vote("ann", number)


def test_rules_keep_their_bounds_and_are_roots() -> None:
    world = Dao()
    for changes in (
        {"debate": 0},
        {"quorum_locked": Rational(0, 1)},
        {"reject_flags": Rational(2, 1)},
        {"burn_flags": Rational(1, 5)},
        {"deposit": FML - 1},
        {"reward_days": 0},
        {"quadratic": [Track.TASKS, Track.TASKS]},
    ):
        with pytest.raises(events.ParametersOutOfBounds):
            set_rules(world, **changes)
    with pytest.raises(BadOrigin):
        world.dao.set_parameters(signed(account("ann")), GovernanceParameters())
    with pytest.raises(BadOrigin):
        world.dao.attest_account(signed(account("ann")), account("ann"), True)


def test_the_voters_of_a_stalled_chain_are_named_by_a_vote() -> None:
    world = Dao()
    stalled = call_of(Grandpa.note_stalled, 4, 2)
    batch = call_of(Utility.batch_all, [stalled])
    world.lock("ann", 100 * FML)
    number = world.open_vote("ben", track=Track.VALIDATORS, call=batch)
    world.vote("ann", number)
    world.close()
    world.enact()
    assert world.runtime.grandpa.stalled.get() == Stall(4, 2)


def test_every_parameter_call_is_on_a_track() -> None:
    wanted = {
        (pallet.pallet_index, entry.index)
        for pallet in PALLETS
        for entry in pallet.calls.values()
        if entry.name == "set_parameters"
    }
    assert wanted == ON_TRACK[Track.PARAMETERS]
