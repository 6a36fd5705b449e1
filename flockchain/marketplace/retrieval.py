"""Documents that a caller attaches: cut into passages, ranked for a question, cited.

Owns the cut, the ranking (BM25+, by the rank-bm25 library) and the message that shows passages to
the model. Invariant: the same documents and question give the same passages in the same order; ties
go to the earlier passage.
Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond; Lv and Zhai,
Lower-Bounding Term Frequency Normalization; WP II.C.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rank_bm25 import BM25Plus

from flockchain.marketplace.asked import Retrieval
from flockchain.marketplace.errors import ApiError, bad_request
from flockchain.sdk.errors import BlobTooLarge, BlobUnavailable, SdkError
from runtime.primitives.content_id import ContentId, cid_text

DOCUMENT_BYTES_MAX: Final = 4 << 20
DOCUMENTS_BYTES_MAX: Final = 8 << 20  # of one call
PASSAGES_MAX: Final = 32_768
QUESTION_WORDS_MAX: Final = 128
PASSAGE_CHARACTERS: Final = 800
COLLECTIONS_KEPT: Final = 16
KEPT_BYTES_MAX: Final = 32 << 20
_WORD: Final = re.compile(r"\w+")
_BREAK: Final = re.compile(r"\n\s*\n")
GetBlob = Callable[[bytes, int], Awaitable[bytes]]  # content id, most bytes → blob


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document; `start` in characters."""

    document: ContentId
    start: int
    text: str

    def citation(self, number: int) -> dict[str, Any]:
        """As it goes into an answer."""
        return {
            "number": number,
            "document": cid_text(self.document),
            "start": self.start,
            "end": self.start + len(self.text),
            "text": self.text,
        }


class Collection:
    """Documents, ready to be searched. Raises ValueError if they hold no words, or too much."""

    def __init__(self, documents: Sequence[tuple[ContentId, str]]) -> None:
        self.size_bytes = sum(len(text.encode()) for _, text in documents)
        # Counted before they are cut: each is an object.
        breaks = sum(1 for _, text in documents for _ in _BREAK.finditer(text))
        if breaks > PASSAGES_MAX:
            raise ValueError(f"the documents have more than {PASSAGES_MAX} paragraphs")
        self.passages = [
            passage for digest, text in documents for passage in cut_passages(digest, text)
        ]
        self._words = [words_of(passage.text) for passage in self.passages]
        if not any(self._words):
            raise ValueError("the documents hold no words")
        self._index = BM25Plus(self._words)

    def search(self, question: str, count: int) -> list[Passage]:
        """The passages that fit best, of those that share a word with the question: with its first
        `QUESTION_WORDS_MAX`."""
        asked = words_of(question)[:QUESTION_WORDS_MAX]
        wanted = set(asked)
        scores = self._index.get_scores(asked)
        ranked = sorted(
            (place for place, words in enumerate(self._words) if wanted.intersection(words)),
            key=lambda place: (-float(scores[place]), place),
        )
        return [self.passages[place] for place in ranked[:count]]


class Library:
    """Collections by their content ids, the last few kept ready."""

    def __init__(self, get_blob: GetBlob) -> None:
        self._get_blob = get_blob
        self._kept: OrderedDict[tuple[ContentId, ...], Collection] = OrderedDict()

    async def search(self, asked: Retrieval, question: str) -> list[Passage]:
        """Raises ApiError if a document cannot be had or is no text."""
        collection = self._kept.get(asked.documents)
        if collection is None:
            collection = await self._read(asked.documents)
            self._kept[asked.documents] = collection
            while len(self._kept) > COLLECTIONS_KEPT or self._kept_bytes() > KEPT_BYTES_MAX:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(asked.documents)
        return await asyncio.to_thread(collection.search, question, asked.passages)

    def _kept_bytes(self) -> int:
        return sum(each.size_bytes for each in self._kept.values())

    async def _read(self, documents: Sequence[ContentId]) -> Collection:
        texts: list[tuple[ContentId, str]] = []
        left = DOCUMENTS_BYTES_MAX
        for digest in documents:
            try:
                data = await self._get_blob(digest, min(DOCUMENT_BYTES_MAX, left))
                left -= len(data)
                texts.append((digest, data.decode()))
            except (BlobUnavailable, BlobTooLarge, UnicodeDecodeError) as error:
                problem = f"document {cid_text(digest)}: {error}"
                raise bad_request(problem, "retrieval.documents") from error
            except SdkError as error:
                raise ApiError(503, str(error), "server_error") from error
        try:
            return await asyncio.to_thread(Collection, texts)
        except ValueError as error:
            raise bad_request(str(error), "retrieval.documents") from error


def cut_passages(document: ContentId, text: str) -> list[Passage]:
    """Paragraphs, the long ones cut at white space where there is some."""
    found: list[Passage] = []
    start = 0
    for match in [*_BREAK.finditer(text), None]:
        end = len(text) if match is None else match.start()
        while start < end:
            cut = min(start + PASSAGE_CHARACTERS, end)
            if cut < end:
                space = text.rfind(" ", start + PASSAGE_CHARACTERS // 2, cut)
                cut = cut if space < 0 else space + 1
            if text[start:cut].strip():
                found.append(Passage(document, start, text[start:cut]))
            start = cut
        start = end if match is None else match.end()
    return found


def words_of(text: str) -> list[str]:
    """The words by which passages are found."""
    return [word.casefold() for word in _WORD.findall(text)]


def with_sources(
    messages: Sequence[dict[str, str]], passages: Sequence[Passage]
) -> list[dict[str, str]]:
    """The conversation with the passages before it, numbered, for the model to cite."""
    if not passages:
        return list(messages)
    lines = ["Answer from these sources and cite them by number, as [1]."]
    lines += [f"[{at}] {passage.text.strip()}" for at, passage in enumerate(passages, 1)]
    return [{"role": "system", "content": "\n".join(lines)}, *messages]


def question_of(messages: Sequence[dict[str, str]]) -> str:
    """What to search for: the last thing that the user said."""
    return next((each["content"] for each in reversed(messages) if each["role"] == "user"), "")
