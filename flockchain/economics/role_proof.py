"""Checks the roles of a round: every VRF proof, then the draw, from proven values alone.

Owns the reading of `flock_roleProof`'s answer. Nothing that the node says is believed: read proofs
give the values under the block's state root, and the functions that the chain draws by make the
roles anew. Invariant: what is returned follows from the state root of the given header.

Source: WP VI.H (selection that anyone can verify); RFC 9381; Substrate `state_getReadProof`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flockchain.sdk.errors import BadAnswer
from flockchain.sdk.hex import from_hex, hash_from_hex
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_proof import verify_read_proof
from runtime.constants import Preset
from runtime.frame.externalities import Externalities
from runtime.pallets.fl_alliance.records import Round, RoundKey
from runtime.pallets.fl_alliance.seals import vrf_input
from runtime.pallets.fl_alliance.sortition import Roles, draw
from runtime.pallets.fl_alliance.views import MemberProof, RoleCertificate
from runtime.primitives import vrf
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId, Hash
from runtime.runtime import Runtime


class RolesForged(ValueError):
    """The proven values are not those of a fair draw; the message says where."""


@dataclass(frozen=True, slots=True)
class RolePage:
    """A page of a node's answer, not checked yet. `next`: where the next one starts."""

    block: Hash
    keys: list[bytes]
    proof: list[bytes]
    next: int | None


@dataclass(frozen=True, slots=True)
class CheckedRoles:
    """A round's roles, drawn again. `checked`: VRF proofs; `absent`: candidates without one."""

    proposers: tuple[AccountId, ...]
    voters: tuple[AccountId, ...]
    checked: int
    absent: int
    seed: Hash


def read_page(answer: Any) -> RolePage:
    """The answer of `flock_roleProof`. Raises BadAnswer."""
    try:
        keys, proof = answer["keys"], answer["proof"]
        return RolePage(
            hash_from_hex(answer["block"]),
            [from_hex(key) for key in keys],
            [from_hex(node) for node in proof],
            answer["certificate"]["next"],
        )
    except (LookupError, TypeError) as error:
        raise BadAnswer("flock_roleProof: not a certificate with proofs") from error


def check_roles(
    pages: Sequence[RolePage], root: Hash, genesis: Hash, preset: Preset, task: int, round_: int
) -> CheckedRoles:
    """The roles from pages of one block. Raises ProofError, RolesForged."""
    found: list[MemberProof] = []
    start, drawn = 0, None
    for page in pages:
        certificate, drawn = _open(page, root, preset, task, round_, start)
        if certificate.genesis != genesis:
            raise RolesForged("the certificate is of another chain")
        found += certificate.proofs
        start = certificate.next or 0
    if drawn is None or start:
        raise ProofError("the pages do not reach the last member")
    if len(found) != drawn.members:
        raise RolesForged(f"{len(found)} candidates, the round has {drawn.members}")
    posted = [(_output(each, drawn, genesis, task, round_), each) for each in found]
    outputs = [(output, each.account) for output, each in posted if output is not None]
    roles = draw(outputs, drawn.members, certificate.participation, certificate.proposing)
    _ensure_same(roles, drawn)
    absent = len(found) - len(outputs)
    return CheckedRoles(roles.proposers, roles.voters, len(outputs), absent, drawn.seed)


def _open(
    page: RolePage, root: Hash, preset: Preset, task: int, round_: int, start: int
) -> tuple[RoleCertificate, Round]:
    """The certificate and the round that the proven values make. Raises ProofError."""
    held = _Proven(verify_read_proof(root, page.proof, page.keys))
    alliance = Runtime(Externalities(held), preset).alliance
    try:
        certificate = alliance.views.role_certificate(task, round_, start)
        if certificate is None:
            raise ProofError("the proofs show no such round")
        return certificate, alliance.rounds.get(RoundKey(task, round_))
    except (DecodeError, KeyError) as error:
        raise ProofError(f"the proofs leave out what the roles follow from: {error}") from error


def _output(each: MemberProof, drawn: Round, genesis: Hash, task: int, round_: int) -> bytes | None:
    """A candidate's verified output, None if it posted none. Raises RolesForged."""
    if each.proof is None:
        return None
    alpha = vrf_input(genesis, drawn.seed, task, round_, each.account)
    output = vrf.verify(each.key, each.proof, alpha)
    if output is None or output != each.output:
        raise RolesForged(f"the VRF proof of 0x{each.account.hex()} does not verify")
    return output


def _ensure_same(roles: Roles[AccountId], drawn: Round) -> None:
    if not drawn.proposers and not drawn.voters:
        raise RolesForged("the round's roles are not drawn yet, or nobody posted a proof")
    if (list(roles.proposers), list(roles.voters)) != (drawn.proposers, drawn.voters):
        raise RolesForged("the chain's roles are not those that the VRF outputs give")


class _Proven:
    """A state of which exactly the proven keys are known, present or absent."""

    def __init__(self, found: Mapping[bytes, bytes | None]) -> None:
        self._found = found

    def get(self, key: bytes, /) -> bytes | None:
        if key not in self._found:
            raise ProofError(f"key 0x{key.hex()} is not proven")
        return self._found[key]

    def pairs(self, prefix: bytes, after: bytes | None = None, /) -> Iterator[tuple[bytes, bytes]]:
        raise ProofError(f"nothing is proven of all keys under 0x{prefix.hex()}")
