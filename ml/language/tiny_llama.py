"""A Llama of a few thousand weights, made from a configuration and trained in seconds on a CPU.

Its tokens are bytes, so it needs no vocabulary of its own. Owns its configuration, tokenizer and
training loop; what it writes is a model directory like any other. Invariant: equal conversations,
options and seeds give equal weights on the same kind of machine.
Source: Touvron et al., Llama 2; WP VIII.A (a tiny language model for tests).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ml.language.directory import ModelDirectoryError
from ml.language.language_model import Message

_END: Final = "<|end|>"
_SPECIALS: Final = (_END, "<|system|>", "<|user|>", "<|assistant|>")
FIRST_BYTE: Final = len(_SPECIALS)
"""The least token that stands for a byte; those below it are marks."""
_TEMPLATE: Final = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_IGNORED: Final = -100


@dataclass(frozen=True, slots=True)
class TinyOptions:
    """Sizes and training of a tiny Llama; `context_tokens` are bytes."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    context_tokens: int = 512
    steps: int = 120
    learning_rate: float = 0.005
    seed: int = 0


def train_tiny_llama(
    conversations: Sequence[Sequence[Message]], directory: Path, options: TinyOptions | None = None
) -> list[float]:
    """Train on conversations and write the model's directory; the loss of each step."""
    chosen = options or TinyOptions()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        model = LlamaForCausalLM(llama_config(chosen))
    tokenizer = byte_tokenizer()
    losses = _fit(model, _batch(tokenizer, conversations, chosen.context_tokens), chosen)
    model.eval().save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return losses


def train_adapter(
    base: Path,
    conversations: Sequence[Sequence[Message]],
    directory: Path,
    options: TinyOptions | None = None,
    rank: int = 8,
) -> list[float]:
    """Train a LoRA adapter on a tiny base and write its directory; the loss of each step."""
    from peft import LoraConfig, get_peft_model  # seconds, which tasks without adapters save

    chosen = options or TinyOptions()
    model = LlamaForCausalLM.from_pretrained(base, use_safetensors=True, local_files_only=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        lora = LoraConfig(
            r=rank, lora_alpha=2 * rank, target_modules=["q_proj", "v_proj", "up_proj", "down_proj"]
        )
        adapted = get_peft_model(model, lora)
    batch = _batch(byte_tokenizer(), conversations, chosen.context_tokens)
    losses = _fit(adapted, batch, chosen)
    adapted.save_pretrained(directory)
    (directory / "README.md").unlink(missing_ok=True)  # the library's blank card
    return losses


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer whose tokens are the 256 bytes, and a few marks for conversations."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*_SPECIALS, *alphabet]
    tokenizer = Tokenizer(BPE(vocab={word: at for at, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(_SPECIALS))
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=_END, pad_token=_END, bos_token=None
    )
    wrapped.chat_template = _TEMPLATE
    return wrapped


def encode_conversation(
    tokenizer: PreTrainedTokenizerFast, conversation: Sequence[Message]
) -> list[int]:
    """The tokens of a whole conversation, its marks among them."""
    text = tokenizer.apply_chat_template([dict(each) for each in conversation], tokenize=False)
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def llama_config(options: TinyOptions) -> LlamaConfig:
    """The configuration of these sizes."""
    return LlamaConfig(
        vocab_size=256 + len(_SPECIALS),
        hidden_size=options.width,
        intermediate_size=4 * options.width,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.heads,
        max_position_embeddings=options.context_tokens,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=True,
    )


def _batch(
    tokenizer: Any, conversations: Sequence[Sequence[Message]], tokens_max: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and wanted next tokens, both (conversations, time); padding is not wanted."""
    rows = [encode_conversation(tokenizer, conversation) for conversation in conversations]
    if not rows or min(map(len, rows)) < 2:
        raise ModelDirectoryError("a conversation to learn from is empty")
    longest = max(map(len, rows))
    if longest > tokens_max:
        raise ModelDirectoryError(f"a conversation of {longest} tokens is above {tokens_max}")
    inputs = torch.tensor([row[:-1] + [0] * (longest - len(row)) for row in rows])
    wanted = torch.tensor([row[1:] + [_IGNORED] * (longest - len(row)) for row in rows])
    return inputs, wanted


def _fit(model: Any, batch: tuple[torch.Tensor, torch.Tensor], options: TinyOptions) -> list[float]:
    inputs, wanted = batch
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=options.learning_rate, weight_decay=0.0)
    losses: list[float] = []
    model.train()
    for _ in range(options.steps):
        logits = model(input_ids=inputs, use_cache=False).logits  # (batch, time, vocabulary)
        loss = cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)
        optimizer.zero_grad()
        torch.autograd.backward([loss])
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses
