"""What a model answers to a request's bytes: the same for the host that signs it and for jurors.

Owns the way from a request to the bytes that are signed: documents, prompt, inference. Invariant:
the same files, request, documents and seed give the same bytes on machines that compute alike.
Source: WP II.C, III.B.2 (answers that others can compute again).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from flockchain.marketplace.asked import Generate, Predict, read_generate, read_predict
from flockchain.marketplace.catalogue import Kind, ServedModel
from flockchain.marketplace.inference import Event, Inference
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.retrieval import Library, Passage, question_of, with_sources
from flockchain.marketplace.signed_answers import are_near_labels, labels_bytes
from runtime.primitives.content_id import ContentId


class Answering:
    """Computes answers with one serving process, from documents of one library."""

    def __init__(self, inference: Inference, library: Library) -> None:
        self._inference = inference
        self._library = library

    async def passages(self, asked: Generate) -> list[Passage]:
        """What of its documents a request shows to the model. Raises ApiError."""
        if asked.retrieval is None or asked.messages is None:
            return []
        return await self._library.search(asked.retrieval, question_of(asked.messages))

    def generate(
        self, model: ServedModel, asked: Generate, passages: Sequence[Passage], seed: int
    ) -> AsyncGenerator[Event, None]:
        """Pieces as they come, then `done`. Raises InferenceRefused, InferenceFailed."""
        return self._inference.generate(model, *_job(asked, passages, seed))

    async def could_say(
        self, model: ServedModel, asked: Generate | Predict, seed: int, said: bytes
    ) -> bool | None:
        """Whether this could be the answer of a machine that rounds otherwise; None if neither
        that nor the contrary was found.

        Raises ApiError, InferenceRefused, InferenceFailed.
        """
        if isinstance(asked, Predict):
            found = await self._inference.predict(model, asked.rows)
            return are_near_labels(said, found["predictions"])
        try:
            text = said.decode()
        except UnicodeDecodeError:
            return False
        passages = await self.passages(asked)
        return await self._inference.could_say(model, *_job(asked, passages, seed), text)

    async def whole(self, model: ServedModel, asked: Generate | Predict, seed: int) -> bytes:
        """All that is signed of an answer: a text, or the labels of rows.

        Raises ApiError, InferenceRefused, InferenceFailed.
        """
        if isinstance(asked, Predict):
            found = await self._inference.predict(model, asked.rows)
            return labels_bytes(found["predictions"])
        passages = await self.passages(asked)
        async with aclosing(self.generate(model, asked, passages, seed)) as events:
            pieces = [event["text"] async for event in events if event["event"] == "piece"]
        return "".join(pieces).encode()


def _job(
    asked: Generate, passages: Sequence[Passage], seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The prompt and the options that the serving process takes."""
    prompt: dict[str, Any] = {"prompt": asked.prompt}
    if asked.messages is not None:
        prompt = {"messages": with_sources(asked.messages, passages)}
    return prompt, {**asked.options, "seed": seed}


def read_request(kind: Kind, body: bytes, limits: Limits) -> Generate | Predict:
    """What a request asks of a model of this kind. Raises ApiError."""
    return read_predict(body) if kind == "classifier" else read_generate(body, limits)


def documents_of(asked: Generate | Predict) -> tuple[ContentId, ...]:
    """The documents that a request names, in order."""
    if isinstance(asked, Predict) or asked.retrieval is None:
        return ()
    return asked.retrieval.documents
