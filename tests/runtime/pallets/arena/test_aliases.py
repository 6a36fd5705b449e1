"""Commitments, reveals and keys of models under one-time aliases: who may, when, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nacl.public import SealedBox

from runtime import frame
from runtime.frame.errors import InvalidKind
from runtime.pallets.arena import Arena, alias_events, events
from runtime.pallets.arena.aliases import PRIORITY
from runtime.pallets.arena.records import Alias, DayKey
from runtime.primitives.ring_signature import RingSignature
from tests.runtime.pallets.alias_world import (
    Commitment,
    alias_of,
    commit_alias,
    commitment,
    opening,
    reveal_alias,
    secret_of,
    set_ring_keys,
    share_as_alias,
    shared,
    submit_blind,
    unsigned,
    validate,
)
from tests.runtime.pallets.world import (
    MODEL_KEY,
    MODELS,
    NODES,
    World,
    account,
    content,
    new_world,
    sealing_secret,
    terms,
    with_participants,
)

KEY = DayKey(0, 1)


@pytest.fixture
def world() -> World:
    """Day 0 of a task of three days; every node has a ring key."""
    return running()


def running(**changes: object) -> World:
    made = new_world()
    made.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(made, 0)
    set_ring_keys(made, NODES)
    return made


def refused(
    world: World, kind: InvalidKind, reason: str, function: Callable[..., None], *arguments: Any
) -> None:
    """Pool and block refuse alike, and nothing is written."""
    before = dict(world.ext.changes())
    with pytest.raises(frame.InvalidTransaction) as caught:
        unsigned(world, function, *arguments)
    assert (caught.value.kind, str(caught.value)) == (kind, reason)
    assert world.ext.changes() == before


def refused_as(
    world: World, error: type[frame.ModuleError], function: Callable[..., None], *arguments: Any
) -> None:
    reason = (error.__doc__ or "").splitlines()[0]
    refused(world, InvalidKind.CUSTOM, reason, function, *arguments)
    with pytest.raises(frame.InvalidTransaction) as caught:
        validate(world, function, *arguments)
    assert caught.value.code == error.error_index


def commit_refused(world: World, kind: InvalidKind, reason: str, made: Commitment) -> None:
    refused(world, kind, reason, Arena.commit_alias, *made.arguments())


# -- commit


def test_a_commitment_takes_the_tasks_next_number(world: World) -> None:
    world.go_to(1, 3)
    world.commit("n1", 0, "good")
    made = commitment(world, "n2", 0, "fair")
    valid = validate(world, Arena.commit_alias, *made.arguments())
    assert (valid.priority, valid.requires, valid.provides) == (PRIORITY, [], [made.tag])
    assert (valid.longevity, valid.propagate) == (5, True)
    unsigned(world, Arena.commit_alias, *made.arguments())
    sealed = world.arena.aliases.get((KEY, made.alias))
    assert (sealed.submission, sealed.seal, sealed.block) == (1, made.seal, 23)
    assert world.arena.alias_tags.get((KEY, made.tag)) == 1
    assert world.events(events.SubmissionCommitted)[1] == events.SubmissionCommitted(
        0,
        1,
        Alias(made.alias),
        made.seal,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("day", "position", "kind"),
    [
        (1, 0, None),
        (1, 7, None),
        (1, 8, InvalidKind.STALE),
        (1, 9, InvalidKind.STALE),
        (2, 0, InvalidKind.STALE),
    ],
)
def test_the_submit_window_of_its_day(
    world: World, day: int, position: int, kind: InvalidKind | None
) -> None:
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    world.go_to(day, position)
    if kind is None:
        unsigned(world, Arena.commit_alias, *made.arguments())
    else:
        commit_refused(world, kind, "the window is closed", made)
        tomorrow = replace(made, day=day + 1)
        commit_refused(world, InvalidKind.FUTURE, "the window opens later", tomorrow)


def test_no_rings_no_aliases(world: World) -> None:
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    world.arena.rolls.remove(KEY)
    commit_refused(world, InvalidKind.FUTURE, "no rings are dealt yet", made)


def test_a_tag_and_an_alias_are_used_once_a_day(world: World) -> None:
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    again = commitment(world, "n1", 0, "better")
    commit_refused(world, InvalidKind.STALE, "the tag is used", again)
    commit_alias(world, "n1", 0, "better", index=1)
    stolen = commitment(world, "n2", 0, "fair")
    stolen = replace(stolen, alias=alias_of("n1", "good").verify_key.encode())
    refused_as(world, alias_events.AliasTaken, Arena.commit_alias, *stolen.arguments())
    world.go_to(2)
    commit_alias(world, "n1", 0, "good")
    assert world.arena.next_submission.get(0) == 3


def test_only_a_member_of_the_ring_signs_and_only_for_this(world: World) -> None:
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    stranger = commitment(world, "n1", 0, "good", secret=secret_of("n1"))
    assert stranger.signature == made.signature
    responses = made.signature.responses
    forged = RingSignature(made.signature.challenge, [*responses[1:], responses[0]])
    for wrong in (
        replace(made, signature=forged),
        replace(made, index=1),
        replace(made, seal=bytes(32)),
        replace(made, alias=alias_of("n2", "good").verify_key.encode()),
        replace(made, tag=commitment(world, "n2", 0, "good").tag),
        replace(made, tag=bytes(32)),
    ):
        commit_refused(world, InvalidKind.BAD_PROOF, "no member of the ring", wrong)
    short = RingSignature(made.signature.challenge, responses[:2])
    for nowhere in (
        replace(made, ring=1),
        replace(made, index=2),
        replace(made, signature=short),
    ):
        refused_as(world, alias_events.NoSuchRing, Arena.commit_alias, *nowhere.arguments())


def test_a_commitment_is_of_one_task_and_day(world: World) -> None:
    world.tasks.create_verified_task(frame.ROOT, account("idle"), terms())
    for name in NODES:
        world.register(name, 1, world.ledger.operators.get((0, account(name))).role, 10 * 10**18)
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    commit_refused(world, InvalidKind.BAD_PROOF, "no member of the ring", replace(made, task=1))
    world.go_to(2)
    commit_refused(world, InvalidKind.BAD_PROOF, "no member of the ring", replace(made, day=2))


def test_which_tasks_take_aliases(world: World) -> None:
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    unknown = replace(made, task=9)
    refused_as(world, events.TaskNotActive, Arena.commit_alias, *unknown.arguments())
    world.go_to(3)
    final = replace(made, day=3)
    refused_as(world, events.SubmissionsFrozen, Arena.commit_alias, *final.arguments())
    refused_as(world, events.SubmissionsFrozen, Arena.reveal_alias, *at_reveal(world))
    world.go_to(4)
    over = replace(made, day=4)
    refused_as(world, events.TaskNotActive, Arena.commit_alias, *over.arguments())


def at_reveal(world: World) -> tuple[Any, ...]:
    """A reveal, in the reveal window."""
    world.go_to(world.arena.today(), 8)
    return opening("n1", 0, "good")


# -- reveal


def test_who_has_the_salt_opens_the_seal(world: World) -> None:
    submit_blind(world, 1, 0, {"n2": "fair"})
    alias = alias_of("n2", "fair").verify_key.encode()
    made = world.arena.submissions.get((0, 0))
    assert (made.submitter, made.owner) == (Alias(alias), None)
    assert (made.content, made.ciphertext) == (content("fair"), content("fair sealed"))
    assert (made.committed_at, made.revealed_at) == (20, 28)
    assert world.arena.aliases.get((KEY, alias)).is_revealed
    assert world.tasks.get_task(0).has_reveals
    assert list(world.arena.standing.items()) == []
    refused(
        world,
        InvalidKind.STALE,
        "it was revealed before",
        Arena.reveal_alias,
        *opening("n2", 0, "fair"),
    )


def test_the_reveal_window(world: World) -> None:
    world.go_to(1)
    for name, model in MODELS.items():
        commit_alias(world, name, 0, model)
    arguments = [opening(name, 0, model) for name, model in MODELS.items()]
    world.go_to(1, 7)
    refused(world, InvalidKind.FUTURE, "the window opens later", Arena.reveal_alias, *arguments[0])
    world.go_to(1, 9)
    assert validate(world, Arena.reveal_alias, *arguments[0]).longevity == 1
    unsigned(world, Arena.reveal_alias, *arguments[0])
    world.go_to(1, 10)
    refused(world, InvalidKind.STALE, "the window is closed", Arena.reveal_alias, *arguments[1])
    world.go_to(2, 8)  # a seal is of its day
    refused_as(world, events.NoSuchSeal, Arena.reveal_alias, *arguments[1])


def test_a_relay_can_change_nothing_of_a_reveal(world: World) -> None:
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    world.go_to(1, 8)
    task, alias, plain, sealed, size, salt = opening("n1", 0, "good")
    other = content("other")
    for wrong in (
        (task, other, plain, sealed, size, salt),
        (task, alias, other, sealed, size, salt),
        (task, alias, plain, other, size, salt),
        (task, alias, plain, sealed, size + 1, salt),
        (task, alias, plain, sealed, size, bytes(32)),
    ):
        refused_as(world, events.NoSuchSeal, Arena.reveal_alias, *wrong)
    valid = validate(world, Arena.reveal_alias, task, alias, plain, sealed, size, salt)
    assert len(valid.provides) == 1
    assert alias in valid.provides[0]


def test_a_model_has_a_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go_to(1)
    commit_alias(world, "n1", 0, "good")
    world.go_to(1, 8)
    monkeypatch.setattr("runtime.pallets.arena.aliases.BLOB_BYTES_MAX", 999)
    refused_as(world, events.BadSize, Arena.reveal_alias, *opening("n1", 0, "good"))


# -- copies


def test_a_copy_under_an_alias_is_taken_and_never_scored(world: World) -> None:
    world.go_to(1)
    world.commit("n1", 0, "good")
    commit_alias(world, "n2", 0, "good")
    commit_alias(world, "n3", 0, "noise")
    world.go_to(1, 8)
    reveal_alias(world, "n2", 0, "good")  # the copy is opened first
    world.reveal("n1", 0, "good")
    reveal_alias(world, "n3", 0, "noise")
    world.go_to(1, 10)
    entries = world.arena.rosters.get(KEY).entries
    assert {(entry.submission, entry.owner) for entry in entries} == {
        (0, account("n1")),
        (2, None),
    }


def test_content_that_an_alias_showed_first_is_nobody_elses(world: World) -> None:
    submit_blind(world, 1, 0, {"n1": "good"})
    world.go_to(2)
    world.commit("n2", 0, "good")
    commit_alias(world, "n1", 0, "good")  # nor its own again: its alias was not opened
    world.go_to(2, 8)
    world.reveal("n2", 0, "good")
    reveal_alias(world, "n1", 0, "good")
    world.go_to(2, 10)
    assert world.arena.rosters.get(DayKey(0, 2)).entries == []


# -- keys of models


@pytest.mark.parametrize("seats", [0, 3])
def test_an_alias_hands_its_models_key_to_the_drawn(seats: int) -> None:
    world = running(seats=seats, final_seats=seats)
    submit_blind(world, 1, 0, MODELS)
    world.go_to(1, 10)
    names = [world.name_of(each.validator) for each in world.arena.views.validators_of(0, 1, 0)]
    boxes = [world.box(name) for name in names]
    valid = validate(world, Arena.share_keys_of_alias, *shared(world, "n1", 0, "good", 0, boxes))
    assert len(valid.provides) == len(boxes) == len(set(valid.provides))
    share_as_alias(world, "n1", 0, "good", 0)
    for name in names:
        box = world.arena.views.model_key_for(0, 1, 0, account(name))
        assert box is not None
        assert SealedBox(sealing_secret(name)).decrypt(box) == MODEL_KEY
    refused(
        world,
        InvalidKind.STALE,
        "it has the key",
        Arena.share_keys_of_alias,
        *shared(world, "n1", 0, "good", 0, boxes[:1]),
    )


def test_only_the_alias_hands_out_its_key(world: World) -> None:
    submit_blind(world, 1, 0, {"n1": "good", "n2": "fair"})
    world.go_to(1, 10)
    name = world.name_of(world.arena.views.validators_of(0, 1, 0)[0].validator)
    box, call = world.box(name), Arena.share_keys_of_alias
    task, number, boxes, signature = shared(world, "n1", 0, "good", 0, [box])
    for wrong in (
        shared(world, "n2", 0, "fair", 0, [box]),
        (task, number, [replace(box, box=bytes(80))], signature),
        (task, number, [], signature),
        (task, number, boxes, bytes(64)),
    ):
        refused(world, InvalidKind.BAD_PROOF, "not the alias's", call, *wrong)
    refused_as(world, events.NothingToShare, call, *shared(world, "n1", 0, "good", 0, []))
    refused_as(world, events.NoSeat, call, *shared(world, "n1", 0, "good", 0, [world.box("idle")]))
    refused_as(world, events.NotTheOwner, call, *shared(world, "n1", 0, "good", 7, [box]))
    world.go_to(1, 14)
    refused(world, InvalidKind.STALE, "the window is closed", call, task, 0, boxes, signature)


def test_a_named_submission_is_no_alias(world: World) -> None:
    world.go_to(1)
    world.commit("n1", 0, "good")
    world.go_to(1, 8)
    world.reveal("n1", 0, "good")
    world.go_to(1, 10)
    boxes = [world.box("v1")]
    refused_as(
        world,
        events.NotTheOwner,
        Arena.share_keys_of_alias,
        *shared(world, "n1", 0, "good", 0, boxes),
    )


def test_before_the_draw_there_is_nobody_to_hand_it_to(world: World) -> None:
    world.go_to(1, 4)
    commit_alias(world, "n1", 0, "good")
    world.arena.config = replace(world.arena.config, steps_per_block=1)
    world.go_to(1, 8)
    reveal_alias(world, "n1", 0, "good")
    arguments = shared(world, "n1", 0, "good", 0, [world.box("v1")])
    call = Arena.share_keys_of_alias
    refused(world, InvalidKind.FUTURE, "the window opens later", call, *arguments)
    world.go_to(1, 10)
    refused_as(world, events.NotDrawn, call, *arguments)
    refused_as(world, events.TaskNotActive, call, 9, *arguments[1:])


# -- who dispatches


def test_a_signer_cannot_be_an_alias(world: World) -> None:
    world.go_to(1)
    made = commitment(world, "n1", 0, "good")
    with pytest.raises(frame.BadOrigin):
        world.arena.commit_alias(frame.ROOT, *made.arguments())


def test_the_weight_counts_the_ring() -> None:
    signature = RingSignature(bytes(32), [bytes(32)] * 5)
    entry = frame.entry_of(Arena.commit_alias)
    whole = entry.info((0, 0, 0, 0, b"", b"", b"", signature)).weight
    alone = entry.info((0, 0, 0, 0, b"", b"", b"", replace(signature, responses=[]))).weight
    assert whole.ref_time - alone.ref_time == 5 * 600_000_000


def test_other_calls_are_signed() -> None:
    world = running()
    with pytest.raises(frame.InvalidTransaction, match="commit_submission must be signed"):
        validate(world, Arena.commit_submission, 0, bytes(32))
