"""A certificate: from a genesis hash to a model's lineage, without asking anybody.

The header of block 0 hashes to the genesis hash; a read proof under its state root gives the first
voters; proofs of finality lead from set to set up to a final block; a read proof under that block's
state root gives the lineage. Invariant: whoever accepts a certificate relies on the genesis hash,
on the honesty of two thirds of each set's weight, and on nothing else.
Source: WP VI.H; GRANDPA paper 2.4; Substrate `StorageProof`, `warp_proof`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flockchain.certificates.lineage import Node, Proven, UnprovenKey, read_lineage
from flockchain.consensus.grandpa.authorities import AuthoritySet, InvalidAuthoritySet
from flockchain.consensus.grandpa.warp_proof import Fragment, WarpProofError, verify_fragments
from flockchain.consensus.grandpa.warp_proof import Proven as ProvenVoters
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_proof import verify_read_proof
from runtime.pallets.grandpa import Grandpa
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.header import HEADER, Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

FORMAT: Final = "flockchain model certificate 1"
VOTER_KEYS: Final = (Grandpa.authorities.path(), Grandpa.current_set_id.path())


class CertificateError(ValueError):
    """The certificate proves nothing of the file; the message says where it breaks."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Nothing of it is checked. `voters_proof`: of `VOTER_KEYS` in block 0; `proof`: of `keys`."""

    genesis: Header
    voters_proof: list[bytes]
    fragments: list[Fragment]
    content: bytes
    keys: list[bytes]
    proof: list[bytes]

    def to_json(self) -> str:
        """The file's text."""
        document = {
            "format": FORMAT,
            "genesis": self.genesis.encode().hex(),
            "votersProof": [each.hex() for each in self.voters_proof],
            "fragments": [
                {"header": each.header.encode().hex(), "justification": each.justification.hex()}
                for each in self.fragments
            ],
            "content": self.content.hex(),
            "keys": [each.hex() for each in self.keys],
            "proof": [each.hex() for each in self.proof],
        }
        return json.dumps(document, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a certificate proves: the lineage in the state of a final block."""

    block: Header
    lineage: list[Node]


def read_certificate(text: str) -> Certificate:
    """Read a file's text. Raises CertificateError."""
    try:
        document: Mapping[str, Any] = json.loads(text)
        if document["format"] != FORMAT:
            raise CertificateError(f"the file is no {FORMAT!r}")
        return Certificate(
            HEADER.decode_all(bytes.fromhex(document["genesis"])),
            _listed(document["votersProof"]),
            [
                Fragment(
                    HEADER.decode_all(bytes.fromhex(each["header"])),
                    bytes.fromhex(each["justification"]),
                )
                for each in document["fragments"]
            ],
            bytes.fromhex(document["content"]),
            _listed(document["keys"]),
            _listed(document["proof"]),
        )
    except (json.JSONDecodeError, RecursionError, DecodeError) as error:
        raise CertificateError(f"the file is no certificate: {error}") from error
    except (LookupError, TypeError, ValueError) as error:
        if isinstance(error, CertificateError):
            raise
        raise CertificateError(
            "the file is no certificate: a field is missing or of a wrong form"
        ) from error


def _listed(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in texts]


def verify(certificate: Certificate, genesis: Hash, weights: bytes) -> Checked:
    """Check everything from the genesis hash to the weights' bytes. Raises CertificateError."""
    found = content_id(weights)
    if found != certificate.content:
        raise CertificateError(
            f"the file's content id is {cid_text(found)}, the certificate is of "
            f"{cid_text(certificate.content)}"
        )
    checked = verify_lineage(certificate, genesis)
    if not checked.lineage:
        raise CertificateError(
            f"no task of the chain had ended with {cid_text(found)} at block {checked.block.number}"
        )
    return checked


def verify_lineage(certificate: Certificate, genesis: Hash) -> Checked:
    """Check the proofs; the lineage is empty if the chain knows no such model.

    Raises CertificateError.
    """
    block = _final_block(certificate, genesis)
    try:
        values = verify_read_proof(block.state_root, certificate.proof, certificate.keys)
        return Checked(block, read_lineage(Proven(values), certificate.content))
    except (ProofError, UnprovenKey, DecodeError) as error:
        raise CertificateError(f"the state of block {block.number}: {error}") from error


def _final_block(certificate: Certificate, genesis: Hash) -> Header:
    first = certificate.genesis
    if first.hash() != genesis or first.number:
        raise CertificateError(
            f"the certificate is of the chain 0x{first.hash().hex()}, not of 0x{genesis.hex()}"
        )
    if not certificate.fragments:
        raise CertificateError("the certificate has no proof of finality")
    try:
        values = verify_read_proof(first.state_root, certificate.voters_proof, VOTER_KEYS)
        listed, number = (values[key] for key in VOTER_KEYS)
        if listed is None:
            raise CertificateError("block 0 names no voters")
        voters = Grandpa.authorities.value_codec.decode_all(listed)
        set_id = 0 if number is None else Grandpa.current_set_id.value_codec.decode_all(number)
        start = ProvenVoters(AuthoritySet(set_id, [(each.key, each.weight) for each in voters]), 0)
        verify_fragments(start, certificate.fragments, is_last=True)
    except (ProofError, DecodeError, InvalidAuthoritySet) as error:
        raise CertificateError(f"the voters of block 0: {error}") from error
    except WarpProofError as error:
        raise CertificateError(f"the proofs of finality: {error}") from error
    return certificate.fragments[-1].header
