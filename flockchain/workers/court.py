"""An answer computed again: the pinned model's files, the request, its documents, the seed.

Whatever was signed that no honest host would have signed is wrong. What cannot be had is no opinion
yet; neither is a failure of this machine. Owns a serving process, while there is a case, and the
files of the last models. Invariant: one case at a time; an opinion is of exactly
the files and bytes whose content ids the host signed.
Source: WP III.B.2 (hosts stake); WP V.D (validators compute again what others claim).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from flockchain.marketplace.answering import Answering, documents_of, read_request
from flockchain.marketplace.asked import Generate, Predict
from flockchain.marketplace.catalogue import ServedModel
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.inference import Inference, InferenceFailed, InferenceRefused
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.model_files import ModelFiles, ModelFolder
from flockchain.marketplace.retrieval import DOCUMENT_BYTES_MAX, Library
from flockchain.marketplace.signed_answers import documents_bytes
from flockchain.sdk import BlobTooLarge, BlobUnavailable, Client
from flockchain.workers.blob_cache import BlobCache
from runtime.pallets.marketplace.case_records import NoData, Right, Verdict, Wrong
from runtime.pallets.model_registry import ModelRegistry
from runtime.primitives.content_id import cid_text, content_id
from runtime.primitives.types import ZERO_HASH
from runtime.primitives.vouchers import Answer

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 4 << 20  # hosts and gateways take no more
ANSWER_BYTES_MAX: Final = 1 << 20
MODELS_KEPT: Final = 4
MISSING_MAX: Final = 64
T = TypeVar("T")


class Withheld(Exception):
    """Something that a case is about cannot be had; the message says what."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A verdict, and why."""

    verdict: Verdict
    why: str


class Court:
    """Judges answers. `close` it in the end: it owns a process."""

    def __init__(self, client: Client, blobs: BlobCache, directory: Path, device: str) -> None:
        self._client = client
        self._blobs = blobs
        self._folder = ModelFolder(client, directory)
        self._inference = Inference(device)
        self._answering = Answering(self._inference, Library(blobs.get))
        self._limits = Limits()
        self._turn = asyncio.Lock()
        self._asked = 0  # cases that are judged or wait for it
        self._is_at_work = False
        self._missing: dict[Answer, str] = {}

    def missing(self, answer: Answer) -> str | None:
        """What could not be had when the answer was judged last."""
        return self._missing.get(answer)

    async def judge(self, answer: Answer) -> Opinion:
        """Whether an answer is the pinned model's.

        Raises Withheld; SdkError, InferenceFailed, ModelFilesError, OSError if this worker fails.
        """
        self._asked += 1
        self._is_at_work = True
        try:
            async with self._turn:
                return await self._in_turn(answer)
        finally:
            self._asked -= 1

    async def rest(self) -> None:
        """No case is on its way: end the process, and keep the last models only. Raises OSError."""
        if self._asked == 0 and self._is_at_work:
            self._is_at_work = False
            await self.close()
            await asyncio.to_thread(self._folder.keep_latest, MODELS_KEPT)

    async def close(self) -> None:
        """End the process."""
        await self._inference.close()

    async def _in_turn(self, answer: Answer) -> Opinion:
        self._missing.pop(answer, None)
        try:
            return await self._judge(answer)
        except Withheld as error:
            if len(self._missing) >= MISSING_MAX:
                del self._missing[next(iter(self._missing))]
            self._missing[answer] = str(error)
            raise

    async def _judge(self, answer: Answer) -> Opinion:
        try:
            body = await _had("the request", self._blobs.get(answer.request, BODY_BYTES_MAX))
        except BlobTooLarge:
            return _wrong(f"no host takes a request of more than {BODY_BYTES_MAX} bytes")
        files = await _had(f"model {cid_text(answer.model)}", self._files(answer.model))
        try:
            asked = read_request(files.kind, body, self._limits)
        except ApiError as error:
            return _wrong(f"no host answers this request: {error}")
        fault = _fault_of(answer, asked)
        if fault is not None:
            return _wrong(fault)
        for document in documents_of(asked):
            try:
                getting = self._blobs.get(document, DOCUMENT_BYTES_MAX)
                await _had(f"document {cid_text(document)}", getting)
            except BlobTooLarge:
                return _wrong(f"no host reads document {cid_text(document)}: it is too large")
        return await self._compare(answer, asked, files)

    async def _compare(
        self, answer: Answer, asked: Generate | Predict, files: ModelFiles
    ) -> Opinion:
        name = cid_text(answer.model)
        model = ServedModel(
            name,
            answer.model,
            answer.model,
            files.kind,
            price=0,
            path=files.path,
            created=0,
            fraction_bits=files.fraction_bits,
        )
        await self._open(model)
        try:
            said = await self._answering.whole(model, asked, answer.seed)
            if content_id(said) == bytes(answer.answer):
                return Opinion(Right(), f"model {name} says the same")
            could_say = await self._could_say(answer, asked, model)
            if could_say is None:
                return Opinion(NoData(), f"too many ways to cut what was said for model {name}")
            if could_say:
                return Opinion(Right(), f"model {name} could say the same, but for rounding")
        except InferenceRefused as error:
            return _wrong(f"no host answers this request: {error}")
        except ApiError as error:
            if error.status >= 500:
                raise
            return _wrong(f"no host answers this request: {error}")
        finally:
            await self._inference.drop(model)
        return _wrong(f"model {name} says {cid_text(content_id(said))}")

    async def _could_say(
        self, answer: Answer, asked: Generate | Predict, model: ServedModel
    ) -> bool | None:
        try:
            said = await _had("the answer", self._blobs.get(answer.answer, ANSWER_BYTES_MAX))
        except BlobTooLarge:
            return False
        return await self._answering.could_say(model, asked, answer.seed, said)

    async def _open(self, model: ServedModel) -> None:
        """Raises InferenceFailed: that it does not open here says nothing of its answers."""
        try:
            await self._inference.open(model)
        except InferenceRefused as error:
            raise InferenceFailed(str(error)) from error

    async def _files(self, model: bytes) -> ModelFiles:
        task = await self._client.query(ModelRegistry.by_content, model)
        return await self._folder.get(model, task)


def _fault_of(answer: Answer, asked: Generate | Predict) -> str | None:
    """What a host signed besides the text that its request does not say."""
    if isinstance(asked, Generate) and asked.seed not in (None, answer.seed):
        return f"the request asks for seed {asked.seed}, the answer is signed with {answer.seed}"
    documents = documents_of(asked)
    named = content_id(documents_bytes(documents)) if documents else ZERO_HASH
    if named != answer.documents:
        return "the answer is signed over other documents than the request names"
    return None


async def _had(what: str, getting: Awaitable[T]) -> T:
    """What is fetched. Raises Withheld if nobody has it, and what fetching raises."""
    try:
        return await getting
    except BlobUnavailable as error:
        raise Withheld(f"{what} cannot be had: {error}") from error


def _wrong(why: str) -> Opinion:
    return Opinion(Wrong(), why)
