"""The next token, and text in whole characters."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from ml.language.sampling import GenerationError, GenerationOptions, choose_token, seeded
from ml.language.text_stream import TextStream


def test_the_likeliest_and_the_lowest_of_equals() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 3.0])
    assert choose_token(logits, GenerationOptions(temperature=0), seeded(0)) == 1


def test_draws_follow_the_probabilities() -> None:
    logits = torch.log(torch.tensor([0.5, 0.1, 0.4]))
    generator = seeded(1)
    options = GenerationOptions(temperature=1)
    drawn = Counter(choose_token(logits, options, generator) for _ in range(4000))
    assert [round(drawn[token] / 4000, 1) for token in range(3)] == [0.5, 0.1, 0.4]
    kept = GenerationOptions(temperature=1, top_p=0.6)
    assert {choose_token(logits, kept, generator) for _ in range(200)} == {0, 2}
    one = GenerationOptions(temperature=1, top_p=0.45)
    assert {choose_token(logits, one, generator) for _ in range(50)} == {0}


def test_infinities_are_never_drawn_and_nothing_is_refused() -> None:
    logits = torch.tensor([-torch.inf, 0.0])
    assert choose_token(logits, GenerationOptions(temperature=1), seeded(3)) == 1
    for bad in (torch.tensor([torch.nan, 0.0]), torch.tensor([-torch.inf])):
        with pytest.raises(GenerationError, match="the model's prediction is not a number"):
            choose_token(bad, GenerationOptions(), seeded(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokens_max": 0}, "0 tokens are none"),
        ({"temperature": 2.5}, "temperature 2.5 is outside 0..2"),
        ({"top_p": 0.0}, "top_p 0.0 is outside (0, 1]"),
        ({"seed": -1}, "seed -1 is outside 0..2^64"),
        ({"stops": ("",)}, "stop: at most 4 of 1 to 256 characters"),
    ],
)
def test_options_out_of_bounds(options: dict[str, object], message: str) -> None:
    with pytest.raises(GenerationError) as refused:
        GenerationOptions(**options)  # type: ignore[arg-type]
    assert str(refused.value) == message


def stream_of(text: str, *stops: str) -> list[str]:
    data = text.encode()
    stream = TextStream(lambda tokens: bytes(tokens).decode(errors="replace"), stops)
    pieces = []
    for token in data:
        pieces.append(stream.add(token))
        if stream.is_stopped:
            break
    return [*pieces, stream.finish()]


def test_pieces_are_whole_characters_and_make_the_text() -> None:
    assert stream_of("né€😀!") == ["n", "", "é", "", "", "€", "", "", "", "😀", "!", ""]


def test_nothing_of_a_stop_string_is_said() -> None:
    assert "".join(stream_of("one two three", " tw")) == "one"
    assert "".join(stream_of("one two", "tz", "wot")) == "one two"
    assert stream_of("abcd", "c")[:3] == ["a", "b", ""]
