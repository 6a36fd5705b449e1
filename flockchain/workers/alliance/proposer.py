"""A drawn proposer: train on the private rows, seal the update, hand it out encrypted, open it.

Only the sealed file leaves this machine. Invariant: update, file and salt are on disk before the
chain has the seal, so a proposal that was sealed can be opened after any restart.

Source: WP VI.B, VI.C (local training, sharing), Algorithm 1 (the leader's first model).
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from flockchain.workers.alliance.committing import commit_update, ensure_base, reveal_call
from flockchain.workers.alliance.computing import make_first_model
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.local_training import train_locally
from flockchain.workers.alliance.masking import final_mask
from flockchain.workers.alliance.memory import SealedProposal
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.sealed_update import UpdatePlace, seal_update
from ml.attacks.sums import SumCheat
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.seals import seal_proposal
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.content_id import content_id
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeProposal:
    """The file that stays and the file that travels; None if an attacker hands in nothing.

    `content`: what is sealed, if not the content id of what stays.
    """

    files: tuple[bytes, bytes] | None
    content: bytes | None = None


class Proposer:
    """One key's proposals in one task."""

    def __init__(self, desk: AllianceDesk) -> None:
        self._desk = desk

    def initialise(self, view: RoundView) -> None:
        """As the round's leader: make the first model and tell of it. Raises SdkError."""
        desk, task, number = self._desk, view.task, view.number
        name = ("first model", task, number)
        content = desk.jobs.poll(name, view.now.head.number, lambda: self._first_model(view))
        if content is not None:
            call = encode_call(FlAlliance.initialise_model, task, number, content)
            desk.act(view.now, (*name,), call, f"made the first model of task {task}")

    async def _first_model(self, view: RoundView) -> bytes:
        """Its content id; the file lies at the node. Raises SdkError, TaskSpecError."""
        desk = self._desk
        around = await desk.around(view.info)
        model = await desk.training.run(make_first_model, (around, view.made.record.seed))
        return await desk.client.put_blob(model, desk.key)

    def commit(self, view: RoundView) -> None:
        """Have a trained update sealed on the chain."""
        desk, task, number = self._desk, view.task, view.number
        sealed = desk.memory.find_proposal(task, number)
        if sealed is None:
            sealed = self._take(view)
        if sealed is None:
            return
        call = encode_call(FlAlliance.commit_proposal, task, number, self._seal(view, sealed))
        text = f"sealed its proposal of round {number} in task {task}"
        desk.act(view.now, ("commit proposal", task, number), call, text)

    def keep_ready(self, view: RoundView) -> None:
        """Hand the sealed file to the node before it is named on the chain."""
        sealed = self._desk.memory.find_proposal(view.task, view.number)
        if sealed is not None:
            self._is_uploaded(view, sealed)

    def reveal(self, view: RoundView) -> None:
        """Open the proposal, once its file can be had."""
        desk, task, number = self._desk, view.task, view.number
        sealed = desk.memory.find_proposal(task, number)
        if sealed is None:
            log.error(
                "%s: what it sealed for round %d of task %d is not in the state directory",
                *(desk.name, number, task),
            )
            return
        if not self._is_uploaded(view, sealed):
            return
        content, ciphertext, salt = _parts(sealed)
        if view.is_summed:
            kept = desk.memory.find_blob(sealed.kept)
            if kept is None:
                raise FileNotFoundError(f"what opens {sealed.content} is not kept any more")
            call = reveal_call(view, kept, ciphertext, salt)
        else:
            parts = (content, ciphertext, salt)
            call = encode_call(FlAlliance.reveal_proposal, task, number, *parts)
        text = f"opened its proposal of round {number} in task {task}"
        desk.act(view.now, ("reveal proposal", task, number), call, text)

    # -- making one

    def _take(self, view: RoundView) -> SealedProposal | None:
        """The trained proposal, kept on disk; None while it is made."""
        desk, task, number = self._desk, view.task, view.number
        if view.made.record.base is None:
            return None  # the leader has not told yet which model it made
        name = ("train", desk.account, task, number)
        made = desk.jobs.poll(name, view.now.head.number, lambda: self._make(view, name))
        if made is None or made.files is None:
            return None
        salt = secrets.token_hex(32)
        desk.memory.put_proposal(task, number, made.files, salt, made.content)
        desk.jobs.forget(name)
        return desk.memory.find_proposal(task, number)

    async def _make(self, view: RoundView, name: tuple[object, ...]) -> MadeProposal:
        """Raises SdkError, WrongBase, `ArtifactError`, `FlowerError`."""
        desk, base = self._desk, view.made.record.base
        assert base is not None, "a round without a model trains nothing"
        is_masked = view.info.record.terms.mode is Mode.ZK_MASKED
        mask = await final_mask(desk, view) if is_masked else None
        if view.is_summed:
            await ensure_base(desk, view)
        start = await desk.model(base)
        update = await train_locally(desk, view, start, desk.jobs.failures(name))
        if update is None:
            return MadeProposal(None)
        log.info("%s trained for round %d of task %d", desk.name, view.number, view.task)
        if view.is_summed:
            made = await commit_update(desk, view, start, update, mask)
            return MadeProposal((made.kept, made.sealed), made.content)
        latest = await desk.client.at_best()  # training may have taken longer than a state is kept
        found = await latest.query_many(Arena.sealing_keys, view.participants)
        receivers = [None if each is None else each.key for each in found]
        return MadeProposal((update, seal_update(update, self._place(view), receivers)))

    # -- handing it out

    def _is_uploaded(self, view: RoundView, sealed: SealedProposal) -> bool:
        if self._desk.cheat is SumCheat.KEPT_BACK and view.is_summed:
            return True  # it says so
        name = ("upload", sealed.ciphertext)
        done = self._desk.jobs.poll(name, view.now.head.number, lambda: self._upload(sealed))
        return done is not None

    async def _upload(self, sealed: SealedProposal) -> bytes:
        """Raises SdkError, FileNotFoundError."""
        file = self._desk.memory.find_blob(bytes.fromhex(sealed.ciphertext))
        if file is None:
            raise FileNotFoundError(f"the sealed update {sealed.ciphertext} is not kept any more")
        assert content_id(file).hex() == sealed.ciphertext
        return await self._desk.client.put_blob(file, self._desk.key)

    def _place(self, view: RoundView) -> UpdatePlace:
        return UpdatePlace(self._desk.client.genesis, view.task, view.number, self._desk.account)

    def _seal(self, view: RoundView, sealed: SealedProposal) -> Hash:
        content, ciphertext, salt = _parts(sealed)
        place, genesis = (view.task, view.number), self._desk.client.genesis
        return seal_proposal(genesis, place, self._desk.account, content, ciphertext, salt)


def _parts(sealed: SealedProposal) -> tuple[bytes, bytes, bytes]:
    """Content, content id of what travels, salt."""
    content, ciphertext, salt = (
        bytes.fromhex(part) for part in (sealed.content, sealed.ciphertext, sealed.salt)
    )
    return content, ciphertext, salt
