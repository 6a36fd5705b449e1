"""The vote on listed models: who votes with what, and the multipliers that follow."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.economy.trends import PPM, Multipliers
from runtime.frame.errors import BadOrigin
from runtime.pallets.governance.events import NothingFree
from runtime.pallets.trends import events
from runtime.pallets.trends.records import Part, Poll
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import account, origin
from tests.runtime.pallets.trends.season_world import (
    DAY,
    GRAND,
    MODEL,
    OTHER,
    PARENT,
    PAYERS,
    Seasons,
)


def with_poll() -> Seasons:
    """`ann` locked 300 FML, `ben` 100 for a year; MODEL and OTHER are voted on."""
    world = Seasons()
    world.lock("ann", 300 * FML)
    world.lock("ben", 100 * FML, 365)
    world.list_model(MODEL, 3)
    world.list_model(OTHER, 2)
    world.end_season()
    return world


def test_the_lists_of_a_season_are_voted_on_when_it_ends() -> None:
    world = with_poll()
    poll = world.poll()
    assert {each.model for each in poll.candidates} == {MODEL, OTHER}
    assert all(each.is_top and each.is_trending for each in poll.candidates)
    assert (poll.season, poll.snapshot, poll.until) == (0, 60, 60 + DAY)
    assert poll.quorum == 40 * FML
    assert world.trends.top.get() == world.trends.trending.get() == []


def test_a_ballot_is_divided_and_the_last_one_counts() -> None:
    world = with_poll()
    world.vote("ann", model=100)
    world.vote("ann", model=60, other=30)
    world.vote("ben", other=100)
    weight = 301 * FML  # a year's lock counts 3.01 times
    assert world.votes() == {MODEL: 180 * FML, OTHER: 90 * FML + weight}
    poll = world.poll()
    assert (poll.turnout, poll.cast) == (400 * FML, 300 * FML + weight)
    world.trends.try_state()


def test_a_delegate_votes_with_what_was_lent_before_the_vote_opened() -> None:
    world = Seasons()
    world.lock("ann", 300 * FML)
    world.lock("ben", 100 * FML)
    world.dao.delegate(origin("ann"), account("ben"))
    world.list_model(MODEL, 2)
    world.end_season()
    world.dao.undelegate(origin("ann"))
    world.vote("ben", model=100)
    assert world.votes() == {MODEL: 400 * FML}
    with pytest.raises(events.NoVotes):
        world.vote("ann", model=100)


def test_what_is_locked_later_has_no_vote_and_what_leaves_later_has() -> None:
    world = with_poll()
    world.lock("cat", 100 * FML)
    with pytest.raises(events.NoVotes):
        world.vote("cat", model=100)
    world.dao.unlock(origin("ann"), 300 * FML)
    world.vote("ann", model=100)
    assert world.votes()[MODEL] == 300 * FML


def test_a_lock_that_may_have_voted_is_bound_until_the_vote_is_over() -> None:
    world = Seasons()
    world.trend_rules(vote_days=3)
    world.lock("ann", 300 * FML)
    world.list_model(MODEL, 2)
    world.end_season()
    until = world.poll().until
    world.dao.unlock(origin("ann"), 300 * FML)
    world.go_to(until - 1)
    with pytest.raises(NothingFree):
        world.dao.withdraw(origin("ann"))
    world.go_to(until)
    world.dao.withdraw(origin("ann"))
    assert not world.dao.is_engaged(account("ann"))
    world.runtime.try_state()


def test_votes_become_multipliers_of_hosts_and_royalties() -> None:
    world = with_poll()
    world.vote("ann", model=50, other=25)
    world.end_poll()
    assert world.trends.multipliers_of(MODEL) == Multipliers(1_500_000, 1_250_000)
    assert world.trends.multipliers_of(OTHER) == Multipliers(1_250_000, 1_125_000)
    assert world.trends.multipliers_of(GRAND) == Multipliers()
    assert not world.poll().is_open
    with pytest.raises(events.NoPoll):
        world.vote("ben", model=100)


def test_a_payment_for_a_boosted_model_gives_more_to_its_contributors_and_no_more_in_all() -> None:
    world = with_poll()
    world.vote("ann", model=100)
    world.end_poll()
    assert world.trends.multipliers_of(MODEL) == Multipliers(2_000_000, 1_500_000)
    issued, before = world.balances.issuance(), world.market.royalties.get(MODEL)
    free, paid = world.free("hal"), 10 * FML
    world.pay(PAYERS[0], MODEL, paid)
    royalty = world.market.royalties.get(MODEL) - before
    assert royalty == 15 * FML // 10
    assert world.free("hal") - free == paid - 3 * FML - royalty
    assert issued - world.balances.issuance() == 3 * FML
    world.runtime.try_state()


def test_a_boosted_model_weighs_its_hosts_claim_and_does_not_lift_its_bound() -> None:
    world = with_poll()
    world.vote("ann", model=100)
    world.end_poll()
    world.go_to((world.number // DAY + 1) * DAY)
    world.pay(PAYERS[0], MODEL, 10 * FML)
    world.pay(PAYERS[0], PARENT, 10 * FML)
    (claim,) = world.market.begin_day(world.number // DAY + 1)
    quality = world.market.hosts.get(account("hal")).quality
    assert claim.weight == quality * (2 * 3 * FML + 3 * FML)
    assert claim.most == 3 * FML, "half of what burned"


def test_only_the_block_in_which_a_vote_ends_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = with_poll()
    until = world.poll().until
    read: list[int] = []
    find = world.trends.poll.find

    def note() -> Poll | None:
        read.append(world.number)
        return find()

    monkeypatch.setattr(world.trends.poll, "find", note)
    monkeypatch.setattr(world.trends, "try_state", lambda: None)
    world.go(until + DAY // 2 - world.number)
    assert read == [until]
    assert not world.poll().is_open


def test_without_a_quorum_every_multiplier_is_one() -> None:
    world = with_poll()
    world.trend_rules(quorum=Rational(4, 5))
    world.end_season()  # nothing was paid: no candidates
    assert world.trends.poll.find() is None
    world.list_model(MODEL, 2)
    world.end_season()
    world.vote("ann", model=100)
    world.end_poll()
    assert world.poll().quorum == 320 * FML
    assert list(world.trends.boosts.keys()) == []
    (*_, closed) = world.events(events.PollClosed)
    assert closed == events.PollClosed(2, 300 * FML, 320 * FML, has_quorum=False)


def test_multipliers_end_when_a_season_listed_nothing() -> None:
    world = with_poll()
    world.vote("ann", model=100)
    world.end_poll()
    world.end_season()
    assert world.trends.multipliers_of(MODEL) == Multipliers()


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([Part(GRAND, PPM)], events.NotACandidate),
        ([Part(MODEL, PPM), Part(OTHER, 1)], events.BadShares),
        ([Part(MODEL, 1), Part(MODEL, 1)], events.BadShares),
        ([Part(MODEL, 0)], events.BadShares),
    ],
)
def test_what_is_no_ballot(parts: list[Part], error: type[frame.ModuleError]) -> None:
    world = with_poll()
    before = world.poll()
    with pytest.raises(error):
        world.trends.vote(origin("ann"), parts)
    assert world.poll() == before


def test_there_is_no_vote_before_a_season_ended() -> None:
    with pytest.raises(events.NoPoll):
        Seasons().vote("ann", model=100)


def test_only_root_changes_rules_and_only_within_bounds() -> None:
    world = Seasons()
    rules = world.trends.parameters.get()
    with pytest.raises(BadOrigin):
        world.trends.set_parameters(origin("ann"), rules)
    with pytest.raises(events.ParametersOutOfBounds):
        world.trend_rules(vote_days=4)
    assert world.trends.parameters.get() == rules
