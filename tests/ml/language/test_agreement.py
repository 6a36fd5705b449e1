"""Answers of machines that round otherwise are told from answers of other models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from ml.devices import choose_device
from ml.language.agreement import MARGIN, could_say, plausible_tokens
from ml.language.generation import Generation
from ml.language.language_model import LanguageModel
from ml.language.sampling import GenerationError, GenerationOptions, choose_token, seeded
from tests.ml.language.conftest import LEARNED

QUESTION = [{"role": "user", "content": "What is FLock?"}]


@pytest.fixture(scope="module")
def llama(tiny_llama: Path) -> LanguageModel:
    return LanguageModel(tiny_llama, choose_device("cpu"))


def say(model: LanguageModel, options: GenerationOptions, adapter: str | None = None) -> str:
    generation = Generation(model, model.encode_chat(QUESTION), options, adapter)
    pieces: list[str] = []
    while generation.finish is None:
        pieces.append(generation.step())
    return "".join(pieces)


@pytest.mark.parametrize(
    "options",
    [
        GenerationOptions(tokens_max=24, temperature=0),
        GenerationOptions(tokens_max=5, temperature=0),
        GenerationOptions(tokens_max=24, temperature=0, stops=("learning",)),
        GenerationOptions(tokens_max=24, temperature=1.2, seed=3),
        GenerationOptions(tokens_max=24, temperature=0.8, top_p=0.7, seed=2**64 - 1),
    ],
)
def test_what_the_model_says_it_could_say(llama: LanguageModel, options: GenerationOptions) -> None:
    prompt, said = llama.encode_chat(QUESTION), say(llama, options)
    assert could_say(llama, prompt, options, said)
    for other in (said + "!", "A flock of birds.", ""):
        assert could_say(llama, prompt, options, other) is False, other


def test_answers_in_bfloat16_are_told_from_those_of_another_model(
    tiny_llama: Path, tiny_adapter: Path, llama: LanguageModel
) -> None:
    narrow = LanguageModel(tiny_llama, choose_device("cpu"))
    narrow._model = narrow._model.to(torch.bfloat16)
    prompt = llama.encode_chat(QUESTION)
    for seed in range(4):
        options = GenerationOptions(tokens_max=24, temperature=0.7, seed=seed)
        assert could_say(llama, prompt, options, say(narrow, options))
    other = LanguageModel(tiny_llama, choose_device("cpu"))
    other.load_adapter("birds", tiny_adapter)
    options = GenerationOptions(tokens_max=24, temperature=0)
    assert could_say(llama, prompt, options, say(other, options, "birds")) is False


def test_a_prompt_that_leaves_no_room_is_refused(llama: LanguageModel) -> None:
    for prompt in ([], [1] * llama.context_tokens):
        with pytest.raises(GenerationError, match="has no answer"):
            could_say(llama, prompt, GenerationOptions(), LEARNED["What is FLock?"])


def test_near_ties_are_plausible_and_others_are_not() -> None:
    logits = torch.tensor([0.0, 3.0, 3.0 - MARGIN / 2, 3.0 - 2 * MARGIN, -torch.inf])
    greedy = GenerationOptions(temperature=0)
    assert plausible_tokens(logits, greedy, seeded(0)) == [1, 2]
    sampled = GenerationOptions(temperature=0.05, seed=1)
    assert plausible_tokens(logits, sampled, seeded(1))[0] == 1
    with pytest.raises(GenerationError, match="not a number"):
        plausible_tokens(torch.full((3,), torch.nan), greedy, seeded(0))


def test_the_choice_is_first_and_takes_one_draw() -> None:
    options = GenerationOptions(temperature=1.0, top_p=0.9)
    logits = torch.linspace(-2, 2, 50)
    ours, theirs = seeded(7), seeded(7)
    for _ in range(20):
        chosen = choose_token(logits, options, theirs)
        assert plausible_tokens(logits, options, ours)[0] == chosen
    noisy = logits + (torch.rand(50, generator=seeded(1)) - 0.5) * MARGIN / 4
    for seed in range(20):
        chosen = choose_token(noisy, options, seeded(seed))
        assert chosen in plausible_tokens(logits, options, seeded(seed))


def test_where_the_nucleus_ends_may_round_otherwise() -> None:
    ours, theirs = torch.tensor([0.4999, 0.2501, 0.25]).log(), torch.tensor([0.5001, 0.25, 0.2499])
    options = GenerationOptions(top_p=0.5)
    chosen = [choose_token(theirs.log(), options, seeded(seed)) for seed in range(50)]
    assert set(chosen) == {0}
    assert {choose_token(ours, options, seeded(seed)) for seed in range(50)} == {0, 1}
    for seed in range(50):
        assert 0 in plausible_tokens(ours, options, seeded(seed)), seed


def test_whatever_is_off_by_the_margin_is_plausible() -> None:
    source = seeded(5)
    for seed in range(300):
        logits = torch.randn(12, generator=source, dtype=torch.float64) * 2
        shares = torch.softmax(logits, dim=0).sort(descending=True).values.cumsum(dim=0)
        border = float(shares[seed % 8]) + (1e-4 if seed % 2 else -1e-4)
        options = GenerationOptions(top_p=min(1.0, border))
        noisy = logits + (torch.rand(12, generator=source, dtype=torch.float64) - 0.5) * MARGIN
        chosen = choose_token(noisy, options, seeded(seed))
        assert chosen in plausible_tokens(logits, options, seeded(seed)), seed


class Stammerer:
    """A model that finds `aa` likeliest and `aaaa` nearly so, whatever came before."""

    context_tokens = 100
    end_tokens = frozenset({0})
    words = ("", "aa", "aaaa")

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(self.words[token] for token in tokens)

    def forward(self, tokens: Sequence[int], past: Any, adapter: str | None) -> tuple[Any, None]:
        return torch.tensor([-9.0, 1.0, 0.9]), None


def test_no_honest_answer_is_lost_among_ways_to_cut_it() -> None:
    model, options = cast(LanguageModel, Stammerer()), GenerationOptions(24, temperature=0)
    for times in range(25):
        assert could_say(model, [1], options, "aa" * 24 + "aa" * times), times
    # Few ways: all were followed. Many: those that were do not show that there is none.
    assert could_say(model, [1], options, "aaaaaaaab") is False
    assert could_say(model, [1], options, "a" * 40 + "b") is None
