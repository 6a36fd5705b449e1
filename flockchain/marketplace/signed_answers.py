"""What a host signs of each answer, so that it can be held to it.

Request, documents and answer are named by their content ids: whoever challenges hands those blobs
to the validators, who compute the answer again. Owns which bytes each id is of. Invariant: the same
request, documents, seed and weights give the same ids.
Source: WP III.B.2 (challenges).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flockchain.keys import KeyPair
from flockchain.marketplace.credentials import sign
from ml.strict_json import StrictJsonError, canonical_json, parse_strict_json
from runtime.primitives.content_id import ContentId, cid_text, content_id
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer


@dataclass(frozen=True, slots=True)
class AnswerSigner:
    """The host's key on one chain."""

    pair: KeyPair
    genesis: Hash

    def sign(
        self,
        caller: AccountId,
        model: bytes,
        body: bytes,
        answer: bytes,
        *,
        seed: int = 0,
        documents: Sequence[ContentId] = (),
    ) -> dict[str, Any]:
        """The signed answer, as it goes into a response's field `flock`."""
        named = Hash(content_id(documents_bytes(documents))) if documents else ZERO_HASH
        record = Answer(
            genesis=self.genesis,
            host=self.pair.account,
            caller=caller,
            model=model,
            request=Hash(content_id(body)),
            documents=named,
            seed=seed,
            answer=Hash(content_id(answer)),
        )
        return {
            "host": "0x" + record.host.hex(),
            "model": cid_text(model),
            "request": cid_text(record.request),
            "documents": cid_text(record.documents) if documents else None,
            "seed": seed,
            "answer": cid_text(record.answer),
            "signature": "0x" + MULTI_SIGNATURE.encode(sign(self.pair, record)).hex(),
        }


def documents_bytes(documents: Sequence[ContentId]) -> bytes:
    """The blob that names a collection: its content ids in order."""
    return canonical_json([cid_text(each) for each in documents])


def labels_bytes(predictions: Sequence[Mapping[str, Any]]) -> bytes:
    """The blob of predictions that is signed: the classes, which machines agree on."""
    return canonical_json([each["label"] for each in predictions])


def are_near_labels(said: bytes, predictions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether bytes are labels of these predictions on a machine that rounds otherwise."""
    try:
        labels = parse_strict_json(said, len(said), depth_max=1)
    except StrictJsonError:
        return False
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        return False
    return (
        len(labels) == len(predictions)
        and all(label in each["near"] for label, each in zip(labels, predictions, strict=True))
        and canonical_json(labels) == said
    )
