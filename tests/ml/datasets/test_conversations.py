"""Language data sets: bytes of a pinned tokenizer, a named refusal of everything else."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactMismatchError
from ml.checkpoint import save_canonical
from ml.datasets.conversations import Conversations, is_answer
from ml.datasets.labelled import DATASET_LIMITS

TALK = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "ö"}]


def test_round_trip() -> None:
    made = Conversations.encode([TALK, TALK[:1]])
    # A mark, two bytes, the end; another mark, two bytes of one letter, the end.
    assert made.rows == 2
    assert made.tokens.shape == (2, 8)
    assert (made.tokens[1] == -1).tolist() == [False] * 4 + [True] * 4
    wanted = [[False] * 5 + [True] * 3, [False] * 8]  # two bytes and the end of the answer
    assert is_answer(made.tokens).tolist() == wanted
    answered = Conversations(made.tokens[:1])
    again = Conversations.from_bytes(answered.to_bytes(), 260, 8)
    assert torch.equal(again.tokens, answered.tokens)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.tensor([[1.0, 2.0]]), r"^tokens are not int64$"),
        (torch.tensor([[1]]), r"^conversations of 1 tokens are outside 2..4$"),
        (torch.tensor([[1, 2, 3, 4, 5]]), r"^conversations of 5 tokens are outside 2..4$"),
        (torch.tensor([[1, 9]]), r"^a token is outside 0..8$"),
        (torch.tensor([[1, -2]]), r"^a token is outside 0..8$"),
        (torch.tensor([[1, -1]]), r"^a conversation is empty, or padding stands before a token$"),
        (torch.tensor([[1, 2, -1, 3]]), r"^a conversation is empty, or padding stands before"),
        (torch.tensor([[3, 5], [2, 5]]), r"^a conversation in which the assistant says nothing$"),
        (torch.tensor([[3, 0, -1]]), r"^a conversation in which the assistant says nothing$"),
    ],
)
def test_refusals(tokens: torch.Tensor, message: str) -> None:
    data = save_canonical({"tokens": tokens}, DATASET_LIMITS)
    with pytest.raises(ArtifactMismatchError, match=message):
        Conversations.from_bytes(data, 9, 4)
