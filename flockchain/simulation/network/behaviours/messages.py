"""Liars who send, pass on and answer: floods, garbage, lies to those who sync, silence.

Source: WP II.A.
"""

from __future__ import annotations

from collections.abc import Sequence

from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.behaviours.liar import Liar
from flockchain.sync.messages import BlockData, decode_blocks, encode_blocks, encode_extrinsics
from p2p.interface import RESPONSE_SIZE_MAX, TOPIC_SIZES_MAX, PeerError
from runtime.primitives.types import Hash


class LyingSync(Behaviour):
    """Answers whoever syncs with garbage, false blocks, false proofs, holes or too much."""

    name = "lying-sync"

    def on_answer(self, liar: Liar, protocol: str, request: bytes, answer: bytes) -> bytes:
        kind = liar.prng.randrange(6)
        if kind == 0:
            return liar.prng.randbytes(liar.prng.randrange(200))
        if kind == 1:
            return answer[: liar.prng.randrange(len(answer) + 1)]
        if kind == 2:
            return liar.prng.randbytes(RESPONSE_SIZE_MAX)
        try:
            blocks = decode_blocks(answer)
        except PeerError:
            return answer
        return encode_blocks([self._bend(liar, block, kind) for block in blocks])

    def _bend(self, liar: Liar, block: BlockData, kind: int) -> BlockData:
        if kind == 3:
            return BlockData(block.header, [*(block.body or []), b"more"], block.justification)
        if kind == 4:
            return BlockData(block.header, block.body, liar.prng.randbytes(300))
        return BlockData(block.header, [], None)


class Garbage(Behaviour):
    """Sends bytes without meaning on every topic, up to the largest size."""

    name = "garbage"

    def on_slot(self, liar: Liar, slot: int) -> None:
        for topic, size_max in TOPIC_SIZES_MAX.items():
            size = size_max if slot % 16 == 0 else liar.prng.randrange(400)
            liar.send_all(topic, liar.prng.randbytes(size))


class ExtrinsicSpam(Behaviour):
    """Floods its neighbours with extrinsics that nobody signed."""

    name = "extrinsic-spam"

    def on_slot(self, liar: Liar, slot: int) -> None:
        spam = [liar.prng.randbytes(140) for _ in range(20)]
        liar.send_all("transactions", encode_extrinsics(spam))


class SelectiveRelay(Behaviour):
    """Passes votes and blocks on to one half of its neighbours only."""

    name = "selective-relay"

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        return (data,) if receiver % 2 else ()


class Mute(Behaviour):
    """Sends nothing at all, and answers nothing that is of use."""

    name = "mute"

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        return ()

    def on_answer(self, liar: Liar, protocol: str, request: bytes, answer: bytes) -> bytes:
        return b""


class FalseHeights(Behaviour):
    """Announces headers of heights that nobody has, so that others ask it for blocks."""

    name = "false-heights"

    def on_slot(self, liar: Liar, slot: int) -> None:
        forged = liar.forge(slot)
        if forged is not None:
            high = forged.bend(number=10**6 + slot, parent_hash=Hash(liar.prng.randbytes(32)))
            liar.send_all("block-announces", high.announcement())

    def on_answer(self, liar: Liar, protocol: str, request: bytes, answer: bytes) -> bytes:
        return encode_blocks([])
