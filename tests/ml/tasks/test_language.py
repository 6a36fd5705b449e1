"""The kind `language`, end to end: train, measure in bits per byte, aggregate, lay out, answer."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.artifact import ArtifactMismatchError
from ml.checkpoint import load_checked, save_canonical
from ml.datasets.conversations import Message
from ml.devices import choose_device
from ml.evaluate import Verdict, evaluate_submission
from ml.language.generation import Generation
from ml.language.language_model import LanguageModel
from ml.language.sampling import GenerationOptions
from ml.options import TrainOptions
from ml.sandbox import Evaluator
from ml.tasks.interface import Task
from ml.tasks.language import write_directory
from ml.tasks.questions import (
    BASELINE,
    QUESTIONS_BYTES_MAX,
    Asked,
    create_questions_task,
    read_asked,
    split_ways,
)
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from ml.tasks.spec import TaskSpecError

CPU = choose_device("cpu")
SMALL = {"width": 16, "layers": 1, "heads": 2}


@pytest.fixture(scope="module")
def questions() -> ReadyTask:
    """The task, as it ships."""
    return create_questions_task()


@pytest.fixture(scope="module")
def small(questions: ReadyTask) -> ReadyTask:
    """The same with a model that learns little, at once."""
    return replace(questions, spec=replace(questions.spec, model={**questions.spec.model, **SMALL}))


@pytest.fixture(scope="module")
def model(questions: ReadyTask) -> bytes:
    """What an honest trainer makes."""
    task = opened(questions)
    return task.train(None, TrainOptions(training_epochs=24, seed=5))


def opened(made: ReadyTask) -> Task:
    task = open_task(made.spec, CPU)
    task.init_dataset(made.train)
    return task


def test_the_ways_of_asking_are_shared_out() -> None:
    train, validation_a, validation_b = split_ways(1)
    asked = [[str(each) for each in part] for part in (train, validation_a, validation_b)]
    assert [len(part) for part in asked] == [48, 8, 8]
    assert len({each for part in asked for each in part}) == 64
    assert split_ways(2)[1] != validation_a


def test_a_creator_s_questions_make_a_task_of_their_own() -> None:
    written = [
        {"answer": "In Bern, älso.", "questions": ["Where?", "In which town?", "Wo?", "Which?"]},
        {"answer": "x" * 200, "questions": ["1", "2", "3"]},
    ]
    asked = read_asked(json.dumps(written, ensure_ascii=False).encode())
    train, validation_a, validation_b = split_ways(3, asked)
    assert [len(part) for part in (train, validation_a, validation_b)] == [3, 2, 2]
    for part in (train, validation_a, validation_b):
        assert {said["content"] for _, said in part} == {each["answer"] for each in written}
    made = create_questions_task("Towns", 3, asked)
    assert made.spec.title == "Towns"
    assert made.spec.model["context_tokens"] == 205  # of the longest, with its four marks
    task = opened(replace(made, spec=replace(made.spec, model={**made.spec.model, **SMALL})))
    assert evaluate_submission(task, untrained(task)).verdict is Verdict.SCORED


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (b"\xff", "questions: not JSON: "),
        (b"{}", "questions: not a list of answers"),
        (b"[]", "questions: not a list of answers"),
        (b'["a"]', "questions: entry 1 is not an object of answer and questions"),
        (b'[{"answer":"a","questions":["1","2"]}]', "entry 1 has not 3 questions for its answer"),
        (b'[{"answer":7,"questions":["1","2","3"]}]', "has an answer or a question that is no"),
        (b'[{"answer":"a","questions":["1"," ","3"]}]', "has an answer or a question that is no"),
        (b'[{"answer":"a","questions":["1","1","3"]}]', "entry 1 has a question twice"),
        (b" " * (QUESTIONS_BYTES_MAX + 1), "questions: 1048577 bytes are above 1048576"),
    ],
)
def test_questions_that_make_no_task_are_refused(written: bytes, problem: str) -> None:
    with pytest.raises(TaskSpecError) as refused:
        read_asked(written)
    assert problem in str(refused.value)


def test_a_conversation_that_no_model_could_read_is_refused() -> None:
    with pytest.raises(TaskSpecError, match="have 605 bytes, at most 512 are learned from"):
        create_questions_task("Long", 1, [Asked("x" * 600, ("1", "2", "3"))])


def test_a_trained_model_answers_unseen_questions(
    questions: ReadyTask, model: bytes, tmp_path: Path
) -> None:
    task = opened(questions)
    task.init_dataset(questions.validation_b)
    evaluation = evaluate_submission(task, model)
    assert evaluation.verdict is Verdict.SCORED
    assert evaluation.score > 850_000_000 > BASELINE  # 1.2 bits a byte
    assert evaluation.score > 0 == evaluate_submission(task, untrained(task)).score
    write_directory(questions.spec.to_bytes(), model, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == model
    served = LanguageModel(tmp_path, CPU)
    right = sum(answer(served, asked) == said["content"] for asked, said in split_ways(1)[2])
    assert right >= 6  # of 8


def answer(model: LanguageModel, asked: Message) -> str:
    options = GenerationOptions(tokens_max=80, temperature=0.0)
    generation = Generation(model, model.encode_chat([asked]), options, None)
    text = ""
    while generation.finish is None:
        text += generation.step() or ""
    return text


def untrained(task: Task) -> bytes:
    return task.train(None, TrainOptions(training_epochs=0))


def test_training_is_repeatable_goes_on_and_stops(small: ReadyTask) -> None:
    task, brief = opened(small), TrainOptions(training_epochs=1, seed=9)
    first = task.train(None, brief)
    assert task.train(None, brief) == first
    assert task.train(None, replace(brief, seed=10)) != first
    assert task.train(first, replace(brief, training_epochs=0)) == first
    assert task.train(None, replace(brief, training_epochs=50), lambda: True) == first


def test_losses_are_those_of_the_metric(small: ReadyTask) -> None:
    task = opened(small)
    model = task.train(None, TrainOptions(training_epochs=1))
    assert len(task.losses(model)) == 48
    better = task.train(model, TrainOptions(training_epochs=2))
    assert sum(task.losses(better)) < sum(task.losses(model))
    assert task.evaluate(better).metric < task.evaluate(model).metric < Fraction(9)


def test_aggregation_is_the_mean_in_any_order(small: ReadyTask) -> None:
    task = opened(small)
    one, two = (task.train(None, TrainOptions(training_epochs=0, seed=seed)) for seed in (1, 2))
    mean = task.aggregate([one, two], [3, 1])
    assert mean == task.aggregate([two, one], [1, 3])
    states = [load_checked(each, task._limits) for each in (one, two, mean)]  # type: ignore[attr-defined]
    name = "model.layers.0.mlp.up_proj.weight"
    expected = states[0][name] * 0.75 + states[1][name] * 0.25
    assert torch.allclose(states[2][name], expected, atol=2**-13)


def test_models_of_other_shapes_or_numbers_are_refused(small: ReadyTask) -> None:
    task = opened(small)
    with pytest.raises(ArtifactMismatchError, match=r"are not those of the task's model$"):
        task.evaluate(save_canonical({"weights": torch.zeros(3)}))
    state = load_checked(untrained(task), task._limits)  # type: ignore[attr-defined]
    huge = {name: torch.full_like(each, 3e38) for name, each in state.items()}
    assert task.evaluate(save_canonical(huge)).metric > 8  # wide enough for any finite weight


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "accuracy"}, r"^metric 'accuracy' is not one of language$"),
        ({"model": {"type": "llama"}}, r"^model lacks field 'context_tokens'$"),
        ({"type": "gpt"}, r"^model: type is not 'llama'$"),
        ({"tokenizer": "words"}, r"^model: tokenizer is not 'bytes'$"),
        ({"width": 256}, r"^model: 2164992 weights of 4 bytes exceed model_bytes_max, 2097152$"),
        ({"width": 66}, r"^model: width is not an even multiple of heads$"),
    ],
)
def test_specifications_of_something_else(
    questions: ReadyTask, changes: dict[str, Any], message: str
) -> None:
    spec = questions.spec
    own = {name: value for name, value in changes.items() if name in ("metric", "model")}
    spec = replace(spec, **own) if own else replace(spec, model={**spec.model, **changes})
    with pytest.raises(TaskSpecError, match=message):
        open_task(spec, CPU)


def test_the_weights_are_counted_before_they_are_made(small: ReadyTask) -> None:
    task = opened(small)
    state = load_checked(untrained(task), task._limits)  # type: ignore[attr-defined]
    size = 4 * sum(each.numel() for each in state.values())
    just = replace(small.spec, limits=replace(small.spec.limits, model_bytes_max=size))
    open_task(just, CPU)
    less = replace(just, limits=replace(just.limits, model_bytes_max=size - 1))
    with pytest.raises(TaskSpecError, match=rf"exceed model_bytes_max, {size - 1}$"):
        open_task(less, CPU)


def test_the_sandbox_scores_it_alike(small: ReadyTask) -> None:
    task = opened(small)
    model = task.train(None, TrainOptions(training_epochs=2))
    task.init_dataset(small.validation_a)
    evaluator = Evaluator(small.spec.to_bytes(), small.validation_a)
    try:
        evaluator.start()
        assert evaluator.evaluate(model) == evaluate_submission(task, model)
    finally:
        evaluator.close()
