"""What every command that sends a transaction takes: `--rpc --key --key-file --scheme --json`.

Owns the decorator that gives a command these options as one `Signer`, so that they are written, and
change, in one place. Invariant: a command's own parameters come first in its help.

Source: Substrate's command line; `subkey`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Concatenate, ParamSpec, TypeVar

from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    KeyFileFlag,
    KeyFlag,
    RpcFlag,
    SchemeFlag,
    SchemeName,
    event_of,
    open_client,
    read_key,
)
from flockchain.cli.option_groups import with_options
from flockchain.keys import KeyPair
from flockchain.sdk import BlockingClient

E = TypeVar("E")
P = ParamSpec("P")


@dataclass(frozen=True)
class Signer:
    """The node that a command talks to, whose key signs, and how the answer is shown."""

    rpc: RpcFlag = DEFAULT_RPC
    key: KeyFlag = None
    key_file: KeyFileFlag = None
    scheme: SchemeFlag = SchemeName.SR25519
    as_json: JsonFlag = False

    @cached_property
    def pair(self) -> KeyPair:
        """The key pair; prompts for its secret if no option gives it."""
        return read_key(self.key, self.key_file, self.scheme)

    def open(self) -> AbstractContextManager[BlockingClient]:
        """A connection for the length of a command; failures end the command with status 1."""
        return open_client(self.rpc)

    def send(self, call: bytes, kind: type[E], what: str) -> E:
        """Send one call and wait for its block; the event that it leaves, `what` to its user."""
        pair = self.pair  # before there is a connection: its secret may have to be typed
        with self.open() as client:
            receipt = client.submit(call, pair)
        return event_of(receipt, kind, what)


def with_signer(command: Callable[Concatenate[Signer, P], None]) -> Callable[..., None]:
    """The command with the options of `Signer` behind its own, instead of its first parameter."""
    return with_options(command)
