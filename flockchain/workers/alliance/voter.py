"""A drawn voter: fetch and open the proposals, say which it holds, aggregate, judge, vote sealed.

In open mode every voter aggregates itself; where an aggregator sums, it recommits the sum. It
judges on rows that it never trains on. What it opened stays in memory; the sealed files it serves
on through its node. Invariant: a ballot and its salt are on disk before the chain has its seal.

Source: WP VI.D (aggregation), WP VI.E (evaluation and votes), Algorithm 1.
"""

from __future__ import annotations

import logging
import secrets
from typing import Final

from flockchain.workers.alliance.computing import (
    CheckUpdate,
    Findings,
    Judge,
    Says,
    check_update,
    is_denying,
    judge,
)
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.sealed_update import (
    SEALED_BYTES_MAX,
    UpdatePlace,
    open_update,
)
from flockchain.workers.alliance.summed_vote import decide_on_sum, holds_sent
from flockchain.workers.model_seal import ModelSealError, sealing_key
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import Ballot, NoData, Vote
from runtime.pallets.fl_alliance.seals import seal_vote
from runtime.pallets.fl_alliance.views import ProposerEntry
from runtime.primitives.content_id import content_id
from runtime.primitives.scale import Codec, codec_of

log = logging.getLogger(__name__)

_BALLOT: Final[Codec[Ballot]] = codec_of(Ballot)


class Voter:
    """One key's reports and votes in one task."""

    def __init__(self, desk: AllianceDesk) -> None:
        self._desk = desk

    # -- availability

    def report(self, view: RoundView) -> None:
        """Say which proposals it has, could open and found well formed."""
        told = 0 if view.info.progress is None else view.info.progress.mask
        answers = {
            index: self._open(view, entry)
            for index, entry in enumerate(view.made.proposers)
            if told >> index & 1
        }
        if None in answers.values() and not view.is_last_call:
            return
        held = sum(1 << index for index, is_held in answers.items() if is_held)
        denied = self._denied(view)
        if denied is None:
            return
        held &= ~denied
        call = encode_call(FlAlliance.report, view.task, view.number, held)
        text = f"holds {held.bit_count()} of {len(answers)} proposals of round {view.number}"
        self._desk.act(view.now, ("report", view.task, view.number), call, text)

    def _denied(self, view: RoundView) -> int | None:
        """What an attacker says that it lacks though it may not; None until that is known."""
        desk, attack = self._desk, self._desk.attack
        if attack is None:
            return 0
        name = ("denies", attack)
        is_denied = desk.jobs.poll(
            name, view.now.head.number, lambda: desk.training.run(is_denying, attack)
        )
        if is_denied is None:
            return None
        strangers = [each.account not in desk.friends for each in view.made.proposers]
        return is_denied * sum(1 << index for index, other in enumerate(strangers) if other)

    def _open(self, view: RoundView, entry: ProposerEntry) -> bool | None:
        """Whether the proposal is here and valid; None while it is fetched."""
        name, desk = self._opening(view, entry), self._desk
        if view.is_summed:
            return desk.jobs.poll(name, view.now.head.number, lambda: holds_sent(desk, view, entry))
        return desk.jobs.poll(name, view.now.head.number, lambda: self._fetch(view, entry))

    def _opening(self, view: RoundView, entry: ProposerEntry) -> tuple[object, ...]:
        place = (view.task, view.number, entry.account, entry.proposal.ciphertext)
        return ("open", self._desk.account, *place)

    async def _fetch(self, view: RoundView, entry: ProposerEntry) -> bool:
        """Fetch, serve on, open and check. Raises SdkError: then it is tried again."""
        desk, proposal, base = self._desk, entry.proposal, view.made.record.base
        assert proposal.content is not None, "it was opened on the chain"
        assert proposal.ciphertext is not None, "both are told together"
        assert base is not None, "there is no proposal without a model"
        file = await desk.blobs.get(proposal.ciphertext, SEALED_BYTES_MAX)
        await desk.client.put_blob(file, desk.key)
        place = UpdatePlace(desk.client.genesis, view.task, view.number, entry.account)
        secret = sealing_key(desk.key, desk.client.genesis)
        position = view.participants.index(desk.account)
        try:
            update = open_update(file, place, position, secret, proposal.content)
        except ModelSealError as error:
            log.warning("%s, proposal of 0x%s: %s", desk.name, entry.account[:4].hex(), error)
            return False
        request = CheckUpdate(await desk.around(view.info), await desk.model(base), update)
        if not await desk.training.run(check_update, request):
            log.warning("%s, proposal of 0x%s: no update", desk.name, entry.account[:4].hex())
            return False
        desk.opened.put(proposal.content, update)
        return True

    # -- the vote

    def commit(self, view: RoundView) -> None:
        """Seal the ballot."""
        desk, task, number = self._desk, view.task, view.number
        known = desk.memory.find_ballot(task, number)
        if known is None or known.place != view.place:
            ballot = decide_on_sum(desk, view) if view.is_summed else self._decide(view)
            if ballot is None:
                return
            sealed = _BALLOT.encode(ballot), secrets.token_hex(32), view.place
            desk.memory.put_ballot(task, number, *sealed)
        kept = desk.memory.find_ballot(task, number)
        assert kept is not None, "it was put there"
        ballot, salt = _BALLOT.decode_all(bytes.fromhex(kept.ballot)), bytes.fromhex(kept.salt)
        seal = seal_vote(desk.client.genesis, (task, number), desk.account, ballot, salt)
        call = encode_call(FlAlliance.commit_vote, task, number, seal)
        text = f"sealed its vote of round {number} in task {task}"
        desk.act(view.now, ("commit vote", task, number), call, text)

    def reveal(self, view: RoundView) -> None:
        """Open the ballot."""
        desk, task, number = self._desk, view.task, view.number
        kept = desk.memory.find_ballot(task, number)
        if kept is None:
            log.error(
                "%s: its vote of round %d of task %d is not in the state directory",
                *(desk.name, number, task),
            )
            return
        ballot, salt = _BALLOT.decode_all(bytes.fromhex(kept.ballot)), bytes.fromhex(kept.salt)
        call = encode_call(FlAlliance.reveal_vote, task, number, ballot, salt)
        text = f"opened its vote of round {number} in task {task}: {_shown(ballot)}"
        desk.act(view.now, ("reveal vote", task, number), call, text)

    def _decide(self, view: RoundView) -> Ballot | None:
        """The ballot; None while updates are fetched and judged, or an attacker stays silent."""
        mask = view.made.record.aggregate
        wanted = [
            (index, entry)
            for index, entry in enumerate(view.made.proposers)
            if mask >> index & 1 and entry.proposal.content is not None
        ]
        missing = sum(1 << index for index, entry in wanted if not self._has(view, entry))
        if missing:
            return NoData(missing) if view.is_last_call else None
        name = ("judge", self._desk.account, view.task, view.number)
        entries = [entry for _, entry in wanted]
        found = self._desk.jobs.poll(name, view.now.head.number, lambda: self._judge(view, entries))
        if found is None:
            return NoData(0) if view.is_last_call else None  # nobody withheld anything
        if found.says is None:
            return None
        return _ballot(found.says, found.judged.aggregate, [index for index, _ in wanted])

    def _has(self, view: RoundView, entry: ProposerEntry) -> bool:
        content = entry.proposal.content
        assert content is not None, "the aggregate is over opened proposals"
        is_here = self._desk.opened.find(content) is not None
        return is_here or (self._open(view, entry) is True and self._is_kept(view, entry))

    def _is_kept(self, view: RoundView, entry: ProposerEntry) -> bool:
        """Opened before, but no longer in memory: fetch it anew."""
        self._desk.jobs.forget(self._opening(view, entry))
        return False

    async def _judge(self, view: RoundView, entries: list[ProposerEntry]) -> Findings:
        """Raises SdkError, `ArtifactError`, `AggregationError`."""
        desk, base = self._desk, view.made.record.base
        assert base is not None, "there is no proposal without a model"
        previous = await desk.model(base)
        best = desk.memory.of_task(view.task).best
        updates = [desk.opened.find(each.proposal.content or b"") for each in entries]
        request = Judge(
            await desk.around(view.info),
            (previous, previous if not best else await desk.model(bytes.fromhex(best))),
            tuple(each for each in updates if each is not None),
            tuple(each.weight for each in entries),
            view.info.record.terms.tolerance,
            view.info.record.terms.attributes,
            desk.attack,
            tuple(each.account in desk.friends for each in entries),
        )
        found = await desk.training.run(judge, request)
        desk.note_judged(view.task, view.number, found.judged, previous)
        return found


def _ballot(says: Says, aggregate: bytes, places: list[int]) -> Vote:
    """`places`: the bit of each update that was aggregated."""
    marks = sum(1 << at for at, mark in zip(places, says.marks, strict=True) if mark)
    return Vote(says.accepts, content_id(aggregate), marks)


def _shown(ballot: Ballot) -> str:
    match ballot:
        case Vote(accepts=accepts):
            return "accepts" if accepts else "rejects"
        case _:
            return "had no data"
