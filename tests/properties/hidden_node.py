"""A node of a random chain that submits once more a day under an alias, and opens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nacl.signing import SigningKey

from runtime.frame.extrinsic import assemble
from runtime.frame.pallet import encode_call
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
    prove_key,
    public_key,
    ring_secret_from_seed,
    sign_ring,
    tag_of,
)
from runtime.primitives.tag_proof import prove_tags
from runtime.primitives.types import AccountId, Hash
from tests.runtime.pallets.world import submitted

SECRET = ring_secret_from_seed(bytes(32))
ENTROPY = SALT = bytes(32)


@dataclass
class HiddenNode:
    """`sign` submits a call of the account, `send` an extrinsic; `arena` is that of the block."""

    genesis: Hash
    account: AccountId
    sign: Callable[[bytes], None]
    send: Callable[[bytes], None]
    arena: Callable[[], Arena]

    def play(self, tasks: Sequence[int], day: int, position: int) -> None:
        """What it does in this block of the day."""
        if position == 3:
            proof = prove_key(SECRET, ring_key_context(self.genesis, self.account), ENTROPY)
            self.sign(encode_call(Arena.set_ring_key, public_key(SECRET), proof))
        for task in tasks:
            if position == 7:
                self._commit(task, day)
            elif position == 9:
                made, alias = submitted(f"{task} {day}"), self._alias(task, day)
                public, blob = alias.verify_key.encode(), (made.content, made.ciphertext)
                self._bare(
                    encode_call(Arena.reveal_alias, task, public, *blob, made.size_bytes, SALT)
                )
            elif position == 11:
                self._share(task, day)
            elif position == 17:
                for of in (day, day - 1):
                    self._open(task, of)

    def _bare(self, call: bytes) -> None:
        self.send(assemble(call, None))

    def _alias(self, task: int, day: int) -> SigningKey:
        return SigningKey(blake2b_256(f"{task} {day}".encode()))

    def _commit(self, task: int, day: int) -> None:
        key, rings = DayKey(task, day), self.arena().rings
        alias = self._alias(task, day).verify_key.encode()
        seal = seal_submission(self.genesis, task, Alias(alias), submitted(f"{task} {day}"), SALT)
        for place in rings.places_of(key, self.account)[:1]:
            base = alias_base(self.genesis, task, day, place.index)
            message = alias_message(self.genesis, task, day, place.index, alias, seal)
            ring, tag = rings.ring_of(key, place.index, place.ring), tag_of(SECRET, base)
            signature = sign_ring(SECRET, ring, base, message, ENTROPY)
            at = task, day, place.index, place.ring
            self._bare(encode_call(Arena.commit_alias, *at, alias, seal, tag, signature))

    def _share(self, task: int, day: int) -> None:
        arena, alias = self.arena(), self._alias(task, day)
        sealed = arena.aliases.find((DayKey(task, day), alias.verify_key.encode()))
        if sealed is None:
            return
        drawn = arena.views.validators_of(task, day, sealed.submission)
        boxes = [SealedKey(each.validator, bytes(80)) for each in drawn]  # nobody opens them
        message = shared_keys_message(self.genesis, task, day, sealed.submission, boxes)
        signature = alias.sign(message).signature
        self._bare(
            encode_call(Arena.share_keys_of_alias, task, sealed.submission, boxes, signature)
        )

    def _open(self, task: int, day: int) -> None:
        if day < 0:
            return
        bases = [alias_base(self.genesis, task, day, index) for index in range(2)]
        tags = [tag_of(SECRET, base) for base in bases]
        context = opening_context(self.genesis, task, day, self.account)
        proof = prove_tags(SECRET, bases, tags, context, ENTROPY)
        self.sign(encode_call(Arena.open_aliases, task, day, tags, proof))
