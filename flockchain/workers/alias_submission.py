"""A submission under a one-time key: what it sends, to which node, and when.

Everything goes over the alias's own line and names no account: commitment, opening, ciphertext and
the boxes for drawn validators. What the alias has done is read from the chain over the same line,
so that the account's node hears nothing of it. Invariant: the state file knows alias, salt and
entropy before anything is sent, so a restarted worker sends the same bytes again.

Source: WP V.B (blind validation), WP V.E (submissions), Table I (free riders).
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.keys import KeyPair, key_pair_from_seed
from flockchain.sdk import Client, StateView
from flockchain.workers.desk import Desk
from flockchain.workers.key_sharing import seal_to
from flockchain.workers.model_seal import seal_model
from flockchain.workers.moment import Moment
from flockchain.workers.ring_key import ring_secret
from flockchain.workers.state_file import KeptModel, SealedAlias
from runtime.arena_api import ArenaApi
from runtime.economy.tasks import Task
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_messages import alias_base, alias_message, shared_keys_message
from runtime.pallets.arena.key_records import SHARED_KEYS_MAX
from runtime.pallets.arena.records import Alias, DayKey, SubmissionSeal
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.ring_signature import sign_ring, tag_of

log = logging.getLogger(__name__)

_DAYS: Final = (0, 1)  # today's alias; yesterday's is scored again on the final day


class AliasSubmission:
    """One key's aliases in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._busy: set[int] = set()  # days whose errand is under way
        self._errands: dict[int, object] = {}  # the name of each day's last one

    async def step(self, now: Moment, task: Task) -> None:
        """Send what this block calls for."""
        for ago in _DAYS:
            day = now.day - ago
            sealed = self._desk.state.find_alias(self._task, day)
            if sealed is None:
                continue
            if ago and now.day != task.final_day():
                await self._desk.lines.end(_key_of(sealed).public)
            else:
                self._send_out(now, day, sealed)

    def _send_out(self, now: Moment, day: int, sealed: SealedAlias) -> None:
        """Once a block, and one errand of an alias at a time."""
        calendar = now.calendar
        is_due = now.position >= sealed.send_at and now.position < calendar.commit_end
        is_new = day == now.day or now.position >= calendar.reveal_end
        kept = self._desk.state.find_kept(self._task, bytes.fromhex(sealed.content))
        if kept is None or not is_due or not is_new or day in self._busy:
            return
        jobs, name = self._desk.jobs, ("alias", _key_of(sealed).public, now.head.number)
        last = self._errands.get(day)
        if last != name:
            jobs.forget(last)
            self._errands[day] = name
        jobs.poll(name, now.head.number, lambda: self._errand(now, day, sealed, kept))

    async def _errand(self, now: Moment, day: int, sealed: SealedAlias, kept: KeptModel) -> bool:
        """Raises SdkError, FileNotFoundError."""
        self._busy.add(day)
        try:
            alias, calendar = _key_of(sealed), now.calendar
            head = await self._desk.lines.caught_up(alias.public, now.head.number)
            client = await self._desk.lines.client(alias.public)
            view = client.at(head.hash)
            found = await view.find(Arena.aliases, (DayKey(self._task, day), alias.public))
            if now.is_in(0, calendar.submit_end):
                if found is None:
                    await self._commit(now, client, sealed, kept)
            elif found is None:
                self._lose(now, sealed)
            elif not found.is_revealed:
                if now.is_in(calendar.submit_end, calendar.reveal_end):
                    await self._reveal(client, sealed, kept)
            else:
                if now.is_in(calendar.reveal_end, calendar.commit_end):
                    await self._share(now, client, view, found, sealed, kept)
                self._upload(now, client, alias, kept)
        finally:
            self._busy.discard(day)
        return True

    # -- steps

    async def _commit(
        self, now: Moment, client: Client, sealed: SealedAlias, kept: KeptModel
    ) -> None:
        """Seal the model in the ring in which the key is today. Raises SdkError."""
        desk, day = self._desk, now.day
        places = await now.view.ask(ArenaApi.ring_places, self._task, day, desk.key.account)
        place = next((each for each in places if each.index == sealed.index), None)
        if place is None:
            return  # a fork dealt other rings; the next block may again have ours
        ring = await now.view.ask(ArenaApi.ring_of, self._task, day, place.index, place.ring)
        genesis, alias = desk.client.genesis, _key_of(sealed).public
        seal = seal_submission(
            genesis, self._task, Alias(alias), kept.submitted, bytes.fromhex(sealed.salt)
        )
        secret = ring_secret(desk.key, genesis)
        base = alias_base(genesis, self._task, day, place.index)
        message = alias_message(genesis, self._task, day, place.index, alias, seal)
        signature = sign_ring(secret, ring, base, message, bytes.fromhex(sealed.entropy))
        at = self._task, day, place.index, place.ring
        await client.submit_unsigned(
            encode_call(Arena.commit_alias, *at, alias, seal, tag_of(secret, base), signature)
        )
        log.info(
            "%s sealed a model for task %d under an alias, as one of %d nodes",
            desk.name,
            self._task,
            place.size,
        )

    async def _reveal(self, client: Client, sealed: SealedAlias, kept: KeptModel) -> None:
        """Open what is sealed; the ciphertext may be uploaded once this is on the chain."""
        made = kept.submitted
        await client.submit_unsigned(
            encode_call(
                Arena.reveal_alias,
                self._task,
                _key_of(sealed).public,
                made.content,
                made.ciphertext,
                made.size_bytes,
                bytes.fromhex(sealed.salt),
            )
        )
        log.info("%s opened the model of an alias for task %d", self._desk.name, self._task)

    async def _share(
        self,
        now: Moment,
        client: Client,
        view: StateView,
        found: SubmissionSeal,
        sealed: SealedAlias,
        kept: KeptModel,
    ) -> None:
        """Give each drawn validator what it lacks, signed by the alias. Raises SdkError."""
        number = found.submission
        drawn = await view.ask(ArenaApi.validators_of, self._task, now.day, number)
        lacking = [each for each in drawn if not each.has_key]
        boxes = seal_to(lacking[:SHARED_KEYS_MAX], bytes.fromhex(kept.key))
        if not boxes:
            return
        message = shared_keys_message(client.genesis, self._task, now.day, number, boxes)
        signature = _key_of(sealed).sign(message)
        await client.submit_unsigned(
            encode_call(Arena.share_keys_of_alias, self._task, number, boxes, signature)
        )
        log.info(
            "%s gave %d validators the key of an alias's model in task %d",
            self._desk.name,
            len(boxes),
            self._task,
        )

    def _upload(self, now: Moment, client: Client, alias: KeyPair, kept: KeptModel) -> None:
        """Beside the errands: boxes must not wait for a slow line."""
        self._desk.jobs.poll(
            ("upload", kept.ciphertext, alias.public),
            now.head.number,
            lambda: self._put(client, alias, kept),
        )

    async def _put(self, client: Client, alias: KeyPair, kept: KeptModel) -> bytes:
        """Raises SdkError, FileNotFoundError."""
        ciphertext = seal_model(self._desk.state.read_model(kept), bytes.fromhex(kept.key))
        return await client.put_blob(ciphertext, alias, task=self._task)

    def _lose(self, now: Moment, sealed: SealedAlias) -> None:
        if now.position == now.calendar.submit_end:
            log.warning(
                "%s: an alias of it for task %d came into no block: nothing is submitted today",
                self._desk.name,
                self._task,
            )


def _key_of(sealed: SealedAlias) -> KeyPair:
    """The alias itself."""
    return key_pair_from_seed(bytes.fromhex(sealed.secret), "ed25519")
