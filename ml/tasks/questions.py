"""A ready task: answer questions about FLock, in a tiny Llama that learns its bytes on a CPU.

Owns the conversations and the specification of that task. Each subject is asked about in eight
ways: six train, one is in set A, one in set B, so that who only learned questions by heart answers
others badly. Invariant: the same arguments give the same specification on any machine.
Source: WP VIII.A; WP V.A, V.C, V.H.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ml.datasets.conversations import Conversations, Message
from ml.strict_json import JsonValue
from ml.tasks.ready_task import ReadyTask
from ml.tasks.spec import LANGUAGE, DataSplits, TaskLimits, TaskSpec
from runtime.primitives.content_id import content_id

SUBJECTS: Final = {
    "a training node": "It stakes, trains a model and seals it.",
    "a task validator": "It stakes and scores models in a sandbox.",
    "a delegator": "It puts stake behind others for a share.",
    "a model host": "It stakes, serves a model and is paid a call.",
    "a voucher": "A caller signs in it what it owes in all.",
    "the AI Arena": "Models compete there, and validators rank them.",
    "the FL Alliance": "Clients train together and show no rows.",
    "the DAO": "It votes on the rules of the chain.",
}
WAYS: Final = (
    "What is {}?",
    "Can you explain {}?",
    "Tell me, what is {}?",
    "Do you know of {}?",
    "How would you describe {}?",
    "What do you mean by {}?",
    "Have you ever heard of {}?",
    "And what about {}?",
)
BASELINE: Final = 500_000_000  # 4 bits a byte: less than letters by their frequency need
_TRAINED: Final = len(WAYS) - 2
_MODEL: Final[Mapping[str, JsonValue]] = {
    "type": "llama",
    "tokenizer": "bytes",
    "width": 48,
    "layers": 2,
    "heads": 4,
    "context_tokens": 192,
}
_LIMITS: Final = TaskLimits(
    model_bytes_max=2 << 20,
    train_seconds_max=60,
    evaluate_seconds_max=30,
    memory_bytes_max=1 << 30,
)


def create_questions_task(title: str = "Questions about FLock", seed: int = 1) -> ReadyTask:
    """The task of this seed, which says which ways of asking are whose."""
    train, validation_a, validation_b = (
        Conversations.encode(each).to_bytes() for each in split_ways(seed)
    )
    spec = TaskSpec(
        title=title,
        kind=LANGUAGE,
        model=_MODEL,
        metric="bits_per_byte",
        data=DataSplits(
            train=(content_id(train),),
            validation_a=content_id(validation_a),
            validation_b=content_id(validation_b),
        ),
        seed=seed,
        baseline=BASELINE,
        limits=_LIMITS,
    )
    return ReadyTask(spec, train, validation_a, validation_b)


def split_ways(
    seed: int,
) -> tuple[list[list[Message]], list[list[Message]], list[list[Message]]]:
    """Conversations to train on, of set A and of set B. Each way serves all of them."""
    train: list[list[Message]] = []
    validation_a: list[list[Message]] = []
    validation_b: list[list[Message]] = []
    for place, subject in enumerate(SUBJECTS):
        turned = [WAYS[(place + seed + each) % len(WAYS)] for each in range(len(WAYS))]
        asked = [_conversation(way, subject) for way in turned]
        train += asked[:_TRAINED]
        validation_a.append(asked[_TRAINED])
        validation_b.append(asked[_TRAINED + 1])
    return train, validation_a, validation_b


def _conversation(way: str, subject: str) -> list[Message]:
    return [
        {"role": "user", "content": way.format(subject)},
        {"role": "assistant", "content": SUBJECTS[subject]},
    ]
