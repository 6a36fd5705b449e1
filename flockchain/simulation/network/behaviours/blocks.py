"""Liars who make blocks: two for a slot, late, false, from the future, or long forks in secret.

Source: WP II.A (what stake stands against).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flockchain.chain.backend import Head
from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.behaviours.liar import Liar
from flockchain.sync.messages import encode_announcement
from runtime.primitives.header import Digest, Seal
from runtime.primitives.types import Hash

BLOCKS = "block-announces"


class EquivocatingAuthor(Behaviour):
    """Makes two blocks in each of its slots and shows half of the network each of them."""

    name = "equivocating-author"

    def on_slot(self, liar: Liar, slot: int) -> None:
        forged = liar.forge(slot, younger_ms=1)
        if forged is not None:
            for receiver in liar.peers()[::2]:
                liar.send(receiver, BLOCKS, forged.announcement())
                liar.is_provable |= liar.is_judge(receiver, forged)


class WithholdingAuthor(Behaviour):
    """Shows its blocks only three slots later."""

    name = "withholding-author"

    def on_start(self, liar: Liar) -> None:
        self.held: list[tuple[int, bytes]] = []

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        if topic != BLOCKS:
            return (data,)
        self.held.append((liar.slot + 3, data))
        return ()

    def on_slot(self, liar: Liar, slot: int) -> None:
        due = [data for due, data in self.held if due <= slot]
        self.held = [(due, data) for due, data in self.held if due > slot]
        for data in dict.fromkeys(due):
            liar.send_all(BLOCKS, data)


class SilentAuthor(Behaviour):
    """Authors nothing that anybody sees: the last revealer who keeps its VRF output to itself."""

    name = "silent-author"

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        return () if topic == BLOCKS else (data,)


class FalseStateRoot(Behaviour):
    """Seals blocks with a state root that is not the execution's."""

    name = "false-state-root"

    def on_slot(self, liar: Liar, slot: int) -> None:
        forged = liar.forge(slot, younger_ms=2)
        if forged is not None:
            false = forged.bend(state_root=Hash(liar.prng.randbytes(32)))
            liar.send_all(BLOCKS, false.announcement())
            liar.is_provable |= any(liar.is_judge(place, forged) for place in liar.peers())


class FalseExtrinsicsRoot(Behaviour):
    """Seals blocks whose body is not what the header says."""

    name = "false-extrinsics-root"

    def on_slot(self, liar: Liar, slot: int) -> None:
        forged = liar.forge(slot, younger_ms=3)
        if forged is not None:
            forged.body.append(liar.prng.randbytes(40))
            liar.send_all(BLOCKS, forged.announcement())


class FalseSeal(Behaviour):
    """Sends blocks sealed by nobody, also for slots of others."""

    name = "false-seal"

    def on_slot(self, liar: Liar, slot: int) -> None:
        header = liar.node.backend.header(liar.node.backend.best.hash)
        assert header is not None
        logs = [log for log in header.digest.logs if not isinstance(log, Seal)]
        seals = [log for log in header.digest.logs if isinstance(log, Seal)]
        logs.extend(replace(seal, data=liar.prng.randbytes(64)) for seal in seals)
        body = liar.node.backend.blocks.body(liar.node.backend.best.hash) or []
        liar.send_all(BLOCKS, encode_announcement(replace(header, digest=Digest(logs)), body))


class FutureSlots(Behaviour):
    """Makes its blocks of later slots now."""

    name = "future-slots"

    def on_slot(self, liar: Liar, slot: int) -> None:
        for ahead in (1, 2, 5, 20):
            forged = liar.forge(slot + ahead)
            if forged is not None:
                liar.send_all(BLOCKS, forged.announcement())


class UnknownAncestor(Behaviour):
    """Spams well-sealed blocks on parents that do not exist."""

    name = "unknown-ancestor"

    def on_slot(self, liar: Liar, slot: int) -> None:
        forged = liar.forge(slot)
        for _ in range(5 if forged is not None else 0):
            assert forged is not None
            orphan = forged.bend(
                parent_hash=Hash(liar.prng.randbytes(32)),
                number=forged.header.number + liar.prng.randrange(1_000),
            )
            liar.send_all(BLOCKS, orphan.announcement())


class LongRangeFork(Behaviour):
    """Builds a fork of its own on old blocks, in all slots that it had, and then offers it."""

    name = "long-range-fork"

    def on_start(self, liar: Liar) -> None:
        self.old: list[Head] = []

    def on_slot(self, liar: Liar, slot: int) -> None:
        self.old = [*self.old[-30:], liar.node.backend.finalized]
        if slot % 10:
            return
        parent = self.old[0]
        for past in range(max(liar.slot_of(parent.hash) + 1, slot - 40), slot):
            forged = liar.forge(past, parent, younger_ms=4)
            if forged is not None:
                liar.send_all(BLOCKS, forged.announcement())


class Censor(Behaviour):
    """Makes empty blocks only, and passes nobody's extrinsics on."""

    name = "censor"

    def on_start(self, liar: Liar) -> None:
        liar.node.pool.best = lambda: iter(())  # type: ignore[method-assign]

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        return () if topic == "transactions" else (data,)
