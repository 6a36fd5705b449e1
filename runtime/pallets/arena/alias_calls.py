"""Calls of aliases, without a signer or fee but for the opening, which pays for all of them.

Source: WP V.B (blind validation), Table I.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.frame.weights import Weight
from runtime.pallets.arena.aliases import Aliases
from runtime.pallets.arena.key_calls import SHARE, SHARED_KEY, KeyCalls
from runtime.pallets.arena.key_records import SealedKeys
from runtime.pallets.arena.opening import Opening
from runtime.pallets.arena.records import DayKey, SubmittedModel
from runtime.primitives.ring_signature import RING_SIZE_MAX, RingSignature
from runtime.primitives.scale import Limit
from runtime.primitives.tag_proof import TagProof
from runtime.primitives.types import U32, U64, Bytes32, Bytes64, Hash

ALIAS = Weight(2_000_000_000)  # a roll of 1,000 nodes is read, and the base made
RING_MEMBER = Weight(600_000_000)  # four multiplications in the group
ALIAS_REVEAL = Weight(300_000_000)
OPEN = Weight(2_500_000_000)
# Of each tag: its proof, and the feeless commitment and reveal that it stands for.
OPENED_TAG = Weight(800_000_000) + ALIAS + RING_MEMBER.times(RING_SIZE_MAX) + ALIAS_REVEAL

TAGS_MAX = 255
Tags = Annotated[list[Bytes32], Limit(TAGS_MAX)]


class AliasCalls(KeyCalls, index=33):
    @cached_property
    def hidden(self) -> Aliases:
        """What aliases do."""
        return Aliases(self)

    @cached_property
    def opening(self) -> Opening:
        """How they get owners."""
        return Opening(self)

    def validate_unsigned(
        self, source: TransactionSource, entry: frame.CallEntry, arguments: tuple[Any, ...]
    ) -> ValidTransaction:
        """All that a call of an alias could fail by. Raises InvalidTransaction."""
        match entry.name:
            case "commit_alias":
                task, day, index, ring, *sealed = arguments
                return self.hidden.check_commit((task, day, index, ring), *sealed)
            case "reveal_alias":
                task, alias, *blob, salt = arguments
                return self.hidden.check_reveal(task, alias, SubmittedModel(*blob), salt)
            case "share_keys_of_alias":
                return self.hidden.check_keys(*arguments)
        return super().validate_unsigned(source, entry, arguments)

    @frame.call(
        6,
        weight=lambda task, day, index, ring, alias, seal, tag, signature: (
            ALIAS + RING_MEMBER.times(len(signature.responses))
        ),
    )
    def commit_alias(
        self,
        origin: frame.Origin,
        task: U32,
        day: U32,
        index: U32,
        ring: U32,
        alias: Bytes32,
        seal: Hash,
        tag: Bytes32,
        signature: RingSignature,
    ) -> None:
        """Seal a model in the submit window under a one-time ed25519 key. Unsigned and feeless.

        `signature`: somebody of ring number `ring` of alias number `index` makes this, who has not
        used its tag today. `seal` is `seals.seal_submission`. Emits SubmissionCommitted. Refused as
        TaskNotActive, SubmissionsFrozen, AliasTaken, NoSuchRing.
        """
        frame.ensure_none(origin)
        self.hidden.commit(task, alias, seal, tag)

    @frame.call(7, weight=ALIAS_REVEAL)
    def reveal_alias(
        self,
        origin: frame.Origin,
        task: U32,
        alias: Bytes32,
        content: ContentDigest,
        ciphertext: ContentDigest,
        size: U64,
        salt: Bytes32,
    ) -> None:
        """Open what an alias sealed today, in the reveal window: who has the salt may. Unsigned.

        Emits SubmissionRevealed. Refused as TaskNotActive, SubmissionsFrozen, NoSuchSeal, BadSize.
        """
        frame.ensure_none(origin)
        self.hidden.reveal(task, alias, SubmittedModel(content, ciphertext, size))

    @frame.call(8, weight=lambda task, day, tags, proof: OPEN + OPENED_TAG.times(len(tags)))
    def open_aliases(
        self, origin: frame.Origin, task: U32, day: U32, tags: Tags, proof: TagProof
    ) -> None:
        """Make all one's aliases of a day one's own, in the alias window. Signed by the node.

        `tags`: of index 0 up to the node's quota on the day's roll, used or not. `day` is today, on
        a task's last day but one none, and on its final day the one before. The fee covers what
        the aliases did without one. Emits AliasOpened. Raises TaskNotActive, OutsideWindow,
        NotOpenedToday, NotOnTheRoll, WrongTags, NothingToOpen, BadTagProof.
        """
        self.opening.open(frame.ensure_signed(origin), DayKey(task, day), tags, proof)

    @frame.call(
        10,
        weight=lambda task, submission, keys, signature: SHARE + SHARED_KEY.times(len(keys)),
    )
    def share_keys_of_alias(
        self,
        origin: frame.Origin,
        task: U32,
        submission: U32,
        keys: SealedKeys,
        signature: Bytes64,
    ) -> None:
        """Hand a model's key to drawn validators, signed by the alias that submitted it. Unsigned.

        Emits KeysShared. Refused as TaskNotActive, NotTheOwner, NotDrawn, NothingToShare, NoSeat.
        """
        frame.ensure_none(origin)
        self.hidden.share_keys(task, submission, keys)
