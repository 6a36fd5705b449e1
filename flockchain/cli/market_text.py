"""What the commands of the marketplace read alike: a host, a model, a secret's salt, a rating.

Source: WP II.C.
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.chain_access import read_account, read_content_id
from runtime.primitives.types import AccountId

HostOption = Annotated[str, typer.Option(help="The host: SS58 address, 0x key, or //Name.")]
ModelOption = Annotated[str, typer.Option(help="The model's content id.")]
SaltOption = Annotated[str, typer.Option(help="What sealing printed, as 0x hexadecimal.")]


def line_of(host: str, model: str) -> tuple[AccountId, bytes]:
    """The account of a host and the digest of a model."""
    return read_account(host), read_content_id(model)


def read_salt(text: str) -> bytes:
    """32 bytes of hexadecimal; wrong usage otherwise."""
    return _hex(text, 32, "a salt has 32 bytes, as 0x and 64 digits")


def read_signature(text: str) -> bytes:
    """The bytes of a signature with its scheme in front; wrong usage otherwise."""
    return _hex(text, 65, "a signature has 65 bytes, the first says its scheme")


def _hex(text: str, size: int, refusal: str) -> bytes:
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != size:
        raise typer.BadParameter(refusal)
    return found
