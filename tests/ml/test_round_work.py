"""A participant's computing in a federated round: updates, their check, and the judgement."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactError
from ml.attacks.catalogue import find_attack
from ml.checkpoint import load_checked
from ml.datasets.digits import CLASSES, INPUTS, SIDE, shift_digits
from ml.datasets.labelled import DATASET_LIMITS, LabelledData
from ml.fixed_point import Layout
from ml.judging import LOSS_MAX
from ml.options import TrainOptions
from ml.round_files import encode_update, read_model, read_update
from ml.round_work import (
    GlobalModel,
    RoundTask,
    _losses,
    first_model,
    is_update,
    judge_aggregate,
    make_update,
    rows_of,
    score_of,
    split_into_shards,
    split_private,
    zero_update_of,
)
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task
from ml.tasks.spec import TaskSpec

OPTIONS = TrainOptions(training_epochs=2, learning_rate=0.002, seed=5)
BITS = 14


@pytest.fixture(scope="module")
def around(digits: ReadyTask) -> list[RoundTask]:
    shards = split_into_shards(digits.train, 3)
    return [RoundTask(digits.spec.to_bytes(), BITS, shard, "cpu") for shard in shards]


def layout_of(around: RoundTask, model: bytes) -> Layout:
    return around.read(model).layout


def test_shards_are_disjoint_and_whole(digits: ReadyTask) -> None:
    shards = split_into_shards(digits.train, 7)
    assert sum(map(rows_of, shards)) == rows_of(digits.train)
    whole = load_checked(digits.train, DATASET_LIMITS)["features"]
    first = load_checked(shards[0], DATASET_LIMITS)["features"]
    assert torch.equal(first, whole[::7])


def test_rows_that_judge_never_train(around: list[RoundTask]) -> None:
    training, test = split_private(around[0].data)
    assert rows_of(training) + rows_of(test) == rows_of(around[0].data)
    seen = {row.numpy().tobytes() for row in load_checked(training, DATASET_LIMITS)["features"]}
    kept = {row.numpy().tobytes() for row in load_checked(test, DATASET_LIMITS)["features"]}
    assert not seen & kept


def test_the_first_model_follows_from_the_seed(around: list[RoundTask]) -> None:
    spec = around[0].spec
    assert first_model(spec, BITS, b"s" * 32) == first_model(spec, BITS, b"s" * 32)
    assert first_model(spec, BITS, b"s" * 32) != first_model(spec, BITS, b"t" * 32)
    read = around[0].read(first_model(spec, BITS, b"s" * 32))
    zero = encode_update(torch.zeros(read.layout.parameters, dtype=torch.int16), read.layout)
    assert zero_update_of(read) == zero[1]


def test_an_update_is_repeatable_and_checked(around: list[RoundTask], good_model: bytes) -> None:
    update = make_update(around[0], good_model, OPTIONS)
    assert update is not None
    assert update == make_update(around[0], good_model, OPTIONS)
    assert is_update(around[1], good_model, update)
    assert not is_update(around[1], good_model, update + b"\0")
    assert not is_update(around[1], good_model, good_model)
    narrow = open_task(TaskSpec.parse(around[1].spec), torch.device("cpu"))
    narrow.init_dataset(around[1].data)
    other = narrow.train(None, TrainOptions(training_epochs=0, hidden_width=3))
    assert not is_update(around[1], other, update)


def test_voters_make_one_aggregate_and_mark_who_harms(
    around: list[RoundTask], good_model: bytes
) -> None:
    honest = make_update(around[0], good_model, OPTIONS)
    forged = make_update(around[1], good_model, OPTIONS, find_attack("scaling"))
    assert honest is not None
    assert forged is not None
    models = (good_model, good_model)
    found = [
        judge_aggregate(each, models, [honest, forged], [1, 1], leaves_out=True) for each in around
    ]
    assert len({each.aggregate for each in found}) == 1
    assert all(each.score < each.previous for each in found)
    assert [each.marks for each in found] == [(False, True)] * 3
    alone = judge_aggregate(around[2], models, [honest], [3], leaves_out=False)
    assert alone.marks == (False,)
    assert alone.score >= alone.previous * 95 // 100
    assert alone.best == alone.previous == score_of(around[2], good_model)
    layout = layout_of(around[2], good_model)
    start, update = around[2].read(good_model).vector, read_update(honest, layout)
    assert torch.equal(read_model(alone.aggregate, layout), start + update)


def test_an_invalid_model_costs_the_most_on_every_example(around: list[RoundTask]) -> None:
    rows = rows_of(around[0].data)
    vector = torch.zeros(2, dtype=torch.int32)
    nothing = GlobalModel(vector, Layout.of({"bias": vector}), BITS)
    losses = _losses(around[0].open_whole(), nothing, vector, rows)
    assert losses.tolist() == [LOSS_MAX] * rows


def test_attackers_poison_rows_repeat_and_withhold(
    around: list[RoundTask], good_model: bytes
) -> None:
    honest = make_update(around[0], good_model, OPTIONS)
    flipped = make_update(around[0], good_model, OPTIONS, find_attack("label-flip"))
    assert flipped not in (None, honest)
    assert make_update(around[0], good_model, OPTIONS, find_attack("withholding")) is None
    stale = make_update(around[0], good_model, OPTIONS, find_attack("stale-update"), honest)
    assert stale is not None
    assert honest is not None
    layout = layout_of(around[0], good_model)
    changed = read_update(stale, layout) != read_update(honest, layout)
    assert int(changed.sum()) == 1


def test_models_of_two_kinds_of_numbers_are_refused(
    around: list[RoundTask], good_model: bytes, digits: ReadyTask
) -> None:
    with pytest.raises(ArtifactError):
        around[0].read(digits.train)
    with pytest.raises(ArtifactError):
        around[0].read(good_model[:-1])


def test_another_scanner_sees_digits_one_pixel_to_the_right(digits: ReadyTask) -> None:
    rows = LabelledData.from_bytes(digits.train, INPUTS, CLASSES)
    images = rows.features.reshape(-1, SIDE, SIDE)
    shifted = shift_digits(rows).features.reshape(-1, SIDE, SIDE)
    assert torch.equal(shifted[:, :, 1:], images[:, :, :-1])
    assert not shifted[:, :, 0].any()
    assert torch.equal(shift_digits(rows).labels, rows.labels)
