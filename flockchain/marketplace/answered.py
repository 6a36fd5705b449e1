"""What a call is answered with: OpenAI's response objects, whole and in chunks.

Owns their shapes. Invariant: the chunks of a streamed answer and the whole of the same answer say
the same.
Source: OpenAI's API reference (chat completions, completions, embeddings, streaming).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

DONE: Final = b"data: [DONE]\n\n"
Json = dict[str, Any]


def server_sent(value: Mapping[str, Any]) -> bytes:
    """One event of a stream."""
    return b"data: " + orjson.dumps(value) + b"\n\n"


def usage_of(prompt_tokens: int, completion_tokens: int) -> Json:
    """Token counts as clients read them."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts that all objects of one answer share. `created` in seconds since 1970."""

    identity: str
    created: int
    model: str
    version: str
    is_chat: bool

    def whole(self, text: str, finish: str, usage: Json) -> Json:
        """An answer that is not streamed."""
        choice: Json = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self.is_chat:
            choice["message"] = {"role": "assistant", "content": text, "refusal": None}
        else:
            choice["text"] = text
        kind = "chat.completion" if self.is_chat else "text_completion"
        return {**self._head(kind), "choices": [choice], "usage": usage}

    def chunk(self, text: str, *, is_first: bool = False, finish: str | None = None) -> Json:
        """A piece of a streamed answer."""
        choice: Json = {"index": 0, "logprobs": None, "finish_reason": finish}
        if self.is_chat:
            role = {"role": "assistant"} if is_first else {}
            choice["delta"] = {**role, "content": text} if text or is_first else {}
        else:
            choice["text"] = text
        return {**self._head(self._chunk_kind), "choices": [choice]}

    def usage_chunk(self, usage: Json) -> Json:
        """The last chunk, for callers who ask for it."""
        return {**self._head(self._chunk_kind), "choices": [], "usage": usage}

    @property
    def _chunk_kind(self) -> str:
        return "chat.completion.chunk" if self.is_chat else "text_completion"

    def _head(self, kind: str) -> Json:
        return {
            "id": self.identity,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.version,
        }


def embeddings(
    vectors: Sequence[Sequence[float]], model: str, prompt_tokens: int, *, is_base64: bool
) -> Json:
    """A list of vectors, as numbers or as little-endian float32 in base64."""
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector, is_base64=is_base64)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def predictions(found: Sequence[Mapping[str, Any]], model: str) -> Json:
    """A list of classes and how likely each is."""
    data = [
        {
            "object": "prediction",
            "index": index,
            "class": each["label"],
            "probabilities": each["probabilities"],
        }
        for index, each in enumerate(found)
    ]
    return {"object": "list", "data": data, "model": model, "usage": usage_of(len(found), 0)}


def _packed(vector: Sequence[float], *, is_base64: bool) -> str | list[float]:
    if not is_base64:
        return list(vector)
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
