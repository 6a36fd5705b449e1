"""A causal language model on a device: the next logits, embeddings, and adapters on one base.

Any directory that `ml.language.directory` admits and whose architecture the library knows; a tiny
Llama and a large model are the same code. Owns the weights. Invariant: a sequence is computed
alone, never in a batch with others, so an answer depends on nothing but its own request.
Source: WP VIII.A; Hu et al., LoRA: Low-Rank Adaptation of Large Language Models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ml.language.directory import ensure_adapter, ensure_model
from ml.language.sampling import GenerationError

_CONTEXT_TOKENS_DEFAULT: Final = 2048
Message = Mapping[str, str]
"""`role` and `content`."""


class LanguageModel:
    """An opened model. For use by one thread."""

    def __init__(self, directory: Path, device: torch.device) -> None:
        """Raises `ModelDirectoryError`, or what the library raises for a model it cannot open."""
        ensure_model(directory)
        dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
        model = AutoModelForCausalLM.from_pretrained(
            directory,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
        )
        self._tokenizer = AutoTokenizer.from_pretrained(
            directory, local_files_only=True, trust_remote_code=False
        )
        self._model: Any = model.to(device).eval()
        self._device = device
        self._adapters: set[str] = set()
        self.context_tokens = _context_of(model.config)
        self.end_tokens = _end_tokens(model, self._tokenizer)

    # -- text and tokens

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, with those that the model expects at its beginning."""
        tokens: list[int] = self._tokenizer(text)["input_ids"]
        return tokens

    def encode_chat(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of a conversation that the model is to go on with.

        By the model's own template; models without one get `role: content` lines. Raises
        `GenerationError` if the template refuses the conversation.
        """
        if not self._tokenizer.chat_template:
            lines = [f"{each['role']}: {each['content']}\n" for each in messages]
            return self.encode("".join(lines) + "assistant:")
        from jinja2 import TemplateError  # with the library, which runs templates in its sandbox

        try:
            text = self._tokenizer.apply_chat_template(
                [dict(each) for each in messages], tokenize=False, add_generation_prompt=True
            )
        except TemplateError as error:
            raise GenerationError(f"the model's chat template: {error}") from error
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    # -- adapters

    def load_adapter(self, name: str, directory: Path) -> None:
        """Keep a LoRA adapter beside the base. Raises `ModelDirectoryError`."""
        ensure_adapter(directory)
        if name in self._adapters:
            return
        if self._adapters:
            self._model.load_adapter(str(directory), adapter_name=name)
        else:
            from peft import PeftModel  # seconds, which models without adapters save

            self._model = PeftModel.from_pretrained(
                self._model, str(directory), adapter_name=name, is_trainable=False
            ).eval()
        self._adapters.add(name)

    def drop_adapter(self, name: str) -> None:
        """Forget an adapter."""
        self._adapters.remove(name)
        if self._adapters:
            self._model.delete_adapter(name)
        else:
            self._model = self._model.unload()

    @contextmanager
    def _adapted(self, adapter: str | None) -> Iterator[None]:
        if not self._adapters:
            assert adapter is None, f"adapter {adapter} is not loaded"
            yield
        elif adapter is None:
            with self._model.disable_adapter():
                yield
        else:
            self._model.set_adapter(adapter, inference_mode=True)
            yield

    # -- running

    def forward(
        self, tokens: Sequence[int], past: Any, adapter: str | None = None
    ) -> tuple[torch.Tensor, Any]:
        """Logits after the last token, (vocabulary,), and what to pass as `past` next time."""
        with torch.inference_mode(), self._adapted(adapter):
            output = self._model(
                input_ids=torch.tensor([list(tokens)], device=self._device),  # (1, time)
                cache=past,
                use_cache=True,
                logits_to_keep=1,
            )
        return output.logits[0, -1], output.cache

    def ensure_fits(self, tokens: Sequence[int]) -> None:
        """Raises `GenerationError` unless this text can be embedded."""
        if not 1 <= len(tokens) <= self.context_tokens:
            raise GenerationError(
                f"{len(tokens)} tokens are outside the model's 1..{self.context_tokens}"
            )

    def embed(self, tokens: Sequence[int], adapter: str | None = None) -> list[float]:
        """The mean of the last hidden states, of length 1. Raises `GenerationError`."""
        self.ensure_fits(tokens)
        with torch.inference_mode(), self._adapted(adapter):
            output = self._model(
                input_ids=torch.tensor([list(tokens)], device=self._device),  # (1, time)
                output_hidden_states=True,
                use_cache=False,
                logits_to_keep=1,
            )
        hidden = output.hidden_states[-1][0].to("cpu", torch.float64)  # (time, width)
        mean = hidden.mean(dim=0)  # (width,)
        values: list[float] = (mean / mean.norm().clamp_min(1e-12)).tolist()
        return values


def _context_of(config: Any) -> int:
    found = getattr(config, "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else _CONTEXT_TOKENS_DEFAULT


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    named = [model.generation_config.eos_token_id, tokenizer.eos_token_id]
    flat = [each for item in named for each in (item if isinstance(item, list) else [item])]
    return frozenset(each for each in flat if each is not None)
