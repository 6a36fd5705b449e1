"""The DAO's chapter: a proposal changes q, and the settlement of the next day shows it.

Plays beside the FL Alliance's chapter, so that it takes no time of its own: a proposal needs 35
blocks from debate to enactment. A task of two nodes is settled under the old q and under the new.
Source: WP VII; WP V.E (Reward A by rank, q).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.cli.gov_rules import changed_rules
from flockchain.devnet.blocks import events_of
from flockchain.devnet.checks import ensure
from flockchain.devnet.dao import task as example
from flockchain.devnet.dao.cast import DEBATE, LOCKED, LOCKER, NODES, RULE, SPONSOR, WANTED
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.together import beside
from flockchain.sdk.amounts import format_amount
from flockchain.sdk.client import Client
from flockchain.sdk.errors import CallFailed
from runtime.economy.governance import Track
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.events import DaySettled, Paid
from runtime.pallets.arena.records import DayKey
from runtime.pallets.governance import Governance, events
from runtime.pallets.governance.records import Stage
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational

LISTENING_NODE: Final = 1
BLOCKS_MAX: Final = 200  # a chapter that takes longer has failed


class DaoChapter:
    """Tells the chapter. `run` raises DevnetError, SdkError if a step fails."""

    def __init__(self, devnet: Devnet, say: Callable[[str], None]) -> None:
        self._devnet, self._say = devnet, say
        self._paid: dict[int, dict[bytes, int]] = {}
        self._settled: list[int] = []
        self._stage: Stage | None = None

    async def run(self) -> None:
        """The whole chapter."""
        self._say("\nChapter: the DAO changes q")
        async with await Client.connect(self._devnet.url(LISTENING_NODE)) as client:
            await client.submit(encode_call(Governance.lock, LOCKED, 30), LOCKER)
            task = await example.create(client)
            number = await self._propose(client)
            following = self._follow(client, task, number)
            old, new = await beside(following, self._act(client, task, number))
            self._tell(old, new)

    async def _propose(self, client: Client) -> int:
        before = await client.query(Tasks.parameters)
        content = await client.put_blob(DEBATE, SPONSOR)
        call = encode_call(Tasks.set_parameters, changed_rules(before, [RULE]))
        made = encode_call(
            Governance.propose, Track.PARAMETERS, content, RUNTIME_CALL.decode_all(call)
        )
        told = (await client.submit(made, SPONSOR)).find(events.Proposed)
        if told is None:
            raise DevnetError("the chain took the proposal and tells of none")
        self._say(f"  dao: proposal {told.proposal}, {RULE}, was {before.vesting.rank_ratio}")
        return told.proposal

    # -- what people do

    async def _act(self, client: Client, task: int, number: int) -> None:
        """Submit, score and vote when it is time."""
        calendar = client.preset.calendar
        windows: tuple[tuple[int, int, str], ...] = (
            (0, calendar.submit_end, "submit"),
            (calendar.submit_end, calendar.reveal_end, "reveal"),
            (calendar.reveal_end, calendar.commit_end, "seal"),
            (calendar.commit_end, calendar.score_reveal_end, "open"),
        )
        done: set[tuple[int, str]] = set()
        start = (await client.query(Tasks.tasks, task)).start_day
        has_voted = False
        async for head in client.best_heads(latest_only=True):
            if self._stage is Stage.VOTING and not has_voted:
                has_voted = True
                await client.submit(encode_call(Governance.vote, number, True), LOCKER)
                self._say(f"  dao: //Bob votes aye with {format_amount(LOCKED)}")
            coming = head.number + 1  # the block that takes what is sent now
            day, place = calendar.day_of(coming), calendar.position_of(coming)
            for opens, closes, what in windows:
                if day >= start and opens <= place < closes and (day, what) not in done:
                    done.add((day, what))
                    await self._step(client, task, day, what)

    async def _step(self, client: Client, task: int, day: int, what: str) -> None:
        """One thing that a window is for; where the chain is slow, the next day has it again."""
        has_models = await client.find(Arena.standing, (task, NODES[-1].account)) is not None
        try:
            if not has_models and what == "submit":
                await example.submit(client, task)
            elif not has_models and what == "reveal":
                await example.reveal(client, task)
            elif has_models and what == "seal":
                await example.seal_sheets(client, task, day)
            elif has_models and what == "open":
                await example.open_sheets(client, task)
        except CallFailed as error:
            self._say(f"  dao: too late to {what} on day {day}: {error}")

    # -- what the chain does

    async def _follow(
        self, client: Client, task: int, number: int
    ) -> tuple[tuple[int, Rational], tuple[int, Rational]]:
        """The last day under the old q and the first under the new one, settled."""
        told = last = (await client.chain.finalized()).number
        before: tuple[int, Rational] | None = None
        async for head in client.finalized_heads():
            for place in range(told + 1, head.number + 1):
                await self._note(client, task, number, place)
            told = max(told, head.number)
            self._devnet.ensure_alive()
            while self._settled:
                day = self._settled.pop(0)
                result = await client.query(Arena.day_results, DayKey(task, day))
                ratio = result.parameters.vesting.rank_ratio
                if ratio == WANTED and before is not None:
                    return before, (day, ratio)
                if ratio != WANTED and len(self._paid.get(day, {})) > len(NODES):
                    before = (day, ratio)
            if told > last + BLOCKS_MAX:
                raise DevnetError(f"q has not changed within {BLOCKS_MAX} blocks")
        raise DevnetError("the node sends no more blocks")

    async def _note(self, client: Client, task: int, number: int, place: int) -> None:
        _, records = await events_of(client, place)
        for record in records:
            event = record.event
            if isinstance(event, Paid) and event.task == task:
                day = self._paid.setdefault(event.day, {})
                day[event.who] = day.get(event.who, 0) + event.amount
            elif isinstance(event, DaySettled) and event.task == task:
                self._settled.append(event.day)
            elif isinstance(event, events.StageBegun) and event.proposal == number:
                self._stage = event.stage
                self._say(f"  dao: {event.stage.name.lower()} until block {event.until}")
            elif isinstance(event, events.Ended) and event.proposal == number:
                ensure(event.stage is Stage.ENACTED, f"the proposal ended as {event.stage.name}")
                self._say(f"  dao: enacted in block {place}")

    def _tell(self, old: tuple[int, Rational], new: tuple[int, Rational]) -> None:
        """The two days beside each other; the same scores must pay the second more than before."""
        parts = []
        for day, ratio in (old, new):
            first, second = (self._paid[day].get(node.account, 0) for node in NODES)
            self._say(
                f"  dao: day {day}, q = {ratio}: {format_amount(first)} for the first, "
                f"{format_amount(second)} for the second"
            )
            ensure(first > second > 0, f"day {day} pays {first} and {second} planck")
            parts.append((first, second))
        (first, second), (first_now, second_now) = parts
        ensure(
            second_now * first > second * first_now,
            "the second node gets no larger a part under the new q",
        )
        self._say("  dao: q was changed by a vote, and the next settlement shows it")
