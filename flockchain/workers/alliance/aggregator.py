"""The drawn aggregator: open what clients sent, accuse who cheated, sum, prove, hand the sum out.

Nothing need be remembered: a restarted aggregator does it again from the chain and the files.
Invariant: single updates stay in the memory of the training process; what leaves is the sum,
sealed to the round's participants.

Source: WP VI.D, VI.H; zkFL (arXiv 2310.02554) 4.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass

from flockchain.workers.alliance.aggregated_round import (
    AggregatedRound,
    CommittedClient,
    read_round,
)
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.proving import Faults, SumUp, sum_up
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.sealed_update import UpdatePlace, seal_update
from flockchain.workers.alliance.zk_files import read_pieces, sent_bytes_max
from ml.zk.sent import Sent, piece_sizes
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.disputes import Accusation
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives import vrf
from runtime.primitives.merkle import prove_item
from runtime.primitives.types import AccountId, Bytes32, Bytes80
from runtime.primitives.zk_delivery import prove_shared, share

log = logging.getLogger(__name__)


class NotWhatWasPosted(ValueError):
    """A file that most voters hold has not the root that its client posted."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The proof, and the content id of the sum's opening, which lies at the node. `count`: how
    many commitments it is about."""

    count: int
    proof: Bytes80
    opening: bytes


class Aggregator:
    """One key's sums in one task."""

    def __init__(self, desk: AllianceDesk) -> None:
        self._desk = desk

    def prove(self, view: RoundView) -> None:
        """Accuse clients whose openings are wrong; without any, post the proof of the sum."""
        desk, task, number = self._desk, view.task, view.number
        if view.info.progress is None or view.info.progress.done:
            return  # it is proved
        name = ("aggregate", desk.account, task, number, view.made.record.aggregate)
        found = desk.jobs.poll(name, view.now.head.number, lambda: self._aggregate(view))
        if found is None:
            return
        if isinstance(found, Proved):
            parts = (found.count, found.proof, found.opening)
            call = encode_call(FlAlliance.post_proof, task, number, *parts)
            text = f"proved the sum of round {number} in task {task}"
            desk.act(view.now, ("prove", task, number), call, text)
            return
        for accusation in found:
            who = accusation.client
            call = encode_call(FlAlliance.accuse, task, number, accusation)
            text = f"accused 0x{who[:4].hex()} in round {number} of task {task}"
            desk.act(view.now, ("accuse", task, number, who), call, text)

    async def _aggregate(self, view: RoundView) -> Proved | list[Accusation]:
        """Raises SdkError, NotWhatWasPosted, `OpeningError`."""
        desk, terms, state = self._desk, view.info.record.terms, view.now.view
        mask = view.made.record.aggregate
        receivers = await state.query_many(Arena.sealing_keys, view.participants)
        round_ = await read_round(desk, state, terms, view.task, view.made)
        clients = round_.of_sum(mask)
        sent = tuple(await asyncio.gather(*(self._receive(round_, each) for each in clients)))
        cheat = None if round_.aggregation.place else desk.cheat  # who takes over is watched
        is_masked = terms.mode is Mode.ZK_MASKED
        string = (await desk.string.get()).file
        request = SumUp(round_.statement(mask), sent, cheat, is_masked, string)
        found = await desk.training.run(sum_up, request)
        if isinstance(found, Faults):
            return [
                self._accusation(round_, clients[at], sent[at].pieces, chunk)
                for at, chunk in found.found
            ]
        place = UpdatePlace(desk.client.genesis, view.task, view.number, desk.account)
        keys = [None if each is None else each.key for each in receivers]
        opening = await desk.client.put_blob(seal_update(found.opening, place, keys), desk.key)
        log.info("%s summed %d updates of round %d", desk.name, len(clients), view.number)
        count = sum(len(client.commitments.points) for client in clients)
        return Proved(count, Bytes80(found.proof), opening)

    async def _receive(self, round_: AggregatedRound, client: CommittedClient) -> Sent:
        """Raises SdkError, NotWhatWasPosted."""
        delivery = client.posted.delivery
        parameters, size = round_.context.parameters, round_.number_bytes
        sizes = piece_sizes(parameters, round_.setup, size)
        file = await self._desk.blobs.get(client.ciphertext, sent_bytes_max(sizes))
        pieces = read_pieces(file, delivery, sizes)
        if pieces is None:
            raise NotWhatWasPosted(f"the file of 0x{client.account[:4].hex()} has another root")
        shared = share(self._secret(round_), delivery)
        return Sent(client.commitments.points, delivery, shared, pieces, size)

    def _accusation(
        self,
        round_: AggregatedRound,
        client: CommittedClient,
        pieces: tuple[bytes, ...],
        chunk: int,
    ) -> Accusation:
        context, entropy = round_.delivery_context(client.account), secrets.token_bytes(32)
        delivery = client.posted.delivery
        shared, proof = prove_shared(self._secret(round_), delivery, context, entropy)
        path = prove_item(pieces, chunk)
        who = AccountId(client.account)
        return Accusation(who, chunk, pieces[chunk], path, Bytes32(shared), proof)

    def _secret(self, round_: AggregatedRound) -> bytes:
        return vrf.secret_scalar(self._desk.vrf_seed(round_.key.task))
