"""The participant's worker: follow the best block, let every key do its duty in its tasks, repeat.

Each key has rows of its own, which stay in this process and the training process that it starts.
Owns that process, the state files and the jobs of its keys. Invariant: an error in one duty stops
no other; only tasks that were named are joined, since joining stakes tokens.

Source: WP VI.B (participants), WP II.B (roles as programs).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flockchain.keys import KeyPair
from flockchain.sdk import Client, Head, SdkError
from flockchain.workers.actions import Actions
from flockchain.workers.alliance.chain_string import ChainString
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.duty import AllianceDuty
from flockchain.workers.alliance.memory import AllianceMemory
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.head_loop import TICK_GAP_S, HeadLoop
from flockchain.workers.jobs import Jobs
from flockchain.workers.moment import Moment
from flockchain.workers.opened_models import OpenedModels
from flockchain.workers.training import TrainingPool
from ml.attacks.sums import SumCheat
from ml.flower import FlowerCode
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Participant:
    """A key and its private rows, a canonical data set. `attack`: how it cheats, if it does;
    `flower`: the code that trains, if not the task's own; `cheat`: how it cheats where an
    aggregator sums."""

    key: KeyPair
    data: bytes
    attack: str | None = None
    flower: FlowerCode | None = None
    cheat: SumCheat | None = None


class FlClient:
    """Runs the duties of its participants. Use it as `async with`, or call `close`."""

    def __init__(
        self,
        client: Client,
        participants: Sequence[Participant],
        state_directory: Path,
        tasks: Sequence[int],
        *,
        device: str = "auto",
        tick_gap_s: float = TICK_GAP_S,
    ) -> None:
        """Raises StateFileError."""
        self._client = client
        self._loop = HeadLoop(client, self._tick, tick_gap_s)
        self._jobs = Jobs(self._loop.wake)
        self._actions = Actions(client, self._loop.wake)
        self._training = TrainingPool()
        self._memories: list[AllianceMemory] = []
        self._duties: list[tuple[AllianceDesk, int, AllianceDuty]] = []
        cheats = frozenset(each.key.account for each in participants if each.attack is not None)
        blobs, opened = BlobCache(client), OpenedModels()
        string = ChainString(client, state_directory)
        try:
            for each in participants:
                memory = AllianceMemory(state_directory, client.genesis, each.key.account)
                self._memories.append(memory)
                desk = AllianceDesk(
                    client,
                    each.key,
                    memory,
                    self._jobs,
                    self._actions,
                    blobs,
                    opened,
                    self._training,
                    string,
                    each.data,
                    device,
                    each.attack,
                    cheats if each.attack is not None else frozenset(),
                    each.flower,
                    each.cheat,
                )
                self._duties += [(desk, task, AllianceDuty(desk, task)) for task in tasks]
        except BaseException:
            self._close_memories()
            raise

    async def run(self) -> None:
        """Work until cancelled. Raises WrongChain, RpcFailed if the node cannot be followed."""
        await self._loop.run()

    async def settled(self, block: Hash) -> None:
        """Wait until all that this best block calls for is done, or in the node's pool."""
        await self._loop.settled(block)

    async def close(self) -> None:
        """End jobs and processes, release the state files."""
        await self._jobs.close()
        await self._actions.close()
        await self._training.close()
        self._close_memories()

    async def __aenter__(self) -> FlClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _tick(self, head: Head) -> None:
        view = self._client.gathered_at(head.hash)
        now = Moment(head, view, self._client.preset.calendar)
        await asyncio.gather(
            *(self._step(desk, task, duty, now) for desk, task, duty in self._duties)
        )
        if not (self._loop.has_changed or self._jobs.running or self._actions.entering):
            await self._loop.settle(head.hash)

    async def _step(self, desk: AllianceDesk, task: int, duty: AllianceDuty, now: Moment) -> None:
        try:
            await duty.step(now)
        except SdkError as error:
            log.warning("%s, task %d: %s", desk.name, task, error)
        except Exception:
            log.exception("%s, task %d: a duty failed", desk.name, task)

    def _close_memories(self) -> None:
        for memory in self._memories:
            memory.close()
        self._memories.clear()
