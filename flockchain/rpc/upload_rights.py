"""Who may upload blobs: accounts of the chain that hold more than the existential deposit.

The signature binds the upload to one chain and one content id; it needs no nonce, as uploading the
same bytes again changes nothing.

Source: WP V.C (data and models off the chain).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.params import parse_account, parse_bytes
from runtime.api import runtime_at
from runtime.primitives.content_id import ContentId
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.signatures import ed25519_verify, sr25519_verify
from runtime.primitives.types import AccountId, Hash

DOMAIN: Final = b"flock/blob/put"
ACCOUNT_HEADER: Final = "X-Flock-Account"
SCHEME_HEADER: Final = "X-Flock-Scheme"
SIGNATURE_HEADER: Final = "X-Flock-Signature"
_VERIFIERS: Final[dict[str, Callable[[bytes, bytes, bytes], bool]]] = {
    "ed25519": ed25519_verify,
    "sr25519": sr25519_verify,
}


class UploadRefused(Exception):
    """The upload is not signed, or its account may not upload."""


class UploadRights:
    """Judges uploads by the chain's best state."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def ensure(self, headers: Mapping[str, str], blob: ContentId) -> AccountId:
        """The account that signed the upload. Raises UploadRefused."""
        scheme = headers.get(SCHEME_HEADER, "ed25519")
        verify = _VERIFIERS.get(scheme)
        if verify is None:
            raise UploadRefused(f"{SCHEME_HEADER} is ed25519 or sr25519, not {scheme!r}")
        try:
            account = parse_account(headers.get(ACCOUNT_HEADER))
            signature = parse_bytes(headers.get(SIGNATURE_HEADER))
        except InvalidParams as error:
            raise UploadRefused(
                f"sign uploads: {ACCOUNT_HEADER}, {SCHEME_HEADER}, {SIGNATURE_HEADER} ({error})"
            ) from error
        if not verify(signature, upload_message(self._backend.genesis, blob), account):
            raise UploadRefused("the signature of the upload does not verify")
        runtime = runtime_at(self._backend.state_at(self._backend.best.hash))
        free = runtime.system.account_info(account).data.free
        if free <= runtime.preset.existential_deposit:
            raise UploadRefused("the account holds no more than the existential deposit")
        return account


def upload_message(genesis: Hash, blob: ContentId) -> Hash:
    """The 32 bytes that are signed: blake2b-256 of the domain, the genesis hash, the id."""
    return blake2b_256(DOMAIN + genesis + blob)
