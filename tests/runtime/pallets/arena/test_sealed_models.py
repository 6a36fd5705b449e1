"""Sealed models: who is sealed to, who may hand out a key, to whom and when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from nacl.public import SealedBox

from runtime import frame
from runtime.constants import DEVNET, Preset
from runtime.economy.tasks import Hardware, Role
from runtime.frame.origin import signed
from runtime.pallets.arena import events
from runtime.pallets.arena.key_records import SHARED_KEYS_MAX, SealedKey
from runtime.pallets.arena.records import DayKey
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import FML
from tests.runtime.pallets.world import (
    MODEL_KEY,
    MODELS,
    NO_SHARE,
    SCORES,
    VALIDATORS,
    World,
    account,
    content,
    new_world,
    score,
    sealing_secret,
    submit,
    submitted,
    terms,
    with_participants,
)

KEY = DayKey(0, 1)


def drawn(preset: Preset = DEVNET, **changes: object) -> World:
    """A task's first day after the draw: n1 has submission 0."""
    world = new_world(preset=preset)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**changes))
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    return world


def drawn_for(world: World, submission: int) -> list[str]:
    found = world.arena.views.validators_of(0, 1, submission)
    return [world.name_of(each.validator) for each in found]


def test_a_submission_names_plaintext_and_ciphertext() -> None:
    world = drawn()
    made, model = world.arena.submissions.get((0, 0)), submitted("good")
    assert (made.content, made.ciphertext, made.size_bytes) == (
        model.content,
        model.ciphertext,
        model.size_bytes,
    )
    (told,) = [e for e in world.events(events.SubmissionRevealed) if e.submission == 0]  # type: ignore[attr-defined]
    assert told.ciphertext == content("good sealed")  # type: ignore[attr-defined]
    validator = drawn_for(world, 0)[0]
    todo = world.arena.views.to_score(0, 1, account(validator))
    assert (content("good"), content("good sealed")) in [(t.content, t.ciphertext) for t in todo]


# -- sealing keys


def test_a_sealing_key_is_one_that_can_be_sealed_to() -> None:
    world, who = new_world(), signed(account("v1"))
    for nothing in (bytes(32), b"\1" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"):
        with pytest.raises(events.BadSealingKey):
            world.arena.set_sealing_key(who, nothing)
    world.set_sealing_key("v1")
    assert world.events(events.SealingKeySet) == [
        events.SealingKeySet(account("v1"), sealing_secret("v1").public_key.encode())
    ]
    since = world.arena.sealing_keys.get(account("v1")).since
    world.go_to(0, 5)
    world.arena.set_sealing_key(who, sealing_secret("v2").public_key.encode())
    changed = world.arena.sealing_keys.get(account("v1"))
    assert (changed.key, changed.since) == (sealing_secret("v2").public_key.encode(), since)


@pytest.mark.parametrize("seats", [0, 3])
@pytest.mark.parametrize(("position", "has_seats"), [(7, True), (8, False), (9, False)])
def test_who_comes_with_its_first_key_after_the_window_opened_is_drawn_tomorrow(
    seats: int, position: int, has_seats: bool
) -> None:
    world = new_world()
    task = terms(seats=seats, final_seats=seats)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), task)
    world.register("n1", 0, Role.TRAINING_NODE, 10 * FML)
    world.tasks.register(
        signed(account("v1")), 0, Role.TASK_VALIDATOR, 90 * FML, NO_SHARE, Hardware()
    )
    world.go_to(1, 0)
    world.commit("n1", 0, "good")
    world.go_to(1, position)
    world.set_sealing_key("v1")
    world.go_to(1, 9)
    world.reveal("n1", 0, "good")
    world.go_to(1, 10)
    assert bool(world.arena.views.to_score(0, 1, account("v1"))) == has_seats
    if not has_seats:
        with pytest.raises(events.NotDrawn):
            world.seal_sheet("v1", 0, [])
    world.go_to(2, 10)
    assert len(world.arena.views.to_score(0, 2, account("v1"))) == 1


# -- keys of models


@pytest.mark.parametrize("seats", [0, 3])
def test_each_drawn_validator_opens_its_box(seats: int) -> None:
    world = drawn(seats=seats, final_seats=seats)
    names = drawn_for(world, 0)
    assert names == (list(VALIDATORS) if not seats else sorted(names)) != []
    assert all(not each.has_key for each in world.arena.views.validators_of(0, 1, 0))
    world.share("n1", 0, 0)
    assert world.events(events.KeysShared) == [events.KeysShared(0, 1, 0, len(names))]
    assert all(each.has_key for each in world.arena.views.validators_of(0, 1, 0))
    for name in names:
        box = world.arena.views.model_key_for(0, 1, 0, account(name))
        assert box is not None
        assert SealedBox(sealing_secret(name)).decrypt(box) == MODEL_KEY
    assert world.arena.views.model_key_for(0, 1, 0, account("idle")) is None
    assert world.arena.views.model_key_for(0, 1, 1, account(names[0])) is None


def test_keys_are_shared_in_the_score_commit_window() -> None:
    world = drawn()
    box = [world.box(drawn_for(world, 0)[0])]
    owner = signed(account("n1"))
    world.arena.share_keys(owner, 0, 0, box)
    early = new_world()
    early.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(early, 0)
    submit(early, 1, 0, MODELS)
    early.go_to(1, 9)
    with pytest.raises(events.OutsideWindow):
        early.arena.share_keys(owner, 0, 0, box)
    for position, is_open in ((13, True), (14, False)):
        world.go_to(1, position)
        boxes = [world.box(drawn_for(world, 1)[0])]
        if is_open:
            world.arena.share_keys(signed(account("n2")), 0, 1, boxes)
        else:
            with pytest.raises(events.OutsideWindow):
                world.arena.share_keys(signed(account("n3")), 0, 2, boxes)


def test_only_the_owner_shares_and_only_with_those_that_have_a_seat() -> None:
    world = drawn(seats=1, final_seats=1)
    (name,) = drawn_for(world, 0)
    boxes, owner = [world.box(name)], signed(account("n1"))
    other = next(each for each in VALIDATORS if each != name)
    for who, submission in (("n2", 0), ("n1", 1), ("n1", 9), (name, 0)):
        with pytest.raises(events.NotTheOwner):
            world.arena.share_keys(signed(account(who)), 0, submission, boxes)
    with pytest.raises(events.NothingToShare):
        world.arena.share_keys(owner, 0, 0, [])
    for stranger in (other, "idle", "n1"):
        with pytest.raises(events.NoSeat):
            world.arena.share_keys(owner, 0, 0, [*boxes, world.box(stranger)])
    with pytest.raises(events.KeyAlreadyShared):
        world.arena.share_keys(owner, 0, 0, [*boxes, *boxes])
    assert world.arena.model_keys.get((KEY, 0)) == []
    world.arena.share_keys(owner, 0, 0, boxes)
    with pytest.raises(events.KeyAlreadyShared):
        world.arena.share_keys(owner, 0, 0, boxes)
    world.go_to(4, 10)
    with pytest.raises(events.TaskNotActive):
        world.arena.share_keys(owner, 0, 0, boxes)


def test_before_the_draw_is_done_there_is_nobody_to_share_with() -> None:
    world = new_world()
    world.arena.config = replace(world.arena.config, steps_per_block=1)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    assert drawn_for(world, 0) == []
    with pytest.raises(events.NotDrawn):
        world.arena.share_keys(signed(account("n1")), 0, 0, [world.box("v1")])


def test_without_committees_a_replaced_submission_has_no_validators() -> None:
    world = new_world()
    task = terms(seats=0, final_seats=0)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), task)
    with_participants(world, 0)
    world.go_to(1)
    world.commit("n1", 0, "fair")
    world.commit("n1", 0, "good")
    world.go_to(1, 8)
    world.reveal("n1", 0, "fair")
    world.reveal("n1", 0, "good")
    world.go_to(1, 10)
    assert drawn_for(world, 0) == []
    with pytest.raises(events.NoSeat):
        world.arena.share_keys(signed(account("n1")), 0, 0, [world.box("v1")])
    world.arena.share_keys(signed(account("n1")), 0, 1, [world.box("v1")])


def test_a_call_takes_fifty_boxes() -> None:
    codec = frame.entry_of(type(new_world().arena).share_keys).codec
    box = SealedKey(account("v1"), bytes(80))
    full = codec.encode((0, 0, [box] * SHARED_KEYS_MAX))
    assert len(codec.decode_all(full)[2]) == SHARED_KEYS_MAX
    over = full.replace(bytes([SHARED_KEYS_MAX << 2]), bytes([(SHARED_KEYS_MAX + 1) << 2]), 1)
    with pytest.raises(DecodeError):
        codec.decode_all(over + box.validator + box.box)


def test_keys_are_dropped_with_the_day() -> None:
    world = drawn(preset=replace(DEVNET, kept_days=2))
    world.share("n1", 0, 0)
    score(world, 1, 0, dict.fromkeys(VALIDATORS, SCORES))
    world.go_to(3, 17)
    assert world.arena.model_keys.get((KEY, 0)) != []
    world.go_to(4)
    assert list(world.arena.model_keys.items()) == []
