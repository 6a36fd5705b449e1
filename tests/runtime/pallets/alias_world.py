"""What participants do under aliases, on a `World`: as the executive runs unsigned extrinsics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from nacl.signing import SigningKey

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_messages import (
    alias_base,
    alias_message,
    opening_context,
    ring_key_context,
    shared_keys_message,
)
from runtime.pallets.arena.key_records import SealedKey
from runtime.pallets.arena.records import Alias, DayKey
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.ring_signature import (
    RingSignature,
    prove_key,
    public_key,
    ring_secret_from_seed,
    sign_ring,
    tag_of,
)
from runtime.primitives.tag_proof import prove_tags
from runtime.primitives.types import AccountId
from tests.runtime.pallets.world import GENESIS, World, account, salt_of, submitted

ENTROPY = bytes(32)


def secret_of(name: str) -> bytes:
    """The ring secret of an account."""
    return ring_secret_from_seed(blake2b_256(f"{name} rings".encode()))


def alias_of(name: str, model: str) -> SigningKey:
    """The one-time key that an account makes for a model."""
    return SigningKey(blake2b_256(f"{name} as {model}".encode()))


def set_ring_key(world: World, name: str, secret: bytes | None = None) -> None:
    """Publish a ring key."""
    who = account(name)
    secret = secret_of(name) if secret is None else secret
    proof = prove_key(secret, ring_key_context(GENESIS, who), ENTROPY)
    world.arena.set_ring_key(signed(who), public_key(secret), proof)


def set_ring_keys(world: World, names: Iterable[str]) -> None:
    """Let all of them act from tomorrow on."""
    for name in names:
        set_ring_key(world, name)


def validate(world: World, function: Callable[..., None], *arguments: Any) -> Any:
    """What the pool asks."""
    entry = frame.entry_of(function)
    return world.arena.validate_unsigned(frame.TransactionSource.EXTERNAL, entry, arguments)


def unsigned(world: World, function: Callable[..., None], *arguments: Any) -> None:
    """Check, then dispatch. Raises InvalidTransaction."""
    validate(world, function, *arguments)
    frame.entry_of(function).function(world.arena, frame.NONE, *arguments)


@dataclass(frozen=True)
class Commitment:
    """The arguments of `commit_alias`."""

    task: int
    day: int
    index: int
    ring: int
    alias: bytes
    seal: bytes
    tag: bytes
    signature: RingSignature

    def arguments(self) -> tuple[Any, ...]:
        return tuple(vars(self).values())


def commitment(
    world: World, name: str, task: int, model: str, index: int = 0, secret: bytes | None = None
) -> Commitment:
    """A commitment of today as its maker signs it."""
    secret, day = secret_of(name) if secret is None else secret, world.arena.today()
    place = next(
        place
        for place in world.arena.rings.places_of(DayKey(task, day), account(name))
        if place.index == index
    )
    ring = world.arena.rings.ring_of(DayKey(task, day), index, place.ring)
    alias = alias_of(name, model).verify_key.encode()
    salt = salt_of(name, model)
    seal = seal_submission(GENESIS, task, Alias(alias), submitted(model), salt)
    base = alias_base(GENESIS, task, day, index)
    message = alias_message(GENESIS, task, day, index, alias, seal)
    signature = sign_ring(secret, ring, base, message, ENTROPY)
    tag = tag_of(secret, base)
    return Commitment(task, day, index, place.ring, alias, seal, tag, signature)


def commit_alias(world: World, name: str, task: int, model: str, index: int = 0) -> None:
    """Seal a model under an alias."""
    made = commitment(world, name, task, model, index)
    unsigned(world, Arena.commit_alias, *made.arguments())


def opening(name: str, task: int, model: str) -> tuple[Any, ...]:
    """The arguments of `reveal_alias`."""
    made = submitted(model)
    alias, salt = alias_of(name, model).verify_key.encode(), salt_of(name, model)
    return task, alias, made.content, made.ciphertext, made.size_bytes, salt


def reveal_alias(world: World, name: str, task: int, model: str) -> None:
    """Open what was sealed under an alias."""
    unsigned(world, Arena.reveal_alias, *opening(name, task, model))


def shared(
    world: World, name: str, task: int, model: str, submission: int, boxes: list[SealedKey]
) -> tuple[Any, ...]:
    """The arguments of `share_keys_of_alias`."""
    day = world.arena.today()
    message = shared_keys_message(GENESIS, task, day, submission, boxes)
    return task, submission, boxes, alias_of(name, model).sign(message).signature


def share_as_alias(world: World, name: str, task: int, model: str, submission: int) -> None:
    """Hand the model's key to every validator that was drawn for it."""
    drawn = world.arena.views.validators_of(task, world.arena.today(), submission)
    boxes = [world.box(world.name_of(each.validator)) for each in drawn if not each.has_key]
    unsigned(world, Arena.share_keys_of_alias, *shared(world, name, task, model, submission, boxes))


def open_aliases(
    world: World,
    name: str,
    task: int,
    day: int,
    *,
    who: AccountId | None = None,
    count: int = 2,
) -> None:
    """Show all tags of a day, as the account of that name or, with its secret, as `who`."""
    who, secret = account(name) if who is None else who, secret_of(name)
    bases = [alias_base(GENESIS, task, day, index) for index in range(count)]
    tags = [tag_of(secret, base) for base in bases]
    context = opening_context(GENESIS, task, day, who)
    proof = prove_tags(secret, bases, tags, context, ENTROPY)
    world.arena.open_aliases(signed(who), task, day, tags, proof)


def submit_blind(
    world: World, day: int, task: int, models: dict[str, str], position: int = 0
) -> None:
    """Every node seals a model under an alias, in this block of the day, and reveals it."""
    world.go_to(day, position)
    for name, model in models.items():
        commit_alias(world, name, task, model)
    world.go_to(day, 8)
    for name, model in models.items():
        reveal_alias(world, name, task, model)
