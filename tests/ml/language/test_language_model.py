"""A tiny Llama learns by heart, answers token by token, embeds, and takes adapters on and off."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from ml.language.bundle import (
    describe_bundle,
    is_bundle,
    pack_directory,
    read_bundle,
    unpack_bundle,
)
from ml.language.directory import ModelDirectoryError, ensure_adapter, ensure_model
from ml.language.generation import Generation
from ml.language.language_model import LanguageModel
from ml.language.sampling import GenerationError, GenerationOptions
from ml.language.tiny_llama import TinyOptions, train_tiny_llama
from runtime.primitives.content_id import content_id
from tests.ml.language.conftest import LEARNED, RELEARNED, conversations

ASKED = "What is FLock?"
GREEDY = GenerationOptions(temperature=0)


def answer(
    model: LanguageModel,
    asked: str,
    options: GenerationOptions = GREEDY,
    adapter: str | None = None,
) -> tuple[list[str], Generation]:
    prompt = model.encode_chat([{"role": "user", "content": asked}])
    generation = Generation(model, prompt, options, adapter)
    pieces: list[str] = []
    while generation.finish is None:
        pieces.append(generation.step())
    return pieces, generation


def test_what_was_learned_is_said_token_by_token(model: LanguageModel) -> None:
    for asked, said in LEARNED.items():
        pieces, generation = answer(model, asked)
        assert "".join(pieces) == said
        assert generation.finish == "stop"
        assert generation.usage.completion_tokens == len(said.encode()) + 1
        assert all(len(piece) <= 1 for piece in pieces)


def test_a_limit_and_a_stop_string_end_an_answer(model: LanguageModel) -> None:
    pieces, generation = answer(model, ASKED, GenerationOptions(tokens_max=9, temperature=0))
    assert ("".join(pieces), generation.finish) == ("Federated", "length")
    options = GenerationOptions(temperature=0, stops=("zebra", "ning", " on"))
    pieces, generation = answer(model, ASKED, options)
    assert ("".join(pieces), generation.finish) == ("Federated lear", "stop")


def test_seeds_repeat(model: LanguageModel) -> None:
    def said(seed: int) -> str:
        options = GenerationOptions(tokens_max=30, temperature=1.8, seed=seed)
        return "".join(answer(model, ASKED, options)[0])

    assert said(1) == said(1)
    assert len({said(seed) for seed in (1, 2, 2**64 - 1)}) == 3


def test_the_cache_changes_nothing(model: LanguageModel) -> None:
    """Token by token with the cache gives what one pass over the whole text gives."""
    tokens = model.encode("The whole text at once, or byte by byte.")
    whole, _ = model.forward(tokens, None)
    past = None
    for token in tokens:
        stepwise, past = model.forward([token], past)
    assert torch.allclose(whole, stepwise, atol=1e-4)


def test_prompts_that_leave_no_room_are_refused(model: LanguageModel) -> None:
    for tokens, message in (
        ([], "the prompt is empty"),
        ([5] * 512, "the prompt's 512 tokens leave no room in the model's 512"),
    ):
        with pytest.raises(GenerationError) as refused:
            Generation(model, tokens, GREEDY)
        assert str(refused.value) == message
    with pytest.raises(GenerationError, match=r"513 tokens are outside the model's 1\.\.512"):
        model.embed([5] * 513)
    long = Generation(model, [5] * 500, GenerationOptions(tokens_max=400, temperature=0))
    while long.finish is None:
        long.step()
    assert long.usage.completion_tokens <= 12


def test_embeddings_are_of_length_one_and_of_their_text(model: LanguageModel) -> None:
    one, two = (model.embed(model.encode(text)) for text in ("one", "two"))
    assert sum(x * x for x in one) == pytest.approx(1)
    assert one == model.embed(model.encode("one"))
    assert one != two


def test_adapters_are_swapped_on_a_shared_base(model: LanguageModel, tiny_adapter: Path) -> None:
    base = model.embed(model.encode("x"))
    model.load_adapter("birds", tiny_adapter)
    for _ in range(2):
        assert "".join(answer(model, ASKED, adapter="birds")[0]) == RELEARNED[ASKED]
        assert "".join(answer(model, ASKED)[0]) == LEARNED[ASKED]
    assert model.embed(model.encode("x")) == base
    assert model.embed(model.encode("x"), "birds") != base
    model.drop_adapter("birds")
    assert "".join(answer(model, ASKED)[0]) == LEARNED[ASKED]


def test_a_model_without_a_template_is_given_lines(tiny_llama: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(tiny_llama, bare)
    (bare / "chat_template.jinja").unlink()
    model = LanguageModel(bare, torch.device("cpu"))
    tokens = model.encode_chat([{"role": "user", "content": "hi"}])
    assert model.decode(tokens) == "user: hi\nassistant:"


def test_a_template_may_refuse(tiny_llama: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict"
    shutil.copytree(tiny_llama, strict)
    (strict / "chat_template.jinja").write_text("{{ raise_exception('only users') }}")
    model = LanguageModel(strict, torch.device("cpu"))
    with pytest.raises(GenerationError, match="the model's chat template: only users"):
        model.encode_chat([{"role": "system", "content": "hi"}])


def test_training_repeats(tmp_path: Path) -> None:
    options = TinyOptions(width=16, layers=1, heads=2, steps=2)
    for name in ("a", "b"):
        train_tiny_llama(conversations(LEARNED), tmp_path / name, options)
    assert pack_directory(tmp_path / "a")[0] == pack_directory(tmp_path / "b")[0]


# -- directories and bundles


def test_a_bundle_is_the_directory_it_was_made_from(tiny_llama: Path, tmp_path: Path) -> None:
    listed, blobs = pack_directory(tiny_llama)
    assert is_bundle(listed)
    assert not is_bundle(b"{}")
    unpack_bundle(listed, tmp_path / "copy", lambda blob: blobs[blob].read_bytes())
    assert pack_directory(tmp_path / "copy")[0] == listed
    assert read_bundle(listed)["config.json"] == content_id(
        (tiny_llama / "config.json").read_bytes()
    )
    with pytest.raises(ModelDirectoryError, match="is not blob"):
        unpack_bundle(listed, tmp_path / "other", lambda blob: b"x")
    (tmp_path / "copy" / "more.json").write_text("{}")
    with pytest.raises(ModelDirectoryError, match="belongs to no file of the list"):
        unpack_bundle(listed, tmp_path / "copy", lambda blob: blobs[blob].read_bytes())


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"not json",
        b'{"files":{},"kind":"other","version":1}',
        b'{"files":5,"kind":"language-model","version":1}',
        b'{"files":{"a.safetensors":"x"},"kind":"language-model","version":1}',
        b'{"files":{},"kind":"language-model","version":1}',
    ],
)
def test_lists_of_another_form_are_refused(data: bytes) -> None:
    with pytest.raises(ModelDirectoryError):
        read_bundle(data)
    good = describe_bundle({"a.safetensors": content_id(b"")})
    with pytest.raises(ModelDirectoryError, match="not in canonical form"):
        read_bundle(good + b" ")


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("modeling_own.py", "import os", "'modeling_own.py' is not allowed"),
        ("pytorch_model.bin", "x", "'pytorch_model.bin' is not allowed"),
        ("config.json", '{"auto_map": {"AutoModel": "own.Model"}}', "names programs"),
        ("tokenizer_config.json", '{"auto_map": {"x": "y"}}', "names programs"),
        ("more.json", "{", "more.json is not JSON"),
    ],
)
def test_nothing_of_a_directory_can_run(
    tiny_llama: Path, tmp_path: Path, name: str, body: str, message: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_llama, copy)
    (copy / name).write_text(body)
    with pytest.raises(ModelDirectoryError, match=message):
        ensure_model(copy)


def test_what_is_no_model_is_refused(tiny_llama: Path, tiny_adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelDirectoryError, match="cannot read"):
        ensure_model(tmp_path / "nowhere")
    with pytest.raises(ModelDirectoryError, match=r"no file of weights that ends in \.safetensors"):
        ensure_model(tmp_path)
    with pytest.raises(ModelDirectoryError, match=r"has no config\.json"):
        ensure_model(tiny_adapter)
    with pytest.raises(ModelDirectoryError, match=r"has no adapter_config\.json"):
        ensure_adapter(tiny_llama)
    copy = tmp_path / "copy"
    shutil.copytree(tiny_adapter, copy)
    config = json.loads((copy / "adapter_config.json").read_text())
    (copy / "adapter_config.json").write_text(json.dumps({**config, "peft_type": "LOHA"}))
    with pytest.raises(ModelDirectoryError, match="the adapter is not of the kind LORA"):
        ensure_adapter(copy)
    (copy / "folder.json").mkdir()
    with pytest.raises(ModelDirectoryError, match=r"folder\.json is not a file"):
        ensure_adapter(copy)
