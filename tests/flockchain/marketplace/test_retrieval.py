"""Documents are cut, ranked and cited, always in the same way."""

from __future__ import annotations

import asyncio
import threading

import pytest

from flockchain.marketplace.asked import Retrieval
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.retrieval import (
    PASSAGE_CHARACTERS,
    Collection,
    Library,
    Passage,
    cut_passages,
    question_of,
    with_sources,
)
from flockchain.sdk.errors import BlobTooLarge
from runtime.primitives.content_id import ContentId, content_id

DOCUMENT = content_id(b"a document")
OTHER = content_id(b"another")


def test_passages_are_paragraphs_and_keep_their_place() -> None:
    text = "First.\n\n  \nSecond line\nof the second.\n\n\n" + "word " * 400
    found = cut_passages(DOCUMENT, text)
    assert [each.text for each in found[:2]] == ["First.", "Second line\nof the second."]
    assert len(found) == 2 + 3
    for each in found:
        assert text[each.start : each.start + len(each.text)] == each.text
        assert len(each.text) <= PASSAGE_CHARACTERS
    assert "".join(each.text for each in found[2:]) == "word " * 400
    assert len(cut_passages(DOCUMENT, "x" * 2000)) == 3  # no white space to cut at
    assert cut_passages(DOCUMENT, " \n\n ") == []


def test_rare_words_decide_and_ties_go_to_the_earlier() -> None:
    texts = ["the chain pays", "the chain pays hosts", "the host sleeps", "the chain pays"]
    collection = Collection([(DOCUMENT, "\n\n".join(texts)), (OTHER, "nothing of the kind")])
    best = collection.search("Who pays HOSTS?", 3)
    assert [each.text for each in best] == [texts[1], texts[0], texts[3]]
    assert [each.start for each in best[1:]] == [0, 55]
    assert collection.search("zebra", 3) == []
    assert len(collection.search("the", 2)) == 2


def test_documents_without_words_are_refused() -> None:
    for documents in ([], [(DOCUMENT, " \n\n ... ")]):
        with pytest.raises(ValueError, match="the documents hold no words"):
            Collection(documents)


def test_documents_and_questions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flockchain.marketplace.retrieval.PASSAGES_MAX", 3)
    monkeypatch.setattr("flockchain.marketplace.retrieval.QUESTION_WORDS_MAX", 2)
    with pytest.raises(ValueError, match="more than 3 paragraphs"):
        Collection([(DOCUMENT, "a\n\n" * 4)])
    collection = Collection([(DOCUMENT, "geese fly\n\nfish swim")])
    assert [each.text for each in collection.search("do geese swim", 2)] == ["geese fly"]


def test_calls_and_what_is_kept_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flockchain.marketplace.retrieval.DOCUMENTS_BYTES_MAX", 10)
    monkeypatch.setattr("flockchain.marketplace.retrieval.KEPT_BYTES_MAX", 10)
    blobs = {content_id(data): data for data in (b"geese", b"trout", b"owls")}
    searched: list[int] = []

    async def get_blob(digest: bytes, size_max_bytes: int) -> bytes:
        data = blobs[ContentId(digest)]
        if len(data) > size_max_bytes:
            raise BlobTooLarge(f"more than {size_max_bytes} bytes")
        return data

    def search(*_: object) -> list[Passage]:
        searched.append(threading.get_ident())
        return []

    monkeypatch.setattr(Collection, "search", search)

    async def run() -> None:
        library, (geese, trout, owls) = Library(get_blob), blobs
        for documents in ((geese,), (trout, geese), (owls,)):
            await library.search(Retrieval(documents, 1), "geese")
        assert list(library._kept) == [(owls,)]
        with pytest.raises(ApiError, match="more than 0 bytes"):
            await library.search(Retrieval((geese, trout, owls), 1), "geese")

    asyncio.run(run())
    assert threading.get_ident() not in searched


def test_what_the_model_is_shown() -> None:
    messages = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "second"},
    ]
    assert question_of(messages) == "second"
    assert question_of(messages[1:2]) == ""
    assert with_sources(messages, []) == messages
    shown = with_sources(
        messages, [Passage(ContentId(bytes(32)), 4, "a\n"), Passage(OTHER, 0, "b")]
    )
    assert shown == [
        {
            "role": "system",
            "content": "Answer from these sources and cite them by number, as [1].\n[1] a\n[2] b",
        },
        *messages,
    ]
