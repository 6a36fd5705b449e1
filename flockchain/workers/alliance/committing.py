"""A proposer where an aggregator sums: commitments on the chain, the opening for the aggregator.

What is kept on disk opens the commitments; from it and the VRF key follows what is sent to any
aggregator, so a restarted worker sends the very same file. Invariant: the opening leaves this
machine encrypted to the aggregator's key and in no other form.

Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from nacl.signing import SigningKey

from flockchain.sdk import SdkError
from flockchain.workers.alliance.aggregated_round import AggregatedRound, read_round
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.masking import SharesMissing
from flockchain.workers.alliance.proving import CommitTo, Mask, Send, commit_to, send
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.summed_model import SumError, open_sum_of
from flockchain.workers.alliance.zk_files import KEPT, KeptCommitments
from runtime.fl_api import AllianceApi
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.primitives.curve import hash_to_scalar
from runtime.primitives.hashing import sha2_256
from runtime.primitives.types import Bytes64
from runtime.primitives.zk_delivery import Delivery
from runtime.primitives.zk_transcript import update_message

log = logging.getLogger(__name__)

_DELIVERY = b"flock/alliance/delivery"


class WrongBase(ValueError):
    """The round's base is not the model of the sum that was proved before it."""


@dataclass(frozen=True, slots=True)
class MadeCommitments:
    """`content`: what is sealed; `kept`: the file that stays; `sealed`: the file that travels."""

    content: bytes
    kept: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is posted of what was sent, and its content id."""

    delivery: Delivery
    ciphertext: bytes


async def commit_update(
    desk: AllianceDesk, view: RoundView, base: bytes, update: bytes, mask: Mask | None = None
) -> MadeCommitments:
    """Commit, sign, encrypt to the first aggregator. Raises SdkError, `ArtifactError`.

    With a `mask` all that is about the masked update.
    """
    string = (await desk.string.get()).file
    request = CommitTo(await desk.around(view.info), base, update, mask, string)
    made = await desk.training.run(commit_to, request)
    round_ = await _latest(desk, view)
    points = b"".join(made.points)
    weight = 1 if mask is not None else view.made.proposers[_index(view)].weight
    message = update_message(round_.context, weight, made.points)
    signature = SigningKey(desk.vrf_seed(view.task)).sign(message).signature
    delivery, sealed = await _encrypted(desk, round_, made.opening, points)
    kept = KeptCommitments(made.opening, points, Bytes64(signature), delivery)
    return MadeCommitments(sha2_256(points), KEPT.encode(kept), sealed)


def reveal_call(view: RoundView, kept: bytes, ciphertext: bytes, salt: bytes) -> bytes:
    """The call that opens commitments."""
    found = KEPT.decode_all(kept)
    return encode_call(
        FlAlliance.reveal_commitments,
        *(view.task, view.number),
        found.points,
        found.signature,
        found.delivery,
        ciphertext,
        salt,
    )


def hand_over(desk: AllianceDesk, view: RoundView) -> None:
    """Send the opening to the aggregator that took over, and tell the chain."""
    task, number = view.task, view.number
    sealed = desk.memory.find_proposal(task, number)
    kept = None if sealed is None else desk.memory.find_blob(sealed.kept)
    if kept is None:
        log.error(
            "%s: what it committed to in round %d of task %d is not in the state directory",
            *(desk.name, number, task),
        )
        return
    found = KEPT.decode_all(kept)
    place = view.aggregation.place if view.aggregation is not None else 0
    name = ("hand over", desk.account, task, number, place)
    sent = desk.jobs.poll(name, view.now.head.number, lambda: _send_again(desk, view, found))
    if sent is not None:
        where = (task, number)
        call = encode_call(FlAlliance.hand_over, *where, sent.delivery, sent.ciphertext)
        text = f"handed its update of round {number} in task {task} to the next aggregator"
        desk.act(view.now, ("hand over", task, number), call, text)


async def _send_again(desk: AllianceDesk, view: RoundView, kept: KeptCommitments) -> HandedOver:
    terms = view.info.record.terms
    round_ = await read_round(desk, view.now.view, terms, view.task, view.made)
    delivery, file = await _encrypted(desk, round_, kept.opening, kept.points)
    return HandedOver(delivery, await desk.client.put_blob(file, desk.key))


async def ensure_base(desk: AllianceDesk, view: RoundView) -> None:
    """Recommit to the sum that the base was made of, if this key took part in its round.

    Raises WrongBase, SdkError, `ArtifactError`.
    """
    base, accepted = view.made.record.base, view.info.run.accepted_round
    if accepted is None or base is None or desk.memory.of_task(view.task).checked == base.hex():
        return
    latest = await desk.client.at_best()
    made = await latest.ask(AllianceApi.round_info, view.task, accepted)
    aggregation = await latest.find(FlAlliance.aggregations, RoundKey(view.task, accepted))
    if made is None or aggregation is None:
        return
    past = RoundView(view.now, view.info, view.part, made, aggregation)
    if desk.account not in past.participants:
        return  # it got no opening: most voters recommitted before they accepted
    try:
        found = await open_sum_of(desk, past, latest)
    except SumError as error:
        raise WrongBase(f"round {accepted} of task {view.task}: {error}") from error
    except (SdkError, SharesMissing) as error:
        log.warning("%s has not recommitted its base: %s", desk.name, error)
        return
    if found.content != base:
        raise WrongBase(f"round {accepted} of task {view.task} made another model than the base")
    desk.memory.put_checked(view.task, base)


# -- parts


def _index(view: RoundView) -> int:
    assert view.part.index is not None, "a proposer has one"
    return view.part.index


async def _latest(desk: AllianceDesk, view: RoundView) -> AggregatedRound:
    """Training may have taken longer than a state is kept."""
    latest, terms = await desk.client.at_best(), view.info.record.terms
    return await read_round(desk, latest, terms, view.task, view.made)


async def _encrypted(
    desk: AllianceDesk, round_: AggregatedRound, opening: bytes, points: bytes
) -> tuple[Delivery, bytes]:
    """What is posted, and the file. The same for the same commitments and receiver."""
    context = round_.delivery_context(desk.account)
    secret = hash_to_scalar(_DELIVERY, desk.vrf_seed(round_.key.task), context, points)
    named = (opening, round_.context.parameters, round_.receiver, context, secret)
    string = (await desk.string.get()).file
    request = Send(*named, desk.cheat, round_.number_bytes, string)
    return await desk.training.run(send, request)
