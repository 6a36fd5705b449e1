"""One day of a verified arena task at a given size, up to the blocks that draw and settle.

Participants call the runtime's pallets, with the mainnet preset, in blocks that are not measured;
only the blocks in which something happens exist. The measured ones are whole: inherent, hooks,
events, state root.

Source: WP Fig. 3 (a task's day); performance target T16.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from flockchain.collector import quiet_collector
from flockchain.storage.kv import KeyValueStore, WriteBatch
from flockchain.storage.state import StateStore
from flockchain.storage.trie_codec import EMPTY_ROOT
from runtime.api import BlockExecution, inherent_extrinsics
from runtime.constants import MAINNET
from runtime.economy.tasks import Hardware, Metric, Role, SealedDataset, TaskTerms
from runtime.frame.externalities import Externalities
from runtime.frame.origin import signed
from runtime.genesis import GenesisConfig, GenesisTask, build_genesis
from runtime.pallets.arena.records import Account, GivenScore, Score, SubmittedModel
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.babe import EpochAuthority
from runtime.primitives.babe_digest import Authority, instant_log
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from runtime.runtime import Runtime

CALENDAR: Final = MAINNET.calendar
DAY: Final = 1
TASK: Final = 0
_NODE_STAKE: Final = MAINNET.node_stake
_DELEGATED: Final = 10 * FML
_SHARE: Final = Rational(1, 2)
_SALT: Final = bytes(32)
_SEALING_KEY: Final = (9).to_bytes(32, "little")  # nothing is sealed here: scores are given


@dataclass(frozen=True, slots=True)
class Size:
    """How many take part. The delegators back the nodes that will be ranked: all are paid."""

    nodes: int = 1_000
    validators: int = 200
    delegators: int = 10_000

    def validator_stake(self) -> int:
        """What gives every validator the quota for its part of the seats, and half as much more."""
        quota = 3 * self.nodes * MAINNET.seats // (2 * self.validators) + 1
        return MAINNET.validator_stake * max(1, quota * quota // MAINNET.quota_base**2 + 1)


@dataclass(frozen=True, slots=True)
class MeasuredBlock:
    """What a block took: executed, and its state root computed, in seconds."""

    execution_s: float
    trie_s: float

    @property
    def total_s(self) -> float:
        """Both."""
        return self.execution_s + self.trie_s


@dataclass
class ArenaDay:
    """A chain over a store; `run_jobs` measures block by block until the arena is done."""

    size: Size
    store: KeyValueStore
    _height: int = field(init=False, default=0)  # of the store: numbers of blocks jump
    _root: bytes = field(init=False, default=EMPTY_ROOT)
    _last: Hash = field(init=False, default=ZERO_HASH)

    def __post_init__(self) -> None:
        size = self.size
        self.nodes = [_account("node", index) for index in range(size.nodes)]
        self.validators = [_account("validator", index) for index in range(size.validators)]
        self.delegators = [_account("delegator", index) for index in range(size.delegators)]
        self._state = StateStore(self.store)
        self._commit(dict(self._genesis_state()))
        self.genesis = self._last

    # -- what participants do

    def prepare(self) -> None:
        """Join on the eve; submit on the day, until the seats are drawn."""
        first = CALENDAR.first_block(DAY)
        with self._block(1) as runtime:
            self._join(runtime)
        with self._block(first) as runtime:
            self._run_hooks(runtime, first)
        with self._block(first + 1) as runtime:
            for index, who in enumerate(self.nodes):
                model = _submitted(index)
                seal = seal_submission(self.genesis, TASK, Account(who), model, _SALT)
                runtime.arena.commit_submission(signed(who), TASK, seal)
        with self._block(first + CALENDAR.submit_end) as runtime:
            for index, who in enumerate(self.nodes):
                made = _submitted(index)
                runtime.arena.reveal_submission(
                    signed(who), TASK, made.content, made.ciphertext, made.size_bytes, _SALT
                )
            for number in range(first + CALENDAR.submit_end, first + CALENDAR.reveal_end):
                runtime.system.initialize(number, _hash_of(number), Digest([]))
                runtime.arena.on_initialize(number)

    def score(self) -> None:
        """Every drawn validator seals and opens its sheet."""
        first = CALENDAR.first_block(DAY)
        sheets: dict[AccountId, list[GivenScore]] = {}
        with self._block(first + CALENDAR.commit_end - 1) as runtime:
            for index, who in enumerate(self.validators):
                sheet = sheets[who] = [
                    GivenScore(number, Score(_score(number, index)))
                    for number in sorted(
                        todo.submission for todo in runtime.arena.views.to_score(TASK, DAY, who)
                    )
                ]
                if sheet:
                    seal = seal_scores(self.genesis, TASK, DAY, who, sheet, _SALT)
                    runtime.arena.commit_scores(signed(who), TASK, seal)
        with self._block(first + CALENDAR.commit_end) as runtime:
            for who, sheet in sheets.items():
                if sheet:
                    runtime.arena.reveal_scores(signed(who), TASK, sheet, _SALT)

    def _join(self, runtime: Runtime) -> None:
        stakes = (
            *((who, Role.TRAINING_NODE, _NODE_STAKE) for who in self.nodes),
            *((who, Role.TASK_VALIDATOR, self.size.validator_stake()) for who in self.validators),
        )
        for who, role, stake in stakes:
            runtime.tasks.register(signed(who), TASK, role, stake, _SHARE, Hardware())
            if role is Role.TASK_VALIDATOR:
                runtime.arena.set_sealing_key(signed(who), _SEALING_KEY)
        ranked = self.nodes[: MAINNET.arena.vesting.ranked_max]
        for index, who in enumerate(self.delegators):
            operator = ranked[index % len(ranked)]
            runtime.delegation.delegate(signed(who), TASK, operator, _DELEGATED)

    # -- blocks

    def run_jobs(self, position: int) -> list[MeasuredBlock]:
        """Empty blocks from this one of the day on, as long as the arena's work takes."""
        with quiet_collector():  # as a node runs
            return list(self._run(position))

    def _run(self, position: int) -> Iterator[MeasuredBlock]:
        number = CALENDAR.first_block(DAY) + position
        while True:
            start = time.perf_counter()
            parent = self._state.reader(self._root)
            block = BlockExecution(parent, self._last, number, [instant_log(0)])
            for data in inherent_extrinsics(number * MAINNET.slot_ms):
                block.apply(data)
            changes = block.finish().changes
            middle = time.perf_counter()
            self._state.compute_root(self._root, changes)
            yield MeasuredBlock(middle - start, time.perf_counter() - middle)
            self._commit(changes)
            arena = self.runtime().arena
            if arena.cursor.find() is None and not arena.jobs.get():
                return
            number += 1

    def runtime(self) -> Runtime:
        """The pallets over the last state."""
        return Runtime(Externalities(self._state.reader(self._root)), MAINNET)

    @contextmanager
    def _block(self, number: int) -> Iterator[Runtime]:
        """The pallets in a block that is not measured; what they write is kept at its end."""
        ext = Externalities(self._state.reader(self._root))
        runtime = Runtime(ext, MAINNET)
        runtime.system.initialize(number, self._last, Digest([]))
        yield runtime
        self._commit(ext.changes())

    @staticmethod
    def _run_hooks(runtime: Runtime, number: int) -> None:
        for pallet in (runtime.tasks, runtime.delegation, runtime.emission, runtime.arena):
            pallet.on_initialize(number)

    def _commit(self, changes: dict[bytes, bytes | None]) -> None:
        batch, block = WriteBatch(), _hash_of(self._height)
        self._root = self._state.commit(self._root, changes, block, self._last, self._height, batch)
        self._state.canonicalize(block, batch)
        self.store.write(batch)
        self._height, self._last = self._height + 1, block

    def _genesis_state(self) -> dict[bytes, bytes]:
        creator = _account("creator", 0)
        deposit = 100 * FML  # above what is staked: fees, and the account exists
        balances = {
            creator: MAINNET.creator_stake + deposit,
            **dict.fromkeys(self.nodes, _NODE_STAKE + deposit),
            **dict.fromkeys(self.validators, self.size.validator_stake() + deposit),
            **dict.fromkeys(self.delegators, _DELEGATED + deposit),
        }
        return build_genesis(
            GenesisConfig(
                "mainnet",
                balances,
                [EpochAuthority(creator, 1, creator)],
                [Authority(creator, 1)],
                tasks=[GenesisTask(creator, _terms(), DAY)],
            )
        )


def _terms() -> TaskTerms:
    return TaskTerms(
        name="bench",
        spec=_content(0),
        metric=Metric.ACCURACY,
        baseline=100_000_000,
        days=3,
        validation_a=_content(0),
        validation_b=SealedDataset(_content(0), _content(0), _content(0)),
        training=[],
        parents=[],
        seats=MAINNET.seats,
        final_seats=MAINNET.final_seats,
    )


def _account(kind: str, index: int) -> AccountId:
    return AccountId(blake2b_256(f"{kind} {index}".encode()))


def _content(index: int) -> Hash:
    return blake2b_256(f"model {index}".encode())


def _submitted(index: int) -> SubmittedModel:
    return SubmittedModel(_content(index), _content(index), 1_000)


def _hash_of(number: int) -> Hash:
    return blake2b_256(number.to_bytes(8, "little"))


def _score(submission: int, validator: int) -> int:
    """The earlier the better, and all above the baseline; validators differ by less than ranks."""
    return 900_000_000 - submission * 700_000 + validator * 10_007 % 500_000
