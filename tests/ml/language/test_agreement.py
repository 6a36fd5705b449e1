"""Answers of machines that round otherwise are told from answers of other models."""

from __future__ import annotations

from pathlib import Path

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
        assert not could_say(llama, prompt, options, other), other


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
    assert not could_say(llama, prompt, options, say(other, options, "birds"))


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
