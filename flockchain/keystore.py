"""Keys at rest: one encrypted file a key, and the same interface in memory.

Owns the files `<key type>-<public key in hex>.json` (mode 0600) in a directory of mode 0700; their
content is `sealed_key`'s. Key types are Substrate's four characters: "babe", "gran", "acco".
Invariant: no secret or password appears in a repr, a log line or an exception. Python cannot wipe
memory, so a core dump of a running node holds its unlocked keys.
Source: Substrate `sp_core::crypto::KeyTypeId`.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from flockchain.keys import KeyPair, Scheme, key_pair_from_uri
from flockchain.sealed_key import (
    DOCUMENT_BYTES_MAX,
    SCRYPT_LOG_N,
    Document,
    SealedKeyError,
    open_key,
    parse_document,
    seal_key,
    stretch,
)

DEFAULT_SCHEMES: Final[dict[str, Scheme]] = {"babe": "ed25519", "gran": "ed25519"}

NewKey = tuple[str, str | bytes]
"""Key type, and secret URI or seed."""

_KEY_TYPE: Final = re.compile(r"[a-z0-9]{4}")
_FILE_NAME: Final = re.compile(r"([a-z0-9]{4})-([0-9a-f]{64})\.json")
_OTHERS: Final = 0o077


class KeystoreError(Exception):
    """A key cannot be stored, found or unlocked; the message holds no secret."""


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What a keystore tells without a password."""

    key_type: str
    scheme: Scheme
    public: bytes


class Keystore(Protocol):
    """Where a node finds its keys."""

    def insert(
        self,
        key_type: str,
        uri_or_seed: str | bytes,
        password: str = "",
        *,
        scheme: Scheme | None = None,
    ) -> KeyEntry:
        """Store a key. Raises: KeystoreError; KeyDerivationError for a bad secret."""

    def insert_all(self, keys: Sequence[NewKey], password: str = "") -> list[KeyPair]:
        """Store keys of their types' schemes that come together; their pairs, in that order.

        Raises: KeystoreError; KeyDerivationError for a bad secret.
        """

    def unlock(self, key_type: str, public: bytes, password: str = "") -> KeyPair:
        """The key pair of an entry. Raises: KeystoreError."""

    def list(self) -> tuple[KeyEntry, ...]:
        """All entries by key type and public key. Raises: KeystoreError."""


class MemoryKeystore:
    """Keys that live as long as the process; passwords are ignored. For --dev and simulations."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, bytes], KeyPair] = {}

    def insert(
        self,
        key_type: str,
        uri_or_seed: str | bytes,
        password: str = "",
        *,
        scheme: Scheme | None = None,
    ) -> KeyEntry:
        """Keep a key; the same key twice is one entry."""
        pair = _derive(key_type, _to_uri(uri_or_seed), scheme)
        self._pairs[key_type, pair.public] = pair
        return KeyEntry(key_type, pair.scheme, pair.public)

    def insert_all(self, keys: Sequence[NewKey], password: str = "") -> list[KeyPair]:
        """Keep keys; their pairs."""
        entries = [self.insert(key_type, secret) for key_type, secret in keys]
        return [self._pairs[entry.key_type, entry.public] for entry in entries]

    def unlock(self, key_type: str, public: bytes, password: str = "") -> KeyPair:
        """The key pair of an entry. Raises: KeystoreError if there is none."""
        pair = self._pairs.get((key_type, public))
        if pair is None:
            raise KeystoreError(f"the keystore holds no {key_type} key 0x{public.hex()}")
        return pair

    def list(self) -> tuple[KeyEntry, ...]:
        """All entries by key type and public key."""
        return tuple(
            KeyEntry(key_type, pair.scheme, public)
            for (key_type, public), pair in sorted(self._pairs.items(), key=lambda item: item[0])
        )


class FileKeystore:
    """Encrypted files in one directory, created when the first key is inserted.

    `scrypt_log_n` is the cost of files written from now on; files tell their own.
    """

    def __init__(self, directory: Path, *, scrypt_log_n: int = SCRYPT_LOG_N) -> None:
        self._directory = directory
        self._scrypt_log_n = scrypt_log_n

    def insert(
        self,
        key_type: str,
        uri_or_seed: str | bytes,
        password: str = "",
        *,
        scheme: Scheme | None = None,
    ) -> KeyEntry:
        """Encrypt a key into a new file.

        Raises: KeystoreError for an empty password, a key that is already stored or a directory
        that others can read; KeyDerivationError for a bad secret.
        """
        uri = _to_uri(uri_or_seed)
        pair = _derive(key_type, uri, scheme)
        self._store([(key_type, uri, pair)], password)
        return KeyEntry(key_type, pair.scheme, pair.public)

    def insert_all(self, keys: Sequence[NewKey], password: str = "") -> list[KeyPair]:
        """As `insert`, a file a key, as slow as one: the password is stretched once for all."""
        uris = [(key_type, _to_uri(secret)) for key_type, secret in keys]
        made = [(key_type, uri, _derive(key_type, uri, None)) for key_type, uri in uris]
        self._store(made, password)
        return [pair for _, _, pair in made]

    def _store(self, keys: Sequence[tuple[str, str, KeyPair]], password: str) -> None:
        """Encrypt (key type, URI, pair) into a file each; into none if one cannot be written."""
        if not password:
            raise KeystoreError("a keystore file needs a password that is not empty")
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _ensure_private(self._directory)
        paths = [self._path(key_type, pair.public) for key_type, _, pair in keys]
        for path in paths:
            if path.exists():
                raise KeystoreError(f"{path} already holds this key")
        stretched = stretch(password, log_n=self._scrypt_log_n)
        with ExitStack() as undo:
            for path, (key_type, uri, pair) in zip(paths, keys, strict=True):
                undo.callback(path.unlink, missing_ok=True)
                _write_private(path, seal_key(key_type, pair.scheme, pair.public, uri, stretched))
            undo.pop_all()

    def unlock(self, key_type: str, public: bytes, password: str = "") -> KeyPair:
        """Decrypt one key; as slow as scrypt is costly.

        Raises: KeystoreError if the file is missing, readable by others, no keystore file, altered,
        or if the password is wrong (the last two cannot be told apart).
        """
        path = self._path(key_type, public)
        document = _read(path)
        if (document["key_type"], document["public"]) != (key_type, public.hex()):
            raise KeystoreError(f"{path} holds another key than its name says")
        try:
            uri = open_key(document, password)
        except SealedKeyError as error:
            raise KeystoreError(f"cannot unlock {path}: {error}") from None
        pair = key_pair_from_uri(uri, document["scheme"])
        if pair.public != public:
            raise KeystoreError(f"{path} holds the secret of another public key")
        return pair

    def list(self) -> tuple[KeyEntry, ...]:
        """All entries by key type and public key; other files in the directory are ignored."""
        if not self._directory.is_dir():
            return ()
        return tuple(
            KeyEntry(match[1], _read(path)["scheme"], bytes.fromhex(match[2]))
            for path in sorted(self._directory.iterdir())
            if (match := _FILE_NAME.fullmatch(path.name))
        )

    def _path(self, key_type: str, public: bytes) -> Path:
        _ensure_key_type(key_type)
        return self._directory / f"{key_type}-{public.hex()}.json"


def _ensure_key_type(key_type: str) -> None:
    if not _KEY_TYPE.fullmatch(key_type):
        raise KeystoreError(f"a key type is four of a-z and 0-9, not {key_type[:16]!r}")


def _to_uri(uri_or_seed: str | bytes) -> str:
    return uri_or_seed if isinstance(uri_or_seed, str) else f"0x{uri_or_seed.hex()}"


def _derive(key_type: str, uri: str, scheme: Scheme | None) -> KeyPair:
    _ensure_key_type(key_type)
    return key_pair_from_uri(uri, scheme or DEFAULT_SCHEMES.get(key_type, "sr25519"))


def _ensure_private(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & _OTHERS:
        raise KeystoreError(f"{path} is open to other users (mode {mode & 0o777:o}): chmod go= it")


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that never exists half-written or readable by others."""
    temporary = path.with_suffix(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with ExitStack() as undo:
        undo.callback(temporary.unlink)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        undo.pop_all()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> Document:
    if not path.is_file():
        raise KeystoreError(f"there is no key at {path}")
    _ensure_private(path)
    with path.open("rb") as file:
        content = file.read(DOCUMENT_BYTES_MAX + 1)
    try:
        return parse_document(content)
    except SealedKeyError as error:
        raise KeystoreError(f"{path} is no keystore file: {error}") from None
