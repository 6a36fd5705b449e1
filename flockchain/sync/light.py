"""Reading a peer's state key by key, with the proof that the header names just that.

For who has headers but no state; served only: a node here asks for whole states, and has no use for
it. Owns question, answer and check. Invariant: an answer holds at most `RESPONSE_BYTES_MAX`,
whatever is asked, and what `check_light_answer` gives is what the state holds.
Source: Substrate's `light/2` (`RemoteReadRequest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.storage.errors import StateDiscarded
from flockchain.storage.trie_codec import KEY_BYTES_MAX
from flockchain.storage.trie_proof import verify_read_proof
from flockchain.sync.messages import RESPONSE_BYTES_MAX
from p2p.envelope import Fields, decode, encode
from p2p.interface import RESPONSE_SIZE_MAX, PeerError
from runtime.primitives.types import Hash

LIGHT_KEYS_MAX: Final = 64
_KEYS_BYTES_MAX: Final = 64 * 1024
_ENTRIES_MAX: Final = 4_096
_ENTRY_BYTES: Final = 5  # what the envelope adds at most


@dataclass(frozen=True, slots=True)
class LightRequest:
    """Keys of the state behind a block, present or not."""

    block: Hash
    keys: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The envelope's bytes."""
        return encode({"block": self.block, "keys": [*self.keys]})


def decode_light_request(data: bytes) -> LightRequest:
    """Raises PeerError."""
    fields = Fields(decode(data))
    block = Hash(fields.take_bytes("block", 32, 32))
    keys = fields.take_bytes_list("keys", LIGHT_KEYS_MAX, _KEYS_BYTES_MAX)
    fields.ensure_empty()
    if not keys or any(len(key) > KEY_BYTES_MAX for key in keys):
        raise PeerError(f"a state's keys are one at least, of {KEY_BYTES_MAX} bytes at most")
    return LightRequest(block, tuple(keys))


def serve_light(backend: Backend, request: LightRequest) -> bytes:
    """The proof of what the state holds at the keys. Raises PeerError."""
    header = backend.header(request.block)
    if header is None:
        raise PeerError(f"block 0x{request.block.hex()} is not known here")
    try:
        reader = backend.state.reader(header.state_root)
    except StateDiscarded as error:
        raise PeerError(f"the state of block {header.number} is not kept here") from error
    entries: dict[bytes, None] = {}
    size = 0
    for key in request.keys:
        more = [entry for entry in reader.read_proof([key]) if entry not in entries]
        entries.update(dict.fromkeys(more))
        size += sum(len(entry) + _ENTRY_BYTES for entry in more)
        if size > RESPONSE_BYTES_MAX or len(entries) > _ENTRIES_MAX:
            raise PeerError("the proof is too large: ask for fewer keys")
    return encode({"proof": [*entries]})


def check_light_answer(
    data: bytes, state_root: bytes, keys: Sequence[bytes]
) -> dict[bytes, bytes | None]:
    """What the state with that root holds at each key. Raises PeerError, ProofError."""
    fields = Fields(decode(data))
    proof = fields.take_bytes_list("proof", _ENTRIES_MAX, RESPONSE_SIZE_MAX)
    fields.ensure_empty()
    return verify_read_proof(state_root, proof, keys)
