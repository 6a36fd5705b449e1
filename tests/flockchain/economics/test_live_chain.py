"""`live_day` over a real node whose blocks hold signed extrinsics: the node then pays just that."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from flockchain.economics.evaluate import evaluate
from flockchain.economics.live_rules import RULE_PATHS
from flockchain.economics.live_state import LiveState, check_root, fetch_keys, fetch_state
from flockchain.economics.played_chain import SEALING_KEY
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.sdk import Client
from runtime.economy.tasks import Hardware, Role
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.events import Paid
from runtime.pallets.arena.records import Account, GivenScore, Score
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.delegation import Delegation
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import FastChain, fast_chain
from tests.runtime.pallets.world import submitted, terms

CREATOR, NODE, FIRST, SECOND, FRIEND = (
    key_pair_from_uri(f"//{name}", "ed25519")
    for name in ("Creator", "Node", "First", "Second", "Friend")
)
SCORES = {FIRST.account: 900_000_000, SECOND.account: 905_000_000}
SALT = bytes(32)
DAY_BLOCKS = 20


class Fetched:
    """A chain's state as it was fetched."""

    def __init__(self, live: LiveState, rules: LiveState) -> None:
        self._live, self._rules = live, rules

    def rules(self) -> LiveState:
        return self._rules

    def state(self) -> LiveState:
        return self._live

    def on_block(self, done: int, total: int) -> None:
        assert done <= total


class Story:
    """What participants do on the node's chain."""

    def __init__(self, chain: FastChain, client: Client) -> None:
        self.chain, self.client = chain, client

    def go_to(self, day: int, position: int = 0) -> None:
        target = day * DAY_BLOCKS + position
        self.chain.seal(target - self.chain.backend.best.number - 1)

    async def do(self, key: KeyPair, call: bytes) -> None:
        await self.client.submit(call, key)

    async def begin(self) -> None:
        """Day 0: a task with a node and two validators. Day 1: the node's model."""
        made = terms(seats=0, final_seats=0, days=4)
        await self.do(CREATOR, encode_call(Tasks.create_task, made, 400 * FML))
        half, hardware = Rational(1, 2), Hardware(memory_gib=8)
        for key, role, stake in (
            (NODE, Role.TRAINING_NODE, 20 * FML),
            (FIRST, Role.TASK_VALIDATOR, 40 * FML),
            (SECOND, Role.TASK_VALIDATOR, 60 * FML),
        ):
            await self.do(key, encode_call(Tasks.register, 0, role, stake, half, hardware))
        self.go_to(1)
        for key in (FIRST, SECOND):
            await self.do(key, encode_call(Arena.set_sealing_key, SEALING_KEY))
        genesis, model = self.client.genesis, submitted("model")
        seal = seal_submission(genesis, 0, Account(NODE.account), model, SALT)
        await self.do(NODE, encode_call(Arena.commit_submission, 0, seal))
        self.go_to(1, 8)
        opened = (model.content, model.ciphertext, model.size_bytes, SALT)
        await self.do(NODE, encode_call(Arena.reveal_submission, 0, *opened))

    async def score(self, day: int) -> None:
        self.go_to(day, 11)
        sheets = {
            key.account: [GivenScore(0, Score(SCORES[key.account]))] for key in (FIRST, SECOND)
        }
        for key in (FIRST, SECOND):
            sheet = sheets[key.account]
            seal = seal_scores(self.client.genesis, 0, day, key.account, sheet, SALT)
            await self.do(key, encode_call(Arena.commit_scores, 0, seal))
        self.go_to(day, 14)
        for key in (FIRST, SECOND):
            await self.do(key, encode_call(Arena.reveal_scores, 0, sheets[key.account], SALT))

    async def fetch(self) -> Fetched:
        state = check_root(await fetch_state(self.client))
        return Fetched(state, await fetch_keys(self.client, RULE_PATHS))

    async def paid_on(self, day: int) -> dict[str, str]:
        """What the day paid by address, from the node's events."""
        sums: dict[str, int] = {}
        best = self.chain.backend.best.number
        for number in range(day * DAY_BLOCKS, best + 1):
            block = self.chain.backend.blocks.hash_at(number)
            assert block is not None
            for record in await self.client.events_at(block):
                if isinstance(record.event, Paid) and record.event.day == day:
                    name = encode_address(record.event.who)
                    sums[name] = sums.get(name, 0) + record.event.amount
        return {name: str(amount) for name, amount in sums.items()}


def test_a_node_pays_what_a_copy_of_its_state_foretold(tmp_path: Path) -> None:
    async def run() -> None:
        keys = [CREATOR, NODE, FIRST, SECOND, FRIEND]
        async with fast_chain(tmp_path, keys) as chain, await Client.connect(chain.url) as client:
            chain.seal_when_asked()
            story = Story(chain, client)
            await story.begin()
            await story.score(1)
            story.go_to(2, 3)
            source = await story.fetch()
            backing = {
                "operator": encode_address(NODE.account),
                "amount": str(30 * FML),
                "by": encode_address(FRIEND.account),
            }
            question = {"kind": "live_day", "task": 0, "delegate": [backing]}
            answer: Any = evaluate(question, [], source)
            assert answer["at"] == {
                "block": f"0x{chain.backend.finalized.hash.hex()}",
                "number": 2 * DAY_BLOCKS + 2,
                "proven": True,
            }
            call = encode_call(Delegation.delegate, 0, NODE.account, 30 * FML)
            await story.do(FRIEND, call)
            await story.score(2)
            await story.score(3)
            story.go_to(4, 2)
            paid = await story.paid_on(3)
            assert len(paid) == 4
            assert paid == {
                name: each["with"]
                for name, each in answer["payouts"].items()
                if each["with"] != "0"
            }

    asyncio.run(run())
