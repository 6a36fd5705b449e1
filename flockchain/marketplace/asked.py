"""What a call asks for: chats, completions, embeddings and predictions, from their JSON.

Owns the reading of OpenAI's request objects. Invariant: a parameter that would change the answer
and is not supported is refused by name, never ignored.
Source: OpenAI's API reference (chat completions, completions, embeddings).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flockchain.marketplace.limits import Limits
from flockchain.marketplace.request_fields import RequestFields
from ml.serving.limits import ROWS_MAX
from runtime.primitives.content_id import ContentId, ContentIdError, parse_cid_text

MESSAGES_MAX: Final = 512
TEXTS_MAX: Final = 64
DOCUMENTS_MAX: Final = 32
PASSAGES_MAX: Final = 20
_ROLES: Final = {
    "developer": "system",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}
_UNSUPPORTED: Final[Mapping[str, Sequence[object]]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "echo": (False,),
    "suffix": (),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": (),
    "response_format": ({"type": "text"},),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "audio": (),
    "modalities": (["text"],),
}
_WHY: Final = "is not supported here with this value"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Documents to answer from, and how many passages of them to show to the model."""

    documents: tuple[ContentId, ...]
    passages: int


@dataclass(frozen=True, slots=True)
class Generate:
    """A chat (`messages`) or a completion (`prompt`). `options` are those of the serving process;
    `seed` is None if the host may draw it."""

    model: str
    messages: list[dict[str, str]] | None
    prompt: str | None
    options: dict[str, Any]
    seed: int | None
    is_stream: bool
    has_usage_chunk: bool
    retrieval: Retrieval | None


@dataclass(frozen=True, slots=True)
class Embed:
    """Texts to embed; `is_base64`: as OpenAI's own client asks by default."""

    model: str
    texts: list[str]
    is_base64: bool


@dataclass(frozen=True, slots=True)
class Predict:
    """Rows to classify."""

    model: str
    rows: list[list[float]]


def read_generate(body: bytes, limits: Limits) -> Generate:
    """A chat if it has messages, else a completion. Raises ApiError."""
    fields = RequestFields.parse(body)
    fields.refuse(_UNSUPPORTED, _WHY)
    is_chat = fields.has("messages")
    stream_options = fields.inner("stream_options")
    seed = fields.integer("seed", -(2**63), 2**64 - 1, -1) if fields.has("seed") else None
    return Generate(
        model=fields.text("model"),
        messages=_messages(fields) if is_chat else None,
        prompt=None if is_chat else fields.texts("prompt", 1)[0],
        options=_options(fields, limits),
        seed=None if seed is None else seed % 2**64,
        is_stream=fields.flag("stream"),
        has_usage_chunk=stream_options is not None and stream_options.flag("include_usage"),
        retrieval=_retrieval(fields) if is_chat else None,
    )


def read_embed(body: bytes) -> Embed:
    """Raises ApiError."""
    fields = RequestFields.parse(body)
    fields.refuse({"dimensions": ()}, _WHY)
    form = fields.text("encoding_format", "float")
    if form not in ("float", "base64"):
        raise fields.error("encoding_format", "is not float or base64")
    return Embed(fields.text("model"), fields.texts("input", TEXTS_MAX), form == "base64")


def read_predict(body: bytes) -> Predict:
    """Raises ApiError."""
    fields = RequestFields.parse(body)
    return Predict(fields.text("model"), fields.rows("inputs", ROWS_MAX))


def _options(fields: RequestFields, limits: Limits) -> dict[str, Any]:
    # A newer and an older name of the same limit.
    name = "max_completion_tokens" if fields.has("max_completion_tokens") else "max_tokens"
    default = min(limits.tokens_default, limits.tokens_max)
    return {
        "tokens_max": fields.integer(name, 1, limits.tokens_max, default),
        "temperature": fields.number("temperature", 0.0, 2.0, 1.0),
        "top_p": fields.number("top_p", 1e-6, 1.0, 1.0),
        "stops": [each for each in fields.texts("stop", 4) if each] if fields.has("stop") else [],
    }


def _messages(fields: RequestFields) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for message in fields.objects("messages", MESSAGES_MAX):
        role = message.text("role")
        if role not in _ROLES:
            raise message.error("role", f"is not one of {', '.join(_ROLES)}")
        found.append({"role": _ROLES[role], "content": _content(message)})
    return found


def _content(message: RequestFields) -> str:
    """A string, or parts of text, which are joined."""
    if isinstance(message.raw("content"), str):
        return message.text("content")
    parts: list[str] = []
    for part in message.objects("content", MESSAGES_MAX):
        if part.text("type") != "text":
            raise part.error("type", "is not text, which is all that is read here")
        parts.append(part.text("text"))
    return "".join(parts)


def _retrieval(fields: RequestFields) -> Retrieval | None:
    inner = fields.inner("retrieval")
    if inner is None:
        return None
    names = inner.texts("documents", DOCUMENTS_MAX)
    try:
        documents = tuple(map(parse_cid_text, names))
    except ContentIdError as error:
        raise inner.error("documents", f"holds what is no content id: {error}") from error
    return Retrieval(documents, inner.integer("top_k", 1, PASSAGES_MAX, 4))
