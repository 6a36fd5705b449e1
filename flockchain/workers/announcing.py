"""Telling the network of a model before and after its commitment, so that nodes fetch it early.

Best effort: the chain alone decides what counts, so a refusal is logged and nothing else happens.
Invariant: content is named only once the chain may know it; before, the commitment alone.

Source: WP V.C, V.D (submissions).
"""

from __future__ import annotations

import logging

from flockchain.keys import KeyPair
from flockchain.model_hash_message import ModelHash, ModelHashError, sign_model_hash
from flockchain.sdk import Client, SdkError
from p2p.interface import PeerId
from runtime.primitives.content_id import ContentId
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)


async def announce_submission(
    client: Client,
    key: KeyPair,
    task: int,
    day: int,
    commitment: Hash,
    revealed: tuple[bytes, int] | None,
) -> bool:
    """Send a signed model hash to the node, which spreads it; whether it was taken.

    `revealed`: content id and size in bytes of a blob that the node has; None before the reveal.
    """
    content, size_bytes = (None, 0) if revealed is None else revealed
    try:
        message = ModelHash(
            task=task,
            period=day,
            kind="submission",
            commitment=commitment,
            content=None if content is None else ContentId(content),
            provider=PeerId(str(await client.rpc("system_localPeerId"))),
            size=size_bytes,
            account=key.account,
        )
        signed = sign_model_hash(message, client.genesis, key)
        await client.rpc("flock_announceModel", ["0x" + signed.hex()])
    except (SdkError, ModelHashError) as error:
        log.info("%s: model of task %d not announced: %s", key.address()[:8], task, error)
        return False
    return True
