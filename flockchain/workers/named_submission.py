"""A submission under one's own name: sealed, uploaded encrypted, opened in the reveal window.

Only the ciphertext leaves this machine. It is uploaded as soon as the seal is on the chain, so that
opening it is one call. Invariant: the state file knows what is sealed before the chain does.

Source: WP V.C (training nodes), WP V.E (submissions).
"""

from __future__ import annotations

from flockchain.workers.announcing import announce_submission
from flockchain.workers.desk import Desk
from flockchain.workers.model_seal import seal_model
from flockchain.workers.moment import Moment
from flockchain.workers.state_file import KeptModel, SealedModel
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.types import Hash


class NamedSubmission:
    """One key's submissions in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task

    async def commit(self, now: Moment, sealed: SealedModel, kept: KeptModel) -> None:
        """Have the seal on the chain and the ciphertext at the node. Raises SdkError."""
        desk, seal = self._desk, self._seal(sealed, kept)
        if seal in await self._seals(now):
            self._is_uploaded(now, kept)
            return
        self._announce(now, seal, None)
        desk.actions.act(
            ("commit model", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(Arena.commit_submission, self._task, seal),
            f"{desk.name} sealed a model for task {self._task}",
        )

    async def reveal(self, now: Moment, sealed: SealedModel, kept: KeptModel) -> None:
        """Open what is sealed, once its ciphertext can be had. Raises SdkError."""
        desk, seal = self._desk, self._seal(sealed, kept)
        is_open = (await self._seals(now)).get(seal)
        if is_open is None or is_open or not self._is_uploaded(now, kept):
            return
        made = kept.submitted
        self._announce(now, seal, (made.ciphertext, made.size_bytes))
        desk.actions.act(
            ("reveal model", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(
                Arena.reveal_submission,
                self._task,
                made.content,
                made.ciphertext,
                made.size_bytes,
                bytes.fromhex(sealed.salt),
            ),
            f"{desk.name} opened its model for task {self._task}",
        )

    def _is_uploaded(self, now: Moment, kept: KeptModel) -> bool:
        name = ("upload", kept.ciphertext)
        return self._desk.jobs.poll(name, now.head.number, lambda: self._upload(kept)) is not None

    async def _upload(self, kept: KeptModel) -> bytes:
        """Raises SdkError, FileNotFoundError."""
        ciphertext = seal_model(self._desk.state.read_model(kept), bytes.fromhex(kept.key))
        return await self._desk.client.put_blob(ciphertext, self._desk.key)

    def _announce(self, now: Moment, seal: Hash, blob: tuple[bytes, int] | None) -> None:
        """Tell other nodes of the seal, or of the blob behind it: once, and only if they listen."""
        desk, day = self._desk, now.day
        desk.jobs.poll(
            ("announce", seal, blob is not None),
            now.head.number,
            lambda: announce_submission(desk.client, desk.key, self._task, day, seal, blob),
        )

    def _seal(self, sealed: SealedModel, kept: KeptModel) -> Hash:
        return seal_submission(
            self._desk.client.genesis,
            self._task,
            Account(self._desk.key.account),
            kept.submitted,
            bytes.fromhex(sealed.salt),
        )

    async def _seals(self, now: Moment) -> dict[Hash, bool]:
        """Today's seals on the chain, and whether each is open."""
        place = (self._task, Account(self._desk.key.account))
        found = await now.view.find(Arena.seals, place)
        if found is None or found.day != now.day:
            return {}
        return {known.seal: known.is_revealed for known in found.seals}
