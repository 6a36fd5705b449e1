"""`flockchain fl create`: a task that starts from what a finished Arena task left.

Source: WP VI.A (task creators), WP IV.A.2 (the origin), Algorithm 2 (its parameters).
"""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import Annotated, Final

import typer

from flockchain.cli.amounts import shown
from flockchain.cli.chain_access import (
    event_of,
    parse_planck,
    print_facts,
)
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.sdk import BlockingClient
from flockchain.workers.alliance.computing import measure_model
from flockchain.workers.alliance.terms import Choices, make_terms, usual_windows
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.events import TaskCreated
from runtime.pallets.fl_alliance.terms import (
    DAYS_MAX,
    ROUNDS_MAX,
    UNITS_MAX,
    AllianceTerms,
    Mode,
    RoundWindows,
)
from runtime.pallets.model_registry import ModelRegistry
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text
from runtime.primitives.rational import Rational, RationalError

_AGGREGATE: Final = 4  # its place among the windows
_WINDOWS: Final = {Mode.OPEN: 7, Mode.ZK: 7, Mode.ZK_MASKED: 9}


class ModeName(enum.StrEnum):
    """Who sees single updates."""

    OPEN = "open"
    ZK = "zk"
    ZK_MASKED = "zk+masked"


RateFlag = Annotated[str, typer.Option(help="A part of 1, as 1/5 or 0.2.")]


@with_signer
def create_task(
    signer: Signer,
    origin: Annotated[int, typer.Option(min=0, help="The finished Arena task to start from.")],
    pool: Annotated[str, typer.Option(help='What the rounds pay in all, as "3000 FML".')],
    name: Annotated[str, typer.Option(help="By default the origin's.")] = "",
    quantity: Annotated[
        str | None, typer.Option(help='What each member stakes; the least by default: "500 FML".')
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=ROUNDS_MAX)] = 20,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How long it lives.")] = 30,
    participation: RateFlag = "1",
    proposing: RateFlag = "1/5",
    voters_min: Annotated[int, typer.Option(min=1, help="Without so many there is no round.")] = 3,
    quorum: RateFlag = "2/3",
    tolerance: RateFlag = "1/20",
    slash: RateFlag = "1/10",
    threshold: RateFlag = "1/2",
    unit_samples: Annotated[int, typer.Option(min=1, help="Samples of a unit of weight.")] = 16,
    units_max: Annotated[int, typer.Option(min=1, max=UNITS_MAX)] = UNITS_MAX,
    attributes: Annotated[
        bool, typer.Option("--attribute", help="Only proposers marked as harmful are slashed.")
    ] = False,
    mode: Annotated[
        ModeName,
        typer.Option(
            help="open: all voters see updates. zk: one aggregator, which proves its sum. "
            "zk+masked: nobody."
        ),
    ] = ModeName.OPEN,
    windows: Annotated[
        str | None,
        typer.Option(
            help="Blocks of check-in, propose, disclose, report, with zk aggregate, vote, open, "
            "with zk+masked share and unmask: "
            "10,20,10,.."
        ),
    ] = None,
) -> None:
    """Create a self-funded task of the FL Alliance; locks the creator's stake and the pool.

    A capture chance of at most 1 in 1,000 rounds with a third of the members malicious needs 29
    voters of 50 members, 45 of 99, 79 of thousands.
    """
    budget, pair = parse_planck(pool), signer.pair
    with signer.open() as client:
        choices = Choices(
            name=name,
            origin=origin,
            quantity=client.client.preset.fl_stake if quantity is None else parse_planck(quantity),
            rounds=rounds,
            days=days,
            participation=_rate(participation, "--participation"),
            proposing=_rate(proposing, "--proposing"),
            voters_min=voters_min,
            quorum=_rate(quorum, "--quorum"),
            tolerance=_rate(tolerance, "--tolerance"),
            slash=_rate(slash, "--slash"),
            threshold=_rate(threshold, "--threshold"),
            unit_samples=unit_samples,
            units_max=units_max,
            attributes=attributes,
            mode=Mode[mode.name],
        )
        terms = _terms(client, choices, windows)
        receipt = client.submit(encode_call(FlAlliance.create_task, terms, budget), pair)
    created = event_of(receipt, TaskCreated, "task")
    _print_created(created, terms, as_json=signer.as_json)


def _print_created(created: TaskCreated, terms: AllianceTerms, *, as_json: bool) -> None:
    print_facts(
        {
            "task": created.task,
            "origin": created.origin,
            "mode": terms.mode.name.lower(),
            "spec": cid_text(created.spec),
            "model": None if created.model is None else cid_text(created.model),
            "stake": shown(terms.quantity, as_json=as_json),
            "pool": shown(created.budget, as_json=as_json),
        },
        as_json=as_json,
    )


def _terms(client: BlockingClient, choices: Choices, windows: str | None) -> AllianceTerms:
    """The terms, from what the origin left."""
    found = client.find(Tasks.tasks, choices.origin)
    if found is None:
        refuse(f"there is no task {choices.origin}: `flockchain task list --all` shows all")
    spec, best = found.terms.spec, client.find(ModelRegistry.models, choices.origin)
    model = None if best is None else client.get_blob(best.content)
    facts = measure_model((client.get_blob(spec), model))
    if not choices.name:
        choices = replace(choices, name=found.terms.name)
    preset = client.client.preset
    usual = usual_windows(preset, choices.mode)
    chosen = usual if windows is None else _windows(windows, choices.mode)
    return make_terms(choices, spec, facts, chosen)


def _rate(text: str, flag: str) -> Rational:
    try:
        return Rational.parse(text)
    except RationalError as error:
        raise typer.BadParameter(str(error), param_hint=flag) from None


def _windows(text: str, mode: Mode) -> RoundWindows:
    try:
        numbers = [int(part) for part in text.split(",")]
        if mode is Mode.OPEN:
            numbers.insert(_AGGREGATE, 0)
        if len(numbers) != _WINDOWS[mode]:
            raise ValueError
        return RoundWindows(*numbers)
    except ValueError:
        wanted = {Mode.OPEN: "six", Mode.ZK: "seven", Mode.ZK_MASKED: "nine"}[mode]
        raise typer.BadParameter(
            f"{text!r} is not {wanted} numbers of blocks", param_hint="--windows"
        ) from None
