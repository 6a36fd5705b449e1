"""A ready task: answer questions, in a tiny Llama that learns its bytes on a CPU.

Owns the conversations and the specification of that task: about FLock, or about what its creator
writes down. Each answer is asked for in several ways: one is in set A, one in set B, the others
train, so that who only learned questions by heart answers others badly. Invariant: the same
arguments give the same specification on any machine.
Source: WP VIII.A; WP V.A, V.C, V.H.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ml.datasets.conversations import Conversations, Message
from ml.strict_json import JsonValue
from ml.tasks.ready_task import ReadyTask
from ml.tasks.spec import LANGUAGE, DataSplits, TaskLimits, TaskSpec, TaskSpecError
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
QUESTIONS_BYTES_MAX: Final = 1 << 20  # of a creator's file
WAYS_MIN: Final = 3  # to ask for an answer: one each for training, set A and set B
CONTEXT_TOKENS: Final = 192  # or as many as the longest conversation has, up to the most
CONTEXT_TOKENS_MAX: Final = 512
_MODEL: Final[Mapping[str, JsonValue]] = {
    "type": "llama",
    "tokenizer": "bytes",
    "width": 48,
    "layers": 2,
    "heads": 4,
}
_LIMITS: Final = TaskLimits(
    model_bytes_max=2 << 20,
    train_seconds_max=60,
    evaluate_seconds_max=30,
    memory_bytes_max=1 << 30,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, and at least `WAYS_MIN` ways to ask for it."""

    answer: str
    ways: tuple[str, ...]


ABOUT_FLOCK: Final = tuple(
    Asked(answer, tuple(way.format(subject) for way in WAYS))
    for subject, answer in SUBJECTS.items()
)


def read_asked(data: bytes) -> tuple[Asked, ...]:
    """What a creator wrote down: a JSON list of `{"answer": text, "questions": [text, ...]}`.

    Raises `TaskSpecError`.
    """
    if len(data) > QUESTIONS_BYTES_MAX:
        raise TaskSpecError(f"questions: {len(data)} bytes are above {QUESTIONS_BYTES_MAX}")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TaskSpecError(f"questions: not JSON: {error}") from error
    if not isinstance(found, list) or not found:
        raise TaskSpecError("questions: not a list of answers")
    return tuple(_read_one(number, each) for number, each in enumerate(found, start=1))


def create_questions_task(
    title: str = "Questions about FLock", seed: int = 1, asked: Sequence[Asked] = ABOUT_FLOCK
) -> ReadyTask:
    """The task of this seed, which says which ways of asking are whose. Raises `TaskSpecError`."""
    sets = [Conversations.encode(each) for each in split_ways(seed, asked)]
    longest = max(each.tokens.shape[1] for each in sets)
    if longest > CONTEXT_TOKENS_MAX:
        raise TaskSpecError(
            f"questions: a question and its answer have {longest} bytes, at most "
            f"{CONTEXT_TOKENS_MAX} are learned from"
        )
    train, validation_a, validation_b = (each.to_bytes() for each in sets)
    spec = TaskSpec(
        title=title,
        kind=LANGUAGE,
        model={**_MODEL, "context_tokens": max(CONTEXT_TOKENS, longest)},
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
    seed: int, asked: Sequence[Asked] = ABOUT_FLOCK
) -> tuple[list[list[Message]], list[list[Message]], list[list[Message]]]:
    """Conversations to train on, of set A and of set B. Each answer is in all of them."""
    train: list[list[Message]] = []
    validation_a: list[list[Message]] = []
    validation_b: list[list[Message]] = []
    for place, each in enumerate(asked):
        count = len(each.ways)
        turned = [each.ways[(place + seed + way) % count] for way in range(count)]
        *trained, a, b = [_conversation(way, each.answer) for way in turned]
        train += trained
        validation_a.append(a)
        validation_b.append(b)
    return train, validation_a, validation_b


def _conversation(question: str, answer: str) -> list[Message]:
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]


def _read_one(number: int, value: Any) -> Asked:
    where = f"questions: entry {number}"
    if not isinstance(value, dict) or value.keys() != {"answer", "questions"}:
        raise TaskSpecError(f"{where} is not an object of answer and questions")
    answer, ways = value["answer"], value["questions"]
    if not isinstance(ways, list) or len(ways) < WAYS_MIN:
        raise TaskSpecError(f"{where} has not {WAYS_MIN} questions for its answer")
    if not all(isinstance(each, str) and each.strip() for each in (answer, *ways)):
        raise TaskSpecError(f"{where} has an answer or a question that is no text")
    if len(set(ways)) < len(ways):
        raise TaskSpecError(f"{where} has a question twice")
    return Asked(answer, tuple(ways))
