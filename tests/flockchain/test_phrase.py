"""Phrases: BIP-39 checks, and Substrate's seeds from published vectors."""

import pytest

from flockchain.phrase import (
    WORD_COUNTS,
    PhraseError,
    entropy_of_phrase,
    generate_phrase,
    phrase_of_entropy,
    seed_of_phrase,
)

ABANDON = "abandon " * 11 + "about"
WINNER = "legal winner thank year wave sausage worth useful " * 2 + (
    "legal winner thank year wave sausage worth title"
)


@pytest.mark.parametrize(
    ("phrase", "password", "seed"),
    [
        (
            ABANDON,
            "Substrate",
            "44e9d125f037ac1d51f0a7d3649689d422c2af8b1ec8e00d71db4d7bf6d127e3",
        ),
        (ABANDON, "", "4ed8d4b17698ddeaa1f1559f152f87b5d472f725ca86d341bd0276f1b61197e2"),
        (WINNER, "", "f02cdc109954e34cd3f0c60fdb0c97ffb3a934ad1cc9a4df87b8417024b8bdbe"),
        (WINNER, "TREZOR", "bbaf46f044dfca3560712240253ce26eabd7f4996bb241409697a292c673e3a7"),
    ],
)
def test_seeds_are_substrates(phrase: str, password: str, seed: str) -> None:
    assert seed_of_phrase(phrase, password).hex() == seed


@pytest.mark.parametrize("words", WORD_COUNTS)
def test_generated_phrases_are_valid_and_new(words: int) -> None:
    phrase = generate_phrase(words)
    assert len(phrase.split()) == words
    assert phrase_of_entropy(entropy_of_phrase(phrase)) == phrase
    assert generate_phrase(words) != phrase


def test_entropy_is_what_the_words_say() -> None:
    assert entropy_of_phrase(ABANDON) == bytes(16)
    assert entropy_of_phrase(f"  {ABANDON} ") == bytes(16)


@pytest.mark.parametrize(
    ("phrase", "message"),
    [
        ("", "a phrase has 12, 15, 18, 21, 24 words, not 0"),
        ("abandon " * 13, "a phrase has 12, 15, 18, 21, 24 words, not 13"),
        ("abandon " * 11 + "zebrafish", "a word of the phrase is not in the English BIP-39 list"),
        ("Abandon " * 11 + "about", "a word of the phrase is not in the English BIP-39 list"),
        ("abandon " * 12, "the checksum of the phrase is wrong"),
    ],
)
def test_bad_phrases_are_refused_without_repeating_them(phrase: str, message: str) -> None:
    with pytest.raises(PhraseError) as caught:
        entropy_of_phrase(phrase)
    assert str(caught.value) == message
    assert "zebrafish" not in repr(caught.value)


def test_lengths_that_no_phrase_has_are_refused() -> None:
    with pytest.raises(PhraseError, match=r"words, not 13$"):
        generate_phrase(13)
    for length in (0, 15, 17, 36):
        with pytest.raises(PhraseError, match=f"^no phrase holds {length} bytes$"):
            phrase_of_entropy(bytes(length))
