"""The model that a proved sum makes, for whoever was handed the sum's opening.

Owns the recipient's check: the opening is that of the commitments on the chain, whose digest the
chain stored with the proof. Invariant: a model comes from nothing but such an opening.
Source: WP VI.D, VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.sdk import StateView
from flockchain.workers.alliance.aggregated_round import read_round
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.masking import read_masks, unmasking_of
from flockchain.workers.alliance.proving import MadeModel, OpenSum, open_sum
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.sealed_update import SEALED_BYTES_MAX, UpdatePlace, open_sealed
from flockchain.workers.model_seal import ModelSealError, sealing_key
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.content_id import content_id


class SumError(ValueError):
    """What was handed out as the sum is not the sum that was proved."""


@dataclass(frozen=True, slots=True)
class SummedModel:
    """The model of a sum. `is_in_range`: whether updates in range can have this sum."""

    content: bytes
    model: bytes
    is_in_range: bool


async def open_sum_of(desk: AllianceDesk, view: RoundView, state: StateView) -> SummedModel:
    """Fetch, serve on, open, recommit. Raises SumError; SdkError if the file cannot be had;
    SharesMissing."""
    terms, made, base = view.info.record.terms, view.made, view.made.record.base
    assert base is not None, "there is no proposal without a model"
    round_ = await read_round(desk, state, terms, view.task, made)
    opening, proved = round_.aggregation.opening, round_.aggregation.proved
    assert opening is not None, "the sum was proved"
    assert proved is not None, "both are stored together"
    statement = round_.statement(made.record.aggregate)
    file = await desk.blobs.get(opening, SEALED_BYTES_MAX)
    await desk.client.put_blob(file, desk.key)
    aggregator = made.record.voters[round_.aggregation.place]
    place = UpdatePlace(desk.client.genesis, view.task, view.number, aggregator)
    position = view.participants.index(desk.account)
    try:
        plain = open_sealed(file, place, position, sealing_key(desk.key, desk.client.genesis))
    except ModelSealError as error:
        raise SumError(str(error)) from error
    around, start = await desk.around(view.info), await desk.model(base)
    unmasking = None
    if terms.mode is Mode.ZK_MASKED:
        unmasking = unmasking_of(await read_masks(state, view.task, made), made)
    string = (await desk.string.get()).file
    request = OpenSum(around, start, statement, proved, plain, unmasking, string)
    found = await desk.training.run(open_sum, request)
    if found is None:
        raise SumError("it does not open the commitments to the sum")
    return _with_content(found)


def _with_content(found: MadeModel) -> SummedModel:
    return SummedModel(content_id(found.model), found.model, found.is_in_range)
