"""What all duties of a worker share: the node, a key, its memory, and ways to get work done.

Source: WP II.B (roles).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from flockchain.keys import KeyPair
from flockchain.sdk import Client
from flockchain.workers.actions import Actions
from flockchain.workers.alias_lines import AliasLines
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.evaluating import Bench
from flockchain.workers.jobs import Jobs
from flockchain.workers.model_seal import sealing_key
from flockchain.workers.moment import Moment
from flockchain.workers.opened_models import OpenedModels
from flockchain.workers.publishing import ensure_described
from flockchain.workers.state_file import WorkerState
from flockchain.workers.training import TrainingPool
from ml.tasks.spec import TaskSpec
from runtime.economy.tasks import Hardware, HardwareClass, Role, Task
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.delegation import Delegation
from runtime.pallets.delegation.records import Operator
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational

SPEC_BYTES_MAX: Final = 64 * 1024
DATASET_BYTES_MAX: Final = 1 << 30
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Desk:
    """One key's place in the worker."""

    client: Client
    key: KeyPair
    state: WorkerState
    jobs: Jobs
    actions: Actions
    blobs: BlobCache
    opened: OpenedModels
    bench: Bench
    training: TrainingPool
    device: str
    stake: int | None  # planck; None for the role's minimum
    share: Rational  # what delegators get of their pro-rata part
    is_blind: bool  # submits under aliases
    lines: AliasLines
    random: Random  # of the operating system, but for tests

    @property
    def name(self) -> str:
        """How the key is called in logs."""
        return self.key.address()[:8]

    async def spec_of(self, task: Task) -> bytes:
        """The task's specification. Raises SdkError."""
        return await self.blobs.get(task.terms.spec, SPEC_BYTES_MAX)

    async def dataset(self, digest: bytes) -> bytes:
        """A data set. Raises SdkError."""
        return await self.blobs.get(digest, DATASET_BYTES_MAX)

    async def registration(
        self, now: Moment, number: int, task: Task, role: Role
    ) -> Operator | None:
        """The key's part in a task; registers it if it has none and there is time left.

        None while it is not registered, or has another role. Raises SdkError.
        """
        operator = await now.view.find(Delegation.operators, (number, self.key.account))
        if operator is not None:
            return operator if operator.role is role else None
        if now.day < task.final_day() and self._is_sound(now, number, task):
            stake = self.stake if self.stake is not None else self._minimum(role)
            call = encode_call(Tasks.register, number, role, stake, self.share, self._hardware())
            self.actions.act(
                ("register", self.key.account, number),
                now.head.number,
                self.key,
                call,
                f"{self.name} registered in task {number}",
            )
        return None

    def _is_sound(self, now: Moment, number: int, task: Task) -> bool:
        """Whether the specification is known and is what the terms say: before there is a stake."""
        checked = self.jobs.poll(("check", number), now.head.number, lambda: self._check(task))
        return checked is not None

    async def _check(self, task: Task) -> bool:
        """Raises SdkError, TaskSpecError, PublishingError."""
        ensure_described(TaskSpec.parse(await self.spec_of(task)), task.terms)
        return True

    async def has_sealing_key(self, now: Moment) -> bool:
        """Whether the chain knows the key to which owners can seal for this account.

        Without one a validator is not drawn. Raises SdkError.
        """
        known = await now.view.find(Arena.sealing_keys, self.key.account)
        return known is not None and known.key == self._public_sealing_key()

    def publish_sealing_key(self, now: Moment) -> None:
        """Tell the chain of it."""
        self.actions.act(
            ("sealing key", self.key.account),
            now.head.number,
            self.key,
            encode_call(Arena.set_sealing_key, self._public_sealing_key()),
            f"{self.name} published its sealing key",
        )

    def _public_sealing_key(self) -> bytes:
        return sealing_key(self.key, self.client.genesis).public_key.encode()

    def _minimum(self, role: Role) -> int:
        preset = self.client.preset
        return preset.node_stake if role is Role.TRAINING_NODE else preset.validator_stake

    def _hardware(self) -> Hardware:
        """What this machine offers; memory in whole GiB."""
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        kind = HardwareClass.GPU if self.device == "cuda" else HardwareClass.CPU
        return Hardware(kind, min(max(total // _GIB, 1), 2**16 - 1))


class Duty(Protocol):
    """What one key does in one task, asked anew on every block."""

    async def step(self, now: Moment, task: Task) -> None:
        """Do what can be done on top of this block. Quick: long work is a job. Raises SdkError."""
