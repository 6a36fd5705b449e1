"""What one participant computes in a federated round, from files to files.

Owns the step from the global model and a private split to an update, the check of others' updates,
and the judgement on an aggregate. Invariant: of the private split nothing enters a result but the
update, scores and bits; everything of models is integers, so all voters make the same aggregate.
Source: WP VI.B (local training), WP VI.D (aggregation), WP VI.E (evaluation), Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import torch

from ml.artifact import ArtifactError, ArtifactLimits
from ml.attacks.catalogue import Attack
from ml.attacks.updates import Work
from ml.checkpoint import load_checked, save_canonical
from ml.combining import Rule, combine
from ml.datasets.labelled import DATASET_LIMITS, LabelledData
from ml.devices import choose_device
from ml.evaluate import evaluate_submission
from ml.fixed_point import Layout, from_fixed, to_fixed_point, to_update
from ml.judging import LOSS_MAX, are_harmful
from ml.models.mlp import init_mlp
from ml.options import TrainOptions
from ml.round_files import encode_model, encode_update, read_update
from ml.tasks.classification import read_mlp_config
from ml.tasks.interface import PredictionError, Task
from ml.tasks.registry import open_task
from ml.tasks.spec import TaskSpec

FIRST_WIDTH: Final = 64  # of a model that no Arena task left
TEST_EVERY: Final = 3  # one row in three judges, the others train
_FILE_OVERHEAD: Final = 1 << 20

Training: TypeAlias = Callable[[bytes, bytes], bytes]
"""From a float32 model's file and the rows to train on to the trained model's file."""


@dataclass(frozen=True, slots=True)
class GlobalModel:
    """The global model: (parameters,) int32 in fixed point with `bits` fraction bits."""

    vector: torch.Tensor
    layout: Layout
    bits: int

    @staticmethod
    def read(data: bytes, bits: int, size_bytes_max: int) -> GlobalModel:
        """From a round's int32 file, or the float32 file of an Arena task. Raises `ArtifactError`.

        `size_bytes_max`: of the Arena's models; int32 is as long as float32.
        """
        limits = ArtifactLimits(size_bytes_max + _FILE_OVERHEAD, dtypes=("F32", "I32"))
        state = load_checked(data, limits)
        if all(tensor.dtype == torch.float32 for tensor in state.values()):
            state = to_fixed_point(state, bits)
        if any(tensor.dtype != torch.int32 for tensor in state.values()):
            raise ArtifactError("a model's tensors are all float32 or all int32")
        layout = Layout.of(state)
        return GlobalModel(layout.flatten(state), layout, bits)

    def to_float_file(self, vector: torch.Tensor) -> bytes:
        """The float32 file of a model of this layout, as tasks train and evaluate it."""
        return save_canonical(self.layout.unflatten(from_fixed(vector, self.bits)))


@dataclass(frozen=True, slots=True)
class RoundTask:
    """A participant's view of the task: its specification, private rows, and where it computes."""

    spec: bytes
    bits: int
    data: bytes
    device: str

    def open(self, *, is_for_test: bool) -> Task:
        """The task over the rows to train on, or those that judge. Raises `ArtifactError`."""
        spec = TaskSpec.parse(self.spec)
        task = open_task(spec, choose_device(self.device))
        training, test = split_private(self.data)
        task.init_dataset(test if is_for_test else training)
        return task

    def training_rows(self) -> bytes:
        """The rows to train on. Raises `ArtifactError`."""
        return split_private(self.data)[0]

    def open_whole(self) -> Task:
        """The task over all private rows. Raises `ArtifactError`."""
        task = open_task(TaskSpec.parse(self.spec), choose_device(self.device))
        task.init_dataset(self.data)
        return task

    def read(self, model: bytes) -> GlobalModel:
        """A global model of the task. Raises `ArtifactError`."""
        limits = TaskSpec.parse(self.spec).limits
        return GlobalModel.read(model, self.bits, limits.model_bytes_max)


@dataclass(frozen=True, slots=True)
class Judged:
    """A voter's findings: own scores and the aggregate's file. `marks`: whether it finds each
    proposal harmful, if that was asked for; else of none."""

    score: int
    previous: int
    best: int
    aggregate: bytes
    marks: tuple[bool, ...]


def rows_of(data: bytes) -> int:
    """How many rows a private data set has. Raises `ArtifactError`."""
    return int(load_checked(data, DATASET_LIMITS)["labels"].shape[0])


def split_private(data: bytes) -> tuple[bytes, bytes]:
    """(rows to train on, rows that judge); the latter never train. Raises `ArtifactError`."""
    state = load_checked(data, DATASET_LIMITS)
    rows = state["labels"].shape[0]
    test = torch.arange(0, rows, TEST_EVERY)
    is_kept = torch.ones(rows, dtype=torch.bool)
    is_kept[test] = False
    parts = ({name: tensor[index] for name, tensor in state.items()} for index in (is_kept, test))
    training, judging = (save_canonical(part, DATASET_LIMITS) for part in parts)
    return training, judging


def split_into_shards(data: bytes, count: int) -> tuple[bytes, ...]:
    """Disjoint parts of a data set, row by row in turn. Raises `ArtifactError`."""
    state = load_checked(data, DATASET_LIMITS)
    return tuple(
        save_canonical({name: tensor[at::count] for name, tensor in state.items()}, DATASET_LIMITS)
        for at in range(count)
    )


def first_model(spec: bytes, bits: int, seed: bytes) -> bytes:
    """The file of the model that everybody makes from a round's seed. Raises `TaskSpecError`."""
    config = read_mlp_config(TaskSpec.parse(spec).model)
    generator = torch.Generator().manual_seed(int.from_bytes(seed[:4], "little"))
    state = init_mlp(config, min(FIRST_WIDTH, config.hidden_width_max), generator)
    fixed = to_fixed_point(state, bits)
    layout = Layout.of(fixed)
    return encode_model(layout.flatten(fixed), layout)[0]


def zero_update_of(model: GlobalModel) -> bytes:
    """The content id of the update that changes nothing."""
    return encode_update(torch.zeros_like(model.vector, dtype=torch.int16), model.layout)[1]


def make_update(
    round_task: RoundTask,
    base: bytes,
    options: TrainOptions,
    attack: Attack | None = None,
    last: bytes | None = None,
    own: Training | None = None,
) -> bytes | None:
    """Train on the private rows: the update's file; None if an attacker hands in nothing.

    `last`: the file of what an attacker handed in before. `own`: the participant's training code,
    in place of the task's. Raises `ArtifactError`, and what `own` raises.
    """
    task, start = round_task.open(is_for_test=False), round_task.read(base)
    if attack is not None:
        _poison(task, round_task, attack)
    weights = start.to_float_file(start.vector)
    made = task.train(weights, options) if own is None else own(weights, round_task.training_rows())
    trained = load_checked(made, ArtifactLimits(task.spec.limits.model_bytes_max))
    update = to_update(start.layout.flatten(trained), start.vector, start.bits)
    if attack is not None:
        before = None if last is None else read_update(last, start.layout)
        work = Work(update, before, torch.Generator().manual_seed(options.seed))
        forged = attack.forge(work)
        if forged is None:
            return None
        update = forged
    return encode_update(update, start.layout)[0]


def _poison(task: Task, round_task: RoundTask, attack: Attack) -> None:
    """Let it train on what the attack makes of its rows."""
    config = read_mlp_config(task.spec.model)
    training = split_private(round_task.data)[0]
    rows = LabelledData.from_bytes(training, inputs=config.inputs, classes=config.classes)
    task.init_dataset(attack.poison(rows).to_bytes())


def is_update(round_task: RoundTask, base: bytes, update: bytes) -> bool:
    """Whether a stranger's file is an update of this model in its one form."""
    start = round_task.read(base)
    try:
        read_update(update, start.layout)
    except ArtifactError:
        return False
    return True


def judge_aggregate(
    round_task: RoundTask,
    models: tuple[bytes, bytes],
    updates: Sequence[bytes],
    weights: Sequence[int],
    *,
    leaves_out: bool,
) -> Judged:
    """Aggregate and measure. `models`: the previous one and the best.

    All are scored on the voter's own test rows; marks come from all of its rows, none of which
    trained for this round. Raises `ArtifactError`, `AggregationError`.
    """
    previous, best = models
    task, start = round_task.open(is_for_test=True), round_task.read(previous)
    rows = [read_update(update, start.layout) for update in updates]
    combined = combine(Rule.CLIPPED_MEAN, start.vector, rows, weights, leave=leaves_out)
    marks = (False,) * len(rows)
    if combined.without is not None:
        whole = round_task.open_whole()
        vectors, count = (combined.model, *combined.without), rows_of(round_task.data)
        losses = [_losses(whole, start, vector, count) for vector in vectors]
        marks = tuple(are_harmful(losses[0], torch.stack(losses[1:])).tolist())
    return _judged(round_task, task, (start, best), combined.model, marks)


def judge_model(round_task: RoundTask, models: tuple[bytes, bytes], model: bytes) -> Judged:
    """Measure a model that somebody else's sum made. `models`: the previous one and the best.

    Raises `ArtifactError`.
    """
    previous, best = models
    task, start = round_task.open(is_for_test=True), round_task.read(previous)
    return _judged(round_task, task, (start, best), round_task.read(model).vector, ())


def _judged(
    round_task: RoundTask,
    task: Task,
    models: tuple[GlobalModel, bytes],
    made: torch.Tensor,
    marks: tuple[bool, ...],
) -> Judged:
    """`models`: the previous one and the best; made: (parameters,) int32."""
    start, other = models[0], round_task.read(models[1])
    return Judged(
        _score(task, start, made),
        _score(task, start, start.vector),
        _score(task, other, other.vector),
        encode_model(made, start.layout)[0],
        marks,
    )


def score_of(round_task: RoundTask, model: bytes) -> int:
    """A global model's score on the participant's own test rows. Raises `ArtifactError`."""
    read = round_task.read(model)
    return _score(round_task.open(is_for_test=True), read, read.vector)


def _score(task: Task, model: GlobalModel, vector: torch.Tensor) -> int:
    """0 to 10^9; a model that is invalid, as one whose numbers grew too large, has 0."""
    return evaluate_submission(task, model.to_float_file(vector)).score


def _losses(task: Task, model: GlobalModel, vector: torch.Tensor, examples: int) -> torch.Tensor:
    """By example: (examples,) float64; an invalid model costs the most everywhere."""
    try:
        losses = task.losses(model.to_float_file(vector))
    except (ArtifactError, PredictionError):
        return torch.full((examples,), LOSS_MAX, dtype=torch.float64)
    return torch.tensor(losses, dtype=torch.float64).clamp(max=LOSS_MAX)
