"""`flockchain worker`: train, validate or create for a chain, until Ctrl-C.

One process may hold several keys: give `--key` several times. Exit status: 0 stopped, 1 refused,
2 wrong usage.

Source: WP II.B (roles), WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

import asyncio
import enum
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    KeyFileFlag,
    KeyFlag,
    RpcFlag,
    SchemeFlag,
    SchemeName,
    pair_of,
    parse_planck,
    read_key,
    read_secret,
)
from flockchain.cli.refusal import refuse
from flockchain.sdk import Client, Disconnected, SdkError
from flockchain.telemetry import set_up_logging
from flockchain.workers.desk import DATASET_BYTES_MAX
from flockchain.workers.fl_client import FlClient, Participant
from flockchain.workers.juror import Juries
from flockchain.workers.state_file import StateFileError
from flockchain.workers.strengths import Method, Strength
from flockchain.workers.worker import Behaviour, Member, Worker, WorkerRole
from ml.attacks.sums import SumCheat
from ml.flower import TIMEOUT_S, FlowerCode
from runtime.primitives.rational import Rational, RationalError

if TYPE_CHECKING:
    from flockchain.workers.host import Host

log = logging.getLogger(__name__)

CONNECT_TRIES: Final = 60
CONNECT_PAUSE_S: Final = 1.0
DEFAULT_STATE: Final = Path("flockchain-worker")

app = typer.Typer(
    help="Train, validate or create for a chain.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals hold secrets
)


T = TypeVar("T")


class Device(enum.StrEnum):
    """Where machine learning runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


KeysFlag = Annotated[
    list[str] | None,
    typer.Option("--key", help="Secret URI in plain sight, as //Alice: development keys only."),
]
KeyFilesFlag = Annotated[
    list[Path] | None,
    typer.Option("--key-file", help="File with a secret URI in one line; - is standard input."),
]
TasksFlag = Annotated[
    list[int] | None,
    typer.Option("--task", min=0, help="Only this task; every live task by default."),
]
DeviceFlag = Annotated[Device, typer.Option(help="Where machine learning runs.")]
StateFlag = Annotated[
    Path, typer.Option("--state-dir", help="Salts, models and keys that must survive a restart.")
]
StakesFlag = Annotated[
    list[str] | None,
    typer.Option("--stake", help='As "10 FML", one or one a key; the minimum by default.'),
]
ShareFlag = Annotated[
    str, typer.Option(help="What delegators get of their pro-rata part, as 3/5 or 0.6.")
]
EofFlag = Annotated[
    bool,
    typer.Option("--until-eof", help="End when standard input ends, as a node's workers do."),
]
LogFlag = Annotated[str, typer.Option("--log", help="Log level: error, warning, info or debug.")]


@app.command()
def trainer(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeysFlag = None,
    key_file: KeyFilesFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    task: TasksFlag = None,
    strength: Annotated[
        list[Strength] | None,
        typer.Option(help="How hard to try: one for all keys, or one a key; strong by default."),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind/--no-blind", help="Submit under aliases, or under one's name.")
    ] = True,
    blind_rpc: Annotated[
        str | None,
        typer.Option(
            help="The node that aliases speak to, as ws://host:port; by default that of --rpc, "
            "which then learns whose they are."
        ),
    ] = None,
    label: Annotated[
        str, typer.Option(help="Keys of strength clone with the same label share their models.")
    ] = "",
    stake: StakesFlag = None,
    share: ShareFlag = "0",
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Train models and submit them. Strengths noise, overfit and clone are attacks."""
    uris, ratio = _secrets(key, key_file), _ratio(share)
    strengths = _one_a_key(strength or [Strength.STRONG], uris, "--strength")
    stakes = _one_a_key(stake or [None], uris, "--stake")
    members = [
        Member(
            pair_of(uri, scheme),
            WorkerRole.TRAINER,
            method=Method(how, label),
            stake=None if amount is None else parse_planck(amount),
            share=ratio,
            is_blind=blind,
        )
        for uri, how, amount in zip(uris, strengths, stakes, strict=True)
    ]
    _start(
        rpc,
        log_level,
        lambda client: Worker(
            client, members, state_dir, tasks=task, device=device.value, blind_rpc=blind_rpc
        ),
        until_eof=until_eof,
    )


@app.command()
def validator(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeysFlag = None,
    key_file: KeyFilesFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    task: TasksFlag = None,
    behaviour: Annotated[
        list[Behaviour] | None,
        typer.Option(help="One for all keys, or one a key; copier is an attack."),
    ] = None,
    stake: StakesFlag = None,
    share: ShareFlag = "0",
    juries: Annotated[
        Juries,
        typer.Option(help="Judge the cases that keys are drawn for; enlist: stand ready as well."),
    ] = Juries.DRAWN,
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Score the submissions that the keys are drawn for, and judge in juries."""
    uris, ratio = _secrets(key, key_file), _ratio(share)
    behaviours = _one_a_key(behaviour or [Behaviour.HONEST], uris, "--behaviour")
    stakes = _one_a_key(stake or [None], uris, "--stake")
    members = [
        Member(
            pair_of(uri, scheme),
            WorkerRole.VALIDATOR,
            behaviour=how,
            stake=None if amount is None else parse_planck(amount),
            share=ratio,
            juries=juries,
        )
        for uri, how, amount in zip(uris, behaviours, stakes, strict=True)
    ]
    _run(rpc, members, state_dir, task, device, log_level, until_eof=until_eof)


@app.command()
def juror(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeysFlag = None,
    key_file: KeyFilesFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    task: TasksFlag = None,
    enlist: Annotated[
        bool,
        typer.Option("--enlist/--no-enlist", help="Stand ready, as a validator of a live task."),
    ] = True,
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Judge challenged answers: run the pinned models again, seal and open verdicts.

    Every `worker validator` judges what its keys are drawn for; this is for a machine of its own,
    beside validators that run with `--juries off`.
    """
    juries = Juries.ENLIST if enlist else Juries.DRAWN
    members = [
        Member(pair_of(uri, scheme), WorkerRole.JUROR, juries=juries)
        for uri in _secrets(key, key_file)
    ]
    _run(rpc, members, state_dir, task, device, log_level, until_eof=until_eof)


@app.command()
def creator(
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeysFlag = None,
    key_file: KeyFilesFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    task: TasksFlag = None,
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Keep the data of created tasks available, reveal the keys of their sets B in time."""
    members = [Member(pair_of(uri, scheme), WorkerRole.CREATOR) for uri in _secrets(key, key_file)]
    _run(rpc, members, state_dir, task, device, log_level, until_eof=until_eof)


@app.command("fl-client")
def fl_client(
    task: Annotated[list[int], typer.Option("--task", min=0, help="A task to join and stake in.")],
    data: Annotated[
        list[Path], typer.Option("--data", help="Private rows, a canonical data set: one a key.")
    ],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeysFlag = None,
    key_file: KeyFilesFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    attack: Annotated[
        list[str] | None,
        typer.Option(help="For experiments, as sign-flip: one for all keys, or one a key."),
    ] = None,
    cheat: Annotated[
        list[str] | None,
        typer.Option(
            help=f"For experiments where an aggregator sums: {', '.join(SumCheat)}, or none."
        ),
    ] = None,
    flower_app: Annotated[
        str | None,
        typer.Option(help="A Flower ClientApp that trains, as module:app; found from here."),
    ] = None,
    flower_python: Annotated[
        str, typer.Option(help="The Python that has flwr and what the app needs.")
    ] = "python3",
    flower_seconds: Annotated[
        float, typer.Option(min=1, help="How long each step of its training may take.")
    ] = TIMEOUT_S,
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Take part in the FL Alliance: train on private rows, vote or aggregate, as keys are drawn.

    Rows never leave this machine. `--attack none` is an honest key among others that cheat.
    """
    uris = _secrets(key, key_file)
    attacks = _one_a_key(attack or ["none"], uris, "--attack")
    cheats = [_cheat(name) for name in _one_a_key(cheat or ["none"], uris, "--cheat")]
    if len(data) != len(uris):
        raise typer.BadParameter(f"{len(data)} files for {len(uris)} keys", param_hint="--data")
    flower = None if flower_app is None else FlowerCode(flower_app, flower_python, flower_seconds)
    participants = [
        Participant(pair_of(uri, scheme), _rows(file), None if how == "none" else how, flower, sums)
        for uri, file, how, sums in zip(uris, data, attacks, cheats, strict=True)
    ]
    _start(
        rpc,
        log_level,
        lambda client: FlClient(client, participants, state_dir, task, device=device.value),
        until_eof=until_eof,
    )


def _cheat(name: str) -> SumCheat | None:
    try:
        return None if name == "none" else SumCheat(name)
    except ValueError:
        known = f"{', '.join(SumCheat)}, none"
        raise typer.BadParameter(f"{name!r} is not one of {known}", param_hint="--cheat") from None


@app.command()
def host(
    task: Annotated[
        list[int],
        typer.Option("--task", min=0, help="Serve the model that this finished task left."),
    ],
    price: Annotated[
        list[str], typer.Option(help='FML a call, as "0.25": one for all tasks, or one a task.')
    ],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    endpoint: Annotated[
        str | None,
        typer.Option(help="The URL that callers use, ending in /v1; by default where it listens."),
    ] = None,
    listen: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8090,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve Prometheus metrics here.")
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option(help="A language model's directory that is here already, for one task."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Move on to models that come of these.")
    ] = False,
    settle_at: Annotated[
        str, typer.Option(help="Settle when so much is owed; else once a day.")
    ] = "10 FML",
    serves: Annotated[
        int | None,
        typer.Option(min=0, help="For experiments: pass another task's model off as these."),
    ] = None,
    device: DeviceFlag = Device.AUTO,
    state_dir: StateFlag = DEFAULT_STATE,
    log_level: LogFlag = "info",
    until_eof: EofFlag = False,
) -> None:
    """Serve models for pay: stake, offer, answer over OpenAI's API, settle what callers owe.

    Put a proxy that speaks TLS in front of it and name that with `--endpoint`.
    """
    if files is not None and len(task) > 1:
        raise typer.BadParameter("give it with one --task", param_hint="--files")
    pair = read_key(key, key_file, scheme)
    prices = [parse_planck(text) for text in _one_a_key(price, [str(n) for n in task], "--price")]
    from flockchain.workers.host import Host, HostOptions, Offering  # seconds: it loads torch

    offerings = [
        Offering(number, amount, follow, files, serves)
        for number, amount in zip(task, prices, strict=True)
    ]
    options = HostOptions(
        endpoint, listen, port, metrics_port, device.value, parse_planck(settle_at)
    )
    _start(
        rpc,
        log_level,
        lambda client: Host(client, pair, offerings, state_dir, options),
        until_eof=until_eof,
    )


def _rows(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(DATASET_BYTES_MAX + 1)
    except OSError as error:
        refuse(f"cannot read {path}: {error.strerror}")
    if len(found) > DATASET_BYTES_MAX:
        refuse(f"{path} is longer than {DATASET_BYTES_MAX} bytes")
    return found


def _secrets(uris: list[str] | None, files: list[Path] | None) -> list[str]:
    found = [*(uris or []), *(read_secret(path) for path in files or [])]
    if not found:
        raise typer.BadParameter("give at least one --key or --key-file", param_hint="--key")
    if len(set(found)) < len(found):
        raise typer.BadParameter("a key is given twice", param_hint="--key")
    return found


def _one_a_key(given: Sequence[T], uris: list[str], flag: str) -> list[T]:
    """One value for each key, of one for all or one for each."""
    values = list(given) * (len(uris) if len(given) == 1 else 1)
    if len(values) != len(uris):
        raise typer.BadParameter(f"{len(values)} values for {len(uris)} keys", param_hint=flag)
    return values


def _ratio(text: str) -> Rational:
    try:
        return Rational.parse(text)
    except RationalError as error:
        raise typer.BadParameter(str(error), param_hint="--share") from None


def _run(
    rpc: str,
    members: Sequence[Member],
    state_dir: Path,
    tasks: list[int] | None,
    device: Device,
    log_level: str,
    *,
    until_eof: bool,
) -> None:
    _start(
        rpc,
        log_level,
        lambda client: Worker(client, members, state_dir, tasks=tasks, device=device.value),
        until_eof=until_eof,
    )


def _start(
    rpc: str, log_level: str, make: Callable[[Client], Worker | FlClient | Host], *, until_eof: bool
) -> None:
    """Run a worker that `make` gives, until it is stopped."""
    try:
        set_up_logging(log_level)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--log") from None
    try:
        asyncio.run(_work(rpc, make, until_eof=until_eof))
    except (SdkError, StateFileError) as error:
        refuse(error)


async def _work(
    rpc: str, make: Callable[[Client], Worker | FlClient | Host], *, until_eof: bool
) -> None:
    main = asyncio.current_task()
    assert main is not None, "asyncio.run makes a task"
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, main.cancel)
    if until_eof:
        # Whoever holds the other side writes nothing: what there is to read is the end.
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), main.cancel)
    with suppress(asyncio.CancelledError):
        async with await connect(rpc) as client, make(client) as worker:
            await worker.run()


async def connect(rpc: str) -> Client:
    """Wait a while for a node that is still starting. Raises Disconnected, WrongChain."""
    for tried in range(CONNECT_TRIES):
        try:
            return await Client.connect(rpc)
        except Disconnected as error:
            if not tried:
                log.warning("%s; trying on", error)
            await asyncio.sleep(CONNECT_PAUSE_S)
    return await Client.connect(rpc)
