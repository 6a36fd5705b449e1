"""A voter where an aggregator sums: hold what clients sent, recommit the sum, judge its model.

A voter cannot open what it holds; it checks that it is what the client posted, and serves it on.
Invariant: a vote names a model only after the sum behind it opened the commitments on the chain.

Source: WP VI.D, VI.E, VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flockchain.workers.alliance.aggregated_round import number_bytes_of
from flockchain.workers.alliance.computing import Findings
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.proving import JudgeModel, judge_sum
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.summed_model import SumError, open_sum_of
from flockchain.workers.alliance.zk_files import read_pieces, sent_bytes_max
from ml.zk.sent import piece_sizes
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import Ballot, NoData, RoundKey, Vote
from runtime.pallets.fl_alliance.views import ProposerEntry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recommitted:
    """The model of the sum, which lies in memory's folder; none if the sum is another one."""

    content: bytes | None
    is_in_range: bool = True


async def holds_sent(desk: AllianceDesk, view: RoundView, entry: ProposerEntry) -> bool:
    """Fetch and serve on; whether the file is what the client posted. Raises SdkError."""
    key, ciphertext = RoundKey(view.task, view.number), entry.proposal.ciphertext
    assert ciphertext is not None, "it was opened on the chain"
    posted = await view.now.view.query(FlAlliance.commitments, (key, entry.account))
    terms = view.info.record.terms
    setup = (await desk.string.get()).setup
    sizes = piece_sizes(terms.parameters, setup, number_bytes_of(terms.mode))
    file = await desk.blobs.get(ciphertext, sent_bytes_max(sizes))
    if read_pieces(file, posted.delivery, sizes) is None:
        log.warning("%s: 0x%s sent not what it posted", desk.name, entry.account[:4].hex())
        return False
    await desk.client.put_blob(file, desk.key)
    return True


def decide_on_sum(desk: AllianceDesk, view: RoundView) -> Ballot | None:
    """The ballot; None while the sum is fetched, recommitted and judged, or an attacker's silence.

    A sum that cannot be had by the last call, or is another than the one proved, is no data.
    """
    aggregation, number = view.aggregation, view.now.head.number
    assert aggregation is not None, "votes follow a proof"
    name = ("open sum", desk.account, view.task, view.number, aggregation.place)
    opened = desk.jobs.poll(name, number, lambda: _recommit(desk, view))
    if opened is None:
        return NoData(0) if view.is_last_call else None
    if opened.content is None:
        return NoData(0)
    if not opened.is_in_range:
        return Vote(False, opened.content, 0)
    content = opened.content
    name = ("judge", desk.account, view.task, view.number, aggregation.place)
    found = desk.jobs.poll(name, number, lambda: _judge(desk, view, content))
    if found is None or found.says is None:
        return None  # it is not for the aggregator to pay for a slow voter
    return Vote(found.says.accepts, content, 0)


async def _recommit(desk: AllianceDesk, view: RoundView) -> Recommitted:
    """Raises SdkError: then it is tried again."""
    try:
        found = await open_sum_of(desk, view, view.now.view)
    except SumError as error:
        log.warning("%s refuses the sum of round %d: %s", desk.name, view.number, error)
        return Recommitted(None)
    desk.memory.put_made(view.task, found.model)
    return Recommitted(found.content, found.is_in_range)


async def _judge(desk: AllianceDesk, view: RoundView, content: bytes) -> Findings:
    """Raises SdkError, `ArtifactError`."""
    base = view.made.record.base
    assert base is not None, "there is no proposal without a model"
    previous, model = await desk.model(base), await desk.model(content)
    best, mask = desk.memory.of_task(view.task).best, view.made.record.aggregate
    entries = [each for at, each in enumerate(view.made.proposers) if mask >> at & 1]
    request = JudgeModel(
        await desk.around(view.info),
        (previous, previous if not best else await desk.model(bytes.fromhex(best))),
        model,
        view.info.record.terms.tolerance,
        desk.attack,
        tuple(each.account in desk.friends for each in entries),
    )
    found = await desk.training.run(judge_sum, request)
    desk.note_judged(view.task, view.number, found.judged, previous)
    return found
