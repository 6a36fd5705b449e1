"""What the commands that talk to a node share: where it is, who signs, how answers look.

Owns the flags `--rpc`, `--key`, `--key-file`, `--scheme`, `--json` and the door through which
failures leave: one line on standard error, exit status 1. `--key` in plain sight is for development
keys such as //Alice, since other users of the machine can read a process's arguments.

Source: Substrate's command line; `subkey`.
"""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flockchain.cli.refusal import refuse, why
from flockchain.keys import KeyDerivationError, KeyPair, Scheme, key_pair_from_uri
from flockchain.sdk import (
    AmountError,
    BlockingClient,
    Disconnected,
    Receipt,
    SdkError,
    parse_amount,
)
from runtime.primitives.content_id import ContentIdError, parse_cid_text
from runtime.primitives.scale import ScaleError
from runtime.primitives.ss58 import AddressError, decode_address, encode_address
from runtime.primitives.types import AccountId

DEFAULT_RPC: Final = "ws://127.0.0.1:9944"
SECRET_CHARACTERS_MAX: Final = 8192

E = TypeVar("E")


class SchemeName(enum.StrEnum):
    """The signature schemes of the chain."""

    SR25519 = "sr25519"
    ED25519 = "ed25519"

    @property
    def scheme(self) -> Scheme:
        """The scheme in the node's own type."""
        return "ed25519" if self is SchemeName.ED25519 else "sr25519"


RpcFlag = Annotated[
    str, typer.Option("--rpc", envvar="FLOCKCHAIN_RPC", help="The node, as ws://host:port.")
]
KeyFlag = Annotated[
    str | None,
    typer.Option("--key", help="Secret URI in plain sight, as //Alice: for development keys only."),
]
KeyFileFlag = Annotated[
    Path | None,
    typer.Option("--key-file", help="File with the secret URI in one line; - is standard input."),
]
SchemeFlag = Annotated[SchemeName, typer.Option("--scheme", help="The key's signature scheme.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AccountArgument = Annotated[str, typer.Argument(help="SS58 address, 0x key, or //Name (sr25519).")]


@contextmanager
def open_client(url: str, *, flag: str = "--rpc") -> Iterator[BlockingClient]:
    """A connection for the length of a command; failures end the command with status 1.

    `flag` is the option that named the node.
    """
    try:
        with BlockingClient(url) as client:
            yield client
    except Disconnected as error:
        refuse(f"{error}; start a node there, or name another with {flag}")
    except (SdkError, ScaleError) as error:
        refuse(error)


def event_of(receipt: Receipt, kind: type[E], what: str) -> E:
    """The event that a call leaves; `what` names it to the user of a node that tells of none."""
    found = receipt.find(kind)
    if found is None:
        refuse(f"the chain took the call and tells of no {what}: ask the node's operator")
    return found


def read_key(uri: str | None, file: Path | None, scheme: SchemeName) -> KeyPair:
    """The key pair that signs; prompts for its secret if no option gives it."""
    if uri is not None and file is not None:
        raise typer.BadParameter("give --key or --key-file, not both", param_hint="--key")
    if file is not None:
        uri = read_secret(file)
    elif uri is None:
        if not sys.stdin.isatty():
            raise typer.BadParameter("give --key or --key-file", param_hint="--key")
        uri = str(typer.prompt("Secret URI", hide_input=True, err=True))
    return pair_of(uri, scheme)


def pair_of(uri: str, scheme: SchemeName) -> KeyPair:
    """The key pair of a secret URI. An empty one would be the development phrase itself."""
    _ensured(uri, "the secret URI")
    try:
        return key_pair_from_uri(uri, scheme.scheme)
    except KeyDerivationError as error:
        refuse(error)


def read_secret(path: Path) -> str:
    """The line of a secret's file."""
    try:
        if str(path) == "-":
            text = sys.stdin.readline(SECRET_CHARACTERS_MAX)
        else:
            with path.open() as file:
                text = file.readline(SECRET_CHARACTERS_MAX)
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"cannot read {path}: {why(error)}")
    return _ensured(text.removesuffix("\n").removesuffix("\r"), str(path))


def _ensured(secret: str, name: str) -> str:
    if not secret.strip():
        refuse(f"{name} is empty: it needs one line")
    return secret


def parse_planck(text: str) -> int:
    """Planck of an amount as people write it; wrong usage otherwise."""
    try:
        return parse_amount(text)
    except AmountError as error:
        raise typer.BadParameter(str(error)) from None


def read_account(text: str) -> AccountId:
    """An account from an SS58 address, 0x hex, or a development URI such as //Bob (sr25519)."""
    if text.startswith("//"):
        return pair_of(text, SchemeName.SR25519).account
    if text.startswith("0x"):
        try:
            raw = bytes.fromhex(text[2:])
        except ValueError:
            raw = b""
        if len(raw) != 32:
            raise typer.BadParameter("an account in hexadecimal has 32 bytes")
        return AccountId(raw)
    try:
        return AccountId(decode_address(text)[0])
    except AddressError as error:
        raise typer.BadParameter(
            f"{text[:64]!r} is no account ({error}): give an SS58 address, 0x and 64 digits, or a "
            "development key as //Alice"
        ) from None


def read_content_id(text: str) -> bytes:
    """The digest of a content id's text."""
    try:
        return parse_cid_text(text)
    except ContentIdError as error:
        raise typer.BadParameter(str(error)) from None


def address(account: bytes) -> str:
    """An account as it is shown."""
    return encode_address(account)


def print_json(document: object) -> None:
    """One document on standard output."""
    print(json.dumps(document, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on a terminal, tab-separated lines when piped."""
    console = Console()
    if not console.is_terminal:
        print("\t".join(columns))
        for row in rows:
            print("\t".join(map(in_words, row)))
        return
    table = Table(title=escape(title))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(in_words(cell)) for cell in row))
    console.print(table)


def print_facts(facts: dict[str, object], *, as_json: bool) -> None:
    """Names and values, one a line, or as JSON."""
    if as_json:
        print_json(facts)
        return
    width = max(map(len, facts)) + 1
    for name, value in facts.items():
        print(f"{name.replace('_', ' ') + ':':<{width}} {in_words(value)}")


def in_words(value: object) -> str:
    """A value as people read it: yes, no, none, lists by commas, records by semicolons."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == []:
        return "none"
    if isinstance(value, dict):
        return ", ".join(
            f"{name.replace('_', ' ')} {in_words(each)}" for name, each in value.items()
        )
    if isinstance(value, list):
        return ("; " if isinstance(value[0], dict) else ", ").join(map(in_words, value))
    return str(value)
