"""The VRF key of a participant in a task: made from the account's secret, so no file holds it.

Source: WP VI.B, VI.H (VRF keys, unique per task).
"""

from __future__ import annotations

from typing import Final

from flockchain.keys import KeyPair
from runtime.primitives import vrf
from runtime.primitives.types import Bytes32, Hash

_VRF: Final = b"flock/alliance/vrf"


def vrf_seed_of(key: KeyPair, genesis: Hash, task: int) -> bytes:
    """The 32 secret bytes of its VRF key in a task of a chain."""
    return key.derive(_VRF + genesis + task.to_bytes(4, "little"))


def public_vrf_key(seed: bytes) -> Bytes32:
    """The key that the chain is told."""
    return Bytes32(vrf.public_key(seed))
