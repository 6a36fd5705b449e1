"""Texts about proposals: files whose bytes go to the node, so that a content id leads to them.

Source: WP VII (debate).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flockchain.cli.refusal import refuse, why
from flockchain.keys import KeyPair
from flockchain.sdk import BlockingClient
from runtime.primitives.content_id import ContentId, content_id

TEXT_BYTES_MAX: Final = 256 * 1024


def read_text(path: Path) -> bytes:
    """The bytes of a file; a longer one than 256 KiB is refused."""
    try:
        with path.open("rb") as file:
            text = file.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        refuse(f"cannot read {path}: {why(error)}")
    if not 0 < len(text) <= TEXT_BYTES_MAX:
        refuse(f"{path} is empty or has more than {TEXT_BYTES_MAX} bytes")
    return text


def upload(client: BlockingClient, text: bytes, pair: KeyPair) -> ContentId:
    """Give a text to the node; what leads to it."""
    client.put_blob(text, pair)
    return content_id(text)
