"""The key by which an account submits as one of a ring: where it comes from, and its publication.

It follows from the account's secret and the chain, so a restarted worker needs no file to show its
tags. A key set before a day's reveal window acts from the next day on.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from typing import Final

from flockchain.keys import KeyPair
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_messages import ring_key_context
from runtime.primitives.ring_signature import prove_key, public_key, ring_secret_from_seed
from runtime.primitives.types import Hash

ENTROPY_BYTES: Final = 32
_RING: Final = b"flock/ring"


def ring_secret(key: KeyPair, genesis: Hash) -> bytes:
    """The secret scalar of this account's ring key on this chain."""
    return ring_secret_from_seed(key.derive(_RING + genesis))


async def has_ring_key(desk: Desk, now: Moment) -> bool:
    """Whether the ring key that the chain has, or will use next, is this one. Raises SdkError."""
    known = await now.view.query(Arena.ring_keys, desk.key.account)
    own = public_key(ring_secret(desk.key, desk.client.genesis))
    return bool(known) and known[-1].key == own


def publish_ring_key(desk: Desk, now: Moment) -> None:
    """Tell the chain of it."""
    secret, genesis = ring_secret(desk.key, desk.client.genesis), desk.client.genesis
    context = ring_key_context(genesis, desk.key.account)
    proof = prove_key(secret, context, desk.random.randbytes(ENTROPY_BYTES))
    desk.actions.act(
        ("ring key", desk.key.account),
        now.head.number,
        desk.key,
        encode_call(Arena.set_ring_key, public_key(secret), proof),
        f"{desk.name} published its ring key: from another day on it can submit under aliases",
    )
