"""A proposer of a masked round: share the secrets of its masks, later reveal shares of others'.

The secrets follow from the VRF key and the round, so a restarted worker needs no file for them.
Both kinds of share exist here; which one is revealed is read from a final block, so that no fork
can ask for the other kind. Invariant: of each dealer one kind is revealed, once a round.

Source: WP VI.H; Bonawitz et al. (2017), secure aggregation.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flockchain.sdk import StateView
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.proving import Mask, Unmasking
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.jobs import NotYet
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.mask_records import Masked, Revealed, Share, WrongShare
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.seals import deal_context
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives import vrf
from runtime.primitives.curve import hash_parts
from runtime.primitives.types import AccountId, Bytes32
from runtime.primitives.zk_shares import (
    Deal,
    deal,
    is_share,
    mask_secrets,
    open_piece,
    prove_common,
    recover,
)

_SEED = b"flock/alliance/mask"


class NotFinal(NotYet):
    """What a worker must not act on before it is final is not final yet."""


class SharesMissing(Exception):
    """The chain keeps no shares of the round's masks any more, or has not all yet."""


@dataclass(frozen=True, slots=True)
class RoundMasks:
    """`dealers` by their place, in their order; `revealed`: shares by the holder's place."""

    dealers: Mapping[int, tuple[AccountId, Deal]]
    revealed: Mapping[int, list[bytes | None]]

    @property
    def keys(self) -> dict[int, bytes]:
        """s·G of each dealer."""
        return {place: dealt.pair_point for place, (_, dealt) in self.dealers.items()}


async def read_masks(view: StateView, task: int, made: RoundInfo) -> RoundMasks:
    """From the state of a block. Raises SdkError."""
    key, accounts = RoundKey(task, made.round), made.record.proposers
    places = [(key, who) for who in accounts]
    finding = view.find(FlAlliance.masked, key)
    masked, deals, reveals = await asyncio.gather(
        finding,
        view.query_many(FlAlliance.deals, places),
        view.query_many(FlAlliance.reveals, places),
    )
    mask = (masked or Masked()).dealers
    dealers = {
        place: (accounts[place], dealt)
        for place, dealt in enumerate(deals)
        if dealt is not None and mask >> place & 1
    }
    revealed = {place: found for place, found in enumerate(reveals) if found is not None}
    return RoundMasks(dealers, revealed)


async def final_mask(desk: AllianceDesk, view: RoundView) -> Mask:
    """How to mask one's update. Raises NotFinal while dealers may still change; SdkError."""
    state = await _final(desk, view, Stage.PROPOSE)
    found = await read_masks(state, view.task, view.made)
    place = view.part.index
    assert place is not None, "a proposer has one"
    weight = view.made.proposers[place].weight
    return Mask(weight, mask_secrets(mask_seed(desk, view)), place, found.keys)


def unmasking_of(masks: RoundMasks, made: RoundInfo) -> Unmasking:
    """What strips the masks off a proved sum. Raises SharesMissing."""
    own: dict[int, bytes] = {}
    pair: dict[int, bytes] = {}
    aggregate = made.record.aggregate
    for at, (place, (_, dealt)) in enumerate(masks.dealers.items()):
        is_in = aggregate >> place & 1
        given = ((holder, values[at]) for holder, values in masks.revealed.items())
        shares = {holder: share for holder, share in given if share is not None}
        points, kind = (dealt.own, own) if is_in else (dealt.pair, pair)
        secret = recover(shares) if shares else b""
        if not is_share(points, -1, secret):
            raise SharesMissing(f"no secret of the dealer at {place} in round {made.round}")
        kind[place] = secret
    if not own:
        raise SharesMissing(f"no deals of round {made.round} are kept")
    weights = sum(made.proposers[place].weight for place in own)
    return Unmasking(masks.keys, own, pair, weights)


def mask_seed(desk: AllianceDesk, view: RoundView) -> bytes:
    """Of which the secrets of a round's masks are made; another for each opening of a round."""
    record, context = view.made.record, _context(desk, view, desk.account)
    opened = record.opened_at.to_bytes(4, "little")
    return hash_parts(_SEED, desk.vrf_seed(view.task), context, record.seed, opened)[:32]


class Masker:
    """One key's deals and shares in one task."""

    def __init__(self, desk: AllianceDesk) -> None:
        self._desk = desk

    def share(self, view: RoundView) -> None:
        """Share the secrets of one's masks among the proposers."""
        desk, task, number = self._desk, view.task, view.number
        name = ("deal", desk.account, task, number, view.made.record.seed)
        dealt = desk.jobs.poll(name, view.now.head.number, lambda: self._deal(view))
        if dealt is not None:
            call = encode_call(FlAlliance.share_secrets, task, number, dealt)
            text = f"shared the secrets of its masks for round {number} of task {task}"
            desk.act(view.now, ("share secrets", task, number), call, text)

    async def _deal(self, view: RoundView) -> Deal:
        """Raises SdkError."""
        desk, proposers = self._desk, view.made.record.proposers
        places = [(view.task, who) for who in proposers]
        members = await view.now.view.query_many(FlAlliance.members, places)
        keys = [member.key for member in members if member is not None]
        assert len(keys) == len(proposers), "nobody leaves while its round goes on"
        return deal(mask_seed(desk, view), keys, _context(desk, view, desk.account))

    def reveal(self, view: RoundView) -> None:
        """Reveal the share of each dealer that a final block asks for."""
        desk, task, number = self._desk, view.task, view.number
        name = ("reveal shares", desk.account, task, number, view.made.record.seed)
        shares = desk.jobs.poll(name, view.now.head.number, lambda: self._shares(view))
        if shares is not None:
            call = encode_call(FlAlliance.reveal_shares, task, number, shares)
            text = f"revealed its shares of masks of round {number} in task {task}"
            desk.act(view.now, ("reveal shares", task, number), call, text)

    async def _shares(self, view: RoundView) -> list[Revealed]:
        """Raises NotFinal, SdkError."""
        state = await _final(self._desk, view, Stage.UNMASK)
        record = await state.query(FlAlliance.rounds, RoundKey(view.task, view.number))
        masks = await read_masks(state, view.task, view.made)
        return [
            self._share(view, who, dealt, is_in=bool(record.aggregate >> place & 1))
            for place, (who, dealt) in masks.dealers.items()
        ]

    def _share(self, view: RoundView, who: AccountId, dealt: Deal, *, is_in: bool) -> Revealed:
        desk, place = self._desk, view.part.index
        assert place is not None, "a proposer has one"
        secret, context = vrf.secret_scalar(desk.vrf_seed(view.task)), _context(desk, view, who)
        shared, proof = prove_common(secret, dealt, context, secrets.token_bytes(32))
        opened = open_piece(dealt, place, shared)
        if opened is not None:
            points, value = (dealt.own, opened.own) if is_in else (dealt.pair, opened.pair)
            if is_share(points, place, value):
                return Share(Bytes32(value))
        return WrongShare(Bytes32(shared), proof)


async def _final(desk: AllianceDesk, view: RoundView, stage: Stage) -> StateView:
    """The last final state. Raises NotFinal unless the round, opened in the same block, is at the
    stage there; SdkError."""
    state, key = await desk.client.at_finalized(), RoundKey(view.task, view.number)
    progress = await state.find(FlAlliance.progress, view.task)
    record = await state.find(FlAlliance.rounds, key)
    is_same = record is not None and record.seed == view.made.record.seed
    if progress is None or progress.stage is not stage or not is_same:
        raise NotFinal(f"stage {stage.name} of round {view.number} is not final yet")
    return state


def _context(desk: AllianceDesk, view: RoundView, dealer: AccountId) -> bytes:
    return deal_context(desk.client.genesis, (view.task, view.number), dealer)
