"""The opening of aliases, and rankings by owners: all or none, and never the best of several."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import frame
from runtime.economy.tasks import TaskStatus
from runtime.frame.origin import signed
from runtime.pallets.arena import Arena, alias_events, events
from runtime.pallets.arena.alias_messages import alias_base, opening_context
from runtime.pallets.arena.records import DayKey, PaymentKind
from runtime.primitives.ring_signature import (
    RING_SIZE_MAX,
    RingSignature,
    public_key,
    tag_of,
)
from runtime.primitives.tag_proof import TagProof, prove_tags
from runtime.primitives.types import FML
from tests.runtime.pallets.alias_world import (
    ENTROPY,
    commit_alias,
    open_aliases,
    reveal_alias,
    secret_of,
    set_ring_key,
    submit_blind,
)
from tests.runtime.pallets.arena.blind_task import owned, play, running
from tests.runtime.pallets.arena.test_verified_task import paid
from tests.runtime.pallets.world import GENESIS, MODELS, NODES, World, account, submit


def leaders(world: World, day: int) -> list[str]:
    return [world.name_of(node.owner) for node in world.arena.views.leaderboard(0, day)]


def test_a_blind_day_pays_to_the_unit_what_the_day_under_names_pays() -> None:
    named, blind = running(), running()
    submit(named, 1, 0, MODELS)
    submit_blind(blind, 1, 0, MODELS)
    for world, opened in ((named, ()), (blind, NODES)):
        play(world, 1, opened)
    assert leaders(blind, 1) == leaders(named, 1) == ["n1", "n2"]
    assert owned(blind) == owned(named)
    for world in (named, blind):
        play(world, 2)
        play(world, 3)
    assert owned(blind) == owned(named)
    assert blind.tasks.get_task(0).status is TaskStatus.COMPLETED
    assert blind.models.model_of(0) == named.models.model_of(0)
    assert blind.balances.issuance() == named.balances.issuance()


@pytest.mark.parametrize("seats", [0, 3])
def test_nodes_of_both_kinds_are_ranked_together(seats: int) -> None:
    world = running(seats=seats, final_seats=seats)
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    world.commit("n2", 0, "fair")
    commit_alias(world, "n3", 0, "noise")
    world.go_to(1, 8)
    world.reveal("n2", 0, "fair")
    for name in ("n1", "n3"):
        reveal_alias(world, name, 0, MODELS[name])
    play(world, 1, ("n1", "n3"))
    assert leaders(world, 1) == ["n1", "n2"]
    opened = world.events(alias_events.AliasOpened)
    assert opened == [
        alias_events.AliasOpened(0, 1, 0, account("n1")),
        alias_events.AliasOpened(0, 1, 2, account("n3")),
    ]


def test_what_is_not_opened_is_not_ranked_and_its_validators_are_paid() -> None:
    named, blind = running(), running()
    submit(named, 1, 0, MODELS)
    submit_blind(blind, 1, 0, MODELS)
    for world in (named, blind):
        play(world, 1)
    assert leaders(blind, 1) == []
    assert paid(blind, PaymentKind.REWARD_A) == {}
    validation = paid(blind, PaymentKind.VALIDATION)
    assert validation == paid(named, PaymentKind.VALIDATION) != {}
    assert blind.arena.vested.get(0) == 0
    assert blind.emission.minted.get() < named.emission.minted.get()
    play(blind, 2)  # nor does it ever stand
    assert blind.arena.rosters.get(DayKey(0, 2)).entries == []


def test_not_opening_keeps_the_older_model() -> None:
    world = running(days=4)
    submit(world, 1, 0, {"n1": "good"})
    play(world, 1)
    submit_blind(world, 2, 0, {"n1": "noise"})
    play(world, 2)
    assert leaders(world, 2) == ["n1"]
    assert world.arena.standing.get((0, account("n1"))) == 0
    submit_blind(world, 3, 0, {"n1": "fair"})  # the day is the last but one: it waits
    play(world, 3)
    play(world, 4, ("n1",), of=3)
    assert world.arena.standing.get((0, account("n1"))) == 2
    assert world.models.model_of(0).submission == 2  # type: ignore[union-attr]


def test_of_two_aliases_the_latest_stands_and_nobody_chooses() -> None:
    world = running()
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    commit_alias(world, "n1", 0, "noise", index=1)
    world.go_to(1, 8)
    reveal_alias(world, "n1", 0, "noise")
    reveal_alias(world, "n1", 0, "good")
    play(world, 1, ("n1",))
    assert leaders(world, 1) == []  # the latest is at the baseline
    assert world.arena.standing.get((0, account("n1"))) == 1
    roster = world.arena.rosters.get(DayKey(0, 1))
    assert {(entry.submission, entry.owner, entry.stands) for entry in roster.entries} == {
        (0, account("n1"), False),
        (1, account("n1"), True),
    }


def test_an_alias_replaces_the_model_under_the_name() -> None:
    world = running(days=4)
    submit(world, 1, 0, {"n1": "fair"})
    play(world, 1)
    submit_blind(world, 2, 0, {"n1": "good"})
    play(world, 2, ("n1",))
    assert [node.submission for node in world.arena.views.leaderboard(0, 2)] == [1]
    world.go_to(3, 10)
    entries = world.arena.rosters.get(DayKey(0, 3)).entries
    assert [(entry.submission, entry.owner) for entry in entries] == [(1, account("n1"))]


def test_what_was_committed_later_under_the_name_stands() -> None:
    world = running()
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    world.commit("n1", 0, "noise")
    world.go_to(1, 8)
    world.reveal("n1", 0, "noise")
    reveal_alias(world, "n1", 0, "good")
    play(world, 1, ("n1",))
    assert world.arena.standing.get((0, account("n1"))) == 1
    assert leaders(world, 1) == []


def test_a_sealed_alias_that_was_not_revealed_is_nothing() -> None:
    world = running()
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    commit_alias(world, "n1", 0, "fair", index=1)
    world.go_to(1, 8)
    reveal_alias(world, "n1", 0, "good")
    play(world, 1, ("n1",))
    assert leaders(world, 1) == ["n1"]
    assert len(world.events(alias_events.AliasOpened)) == 1


# -- the call


def arguments(name: str, day: int = 1, count: int = 2, of: str | None = None) -> tuple[Any, ...]:
    """Tags of one account with the proof that another shows."""
    secret = secret_of(name)
    bases = [alias_base(GENESIS, 0, day, index) for index in range(count)]
    tags = [tag_of(secret, base) for base in bases]
    context = opening_context(GENESIS, 0, day, account(of or name))
    return 0, day, tags, prove_tags(secret, bases, tags, context, ENTROPY)


def test_the_alias_window() -> None:
    world = running()
    submit_blind(world, 1, 0, MODELS)
    world.go_to(1, 16)
    with pytest.raises(events.OutsideWindow):
        open_aliases(world, "n1", 0, 1)
    world.go_to(1, 17)
    open_aliases(world, "n1", 0, 1)
    world.go_to(1, 18)
    with pytest.raises(events.OutsideWindow):
        open_aliases(world, "n2", 0, 1)


def test_aliases_are_opened_on_their_day_the_last_ones_on_the_final_day() -> None:
    world = running()
    submit_blind(world, 1, 0, {"n1": "good"})
    submit_blind(world, 2, 0, {"n2": "fair"})
    world.go_to(2, 17)
    for name, day in (("n1", 1), ("n2", 2), ("n2", 3), ("n2", 0)):
        with pytest.raises(alias_events.NotOpenedToday):
            open_aliases(world, name, 0, day)
    world.go_to(3, 17)
    for name, day in (("n1", 1), ("n2", 3)):
        with pytest.raises(alias_events.NotOpenedToday):
            open_aliases(world, name, 0, day)
    open_aliases(world, "n2", 0, 2)
    world.go_to(4, 17)
    with pytest.raises(events.TaskNotActive):
        open_aliases(world, "n2", 0, 2)


def test_all_tags_with_one_proof_by_the_owner_itself() -> None:
    world = running()
    submit_blind(world, 1, 0, {"n1": "good"})
    world.go_to(1, 17)
    task, day, tags, proof = arguments("n1")
    opened, who = world.arena.open_aliases, signed(account("n1"))
    for name in ("v1", "idle", "creator"):
        with pytest.raises(alias_events.NotOnTheRoll):
            opened(signed(account(name)), task, day, tags, proof)
    for some in ([], tags[:1], [*tags, tags[0]]):
        with pytest.raises(alias_events.WrongTags):
            opened(who, task, day, some, proof)
    with pytest.raises(alias_events.BadTagProof):  # another's tags
        opened(signed(account("n2")), *arguments("n1"))
    for wrong in (
        (tags, TagProof(bytes(32), bytes(32))),
        ([tags[0], arguments("n2")[2][1]], proof),
        (tags, arguments("n1", of="n2")[3]),
    ):
        with pytest.raises(alias_events.BadTagProof):
            opened(who, task, day, *wrong)
    with pytest.raises(alias_events.NothingToOpen):
        opened(signed(account("n2")), *arguments("n2"))
    with pytest.raises(alias_events.NothingToOpen):  # in the wrong order the used one is not shown
        opened(who, task, day, [tags[1], tags[1]], proof)
    opened(who, task, day, tags, proof)
    with pytest.raises(alias_events.NothingToOpen):
        opened(who, task, day, tags, proof)


def test_a_key_that_was_replaced_since_still_opens() -> None:
    world = running()
    submit_blind(world, 1, 0, {"n1": "good"})
    play(world, 1, ("n1",))
    set_ring_key(world, "n1", secret_of("another"))
    submit_blind(world, 2, 0, {"n1": "fair"})
    play(world, 2)
    assert world.arena.rings.acting_key(account("n1"), 3) == public_key(secret_of("another"))
    play(world, 3, ("n1",), of=2)
    assert leaders(world, 3) == ["n1"]
    assert world.arena.standing.get((0, account("n1"))) == 1


def test_a_node_that_leaves_is_paid_for_the_day_and_no_more() -> None:
    world = running()
    submit_blind(world, 1, 0, MODELS)
    world.ledger.unbond(signed(account("n1")), 0, 10 * FML)
    play(world, 1, NODES)
    assert leaders(world, 1) == ["n1", "n2"]
    play(world, 2)
    assert leaders(world, 2) == ["n2"]


def test_the_fee_of_an_opening_covers_what_was_feeless() -> None:
    signature = RingSignature(bytes(32), [bytes(32)] * RING_SIZE_MAX)
    commit = frame.entry_of(Arena.commit_alias).info((0, 0, 0, 0, b"", b"", b"", signature))
    reveal = frame.entry_of(Arena.reveal_alias).info((0, b"", b"", b"", 0, b""))
    opened = frame.entry_of(Arena.open_aliases)
    weights = [opened.info((0, 0, [bytes(32)] * count, None)).weight.ref_time for count in (1, 2)]
    assert weights[1] - weights[0] > commit.weight.ref_time + reveal.weight.ref_time
