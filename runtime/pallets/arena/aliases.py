"""Submissions by one-time aliases: whose they are, only a ring of nodes knows until they open them.

Committing, revealing and handing out keys takes no account and no fee: a ring's signature, a salt
and the alias's own signature say that it may be done. All is checked before it enters a pool or a
block, so that nothing of it can fail there; a tag shows who signs twice for the same index.
Owners pay for it all when they open their aliases.
Invariant: a ring key makes at most one submission for each of its indices a day; each alias of a
day has one submission and one tag.
Source: WP V.B (blind validation), Table I (free riders, discrimination by validators).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from runtime import frame
from runtime.economy.tasks import Task
from runtime.frame.validity import ValidTransaction
from runtime.pallets.arena import alias_events, events
from runtime.pallets.arena.alias_messages import alias_base, alias_message, shared_keys_message
from runtime.pallets.arena.key_records import SealedKey
from runtime.pallets.arena.model_keys import ModelKeys
from runtime.pallets.arena.records import (
    Alias,
    DayKey,
    Submission,
    SubmissionSeal,
    SubmittedModel,
)
from runtime.pallets.arena.rings import Rings
from runtime.pallets.arena.seals import seal_submission
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.submissions import Submissions
from runtime.primitives.content_id import BLOB_BYTES_MAX
from runtime.primitives.ring_signature import RingSignature, verify_ring
from runtime.primitives.scale import codec_of
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import U32, AccountId, Hash

SIGNATURES_KEPT = 1_024  # a ring of 32 takes 20 ms, and its parts about 6 KB
PRIORITY = 2**40  # before what pays a usual tip: nobody can make many of them
_REVEAL = codec_of(tuple[U32, U32, bytes])
_SHARE = codec_of(tuple[U32, U32, U32, AccountId])


class Aliases:
    """Checks, and then does, what aliases do. Who dispatches has checked before."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.rings = Rings(arena)
        self.model_keys = ModelKeys(arena)
        self.submitting = Submissions(arena)

    # -- commit

    def check_commit(
        self,
        place: tuple[int, int, int, int],
        alias: bytes,
        seal: Hash,
        tag: bytes,
        signature: RingSignature,
    ) -> ValidTransaction:
        """`place`: task, day, index, ring. Raises InvalidTransaction."""
        arena, calendar = self.arena, self.arena.config.calendar
        task, day, index, ring = place
        key = DayKey(task, day)
        longevity = self._ensure_day(day, 0, calendar.submit_end)
        self._ensure_takes_models(task)
        if not arena.rolls.contains(key):
            raise frame.InvalidTransaction(frame.InvalidKind.FUTURE, "no rings are dealt yet")
        if arena.alias_tags.contains((key, tag)):
            raise frame.InvalidTransaction(frame.InvalidKind.STALE, "the tag is used")
        if arena.aliases.contains((key, alias)):
            raise refusal(alias_events.AliasTaken)
        keys = self.rings.ring_of(key, index, ring)
        if not keys or len(signature.responses) != len(keys):
            raise refusal(alias_events.NoSuchRing)
        genesis = arena.block.genesis_hash()
        base = alias_base(genesis, task, day, index)
        message = alias_message(genesis, task, day, index, alias, seal)
        of_ring = signature.challenge, *signature.responses
        if not _is_signed(of_ring, tuple(keys), base, tag, message):
            raise frame.InvalidTransaction(frame.InvalidKind.BAD_PROOF, "no member of the ring")
        return _valid([tag], longevity)

    def commit(self, task: int, alias: bytes, seal: Hash, tag: bytes) -> None:
        """Take the next number for an alias. Emits SubmissionCommitted."""
        arena, key = self.arena, DayKey(task, self.arena.today())
        number = arena.next_submission.get(task)
        sealed = SubmissionSeal(number, seal, arena.block.block_number())
        arena.aliases.put((key, alias), sealed)
        arena.alias_tags.put((key, tag), number)
        arena.next_submission.put(task, number + 1)
        arena.deposit_event(events.SubmissionCommitted(task, number, Alias(alias), seal))

    # -- reveal

    def check_reveal(
        self, task: int, alias: bytes, model: SubmittedModel, salt: bytes
    ) -> ValidTransaction:
        """Raises InvalidTransaction."""
        arena, calendar = self.arena, self.arena.config.calendar
        today = arena.today()
        longevity = self._ensure_day(today, calendar.submit_end, calendar.reveal_end)
        self._ensure_takes_models(task)
        sealed = arena.aliases.find((DayKey(task, today), alias))
        genesis = arena.block.genesis_hash()
        if sealed is None or sealed.seal != seal_submission(
            genesis, task, Alias(alias), model, salt
        ):
            raise refusal(events.NoSuchSeal)
        if sealed.is_revealed:
            raise frame.InvalidTransaction(frame.InvalidKind.STALE, "it was revealed before")
        if not 1 <= model.size_bytes <= BLOB_BYTES_MAX:
            raise refusal(events.BadSize)
        return _valid([_REVEAL.encode((task, today, b"reveal" + alias))], longevity)

    def reveal(self, task: int, alias: bytes, model: SubmittedModel) -> None:
        """Enter a model whose owner is unknown. Emits SubmissionRevealed."""
        arena = self.arena
        place = (DayKey(task, arena.today()), alias)
        sealed = arena.aliases.get(place)
        arena.aliases.put(
            place, SubmissionSeal(sealed.submission, sealed.seal, sealed.block, is_revealed=True)
        )
        made = Submission(
            Alias(alias),
            None,
            model.content,
            model.ciphertext,
            model.size_bytes,
            sealed.block,
            arena.block.block_number(),
        )
        self.submitting.enter(task, sealed.submission, made)

    # -- keys of models

    def check_keys(
        self, task: int, submission: int, keys: Sequence[SealedKey], signature: bytes
    ) -> ValidTransaction:
        """Raises InvalidTransaction."""
        arena, calendar = self.arena, self.arena.config.calendar
        key = DayKey(task, arena.today())
        longevity = self._ensure_day(key.day, calendar.reveal_end, calendar.commit_end)
        self._active(task)
        made = arena.submissions.find((task, submission))
        if made is None or made.owner is not None or not isinstance(made.submitter, Alias):
            raise refusal(events.NotTheOwner)
        genesis = arena.block.genesis_hash()
        message = shared_keys_message(genesis, task, key.day, submission, keys)
        if not ed25519_verify(signature, message, made.submitter.key):
            raise frame.InvalidTransaction(frame.InvalidKind.BAD_PROOF, "not the alias's")
        try:
            self.model_keys.check(key, submission, keys)
        except events.KeyAlreadyShared as error:
            raise frame.InvalidTransaction(frame.InvalidKind.STALE, "it has the key") from error
        except frame.ModuleError as error:
            raise refusal(type(error)) from error
        tags = [_SHARE.encode((task, key.day, submission, box.validator)) for box in keys]
        return _valid(tags, longevity)

    def share_keys(self, task: int, submission: int, keys: Sequence[SealedKey]) -> None:
        """Keep the boxes. Emits KeysShared."""
        self.model_keys.keep(DayKey(task, self.arena.today()), submission, keys)

    # -- shared checks

    def _ensure_day(self, day: int, start: int, end: int) -> int:
        """How many blocks are left of the day's window [start, end); raises if it is not open."""
        calendar, number = self.arena.config.calendar, self.arena.block.block_number()
        first = calendar.first_block(day)
        if number < first + start:
            raise frame.InvalidTransaction(frame.InvalidKind.FUTURE, "the window opens later")
        if number >= first + end:
            raise frame.InvalidTransaction(frame.InvalidKind.STALE, "the window is closed")
        return first + end - number

    def _active(self, task: int) -> Task:
        try:
            return self.arena.active_task(task)
        except frame.ModuleError as error:
            raise refusal(events.TaskNotActive) from error

    def _ensure_takes_models(self, task: int) -> None:
        if self.arena.today() >= self._active(task).final_day():
            raise refusal(events.SubmissionsFrozen)


@lru_cache(maxsize=SIGNATURES_KEPT)
def _is_signed(
    signature: tuple[bytes, ...], ring: tuple[bytes, ...], base: bytes, tag: bytes, message: bytes
) -> bool:
    """`verify_ring`, once for the pool, its later looks and the block."""
    challenge, *responses = signature
    return verify_ring(RingSignature(challenge, responses), ring, base, tag, message)


def refusal(error: type[frame.ModuleError]) -> frame.InvalidTransaction:
    """Why an extrinsic is refused that can only be included if it cannot fail."""
    reason = (error.__doc__ or error.__name__).splitlines()[0]
    return frame.InvalidTransaction(frame.InvalidKind.CUSTOM, reason, error.error_index)


def _valid(provides: list[bytes], longevity: int) -> ValidTransaction:
    return ValidTransaction(PRIORITY, [], provides, longevity, propagate=True)
