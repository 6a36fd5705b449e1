"""The encrypted key document: what a keystore file contains.

Owns the format: canonical JSON whose fields are all authenticated, so that no byte can change
unnoticed, around a secret URI under scrypt and ChaCha20-Poly1305.
Invariant: a document has one byte form; no secret or password appears in a message.
Source: RFC 7914 (scrypt), RFC 8439 (ChaCha20-Poly1305).
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flockchain.keys import SCHEMES, Scheme

SCRYPT_LOG_N: Final = 17  # 128 MiB and about half a second for each guess
DOCUMENT_BYTES_MAX: Final = 16_384

_VERSION: Final = 1
_SCRYPT_LOG_N_MAX: Final = 20
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_SALT_BYTES: Final = 32
_NONCE_BYTES: Final = 12

Document = dict[str, Any]


class SealedKeyError(ValueError):
    """The bytes are no key document, or the password does not open it."""


@dataclass(frozen=True, slots=True)
class StretchedPassword:
    """What scrypt made of a password: seals as many documents as are made together."""

    salt: bytes
    log_n: int
    key: bytes = field(repr=False)


def stretch(password: str, *, log_n: int) -> StretchedPassword:
    """Under a salt of its own; 2^log_n is scrypt's cost, each step doubles time and memory."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return StretchedPassword(salt, log_n, _stretch(password, salt, log_n))


def seal_key(
    key_type: str, scheme: Scheme, public: bytes, uri: str, password: StretchedPassword
) -> bytes:
    """The document of a secret URI."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    document: Document = {
        "version": _VERSION,
        "key_type": key_type,
        "scheme": scheme,
        "public": public.hex(),
        "kdf": "scrypt",
        "scrypt_log_n": password.log_n,
        "salt": password.salt.hex(),
        "cipher": "chacha20-poly1305",
        "nonce": nonce.hex(),
    }
    cipher = ChaCha20Poly1305(password.key)
    sealed = cipher.encrypt(nonce, uri.encode(), _canonical(document))
    return _canonical({**document, "ciphertext": sealed.hex()}) + b"\n"


def parse_document(content: bytes) -> Document:
    """The checked fields of a document. Raises: SealedKeyError saying which rule it breaks."""
    if len(content) > DOCUMENT_BYTES_MAX:
        raise SealedKeyError(f"longer than {DOCUMENT_BYTES_MAX} bytes")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise SealedKeyError("not JSON") from None
    problem = _find_problem(document)
    if problem is not None:
        raise SealedKeyError(problem)
    if _canonical(document) + b"\n" != content:
        raise SealedKeyError("not in canonical form")
    return dict(document)


def open_key(document: Document, password: str) -> str:
    """The secret URI in a parsed document.

    Raises: SealedKeyError if the password is wrong or a field was altered: nobody can tell which.
    """
    salt, nonce = bytes.fromhex(document["salt"]), bytes.fromhex(document["nonce"])
    header = {name: value for name, value in document.items() if name != "ciphertext"}
    cipher = ChaCha20Poly1305(_stretch(password, salt, document["scrypt_log_n"]))
    try:
        plain = cipher.decrypt(nonce, bytes.fromhex(document["ciphertext"]), _canonical(header))
    except InvalidTag:
        raise SealedKeyError("wrong password or altered file") from None
    return plain.decode()


def _stretch(password: str, salt: bytes, log_n: int) -> bytes:
    kdf = Scrypt(salt=salt, length=32, n=1 << log_n, r=_SCRYPT_R, p=_SCRYPT_P)
    return kdf.derive(password.encode())


def _canonical(document: Document) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _find_problem(document: object) -> str | None:
    """Which rule of the format a document breaks, or None."""
    if not isinstance(document, dict):
        return "not an object"
    hexadecimal = {"public": 32, "salt": _SALT_BYTES, "nonce": _NONCE_BYTES, "ciphertext": None}
    constants = {"version": _VERSION, "kdf": "scrypt", "cipher": "chacha20-poly1305"}
    expected = {*hexadecimal, *constants, "key_type", "scheme", "scrypt_log_n"}
    if set(document) != expected:
        return f"fields {sorted(set(document) ^ expected)} missing or unknown"
    for name, value in constants.items():
        if document[name] != value:
            return f"{name} is not {value}"
    for name, length in hexadecimal.items():
        value = document[name]
        if not isinstance(value, str) or not re.fullmatch(r"([0-9a-f]{2})*", value):
            return f"{name} is not hexadecimal"
        if length is not None and len(value) != 2 * length:
            return f"{name} is not {length} bytes long"
    if document["scheme"] not in SCHEMES:
        return "unknown scheme"
    log_n = document["scrypt_log_n"]
    if type(log_n) is not int or not 1 <= log_n <= _SCRYPT_LOG_N_MAX:
        return f"scrypt_log_n is outside 1 to {_SCRYPT_LOG_N_MAX}"
    return None
