"""A round's machine learning as jobs of the training process: what goes in, what comes out.

Owns the requests and the functions that the process runs. Invariant: torch is imported by the child
process only; private rows go there through a pipe and nowhere else.

Source: WP VI.B (local training), WP VI.D (aggregation), WP VI.E (evaluation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flockchain.workers.alliance.terms import FRACTION_BITS, ModelFacts
from ml.flower import FlowerCode, train_with_flower
from ml.options import TrainOptions
from runtime.economy.alliance import is_good_enough
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId

if TYPE_CHECKING:
    from ml.round_work import Judged, RoundTask

LOCAL_EPOCHS: Final = 10  # E of local training
LOCAL_RATE: Final = 0.004


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every request needs: the specification, fraction bits, private rows, the device."""

    spec: bytes
    bits: int
    data: bytes
    device: str

    def open(self) -> RoundTask:
        """As `ml` takes it."""
        from ml.devices import limit_threads
        from ml.round_work import RoundTask

        limit_threads()
        return RoundTask(self.spec, self.bits, self.data, self.device)


@dataclass(frozen=True, slots=True)
class Check:
    """Whether rows and task fit; `base` is the model that rounds start from, if there is one."""

    around: Surroundings
    base: bytes | None


@dataclass(frozen=True, slots=True)
class Checked:
    """How many private rows there are, the content id of an update that changes nothing, and how
    many numbers a model has."""

    rows: int
    zero_update: bytes
    parameters: int


@dataclass(frozen=True, slots=True)
class TrainUpdate:
    """Train a round's update from its base. `attack` names a cheat, whose last update is given;
    `flower` is the participant's own training code."""

    around: Surroundings
    base: bytes
    seed: int
    attack: str | None = None
    last: bytes | None = None
    flower: FlowerCode | None = None
    round_: int = 0


@dataclass(frozen=True, slots=True)
class CheckUpdate:
    """Whether a stranger's file is an update of the base."""

    around: Surroundings
    base: bytes
    update: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """Aggregate and judge. `models`: the previous and the best; `tolerance`: ε of the task.

    `friends`: which updates are of an attacker's friends.
    """

    around: Surroundings
    models: tuple[bytes, bytes]
    updates: tuple[bytes, ...]
    weights: tuple[int, ...]
    tolerance: Rational
    has_marks: bool
    attack: str | None = None
    friends: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Says:
    """What is voted: +1 or not, and a mark for each harmful update."""

    accepts: bool
    marks: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a voter measured, and what it says; an attacker may say nothing at all."""

    judged: Judged
    says: Says | None


def seed_of(account: AccountId, task: int, round_: int, attempt: int) -> int:
    """The seed of a training: the same for a restarted worker, another after a failure."""
    numbers = b"".join(number.to_bytes(4, "little") for number in (task, round_, attempt))
    return int.from_bytes(blake2b_256(b"fl training" + account + numbers)[:4], "little")


# -- run in the training process


def check_data(check: Check) -> Checked:
    """Raises `ArtifactError`, `TaskSpecError`."""
    from ml.round_work import first_model, rows_of, score_of, zero_update_of

    task = check.around.open()
    task.open(is_for_test=False)
    base = check.base or first_model(task.spec, task.bits, bytes(32))
    score_of(task, base)
    start = task.read(base)
    return Checked(rows_of(task.data), zero_update_of(start), start.vector.numel())


def make_first_model(wanted: tuple[Surroundings, bytes]) -> bytes:
    """The model of a round's seed. Raises `TaskSpecError`."""
    from ml.round_work import first_model

    around, seed = wanted
    return first_model(around.spec, around.bits, seed)


def train_update(request: TrainUpdate) -> bytes | None:
    """The update's file, None if an attacker hands in nothing.

    Raises `ArtifactError`, and `FlowerError` from a participant's own code.
    """
    from ml.attacks.catalogue import find_attack
    from ml.round_work import make_update

    options = TrainOptions(
        training_epochs=LOCAL_EPOCHS, learning_rate=LOCAL_RATE, seed=request.seed
    )
    attack = None if request.attack is None else find_attack(request.attack)
    flower, round_ = request.flower, request.round_

    def run_app(weights: bytes, rows: bytes) -> bytes:
        assert flower is not None, "it runs only where there is an app"
        return train_with_flower(flower, weights, rows, round_).weights

    own = None if flower is None else run_app
    return make_update(request.around.open(), request.base, options, attack, request.last, own)


def check_update(request: CheckUpdate) -> bool:
    """Raises `ArtifactError` if the base is none."""
    from ml.round_work import is_update

    return is_update(request.around.open(), request.base, request.update)


def judge(request: Judge) -> Findings:
    """Raises `ArtifactError`, `AggregationError`."""
    from ml.attacks.catalogue import find_attack
    from ml.attacks.votes import Judgement
    from ml.round_work import judge_aggregate

    judged = judge_aggregate(
        request.around.open(),
        request.models,
        request.updates,
        request.weights,
        leaves_out=request.has_marks,
    )
    best = max(judged.previous, judged.best)
    accepts = is_good_enough(judged.score, judged.previous, best, request.tolerance)
    honest = Judgement(accepts, judged.marks)
    if request.attack is None:
        return Findings(judged, Says(accepts, honest.marks))
    said = find_attack(request.attack).vote(honest, request.friends)
    return Findings(judged, None if said is None else Says(said.accepts, said.marks))


def is_denying(attack: str) -> bool:
    """Whether the attack denies that others' proposals can be had. Raises `AttackError`."""
    from ml.attacks.catalogue import find_attack

    return find_attack(attack).denies


def measure_model(wanted: tuple[bytes, bytes | None]) -> ModelFacts:
    """What terms name, by specification and first model. Raises `ArtifactError`."""
    from ml.round_work import RoundTask, first_model, zero_update_of

    spec, model = wanted
    task = RoundTask(spec, FRACTION_BITS, b"", "cpu")
    start = task.read(model or first_model(spec, FRACTION_BITS, bytes(32)))
    return ModelFacts(zero_update_of(start), start.vector.numel())


def score_models(wanted: tuple[bytes, bytes, tuple[bytes, ...]]) -> tuple[int, ...]:
    """Scores of global models on a whole data set, 0 to 10^9. Raises `ArtifactError`."""
    from ml.devices import choose_device
    from ml.evaluate import evaluate_submission
    from ml.round_work import RoundTask
    from ml.tasks.registry import open_task
    from ml.tasks.spec import TaskSpec

    spec, dataset, models = wanted
    task = open_task(TaskSpec.parse(spec), choose_device("cpu"))
    task.init_dataset(dataset)
    reader = RoundTask(spec, FRACTION_BITS, b"", "cpu")
    read = [reader.read(model) for model in models]
    files = [each.to_float_file(each.vector) for each in read]
    return tuple(evaluate_submission(task, file).score for file in files)
