"""Documents are cut, ranked and cited, always in the same way."""

from __future__ import annotations

import pytest

from flockchain.marketplace.retrieval import (
    PASSAGE_CHARACTERS,
    Collection,
    Passage,
    cut_passages,
    question_of,
    with_sources,
)
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
