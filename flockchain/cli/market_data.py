"""`flockchain market contribute`, `use-contribution` and `measure-contribution`: data for models.

Source: WP II.C (feedback on models improves them).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import shown
from flockchain.cli.chain_access import address, event_of, print_facts, read_content_id
from flockchain.cli.market_text import ModelOption
from flockchain.cli.signing import Signer, with_signer
from runtime.frame.pallet import encode_call
from runtime.pallets.marketplace import Marketplace, events
from runtime.primitives.content_id import cid_text

DatasetArgument = Annotated[str, typer.Argument(help="Content id of the data set.")]


def mount_data(app: typer.Typer) -> None:
    """Add the commands about contributed data."""
    for command in (contribute, use_contribution, measure_contribution):
        app.command()(command)


@with_signer
def contribute(signer: Signer, dataset: DatasetArgument, model: ModelOption) -> None:
    """Record a data set that could make a model better."""
    digests = read_content_id(dataset), read_content_id(model)
    told = signer.send(
        encode_call(Marketplace.contribute, *digests), events.Contributed, "contribution"
    )
    facts = {"dataset": cid_text(told.dataset), "owner": address(told.owner)}
    print_facts({**facts, "model": cid_text(told.model)}, as_json=signer.as_json)


@with_signer
def use_contribution(
    signer: Signer,
    dataset: DatasetArgument,
    task: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="What trains on it.")],
) -> None:
    """Note that a follow-up task of its model trains on a contributed data set."""
    call = encode_call(Marketplace.use_contribution, read_content_id(dataset), task)
    told = signer.send(call, events.ContributionUsed, "use")
    print_facts({"dataset": cid_text(told.dataset), "task": told.task}, as_json=signer.as_json)


@with_signer
def measure_contribution(
    signer: Signer,
    dataset: DatasetArgument,
    without: Annotated[str, typer.Option(help="Content id of a model trained without the set.")],
) -> None:
    """Have a jury score the task's model, and one without your data set. Holds the jurors' fees."""
    pair, digests = signer.pair, (read_content_id(dataset), read_content_id(without))
    with signer.open() as client:
        receipt = client.submit(encode_call(Marketplace.measure_contribution, *digests), pair)
        told = event_of(receipt, events.CaseOpened, "case")
        opened = client.find(Marketplace.cases, told.case)
    held = 0 if opened is None else opened.held()
    facts = {"case": told.case, "held": shown(held, as_json=signer.as_json)}
    print_facts(facts, as_json=signer.as_json)
