"""What a node asks that does not execute the past: proofs of finality, nodes of a state.

Envelopes as in `messages.py`; headers, proofs and trie nodes travel as the bytes that they are.
Source: Substrate's `sync/warp` and `state/2` protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flockchain.consensus.grandpa.warp_proof import Fragment
from flockchain.storage.trie_codec import KEY_BYTES_MAX
from flockchain.sync.messages import BLOCK_BYTES_MAX
from p2p.envelope import Fields, Value, decode, encode
from p2p.interface import RESPONSE_SIZE_MAX, PeerError
from runtime.primitives.header import HEADER
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

FRAGMENTS_MAX: Final = 512
STATE_ENTRIES_MAX: Final = 1_024
"""Bounds the work of an answer, which small nodes would not bound by their bytes."""
_HEADER_BYTES_MAX: Final = 64 * 1024


def warp_request(begin: Hash) -> bytes:
    """Ask for the changes of voters above a final block."""
    return encode({"begin": begin})


def decode_warp_request(data: bytes) -> Hash:
    """The block to begin above. Raises PeerError."""
    fields = Fields(decode(data))
    begin = Hash(fields.take_bytes("begin", 32, 32))
    fields.ensure_empty()
    return begin


@dataclass(frozen=True, slots=True)
class WarpAnswer:
    """Fragments; `is_last`: they end in the last final block of whoever answers.

    `is_forced`: they end before voters were replaced by force, which nobody's votes prove.
    """

    fragments: list[Fragment]
    is_last: bool
    is_forced: bool = False

    def encode(self) -> bytes:
        """The envelope's bytes."""
        listed: list[Value] = [
            {"header": one.header.encode(), "proof": one.justification} for one in self.fragments
        ]
        fields: dict[str, Value] = {"fragments": listed, "is_last": self.is_last}
        if self.is_forced:
            fields["is_forced"] = True
        return encode(fields)


def decode_warp_answer(data: bytes) -> WarpAnswer:
    """Raises PeerError."""
    fields = Fields(decode(data))
    listed = fields.take_list("fragments", FRAGMENTS_MAX)
    is_last = fields.take_bool("is_last")
    is_forced = fields.has("is_forced") and fields.take_bool("is_forced")
    fields.ensure_empty()
    fragments = []
    for item in listed:
        inner = Fields(item)
        raw = inner.take_bytes("header", _HEADER_BYTES_MAX)
        proof = inner.take_bytes("proof", BLOCK_BYTES_MAX)
        inner.ensure_empty()
        try:
            fragments.append(Fragment(HEADER.decode_all(raw), proof))
        except DecodeError as error:
            raise PeerError(f"a header that does not decode: {error}") from error
    return WarpAnswer(fragments, is_last, is_forced)


@dataclass(frozen=True, slots=True)
class StateRequest:
    """The state's nodes behind a block, those after the path `after` (nibbles) in walking order."""

    block: Hash
    after: str | None

    def encode(self) -> bytes:
        """The envelope's bytes."""
        return encode({"block": self.block, "after": self.after})


def decode_state_request(data: bytes) -> StateRequest:
    """Raises PeerError."""
    fields = Fields(decode(data))
    block, after = Hash(fields.take_bytes("block", 32, 32)), None
    if not fields.take_null("after"):
        after = fields.take_text("after", 2 * KEY_BYTES_MAX)
        if not set(after) <= set("0123456789abcdef"):
            raise PeerError("a path that is no nibbles")
    fields.ensure_empty()
    return StateRequest(block, after)


def encode_state_answer(entries: Sequence[bytes]) -> bytes:
    """Nodes, and values behind nodes that hold their hashes."""
    return encode({"entries": [*entries]})


def decode_state_answer(data: bytes) -> list[bytes]:
    """Raises PeerError."""
    fields = Fields(decode(data))
    entries = fields.take_bytes_list("entries", STATE_ENTRIES_MAX, RESPONSE_SIZE_MAX)
    fields.ensure_empty()
    return entries
