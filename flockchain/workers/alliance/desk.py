"""What a participant's duty works with: node, key, memory, private rows, ways to get work done.

Invariant: the VRF key of a task and the sealing key follow from the account's secret and the chain,
so that a restarted worker needs no file for them.

Source: WP VI.B (participants), WP VI.H (VRF).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flockchain.keys import KeyPair
from flockchain.sdk import Client
from flockchain.workers.actions import Actions
from flockchain.workers.alliance.chain_string import ChainString
from flockchain.workers.alliance.computing import Surroundings
from flockchain.workers.alliance.keys import vrf_seed_of
from flockchain.workers.alliance.memory import AllianceMemory
from flockchain.workers.blob_cache import BlobCache
from flockchain.workers.desk import SPEC_BYTES_MAX
from flockchain.workers.jobs import Jobs
from flockchain.workers.model_seal import sealing_key
from flockchain.workers.moment import Moment
from flockchain.workers.opened_models import OpenedModels
from flockchain.workers.training import TrainingPool
from ml.attacks.sums import SumCheat
from ml.flower import FlowerCode
from runtime.economy.tasks import ContentDigest
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.fl_alliance.views import AllianceInfo
from runtime.primitives.types import AccountId

if TYPE_CHECKING:
    from ml.round_work import Judged

log = logging.getLogger(__name__)

MODEL_BYTES_MAX: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class AllianceDesk:
    """One key's place in the worker. `data`: its private rows; `attack`: how it cheats, if it does.

    `friends`: the accounts of the same worker that cheat together. `flower`: its own training code.
    `cheat`: how it cheats where an aggregator sums. `string`: the chain's reference string.
    """

    client: Client
    key: KeyPair
    memory: AllianceMemory
    jobs: Jobs
    actions: Actions
    blobs: BlobCache
    opened: OpenedModels
    training: TrainingPool
    string: ChainString
    data: bytes
    device: str
    attack: str | None = None
    friends: frozenset[AccountId] = frozenset()
    flower: FlowerCode | None = None
    cheat: SumCheat | None = None

    @property
    def name(self) -> str:
        """How the key is called in logs."""
        return self.key.address()[:8]

    @property
    def account(self) -> AccountId:
        """The participant."""
        return self.key.account

    def vrf_seed(self, task: int) -> bytes:
        """The secret of its VRF key in a task."""
        return vrf_seed_of(self.key, self.client.genesis, task)

    def act(self, now: Moment, name: tuple[object, ...], call: bytes, text: str) -> None:
        """Submit a call unless it is on its way; `name` tells it from the account's others."""
        text = f"{self.name} {text}"
        self.actions.act((*name, self.account), now.head.number, self.key, call, text)

    def get_ready(self, now: Moment) -> None:
        """Have the training process loaded before there is a window to be missed."""
        self.jobs.poll(("libraries",), now.head.number, self.training.load)

    # -- keys for others

    async def has_sealing_key(self, now: Moment) -> bool:
        """Whether others can seal to this account. Raises SdkError."""
        known = await now.view.find(Arena.sealing_keys, self.account)
        return known is not None and known.key == self._public_sealing_key()

    def publish_sealing_key(self, now: Moment) -> None:
        """Let them."""
        call = encode_call(Arena.set_sealing_key, self._public_sealing_key())
        self.act(now, ("sealing key",), call, "published its sealing key")

    def _public_sealing_key(self) -> bytes:
        return sealing_key(self.key, self.client.genesis).public_key.encode()

    # -- what the task names

    async def around(self, info: AllianceInfo) -> Surroundings:
        """What requests to the training process need. Raises SdkError."""
        terms = info.record.terms
        spec = await self.blobs.get(terms.spec, SPEC_BYTES_MAX)
        return Surroundings(spec, terms.fraction_bits, self.data, self.device)

    async def model(self, content: ContentDigest) -> bytes:
        """A global model: one that was made here, else from the node. Raises SdkError."""
        known = self.memory.find_blob(content)
        return known if known is not None else await self.blobs.get(content, MODEL_BYTES_MAX)

    def note_judged(self, task: int, round_: int, judged: Judged, previous: bytes) -> None:
        """Remember what may become the model, and the best so far. `previous`: the file of the
        model before."""
        if not self.memory.of_task(task).best or judged.previous >= judged.best:
            self.memory.put_best(task, previous)
        self.memory.put_made(task, judged.aggregate)
        log.info(
            "%s judged round %d of task %d: %.4f after %.4f, its best is %.4f",
            *(self.name, round_, task),
            *(each / 10**9 for each in (judged.score, judged.previous, judged.best)),
        )
