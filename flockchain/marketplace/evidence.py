"""What a caller keeps of an answer: enough to challenge it, if its host really signed it.

Owns the check of a response against its field `flock`, and the files. Invariant: what is kept has
the host's valid signature over exactly what was asked and said.
Source: WP III.B.2 (challenges).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from flockchain.marketplace.signed_answers import labels_bytes
from flockchain.workers.blob_folder import write_atomically
from ml.strict_json import canonical_json
from runtime.frame.executive import verify_signature
from runtime.primitives.content_id import ContentIdError, cid_text, content_id, parse_cid_text
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.scale import ScaleError
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.primitives.vouchers import Answer

KEPT_MAX: Final = 1_000
RESPONSE_BYTES_MAX: Final = 8 << 20
_DATA: Final = b"data: "


class NotSigned(ValueError):
    """A response whose host cannot be held to it."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who asked whom what: the model that is paid for, the body as it was sent."""

    genesis: Hash
    caller: AccountId
    host: AccountId
    model: bytes
    body: bytes


def check_response(question: Question, response: bytes) -> dict[str, Any]:
    """The evidence of a response, whole or streamed, as JSON. Raises `NotSigned`."""
    try:
        said, signed = _read(response)
        record = _record(question.genesis, question.caller, question.host, signed)
        signature = MULTI_SIGNATURE.decode_all(bytes.fromhex(signed["signature"][2:]))
    except (ValueError, LookupError, TypeError, ContentIdError, ScaleError) as error:
        raise NotSigned(f"the answer is not signed: {error}") from error
    if record.model != question.model:
        raise NotSigned("the signature is over another model")
    if bytes(record.request) != content_id(question.body):
        raise NotSigned("the signature is over another request")
    if bytes(record.answer) != content_id(said):
        raise NotSigned("the signature is over another answer")
    if not verify_signature(signature, question.host, record.payload()):
        raise NotSigned("the signature is not the host's")
    return {
        "flock": signed,
        "caller": "0x" + question.caller.hex(),
        "request": question.body.decode(errors="replace"),
        "answer": said.decode(),
    }


class EvidenceFolder:
    """The last answers, a file each, named by the content id of what was signed."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "answers"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, evidence: Mapping[str, Any]) -> Path:
        """Write one down; the oldest goes when there are too many. Raises OSError."""
        signed = {name: said for name, said in evidence["flock"].items() if name != "signature"}
        name = content_id(canonical_json({"caller": evidence.get("caller", ""), **signed}))
        path = self._folder / f"{cid_text(name)}.json"
        write_atomically(path, orjson.dumps(evidence, option=orjson.OPT_INDENT_2))
        found = sorted(self._folder.glob("*.json"), key=lambda each: each.stat().st_mtime_ns)
        for old in found[: max(0, len(found) - KEPT_MAX)]:
            old.unlink(missing_ok=True)
        return path


def answer_record(evidence: Mapping[str, Any], genesis: Hash) -> Answer:
    """What `challenge` takes, of a kept file. Raises ValueError, LookupError."""
    caller = AccountId(bytes.fromhex(evidence["caller"][2:]))
    signed = evidence["flock"]
    host = AccountId(bytes.fromhex(signed["host"][2:]))
    return _record(genesis, caller, host, signed)


def answer_blobs(evidence: Mapping[str, Any], record: Answer) -> tuple[bytes, bytes]:
    """What was asked and what was said, which jurors fetch. Raises ValueError, LookupError."""
    asked, said = evidence["request"].encode(), evidence["answer"].encode()
    if content_id(asked) != bytes(record.request) or content_id(said) != bytes(record.answer):
        raise ValueError("its texts are not those that are signed")
    return asked, said


def _record(genesis: Hash, caller: AccountId, host: AccountId, signed: Mapping[str, Any]) -> Answer:
    documents = signed["documents"]
    return Answer(
        genesis=genesis,
        host=host,
        caller=caller,
        model=parse_cid_text(signed["model"]),
        request=Hash(parse_cid_text(signed["request"])),
        documents=ZERO_HASH if documents is None else Hash(parse_cid_text(documents)),
        seed=int(signed["seed"]),
        answer=Hash(parse_cid_text(signed["answer"])),
    )


def _read(response: bytes) -> tuple[bytes, Mapping[str, Any]]:
    """What was said, in the form that is signed, and what was signed."""
    if response.startswith(_DATA):
        return _read_stream(response)
    value = orjson.loads(response)
    if "choices" in value:
        choice = value["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        return text.encode(), value["flock"]
    labels = [{"label": each["class"]} for each in value["data"]]
    return labels_bytes(labels), value["flock"]


def _read_stream(response: bytes) -> tuple[bytes, Mapping[str, Any]]:
    pieces: list[str] = []
    signed: Mapping[str, Any] | None = None
    for line in response.split(b"\n\n"):
        if not line.startswith(_DATA + b"{"):
            continue
        value = orjson.loads(line.removeprefix(_DATA))
        signed = value.get("flock", signed)
        pieces += [
            choice.get("text") or choice.get("delta", {}).get("content") or ""
            for choice in value.get("choices", [])
        ]
    if signed is None:
        raise ValueError("the stream ended early")
    return "".join(pieces).encode(), signed
