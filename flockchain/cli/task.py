"""`flockchain task`: see tasks, create one with the budget that pays for it, add a bounty.

Source: WP V.A (task creation), WP IV.A (self-funded tasks).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypedDict

import typer

from flockchain.cli.amounts import TaskArgument, shown, shown_all
from flockchain.cli.bounty import pay_bounty
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    event_of,
    open_client,
    parse_planck,
    print_facts,
    print_json,
    print_table,
)
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.keys import KeyPair
from flockchain.sdk import BlockingClient, format_amount
from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.built_in import digits_package, questions_package
from flockchain.workers.creator import keep_key
from flockchain.workers.desk import DATASET_BYTES_MAX
from flockchain.workers.publishing import PublishingError, TaskPackage, package_task
from ml.tasks.spec import SPEC_BYTES_MAX, TaskSpec, TaskSpecError
from runtime.economy.tasks import DUPLICATE_DISTANCE_MAX, SelfFunded, Task
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.tasks import TaskCreated, TaskEnded, Tasks
from runtime.pallets.tasks.records import DAYS_MAX, DAYS_MIN, SEATS_MAX
from runtime.primitives.content_id import cid_text

app = typer.Typer(
    help="See and create tasks.", no_args_is_help=True, pretty_exceptions_show_locals=False
)
app.command("bounty")(pay_bounty)

StateFlag = Annotated[
    Path, typer.Option("--state-dir", help="Where the creator's worker finds data and key.")
]
DistanceFlag = Annotated[
    int | None,
    typer.Option(
        "--duplicate-distance",
        min=0,
        max=DUPLICATE_DISTANCE_MAX,
        help="Copies by behaviour are unranked, too: fingerprints of so many different bits of 64. "
        "Honest models agree on easy data, so it is off by default.",
    ),
]


QuestionsFlag = Annotated[
    Path | None,
    typer.Option(
        help="A language task of one's own: JSON, a list of answers, each with at least three "
        "questions that ask for it."
    ),
]


class _Sizes(TypedDict):
    """What a task's creator chooses beside the data."""

    days: int
    seats: int
    final_seats: int
    duplicate_distance: int | None


@app.command("list")
def list_tasks(
    rpc: RpcFlag = DEFAULT_RPC,
    every: Annotated[bool, typer.Option("--all", help="Also tasks that ended.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List tasks."""
    with open_client(rpc) as client:
        records = sorted(client.query_map(Tasks.tasks))
    shown = [(number, task) for number, task in records if every or task.status.is_live()]
    if as_json:
        print_json([describe(number, task) for number, task in shown])
        return
    print_table(
        "Tasks",
        ["task", "name", "status", "days", "metric", "funding", "creator"],
        [
            (
                number,
                task.terms.name,
                task.status.name.lower(),
                f"{task.start_day} to {task.final_day()}",
                task.terms.metric.name.lower(),
                _funding(task),
                address(task.creator),
            )
            for number, task in shown
        ],
    )


@app.command()
def show(
    task: TaskArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """Show a task."""
    with open_client(rpc) as client:
        record = client.find(Tasks.tasks, task)
        if record is None:
            refuse(f"there is no task {task}: `flockchain task list --all` shows those there are")
        vested = client.query(Arena.vested, task)
        escrow = client.query(Tasks.escrows, task)
        bounty = client.find(Tasks.bounties, task)
    facts = describe(task, record)
    amounts = {"escrow": escrow, "vested": vested, "bounty": bounty.left if bounty else 0}
    if isinstance(record.funding, SelfFunded):
        amounts["budget"] = record.funding.budget
    facts |= shown_all(amounts, as_json=as_json)
    print_facts(facts, as_json=as_json)


@app.command()
@with_signer
def create(
    signer: Signer,
    budget: Annotated[str, typer.Option(help='What the task pays in all, as "3000 FML".')],
    state_dir: StateFlag = Path("flockchain-worker"),
    spec: Annotated[
        Path | None, typer.Option(help="The specification, canonical JSON; needs the data sets.")
    ] = None,
    train: Annotated[
        list[Path] | None, typer.Option(help="A training set, in the specification's order.")
    ] = None,
    validation_a: Annotated[Path | None, typer.Option(help="Validation set A.")] = None,
    validation_b: Annotated[Path | None, typer.Option(help="Validation set B.")] = None,
    digits: Annotated[
        bool, typer.Option("--digits", help="The handwritten digits that ship with the program.")
    ] = False,
    questions: QuestionsFlag = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of --digits and --questions: draws the split.")
    ] = 1,
    title: Annotated[
        str | None, typer.Option(help="Of --digits and --questions; each has one by default.")
    ] = None,
    days: Annotated[int, typer.Option(min=DAYS_MIN, max=DAYS_MAX, help="How long it runs.")] = 3,
    seats: Annotated[
        int | None,
        typer.Option(min=0, max=SEATS_MAX, help="Validators' seats a submission and day."),
    ] = None,
    final_seats: Annotated[
        int | None, typer.Option(min=0, max=SEATS_MAX, help="The same on the final day.")
    ] = None,
    duplicate_distance: DistanceFlag = None,
) -> None:
    """Create a self-funded task: seals set B, uploads the data, locks stake and budget.

    Keep the state directory and run `flockchain worker creator` over it: the key of set B lies
    there, and the whole stake is lost if it is not revealed before the final day's draw.
    """
    planck, pair = parse_planck(budget), signer.pair
    with signer.open() as client:
        preset = client.client.preset
        sizes: _Sizes = {
            "days": days,
            "seats": preset.seats if seats is None else seats,
            "final_seats": preset.final_seats if final_seats is None else final_seats,
            "duplicate_distance": duplicate_distance,
        }
        files = _Files(spec, train or [], validation_a, validation_b)
        package = _package(files, sizes, title, seed, is_digits=digits, questions=questions)
        _publish(client, package, pair, state_dir)
        receipt = client.submit(encode_call(Tasks.create_task, package.terms, planck), pair)
    created = event_of(receipt, TaskCreated, "task")
    print_facts(
        {
            "task": created.task,
            "spec": cid_text(created.spec),
            "start_day": created.start_day,
            "budget": shown(planck, as_json=signer.as_json),
            "state_dir": str(state_dir),
        },
        as_json=signer.as_json,
    )


@app.command()
@with_signer
def cancel(
    signer: Signer,
    task: TaskArgument,
) -> None:
    """End one's own task before anybody revealed a submission; budget and stakes return."""
    ended = signer.send(encode_call(Tasks.cancel_task, task), TaskEnded, "end")
    returned = shown(ended.returned, as_json=signer.as_json)
    print_facts({"task": task, "returned": returned}, as_json=signer.as_json)


def _publish(client: BlockingClient, package: TaskPackage, pair: KeyPair, state_dir: Path) -> None:
    """Keep the key of set B before anything else, then the data here and at the node."""
    keep_key(state_dir, package.key)
    folder = BlobFolder(state_dir)
    for blob in package.blobs:
        folder.put(blob)
        client.put_blob(blob, pair)


def describe(number: int, task: Task) -> dict[str, object]:
    """A task as JSON tells it; amounts in planck as strings."""
    terms, funding = task.terms, task.funding
    budget = str(funding.budget) if isinstance(funding, SelfFunded) else None
    return {
        "task": number,
        "name": terms.name,
        "status": task.status.name.lower(),
        "creator": address(task.creator),
        "funding": "verified" if budget is None else "self-funded",
        "budget": budget,
        "start_day": task.start_day,
        "final_day": task.final_day(),
        "metric": terms.metric.name.lower(),
        "baseline": terms.baseline,
        "seats": terms.seats,
        "final_seats": terms.final_seats,
        "duplicate_distance": terms.duplicate_distance,
        "spec": cid_text(terms.spec),
        "training": [cid_text(digest) for digest in terms.training],
        "validation_a": cid_text(terms.validation_a),
        "validation_b": cid_text(terms.validation_b.ciphertext),
        "is_key_revealed": task.key is not None,
    }


def _funding(task: Task) -> str:
    funding = task.funding
    return format_amount(funding.budget) if isinstance(funding, SelfFunded) else "emission"


@dataclass(frozen=True)
class _Files:
    """A task's parts, as its creator names them."""

    spec: Path | None
    training: list[Path]
    validation_a: Path | None
    validation_b: Path | None


def _package(
    files: _Files,
    sizes: _Sizes,
    title: str | None,
    seed: int,
    *,
    is_digits: bool,
    questions: Path | None,
) -> TaskPackage:
    """The task of files, or the ready one that is asked for, under a key of its own."""
    key = secrets.token_bytes(32)
    try:
        if is_digits:
            return digits_package(key, title=title or "Handwritten digits", seed=seed, **sizes)
        if questions is None:
            return _read_package(key, files, sizes)
        from ml.tasks.questions import QUESTIONS_BYTES_MAX  # with torch

        asked = _read(questions, QUESTIONS_BYTES_MAX)
        title = title or "Questions and answers"
        return questions_package(key, title=title, seed=seed, questions=asked, **sizes)
    except (PublishingError, TaskSpecError, ValueError) as error:
        refuse(error)


def _read_package(key: bytes, files: _Files, sizes: _Sizes) -> TaskPackage:
    """The task of files. Raises PublishingError, TaskSpecError."""
    spec, validation_a, validation_b = files.spec, files.validation_a, files.validation_b
    if spec is None or not files.training or validation_a is None or validation_b is None:
        raise typer.BadParameter(
            "give --spec, --train, --validation-a and --validation-b, or --digits, or --questions"
        )
    return package_task(
        TaskSpec.parse(_read(spec, SPEC_BYTES_MAX)),
        tuple(_read(path, DATASET_BYTES_MAX) for path in files.training),
        _read(validation_a, DATASET_BYTES_MAX),
        _read(validation_b, DATASET_BYTES_MAX),
        key,
        **sizes,
    )


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        refuse(f"cannot read {path}: {error.strerror}")
    if len(data) > bytes_max:
        refuse(f"{path} is longer than {bytes_max} bytes")
    return data
