"""An answer from a request's bytes, as hosts and jurors compute it."""

from __future__ import annotations

import json

import pytest

from flockchain.marketplace.answering import Answering, documents_of, read_request
from flockchain.marketplace.asked import Generate
from flockchain.marketplace.inference import InferenceRefused
from flockchain.marketplace.limits import Limits
from flockchain.marketplace.retrieval import Library
from flockchain.marketplace.signed_answers import are_near_labels, labels_bytes
from runtime.primitives.content_id import cid_text, content_id
from tests.flockchain.marketplace.market_world import QUESTIONS, World, language_model

ASKED = "What is FLock?"


def chat(text: str, **changes: object) -> Generate:
    messages = [{"role": "user", "content": text}]
    body = {"model": "tiny", "messages": messages, "temperature": 0, **changes}
    found = read_request("language", json.dumps(body).encode(), Limits())
    assert isinstance(found, Generate)
    return found


def test_the_same_request_gives_what_was_signed(world: World) -> None:
    async def get_blob(digest: bytes, size_max_bytes: int) -> bytes:
        return world.blobs[content_id(b"Geese fly south.")]

    model = next(each for each in world.inference._open.values() if each.name == "tiny")
    answering, document = Answering(world.inference, Library(get_blob)), b"Geese fly south."
    named = cid_text(world.put_blob(document))
    cited = chat("Where do geese fly?", retrieval={"documents": [named]}, max_tokens=8)

    async def run() -> None:
        said = await answering.whole(model, chat(ASKED), seed=5)
        assert said == QUESTIONS[ASKED].encode()
        assert await answering.could_say(model, chat(ASKED), 5, said)
        assert await answering.could_say(model, chat(ASKED), 5, b"A flock of birds.") is False
        assert await answering.could_say(model, chat(ASKED), 5, b"\xff") is False
        said = await answering.whole(model, cited, seed=5)
        assert await answering.could_say(model, cited, 5, said)
        with pytest.raises(InferenceRefused, match="has no answer"):
            await answering.could_say(model, chat(ASKED * 2_000), 5, b"")

    world.run(run())
    assert documents_of(cited) == (content_id(document),)
    rows = json.dumps({"model": "rows", "inputs": [[0.0]]}).encode()
    assert documents_of(read_request("classifier", rows, Limits())) == ()
    assert language_model(model.path).name == "tiny"


def test_labels_of_near_ties_are_labels_of_either_machine() -> None:
    predictions = [{"label": 1, "near": [1, 4]}, {"label": 0, "near": [0]}]
    assert labels_bytes(predictions) == b"[1,0]"
    for said in (b"[1,0]", b"[4,0]"):
        assert are_near_labels(said, predictions)
    for said in (b"[0,0]", b"[1,1]", b"[1]", b"[1,0,0]", b"[1, 0]", b"[true,0]", b"{}", b"[", b""):
        assert not are_near_labels(said, predictions), said
