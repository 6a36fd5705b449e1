"""An answer computed again: the pinned model's files, the request, its documents, the seed.

Whatever was signed that no honest host would have signed is wrong. What cannot be had is no opinion
yet; neither is a failure of this machine. Owns a serving process, while there is a case, and the
files of the last models. Invariant: one case at a time, and none for longer than its limits; an
opinion is of exactly the files and bytes whose content ids the host signed.
Source: WP III.B.2 (hosts stake); WP V.D (validators compute again what others claim).
"""

from __future__ import annotations

import asyncio
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
from flockchain.marketplace.model_files import (
    FolderLimits,
    ModelFiles,
    ModelFilesError,
    ModelFolder,
    ModelTooLarge,
)
from flockchain.marketplace.retrieval import DOCUMENT_BYTES_MAX, Library
from flockchain.marketplace.signed_answers import documents_bytes
from flockchain.sdk import BlobTooLarge, BlobUnavailable, Client
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.jobs import NotYet
from runtime.pallets.marketplace.case_records import NoData, Right, Verdict, Wrong
from runtime.pallets.model_registry import ModelRegistry
from runtime.primitives.content_id import ContentId, cid_text, content_id
from runtime.primitives.types import ZERO_HASH
from runtime.primitives.vouchers import Answer

BODY_BYTES_MAX: Final = 4 << 20  # hosts and gateways take no more
ANSWER_BYTES_MAX: Final = 1 << 20
MODELS_KEPT: Final = 4
ANSWERS_KEPT: Final = 64
FETCH_S_MAX: Final = 600.0  # for a model's files
COMPUTE_S_MAX: Final = 600.0  # hosts have 300 s for an answer
FOLDER: Final = FolderLimits(file_bytes=8 << 30, model_bytes=32 << 30, free_bytes=1 << 30)
T = TypeVar("T")


class Withheld(NotYet):
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
        self._folder = ModelFolder(client, directory / "court", FOLDER)
        self._inference = Inference(device)
        self._answering = Answering(self._inference, Library(self._document))
        self._limits = Limits()
        self._compute_s_max = COMPUTE_S_MAX
        self._turn = asyncio.Lock()
        self._missing: dict[Answer, tuple[int, str]] = {}
        self._said: dict[Answer, ContentId] = {}  # what models say that is not what was signed
        self._asked = 0  # cases that are judged or wait for it
        self._is_at_work = False

    def missing(self, answer: Answer) -> tuple[int, str] | None:
        """After which block an answer was judged last, and what could not be had."""
        return self._missing.get(answer)

    async def judge(self, answer: Answer, block: int) -> Opinion:
        """Whether an answer is the pinned model's; `block`: the best one.

        Raises Withheld; SdkError, InferenceFailed, ModelFilesError, OSError if this worker fails.
        """
        self._asked += 1
        self._is_at_work = True
        try:
            return await self._judge(answer)
        except Withheld as error:
            _put(self._missing, answer, (block, str(error)))
            raise
        except Exception:
            self._missing.pop(answer, None)
            raise
        finally:
            self._asked -= 1

    async def rest(self) -> None:
        """No key sits in a case: end the process."""
        if self._asked == 0 and self._is_at_work:
            self._is_at_work = False
            await self.close()

    async def close(self) -> None:
        """End the process."""
        await self._inference.close()

    async def _judge(self, answer: Answer) -> Opinion:
        try:
            body = await _had("the request", self._blobs.get(answer.request, BODY_BYTES_MAX))
        except BlobTooLarge:
            return _wrong(f"no host takes a request of more than {BODY_BYTES_MAX} bytes")
        async with self._turn:
            return await self._in_turn(answer, body)

    async def _in_turn(self, answer: Answer, body: bytes) -> Opinion:
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
                await self._document(document, DOCUMENT_BYTES_MAX)
            except BlobTooLarge:
                return _wrong(f"no host reads document {cid_text(document)}: it is too large")
        if answer in self._said:  # something else: without what was signed nothing is found
            await self._signed(answer)
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
        await self._inference.start()
        try:
            async with asyncio.timeout(self._compute_s_max):
                await self._open(model)
                opinion = await self._computed(answer, asked, model)
                await self._inference.drop(model)
        except Withheld:
            await self._inference.drop(model)
            raise
        except BaseException as error:
            await self._inference.abandon()  # it may never come to an end
            if isinstance(error, TimeoutError):
                text = f"model {name} gives no answer in {self._compute_s_max:g} s"
                raise InferenceFailed(text) from error
            raise
        return opinion

    async def _computed(
        self, answer: Answer, asked: Generate | Predict, model: ServedModel
    ) -> Opinion:
        name = model.name
        try:
            said = self._said.get(answer)
            if said is None:
                said = content_id(await self._answering.whole(model, asked, answer.seed))
                if said == bytes(answer.answer):
                    return Opinion(Right(), f"model {name} says the same")
                _put(self._said, answer, said)
            could_say = await self._could_say(answer, asked, model)
        except InferenceRefused as error:
            return _wrong(f"no host answers this request: {error}")
        except ApiError as error:
            if error.status >= 500:
                raise
            return _wrong(f"no host answers this request: {error}")
        if could_say is None:
            return Opinion(NoData(), f"too many ways to cut what was said for model {name}")
        if could_say:
            return Opinion(Right(), f"model {name} could say the same, but for rounding")
        return _wrong(f"model {name} says {cid_text(said)}")

    async def _could_say(
        self, answer: Answer, asked: Generate | Predict, model: ServedModel
    ) -> bool | None:
        said = await self._signed(answer)
        if said is None:
            return False
        return await self._answering.could_say(model, asked, answer.seed, said)

    async def _signed(self, answer: Answer) -> bytes | None:
        """What the host signed; None if it is longer than any answer. Raises Withheld."""
        try:
            return await _had("the answer", self._blobs.get(answer.answer, ANSWER_BYTES_MAX))
        except BlobTooLarge:
            return None

    async def _open(self, model: ServedModel) -> None:
        """Raises InferenceFailed: that it does not open here says nothing of its answers."""
        try:
            await self._inference.open(model)
        except InferenceRefused as error:
            raise InferenceFailed(str(error)) from error

    async def _files(self, model: bytes) -> ModelFiles:
        task = await self._client.query(ModelRegistry.by_content, model)
        if not self._folder.has(model):
            await asyncio.to_thread(self._folder.keep_latest, MODELS_KEPT - 1)
        try:
            async with asyncio.timeout(FETCH_S_MAX):
                return await self._folder.get(model, task)
        except ModelTooLarge as error:
            raise Withheld(f"jurors take no model so large: {error}") from error
        except TimeoutError as error:
            text = f"model {cid_text(model)} does not come in {FETCH_S_MAX:g} s"
            raise ModelFilesError(text) from error

    async def _document(self, digest: bytes, size_max_bytes: int) -> bytes:
        return await _had(f"document {cid_text(digest)}", self._blobs.get(digest, size_max_bytes))


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


def _put(kept: dict[Answer, T], answer: Answer, value: T) -> None:
    """Keep something of an answer; the oldest goes."""
    if len(kept) >= ANSWERS_KEPT:
        del kept[next(iter(kept))]
    kept[answer] = value


def _wrong(why: str) -> Opinion:
    return Opinion(Wrong(), why)
