"""What each scheme computes for a case, to be compared with what the case expects.

Owns the mapping from the words of docs/vectors.md to the functions that the chain itself uses:
nothing is implemented a second time here.
Source: RFC 8032; RFC 9381; RFC 7693; xxHash; SCALE; Substrate trie format; GRANDPA paper 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flockchain.consensus.grandpa.authorities import (
    AuthorityId,
    AuthoritySet,
    InvalidAuthoritySet,
)
from flockchain.consensus.grandpa.justification import JustificationError, verify, verify_for
from flockchain.consensus.grandpa.messages import JUSTIFICATION, BlockRef
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_build import ordered_root, root_of
from flockchain.storage.trie_codec import StateVersion
from flockchain.storage.trie_proof import verify_read_proof
from flockchain.vectors.case import Case, VectorError, to_bytes, to_integer
from flockchain.vectors.scale_types import TypeReader, from_json
from runtime.primitives import hashing, vrf
from runtime.primitives.scale import DecodeError, EncodeError, codec_of
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash
from runtime.primitives.zk_aggregation import is_statement, verify_aggregation
from runtime.primitives.zk_setup import ethereum_setup
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement

# What was computed and what is expected, in a form that can be compared and shown.
Outcome = tuple[object, object]
_BLAKE2: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    64: hashing.blake2b_64,
    128: hashing.blake2b_128,
    256: hashing.blake2b_256,
    512: hashing.blake2b_512,
}
_TWOX: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    64: hashing.twox_64,
    128: hashing.twox_128,
    256: hashing.twox_256,
}


def ed25519(case: Case) -> Outcome:
    """Whether a signature is accepted."""
    found = ed25519_verify(
        case.octets("signature"), case.octets("message"), case.octets("public_key")
    )
    return found, case.get("expected")


def ecvrf(case: Case) -> Outcome:
    """The proof of a seed, or the output of a proof: null if the proof is refused."""
    alpha = case.octets("alpha")
    if case.has("seed"):
        seed = case.octets("seed")
        if len(seed) != vrf.SEED_BYTES:
            raise VectorError(f"'seed' has {len(seed)} bytes, not {vrf.SEED_BYTES}")
        return vrf.prove(seed, alpha).hex(), _hex_or_null(case)
    output = vrf.verify(case.octets("public_key"), case.octets("proof"), alpha)
    return None if output is None else output.hex(), _hex_or_null(case)


def blake2(case: Case) -> Outcome:
    """BLAKE2b of 64, 128, 256 or 512 bits."""
    return _hash(case, _BLAKE2)


def twox(case: Case) -> Outcome:
    """xxHash64 with seeds 0, 1 ... put together, of 64, 128 or 256 bits."""
    return _hash(case, _TWOX)


def scale(case: Case) -> Outcome:
    """The bytes of a value, or the value of bytes: null if they are refused."""
    codec = codec_of(TypeReader(str(case.get("type"))).annotation)
    if case.has("value"):
        data = case.octets("expected")
        try:
            decoded = codec.decode_all(data)
            value = from_json(case.get("value"), decoded)
            if decoded != value:
                return decoded, value
            return codec.encode(value).hex(), data.hex()
        except (DecodeError, EncodeError) as error:
            return f"an error: {error}", data.hex()
    try:
        decoded = codec.decode_all(case.octets("bytes"))
    except DecodeError:
        return None, case.get("expected")
    return decoded, from_json(case.get("expected"), decoded)


def trie(case: Case) -> Outcome:
    """The root of pairs or of a list, or what a proof shows: null if it is refused."""
    if case.has("proof"):
        return _trie_proof(case)
    version = case.integer("state_version")
    if version not in (0, 1):
        raise VectorError("'state_version' is neither 0 nor 1")
    if case.has("items"):
        items = [to_bytes(item, "items") for item in case.items("items")]
        return ordered_root(items, StateVersion(version)).hex(), _hex_or_null(case)
    pairs = case.get("pairs")
    if not isinstance(pairs, dict):
        raise VectorError("'pairs' is no object of keys and values")
    raw = {to_bytes(key, "pairs"): to_bytes(value, "pairs") for key, value in pairs.items()}
    return root_of(raw, StateVersion(version)).hex(), _hex_or_null(case)


def grandpa_justification(case: Case) -> Outcome:
    """Whether a justification proves a block final."""
    pairs: list[tuple[AuthorityId, int]] = []
    for entry in case.items("authorities"):
        if not isinstance(entry, list) or len(entry) != 2:
            raise VectorError("'authorities' is no list of [key, weight]")
        key = AuthorityId(to_bytes(entry[0], "authorities"))
        pairs.append((key, to_integer(entry[1], "authorities")))
    try:
        authorities = AuthoritySet(case.integer("set_id"), pairs)
    except InvalidAuthoritySet as error:
        raise VectorError(f"'authorities': {error}") from None
    try:
        proof = JUSTIFICATION.decode_all(case.octets("justification"))
        if case.has("target_hash"):
            target = BlockRef(Hash(case.octets("target_hash")), case.integer("target_number"))
            verify_for(proof, authorities, target)
        else:
            verify(proof, authorities)
    except (DecodeError, JustificationError):
        return False, case.get("expected")
    return True, case.get("expected")


def zkagg(case: Case) -> Outcome:
    """Whether a statement's clients are all admissible and its proof of aggregation holds."""
    setup = ethereum_setup()
    context = RoundContext(
        case.octets("chain"),
        case.integer("task"),
        case.integer("round"),
        case.octets("base"),
        setup.id,
        case.integer("parameters"),
        case.integer("scale"),
    )
    clients = []
    for entry in case.items("clients"):
        if not isinstance(entry, dict):
            raise VectorError("'clients' is no list of objects")
        each = Case(entry)
        points = tuple(to_bytes(point, "points") for point in each.items("points"))
        key, signature = each.octets("public_key"), each.octets("signature")
        clients.append(
            Commitments(each.octets("id"), key, each.integer("weight"), points, signature)
        )
    statement = Statement(context, tuple(clients))
    is_proved = is_statement(statement, setup) and verify_aggregation(
        statement, case.octets("proof"), setup
    )
    return is_proved, case.get("expected")


SCHEMES: Final[Mapping[str, Callable[[Case], Outcome]]] = {
    "ed25519": ed25519,
    "ecvrf": ecvrf,
    "blake2": blake2,
    "twox": twox,
    "scale": scale,
    "trie": trie,
    "grandpa-justification": grandpa_justification,
    "zkagg": zkagg,
}


def _hash(case: Case, functions: Mapping[int, Callable[[bytes], bytes]]) -> Outcome:
    function = functions.get(case.integer("bits"))
    if function is None:
        raise VectorError(f"'bits' is none of {', '.join(map(str, functions))}")
    return function(case.octets("data")).hex(), _hex_or_null(case)


def _hex_or_null(case: Case) -> str | None:
    return None if case.get("expected") is None else case.octets("expected").hex()


def _trie_proof(case: Case) -> Outcome:
    proof = [to_bytes(entry, "proof") for entry in case.items("proof")]
    keys = [to_bytes(key, "keys") for key in case.items("keys")]
    expected = case.get("expected")
    if isinstance(expected, list):
        expected = [None if item is None else to_bytes(item, "expected").hex() for item in expected]
    try:
        found = verify_read_proof(case.octets("root"), proof, keys)
    except ProofError:
        return None, expected
    values = [found[key] for key in keys]
    return [None if value is None else value.hex() for value in values], expected
