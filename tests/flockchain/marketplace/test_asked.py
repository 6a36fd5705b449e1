"""Requests as OpenAI's clients write them, and what is said about those that are wrong."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from flockchain.marketplace.asked import Retrieval, read_embed, read_generate, read_predict
from flockchain.marketplace.errors import ApiError
from flockchain.marketplace.limits import Limits
from runtime.primitives.content_id import cid_text, content_id

LIMITS = Limits()
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
DOCUMENT = content_id(b"x")


def read(**changes: object) -> Any:
    return read_generate(orjson.dumps({**CHAT, **changes}), LIMITS)


def test_defaults_and_every_option() -> None:
    plain = read()
    assert plain.options == {"tokens_max": 256, "temperature": 1.0, "top_p": 1.0, "stops": []}
    assert (plain.seed, plain.is_stream, plain.retrieval, plain.prompt) == (None, False, None, None)
    full = read(
        max_tokens=9,
        max_completion_tokens=7,
        temperature=0,
        top_p=0.5,
        stop=["a", "b"],
        seed=-1,
        stream=True,
        stream_options={"include_usage": True},
        n=1,
        user="somebody",
        retrieval={"documents": [cid_text(DOCUMENT)], "top_k": 2},
    )
    assert full.options == {"tokens_max": 7, "temperature": 0, "top_p": 0.5, "stops": ["a", "b"]}
    assert full.seed == 2**64 - 1
    assert full.is_stream
    assert full.has_usage_chunk
    assert full.retrieval == Retrieval((DOCUMENT,), 2)
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert read(messages=[{"role": "developer", "content": parts}]).messages == [
        {"role": "system", "content": "ab"}
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": None}, "model is not a string"),
        ({"messages": []}, "messages is not a list of 1 to 512 objects"),
        ({"messages": ["x"]}, "messages[0] is not a JSON object"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages[0].role is not one of developer, system, user, assistant",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].type is not text, which is all that is read here",
        ),
        ({"max_tokens": 0}, "max_tokens is not an integer of 1 to 4096"),
        ({"max_tokens": True}, "max_tokens is not an integer of 1 to 4096"),
        ({"temperature": 2.1}, "temperature is not a number of 0 to 2"),
        ({"stop": 5}, "stop is not a string or a list of strings"),
        ({"stop": ["x"] * 5}, "stop has 5 items, outside 1 to 4"),
        ({"stream": "yes"}, "stream is not true or false"),
        ({"n": 2}, "n is not supported here with this value"),
        ({"logprobs": True}, "logprobs is not supported here with this value"),
        (
            {"response_format": {"type": "json_object"}},
            "response_format is not supported here with this value",
        ),
        ({"retrieval": {"documents": ["x"]}}, None),
        ({"retrieval": 5}, "retrieval is not a JSON object"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], message: str | None) -> None:
    with pytest.raises(ApiError) as refused:
        read(**changes)
    assert refused.value.status == 400
    if message is None:
        message = "retrieval.documents holds what is no content id"
    assert str(refused.value).startswith(message)
    assert refused.value.param == message.split(" ")[0]


def test_embeddings_and_rows() -> None:
    assert read_embed(b'{"model":"m","input":"x"}').texts == ["x"]
    assert read_embed(b'{"model":"m","input":["x"],"encoding_format":"base64"}').is_base64
    assert read_predict(b'{"model":"m","inputs":[[1,2.5]]}').rows == [[1, 2.5]]
    for body, message in (
        (b"{", "the body is not JSON"),
        (b'{"model":"m","input":[]}', "input has 0 items"),
        (b'{"model":"m","input":"x","dimensions":8}', "dimensions is not supported"),
        (b'{"model":"m","input":"x","encoding_format":"hex"}', "encoding_format is not float or"),
    ):
        with pytest.raises(ApiError, match=message):
            read_embed(body)
    for rows in ("[]", "[1]", '[["x"]]', "[[true]]"):
        with pytest.raises(ApiError, match="inputs"):
            read_predict(b'{"model":"m","inputs":%b}' % rows.encode())
