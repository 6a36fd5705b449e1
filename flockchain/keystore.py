"""Keys at rest: one encrypted file a key, and the same interface in memory.

Owns the files `<key type>-<public key in hex>.json` (mode 0600) in a directory of mode 0700. What
is encrypted is the secret URI; all other fields are authenticated with it, so no byte of a file
can change unnoticed. Key types are Substrate's four characters: "babe", "gran", "acco".
Invariant: no secret or password appears in a repr, a log line or an exception. Python cannot wipe
memory, so a core dump of a running node holds its unlocked keys.
Source: RFC 7914 (scrypt), RFC 8439 (ChaCha20-Poly1305); Substrate `sp_core::crypto::KeyTypeId`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flockchain.keys import SCHEMES, KeyPair, Scheme, key_pair_from_uri

SCRYPT_LOG_N: Final = 17  # 128 MiB and about half a second for each guess
FILE_BYTES_MAX: Final = 16_384
DEFAULT_SCHEMES: Final[dict[str, Scheme]] = {"babe": "ed25519", "gran": "ed25519"}

_VERSION: Final = 1
_SCRYPT_LOG_N_MAX: Final = 20
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_SALT_BYTES: Final = 32
_NONCE_BYTES: Final = 12
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
        if not password:
            raise KeystoreError("a keystore file needs a password that is not empty")
        uri = _to_uri(uri_or_seed)
        pair = _derive(key_type, uri, scheme)
        entry = KeyEntry(key_type, pair.scheme, pair.public)
        path = self._path(key_type, pair.public)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _ensure_private(self._directory)
        if path.exists():
            raise KeystoreError(f"{path} already holds this key")
        _write_private(path, _seal(entry, uri, password, self._scrypt_log_n))
        return entry

    def unlock(self, key_type: str, public: bytes, password: str = "") -> KeyPair:
        """Decrypt one key; as slow as scrypt is costly.

        Raises: KeystoreError if the file is missing, readable by others, no keystore file, altered,
        or if the password is wrong (the last two cannot be told apart).
        """
        path = self._path(key_type, public)
        document = _read(path)
        if (document["key_type"], document["public"]) != (key_type, public.hex()):
            raise KeystoreError(f"{path} holds another key than its name says")
        pair = key_pair_from_uri(_unseal(path, document, password), document["scheme"])
        if pair.public != public:
            raise KeystoreError(f"{path} holds the secret of another public key")
        return pair

    def list(self) -> tuple[KeyEntry, ...]:
        """All entries by key type and public key; other files in the directory are ignored."""
        if not self._directory.is_dir():
            return ()
        entries = []
        for path in sorted(self._directory.iterdir()):
            if match := _FILE_NAME.fullmatch(path.name):
                entries.append(KeyEntry(match[1], _read(path)["scheme"], bytes.fromhex(match[2])))
        return tuple(entries)

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
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _seal(entry: KeyEntry, uri: str, password: str, log_n: int) -> bytes:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    document: dict[str, Any] = {
        "version": _VERSION,
        "key_type": entry.key_type,
        "scheme": entry.scheme,
        "public": entry.public.hex(),
        "kdf": "scrypt",
        "scrypt_log_n": log_n,
        "salt": salt.hex(),
        "cipher": "chacha20-poly1305",
        "nonce": nonce.hex(),
    }
    cipher = ChaCha20Poly1305(_stretch(password, salt, log_n))
    sealed = cipher.encrypt(nonce, uri.encode(), _canonical(document))
    return _canonical({**document, "ciphertext": sealed.hex()}) + b"\n"


def _unseal(path: Path, document: dict[str, Any], password: str) -> str:
    salt, nonce = bytes.fromhex(document["salt"]), bytes.fromhex(document["nonce"])
    header = {name: value for name, value in document.items() if name != "ciphertext"}
    cipher = ChaCha20Poly1305(_stretch(password, salt, document["scrypt_log_n"]))
    try:
        plain = cipher.decrypt(nonce, bytes.fromhex(document["ciphertext"]), _canonical(header))
    except InvalidTag:
        raise KeystoreError(f"cannot unlock {path}: wrong password or altered file") from None
    return plain.decode()


def _stretch(password: str, salt: bytes, log_n: int) -> bytes:
    kdf = Scrypt(salt=salt, length=32, n=1 << log_n, r=_SCRYPT_R, p=_SCRYPT_P)
    return kdf.derive(password.encode())


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _read(path: Path) -> dict[str, Any]:
    """The checked document of a file; only its canonical bytes are accepted."""
    if not path.is_file():
        raise KeystoreError(f"there is no key at {path}")
    _ensure_private(path)
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    try:
        document = json.loads(content[:FILE_BYTES_MAX])
    except (ValueError, RecursionError):
        raise KeystoreError(f"{path} is no keystore file: not JSON") from None
    problem = _find_problem(document)
    if problem is None and _canonical(document) + b"\n" != content:
        problem = "not in canonical form"
    if problem is not None:
        raise KeystoreError(f"{path} is no keystore file: {problem}")
    return dict(document)


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
