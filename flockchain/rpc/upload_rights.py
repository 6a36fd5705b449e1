"""Who may upload blobs: accounts that hold more than the existential deposit, and aliases.

The signature binds the upload to one chain and one content id; it needs no nonce, as uploading the
same bytes again changes nothing. An alias has no account and pays no fee, so that it may bring only
what it revealed on the chain: one ciphertext, of the size that it said. How many aliases there are
is bounded by the stake of nodes, and nothing must be remembered of them.

Source: WP V.C (data and models off the chain), WP V.B (blind validation).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.params import parse_account, parse_bytes
from runtime.api import runtime_at
from runtime.pallets.arena.records import DayKey, Submission
from runtime.primitives.content_id import ContentId
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.signatures import ed25519_verify, sr25519_verify
from runtime.primitives.types import AccountId, Hash
from runtime.runtime import Runtime

DOMAIN: Final = b"flock/blob/put"
ACCOUNT_HEADER: Final = "X-Flock-Account"
SCHEME_HEADER: Final = "X-Flock-Scheme"
SIGNATURE_HEADER: Final = "X-Flock-Signature"
TASK_HEADER: Final = "X-Flock-Task"
ALIAS_DAYS: Final = 2  # today, and at a task's end the day before, are scored under aliases
_TASK: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_VERIFIERS: Final[dict[str, Callable[[bytes, bytes, bytes], bool]]] = {
    "ed25519": ed25519_verify,
    "sr25519": sr25519_verify,
}


class UploadRefused(Exception):
    """The upload is not signed, or its account or alias may not upload."""


class UploadRights:
    """Judges uploads by the chain's best state."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def ensure(self, headers: Mapping[str, str], blob: ContentId) -> int | None:
        """The only size in bytes that the blob may have, None for any. Raises UploadRefused."""
        signer = self._signer(headers, blob)
        runtime = runtime_at(self._backend.state_at(self._backend.best.hash))
        task = headers.get(TASK_HEADER)
        if task is not None:
            return self._revealed_size(runtime, task, signer, blob)
        free = runtime.system.account_info(signer).data.free
        if free <= runtime.preset.existential_deposit:
            raise UploadRefused("the account holds no more than the existential deposit")
        return None

    def _signer(self, headers: Mapping[str, str], blob: ContentId) -> AccountId:
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
        return account

    def _revealed_size(self, runtime: Runtime, task: str, alias: bytes, blob: ContentId) -> int:
        """Of the ciphertext that an alias revealed today or the day before."""
        if not _TASK.fullmatch(task) or int(task) >= 2**32:
            raise UploadRefused(f"{TASK_HEADER} is a task's number, not {task[:20]!r}")
        today = runtime.preset.calendar.day_of(self._backend.best.number)
        days = range(max(today - ALIAS_DAYS + 1, 0), today + 1)
        found = [_revealed(runtime, DayKey(int(task), day), alias) for day in reversed(days)]
        made = next((each for each in found if each is not None), None)
        if made is None:
            raise UploadRefused(f"no alias of this key has revealed a model in task {task}")
        if made.ciphertext != blob:
            raise UploadRefused("the alias revealed another ciphertext")
        return made.size_bytes


def _revealed(runtime: Runtime, key: DayKey, alias: bytes) -> Submission | None:
    sealed = runtime.arena.aliases.find((key, alias))
    if sealed is None or not sealed.is_revealed:
        return None
    return runtime.arena.submissions.find((key.task, sealed.submission))


def upload_message(genesis: Hash, blob: ContentId) -> Hash:
    """The 32 bytes that are signed: blake2b-256 of the domain, the genesis hash, the id."""
    return blake2b_256(DOMAIN + genesis + blob)
