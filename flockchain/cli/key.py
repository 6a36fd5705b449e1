"""`flockchain key`: make, inspect and store keys, sign and verify messages.

Owns the command group and its rule for secrets: they come from a file, standard input or a prompt.
`--suri` on the command line exists for development keys such as //Alice, since other users of the
machine can read a process's arguments. Exit status: 0 done, 1 refused, 2 wrong usage.
Source: Substrate's `subkey`.
"""

from __future__ import annotations

import enum
import json
import re
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from flockchain.keys import KeyDerivationError, KeyPair, Scheme, key_pair_from_uri
from flockchain.keystore import FileKeystore, KeystoreError
from flockchain.phrase import PhraseError, generate_phrase
from runtime.primitives.signatures import ed25519_verify, sr25519_verify
from runtime.primitives.ss58 import (
    GENERIC_PREFIX,
    AddressError,
    decode_address,
    encode_address,
)

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
SECRET_CHARACTERS_MAX: Final = 8192

app = typer.Typer(
    help="Make, inspect and store keys, sign and verify messages.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold secrets
)


class SchemeOption(enum.StrEnum):
    """The signature schemes of the chain, as typer shows them."""

    ED25519 = "ed25519"
    SR25519 = "sr25519"

    @property
    def scheme(self) -> Scheme:
        """The scheme in the node's own type."""
        return "ed25519" if self is SchemeOption.ED25519 else "sr25519"


SchemeFlag = Annotated[SchemeOption, typer.Option("--scheme", help="Signature scheme.")]
NetworkFlag = Annotated[
    int, typer.Option("--network", min=0, max=16383, help="SS58 network prefix of the address.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
SuriFlag = Annotated[
    str | None,
    typer.Option(
        "--suri",
        "--key",
        help="Secret URI in plain sight, as //Alice: other users can read it, so for development"
        " keys only.",
    ),
]
SuriFileFlag = Annotated[
    Path | None,
    typer.Option(
        "--suri-file",
        help="File with the secret URI (phrase, 0x seed, path); - is standard input."
        " Without it and --suri the secret is prompted for.",
    ),
]
MessageFlag = Annotated[str | None, typer.Option("--message", help="The message as text.")]
MessageFileFlag = Annotated[
    Path | None,
    typer.Option("--message-file", help="File with the message's bytes; - is standard input."),
]
HexFlag = Annotated[bool, typer.Option("--hex", help="The message is given in hexadecimal.")]


@app.command()
def generate(
    words: Annotated[int, typer.Option(help="Words of the phrase: 12, 15, 18, 21 or 24.")] = 12,
    scheme: SchemeFlag = SchemeOption.SR25519,
    network: NetworkFlag = GENERIC_PREFIX,
    as_json: JsonFlag = False,
) -> None:
    """Make a new key pair and print its secret phrase, once and nowhere else."""
    try:
        phrase = generate_phrase(words)
    except PhraseError as error:
        raise typer.BadParameter(str(error), param_hint="--words") from None
    pair = key_pair_from_uri(phrase, scheme.scheme)
    _print({"secret_phrase": phrase, **_describe(pair.public, network, pair)}, as_json)


@app.command()
def inspect(
    public: Annotated[
        str | None, typer.Argument(help="Public key (0x..) or SS58 address instead of a secret.")
    ] = None,
    suri: SuriFlag = None,
    suri_file: SuriFileFlag = None,
    scheme: SchemeFlag = SchemeOption.SR25519,
    network: NetworkFlag = GENERIC_PREFIX,
    as_json: JsonFlag = False,
) -> None:
    """Show the public key and address of a secret URI, a public key or an address."""
    if public is None:
        pair = _read_pair(suri, suri_file, scheme)
        _print(_describe(pair.public, network, pair), as_json)
    elif suri is None and suri_file is None:
        _print(_describe(_parse_public(public), network, None), as_json)
    else:
        raise typer.BadParameter("give a public key or a secret, not both", param_hint="PUBLIC")


@app.command()
def insert(
    keystore: Annotated[Path, typer.Option(help="Directory of the encrypted key files.")],
    key_type: Annotated[str, typer.Option(help="Four characters: babe, gran, acco.")],
    suri: SuriFlag = None,
    suri_file: SuriFileFlag = None,
    scheme: Annotated[
        SchemeOption | None,
        typer.Option(help="Signature scheme; by default ed25519 for babe and gran, else sr25519."),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with the keystore's password; prompted for without it."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Encrypt a key into the keystore of a node."""
    uri = _read_uri(suri, suri_file)
    password = (
        _prompt("Password of the keystore", confirm=True)
        if password_file is None
        else _read_text(password_file)
    )
    try:
        entry = FileKeystore(keystore).insert(
            key_type, uri, password, scheme=None if scheme is None else scheme.scheme
        )
    except (KeystoreError, KeyDerivationError, OSError) as error:
        _refuse(str(error))
    _print(
        {"key_type": entry.key_type, "scheme": entry.scheme, "public_key": _hex(entry.public)},
        as_json,
    )


@app.command()
def sign(
    suri: SuriFlag = None,
    suri_file: SuriFileFlag = None,
    message: MessageFlag = None,
    message_file: MessageFileFlag = None,
    is_hex: HexFlag = False,
    scheme: SchemeFlag = SchemeOption.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Sign a message given by --message, --message-file or standard input."""
    if _is_stdin(suri_file) and message is None and _is_stdin(message_file or Path("-")):
        raise typer.BadParameter(
            "standard input cannot be both the secret and the message", param_hint="--suri-file"
        )
    pair = _read_pair(suri, suri_file, scheme)
    signature = pair.sign(_read_message(message, message_file, is_hex=is_hex))
    _print({"signature": _hex(signature), "public_key": _hex(pair.public)}, as_json)


@app.command()
def verify(
    signature: Annotated[str, typer.Argument(help="The 64-byte signature in hexadecimal.")],
    public: Annotated[str, typer.Argument(help="Public key (0x..) or SS58 address.")],
    message: MessageFlag = None,
    message_file: MessageFileFlag = None,
    is_hex: HexFlag = False,
    scheme: SchemeFlag = SchemeOption.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Check a signature; exit status 1 if it is not valid."""
    raw_signature = _parse_hex(signature, "the signature")
    key = _parse_public(public)
    check = ed25519_verify if scheme is SchemeOption.ED25519 else sr25519_verify
    if not check(raw_signature, _read_message(message, message_file, is_hex=is_hex), key):
        _refuse(f"the {scheme.value} signature is not valid for {_hex(key)}")
    _print({"valid": True, "public_key": _hex(key)}, as_json)


def _describe(public: bytes, network: int, pair: KeyPair | None) -> dict[str, object]:
    try:
        address = encode_address(public, network)
    except AddressError as error:
        raise typer.BadParameter(str(error), param_hint="--network") from None
    facts: dict[str, object] = {} if pair is None else {"scheme": pair.scheme}
    return {**facts, "public_key": _hex(public), "address": address, "network": network}


def _read_pair(suri: str | None, suri_file: Path | None, scheme: SchemeOption) -> KeyPair:
    try:
        return key_pair_from_uri(_read_uri(suri, suri_file), scheme.scheme)
    except KeyDerivationError as error:
        _refuse(str(error))


def _read_uri(suri: str | None, suri_file: Path | None) -> str:
    if suri is not None and suri_file is not None:
        raise typer.BadParameter("give --suri or --suri-file, not both", param_hint="--suri")
    if suri is not None:
        if not suri.strip():
            raise typer.BadParameter("the secret URI is empty", param_hint="--suri")
        return suri
    return _prompt("Secret URI") if suri_file is None else _read_text(suri_file)


def _prompt(label: str, *, confirm: bool = False) -> str:
    return str(typer.prompt(label, hide_input=True, confirmation_prompt=confirm, err=True))


def _read_text(path: Path) -> str:
    """A secret from a file: its first line, as nodes and all other commands read it.

    An empty secret URI would be the development phrase itself, which everybody has.
    """
    raw = _read_bytes(path, SECRET_CHARACTERS_MAX)
    try:
        text = raw.decode().partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        _refuse(f"{path} holds no text")
    if not text.strip():
        _refuse(f"{path} is empty: it needs one line")
    return text


def _read_message(message: str | None, message_file: Path | None, *, is_hex: bool) -> bytes:
    if message is not None and message_file is not None:
        raise typer.BadParameter(
            "give --message or --message-file, not both", param_hint="--message"
        )
    if message is not None:
        raw = message.encode()
    else:
        raw = _read_bytes(message_file or Path("-"), MESSAGE_BYTES_MAX)
    return _parse_hex(raw.decode("ascii", "replace").strip(), "the message") if is_hex else raw


def _read_bytes(path: Path, bytes_max: int) -> bytes:
    try:
        if _is_stdin(path):
            raw = sys.stdin.buffer.read(bytes_max + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(bytes_max + 1)
    except OSError as error:
        _refuse(f"cannot read {path}: {error.strerror}")
    if len(raw) > bytes_max:
        _refuse(f"{path} is longer than {bytes_max} bytes")
    return raw


def _is_stdin(path: Path | None) -> bool:
    return path is not None and str(path) == "-"


def _parse_public(text: str) -> bytes:
    if text.startswith("0x"):
        public = _parse_hex(text, "the public key")
        if len(public) != 32:
            _refuse(f"a public key has 32 bytes, not {len(public)}")
        return public
    try:
        return decode_address(text)[0]
    except AddressError as error:
        _refuse(str(error))


def _parse_hex(text: str, what: str) -> bytes:
    digits = text.removeprefix("0x")
    if not re.fullmatch(r"([0-9a-fA-F]{2})*", digits):
        _refuse(f"{what} is not hexadecimal")
    return bytes.fromhex(digits)


def _hex(raw: bytes) -> str:
    return f"0x{raw.hex()}"


def _print(facts: dict[str, object], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    width = max(map(len, facts)) + 1
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' ') + ':':<{width}} {value}")


def _refuse(reason: str) -> NoReturn:
    typer.echo(f"error: {reason}", err=True)
    raise typer.Exit(1)
