"""Calls by which accounts publish their keys, and hand the keys of their models to validators.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from functools import cached_property

from runtime import frame
from runtime.frame.weights import Weight
from runtime.pallets.arena import storage
from runtime.pallets.arena.key_records import SealedKeys
from runtime.pallets.arena.model_keys import ModelKeys
from runtime.pallets.arena.rings import Rings
from runtime.primitives.ring_signature import KeyProof
from runtime.primitives.types import U32, Bytes32

SET_RING_KEY = Weight(700_000_000)
SET_KEY = Weight(150_000_000)
SHARE = Weight(200_000_000)
SHARED_KEY = Weight(60_000_000)


class KeyCalls(storage.Arena, index=33):
    @cached_property
    def sealing(self) -> ModelKeys:
        """Keys of models."""
        return ModelKeys(self)

    @cached_property
    def rings(self) -> Rings:
        """Keys of which rings are made."""
        return Rings(self)

    @frame.call(4, weight=SET_RING_KEY)
    def set_ring_key(self, origin: frame.Origin, key: Bytes32, proof: KeyProof) -> None:
        """Publish the key by which one submits as one of a ring; it replaces a former one. Signed.

        It acts from tomorrow on, set in or after today's reveal window from the day after.
        `proof` is bound to `alias_messages.ring_key_context`. Emits RingKeySet. Raises
        RingKeyTaken, BadRingKey.
        """
        self.rings.set_key(frame.ensure_signed(origin), key, proof)

    @frame.call(5, weight=SET_KEY)
    def set_sealing_key(self, origin: frame.Origin, key: Bytes32) -> None:
        """Publish the X25519 key that others seal to; it replaces a former one at once. Signed.

        A task validator has seats from the first day on whose reveal window begins after it.
        Emits SealingKeySet. Raises BadSealingKey.
        """
        self.sealing.set_sealing_key(frame.ensure_signed(origin), key)

    @frame.call(
        9,
        weight=lambda task, submission, keys: SHARE + SHARED_KEY.times(len(keys)),
    )
    def share_keys(
        self, origin: frame.Origin, task: U32, submission: U32, keys: SealedKeys
    ) -> None:
        """Hand a model's key to drawn validators, in the score commit window. Signed by its owner.

        Emits KeysShared. Raises TaskNotActive, NotTheOwner, OutsideWindow, NotDrawn,
        NothingToShare, NoSeat, KeyAlreadyShared.
        """
        self.sealing.share(frame.ensure_signed(origin), task, submission, keys)
