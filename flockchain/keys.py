"""Key pairs and the secret URIs they come from, byte for byte as Substrate's `subkey` makes them.

Owns derivation (mini secret of a phrase, hard and soft junctions) and signing. A secret URI is
`<phrase or 0x seed>(//hard | /soft)*(///password)?`; without a phrase the public development
phrase is meant, so `//Alice` is a key that everybody has.
Invariant: no secret appears in a repr, a message of an exception or a pickle.
Source: Substrate `sp_core::crypto` (DeriveJunction, SecretStringError), substrate-bip39; RFC 8032.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn, get_args

import sr25519
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from flockchain.phrase import PhraseError, seed_of_phrase
from runtime.primitives import vrf
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.ss58 import GENERIC_PREFIX, encode_address
from runtime.primitives.types import AccountId

Scheme = Literal["ed25519", "sr25519"]
SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
DEV_PHRASE: Final = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"
SEED_BYTES: Final = 32
JUNCTIONS_MAX: Final = 32
URI_LENGTH_MAX: Final = 4096

_SIGNATURE_BYTES: Final = 64
_SCALAR_BYTES: Final = 32
_DERIVATION: Final = b"flock/derive"
_URI: Final = re.compile(
    r"(?P<root>[a-zA-Z0-9 ]*)(?P<path>(?:/{1,2}[^/]+)*)(?:///(?P<password>.*))?"
)
_HEX_SEED: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_JUNCTION: Final = re.compile(r"/(/?[^/]+)")


class KeyDerivationError(ValueError):
    """A seed, phrase or secret URI gives no key pair; the message never repeats the secret."""


class KeySchemeError(ValueError):
    """The operation does not exist for keys of this scheme."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A scheme, its 32-byte public key and the power to sign and to derive; secrets stay inside."""

    scheme: Scheme
    public: bytes
    _sign: Callable[[bytes], bytes] = field(repr=False, compare=False)
    _derive: Callable[[bytes], bytes] = field(repr=False, compare=False)
    seed: bytes | None = field(repr=False, compare=False)
    """The 32-byte seed; None for sr25519 keys that were derived by junctions."""

    @property
    def account(self) -> AccountId:
        """The account that the public key controls."""
        return AccountId(self.public)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`. sr25519 signatures differ from call to call."""
        return self._sign(message)

    def derive(self, purpose: bytes) -> bytes:
        """32 secret bytes for another use of the same identity: the same for a purpose, always."""
        return self._derive(purpose)

    def vrf_prove(self, alpha: bytes) -> bytes:
        """The 80-byte VRF proof of `alpha`. Raises: KeySchemeError unless this is ed25519."""
        if self.scheme != "ed25519" or self.seed is None:
            raise KeySchemeError(f"VRF proofs need an ed25519 key, this is {self.scheme}")
        return vrf.prove(self.seed, alpha)

    def vrf_evaluate(self, alpha: bytes) -> bytes:
        """The 64-byte output that `vrf_prove` proves. Raises: KeySchemeError as it does."""
        if self.scheme != "ed25519" or self.seed is None:
            raise KeySchemeError(f"VRF outputs need an ed25519 key, this is {self.scheme}")
        return vrf.evaluate(self.seed, alpha)

    def address(self, prefix: int = GENERIC_PREFIX) -> str:
        """The SS58 address on a network."""
        return encode_address(self.public, prefix)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key pair is never pickled")


@dataclass(frozen=True, slots=True)
class _Junction:
    """One step of a path: 32 bytes of chain code and whether it is hard."""

    chain_code: bytes
    hard: bool


def key_pair_from_seed(seed: bytes, scheme: Scheme = "sr25519") -> KeyPair:
    """The key pair of a 32-byte seed (for sr25519 schnorrkel's mini secret, ed25519 expansion).

    Raises: KeyDerivationError for another length or an unknown scheme.
    """
    if len(seed) != SEED_BYTES:
        raise KeyDerivationError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    if scheme == "ed25519":
        return _ed25519_pair(seed)
    if scheme == "sr25519":
        public, secret = sr25519.pair_from_seed(seed)
        return _sr25519_pair(public, secret, seed)
    raise KeyDerivationError(f"unknown scheme {scheme!r}, known are {', '.join(SCHEMES)}")


def key_pair_from_uri(uri: str, scheme: Scheme = "sr25519", password: str | None = None) -> KeyPair:
    """The key pair of a secret URI; `password` stands for the part after `///` and overrides it.

    Raises: KeyDerivationError for a malformed URI or phrase, a soft junction under ed25519, or a
    URI longer than 4096 characters or of more than 32 junctions.
    """
    if len(uri) > URI_LENGTH_MAX:
        raise KeyDerivationError(f"a secret URI has at most {URI_LENGTH_MAX} characters")
    match = _URI.fullmatch(uri)
    if match is None:
        raise KeyDerivationError("the secret URI is malformed; its form is <phrase>//hard/soft")
    junctions = [_junction(text) for text in _JUNCTION.findall(match["path"])]
    if len(junctions) > JUNCTIONS_MAX:
        raise KeyDerivationError(f"a secret URI has at most {JUNCTIONS_MAX} junctions")
    words = (match["password"] or "") if password is None else password
    root = _seed_of_root(match["root"] or DEV_PHRASE, words)
    if scheme == "ed25519":
        return _derive_ed25519(root, junctions)
    if scheme == "sr25519" and junctions:
        return _derive_sr25519(root, junctions)
    return key_pair_from_seed(root, scheme)


def _seed_of_root(root: str, password: str) -> bytes:
    if not root.startswith("0x"):
        try:
            return seed_of_phrase(root, password)
        except PhraseError as error:
            raise KeyDerivationError(str(error)) from None
    if not _HEX_SEED.fullmatch(root):
        raise KeyDerivationError("a seed in a secret URI is 0x and 64 hexadecimal digits")
    return bytes.fromhex(root[2:])


def _junction(text: str) -> _Junction:
    """A path step: numbers as u64, all else as SCALE strings; above 32 bytes they are hashed."""
    hard = text.startswith("/")
    name = text[1:] if hard else text
    if re.fullmatch(r"\+?[0-9]+", name, re.ASCII) and int(name) < 2**64:
        encoded = int(name).to_bytes(8, "little")
    else:
        encoded = codec_of(str).encode(name)
    chain_code = blake2b_256(encoded) if len(encoded) > 32 else encoded.ljust(32, b"\x00")
    return _Junction(chain_code, hard)


def _derive_ed25519(seed: bytes, junctions: list[_Junction]) -> KeyPair:
    domain = codec_of(str).encode("Ed25519HDKD")
    for junction in junctions:
        if not junction.hard:
            raise KeyDerivationError("ed25519 has no soft junctions: write // instead of /")
        seed = blake2b_256(domain + seed + junction.chain_code)
    return _ed25519_pair(seed)


def _derive_sr25519(seed: bytes, junctions: list[_Junction]) -> KeyPair:
    public, secret = sr25519.pair_from_seed(seed)
    for junction in junctions:
        derive = sr25519.hard_derive_keypair if junction.hard else sr25519.derive_keypair
        _, public, secret = derive((junction.chain_code, public, secret), b"")
    return _sr25519_pair(public, secret, None)


def _ed25519_pair(seed: bytes) -> KeyPair:
    public, secret = crypto_sign_seed_keypair(seed)
    return KeyPair(
        "ed25519",
        public,
        lambda message: crypto_sign(message, secret)[:_SIGNATURE_BYTES],
        lambda purpose: _derived(seed, purpose),
        seed,
    )


def _sr25519_pair(public: bytes, secret: bytes, seed: bytes | None) -> KeyPair:
    pair = (public, secret)
    return KeyPair(
        "sr25519",
        public,
        lambda message: bytes(sr25519.sign(pair, message)),
        lambda purpose: _derived(secret[:_SCALAR_BYTES], purpose),  # behind it stands a nonce
        seed,
    )


def _derived(secret: bytes, purpose: bytes) -> bytes:
    """blake2b-256 of a domain, the 32-byte secret, and the purpose."""
    return blake2b_256(_DERIVATION + secret + purpose)
