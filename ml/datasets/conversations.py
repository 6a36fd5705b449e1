"""Conversations as bytes: what a language model of a task learns from and is measured on.

Owns the format of a language data set: one row a conversation, in the tokens of the byte tokenizer,
so that no participant can choose another one. Invariant: tokens first, then padding, and a
byte of an answer in every row of a file.
Source: WP VIII.A; WP V.C.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch

from ml.artifact import ArtifactMismatchError
from ml.checkpoint import load_expected, save_canonical
from ml.datasets.labelled import DATASET_LIMITS

PADDING: Final = -1
ASSISTANT: Final = 3
"""The mark before what the assistant says; those of others are below it, the end's is 0."""
Message = Mapping[str, str]
"""`role` and `content`."""


@dataclass(frozen=True, slots=True, eq=False)
class Conversations:
    """tokens: (conversations, time) int64, padded with -1 at the end."""

    tokens: torch.Tensor

    @staticmethod
    def encode(conversations: Sequence[Sequence[Message]]) -> Conversations:
        """Conversations in the byte tokenizer's template."""
        from ml.language.tiny_llama import byte_tokenizer, encode_conversation  # seconds

        tokenizer = byte_tokenizer()
        rows = [encode_conversation(tokenizer, each) for each in conversations]
        longest = max(map(len, rows))
        padded = [[*row, *[PADDING] * (longest - len(row))] for row in rows]
        return Conversations(torch.tensor(padded, dtype=torch.int64))

    @property
    def rows(self) -> int:
        """How many conversations there are."""
        return self.tokens.shape[0]

    def to_bytes(self) -> bytes:
        """The canonical file."""
        return save_canonical({"tokens": self.tokens}, limits=DATASET_LIMITS)

    @staticmethod
    def from_bytes(data: bytes, vocabulary: int, tokens_max: int) -> Conversations:
        """The data of a canonical file. Raises `ArtifactError` on any other bytes or tokens."""
        tokens = load_expected(data, DATASET_LIMITS, {"tokens": (None, None)})["tokens"]
        if tokens.dtype != torch.int64:
            raise ArtifactMismatchError("tokens are not int64")
        if not 2 <= tokens.shape[1] <= tokens_max:
            raise ArtifactMismatchError(
                f"conversations of {tokens.shape[1]} tokens are outside 2..{tokens_max}"
            )
        if bool((tokens < PADDING).any()) or bool((tokens >= vocabulary).any()):
            raise ArtifactMismatchError(f"a token is outside 0..{vocabulary - 1}")
        is_token = tokens != PADDING
        if not bool(is_token[:, :2].all()) or bool((is_token[:, 1:] & ~is_token[:, :-1]).any()):
            raise ArtifactMismatchError("a conversation is empty, or padding stands before a token")
        if not bool((is_answer(tokens) & (tokens > ASSISTANT)).any(dim=1).all()):
            raise ArtifactMismatchError("a conversation in which the assistant says nothing")
        return Conversations(tokens)


def is_answer(tokens: torch.Tensor) -> torch.Tensor:
    """tokens: (conversations, time) -> whether each is the assistant's: (conversations, time) bool.

    The mark that begins an answer is not, the mark that ends it is.
    """
    is_mark = (tokens > 0) & (tokens <= ASSISTANT)
    places = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    last = torch.where(is_mark, places, 0).cummax(dim=1).values  # of the marks so far
    return (tokens.gather(1, last) == ASSISTANT) & ~is_mark & (tokens != PADDING)
