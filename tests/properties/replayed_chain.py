"""A chain of many random calls around whole arena tasks, made block by block by an author.

Authoring and importing use stores of their own; what the importer refuses fails the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.builder import Built
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.consensus.instant import InstantConsensus
from flockchain.keys import KeyPair, key_pair_from_seed
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from flockchain.storage.trie_build import ordered_root
from runtime.api import BlockExecution, inherent_extrinsics
from runtime.economy.tasks import Hardware, Role
from runtime.frame.call import installed_pallets
from runtime.frame.errors import TransactionValidityError
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.genesis import GenesisConfig, GenesisTask, build_genesis
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import Account, GivenScore, Score
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.delegation.pallet import Delegation
from runtime.pallets.tasks import Tasks
from runtime.primitives.babe_digest import Authority, instant_log
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Header
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.rational import Rational
from runtime.primitives.scale import codec_of
from runtime.primitives.types import FML, AccountId, Hash
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION
from tests.properties.hidden_node import HiddenNode
from tests.properties.random_arguments import Arguments
from tests.runtime.pallets.world import KEY_B, content, sealing_secret, submitted, terms

NODES: Final = ("n1", "n2", "n3")
VALIDATORS: Final = ("v1", "v2", "v3")
NAMES: Final = ("author", "creator", "idle", *NODES, *VALIDATORS)
KEYS: Final[dict[str, KeyPair]] = {
    name: key_pair_from_seed(blake2b_256(name.encode()), "ed25519") for name in NAMES
}
KNOWN: Final = [*(key.account for key in KEYS.values()), KEY_B, content("n1"), content("n2")]
ENTRIES: Final = [e for pallet in installed_pallets() for _, e in sorted(pallet.calls.items())]
START_MS: Final = 1_700_000_000_000
SALT: Final = bytes(32)

Recorded = tuple[list[tuple[bytes, bytes]], list[tuple[bytes, list[bytes]]]]
RECORDED: Final = codec_of(
    tuple[list[tuple[bytes, bytes]], list[tuple[bytes, list[bytes]]]]  # genesis, (header, body)
)


def genesis() -> dict[bytes, bytes]:
    """Eight rich accounts, one author, a verified task from day 1 to day 3."""
    author = KEYS["author"].account
    return build_genesis(
        GenesisConfig(
            "devnet",
            {key.account: 10_000 * FML for key in KEYS.values()},
            [EpochAuthority(author, 1, author)],
            [Authority(author, 1)],
            tasks=[GenesisTask(KEYS["creator"].account, terms(), 1)],
        )
    )


def open_chain(state: dict[bytes, bytes]) -> Importer:
    """An empty node that can import."""
    store = MemoryStore()
    backend = Backend(store, StateStore(store))
    backend.open(state)
    return Importer(backend, InstantConsensus(), SignatureCache())


@dataclass
class Author:
    """Makes blocks: honest participants' calls among random ones of everybody."""

    prng: Random
    state: dict[bytes, bytes] = field(default_factory=genesis)
    blocks: list[tuple[Header, list[bytes]]] = field(default_factory=list)
    succeeded: int = 0
    failed: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.importer = open_chain(self.state)
        self.backend = self.importer.backend
        self.arguments = Arguments(self.prng, KNOWN)
        self.hidden = HiddenNode(
            self.backend.genesis,
            KEYS["n3"].account,
            lambda call: self.call("n3", call),
            self.send,
            lambda: self.execution.runtime.arena,
        )

    def make_block(self) -> None:
        """One more block, final at once."""
        backend, parent = self.backend, self.backend.best
        number = parent.number + 1
        self.execution = BlockExecution(
            backend.state_at(parent.hash), parent.hash, number, [instant_log(0)]
        )
        self.body = inherent_extrinsics(START_MS + 1_000 * number)
        assert self.execution.apply(self.body[0]) is None
        self.play_honestly(number // 20, number % 20)
        for _ in range(4):
            entry = self.prng.choice(ENTRIES)
            call = bytes((entry.pallet.pallet_index, entry.index))
            call += entry.codec.encode(self.arguments.of(entry))
            self.call(self.prng.choice(NAMES), call, skip=self.prng.randrange(12) // 11)
        made = self.execution.finish()
        root = Hash(ordered_root(self.body))
        built = Built(
            number,
            parent.hash,
            root,
            made.digest,
            self.body,
            made.changes,
            self.execution.runtime,
        )
        header, delta = self.importer.prepare(built)
        imported = self.importer.import_own(header, self.body, delta)
        backend.finalize(imported.hash)
        self.blocks.append((header, self.body))

    def call(self, name: str, call: bytes, skip: int = 0) -> None:
        """Sign and apply; `skip` nonces ahead it is refused and leaves no trace."""
        key = KEYS[name]
        nonce = self.execution.runtime.system.nonce_of(key.account) + skip
        extra = Extra(IMMORTAL, nonce, 0, MetadataHashMode.DISABLED)
        own = self.backend.genesis
        implied = Additional(SPEC_VERSION, TRANSACTION_VERSION, own, own, None)
        signature = Ed25519(key.sign(signing_payload(call, extra, implied)))
        self.send(assemble(call, Preamble(Id(key.account), signature, extra)))

    def send(self, data: bytes) -> None:
        """Apply an extrinsic, and put it into the block if it can be there."""
        try:
            error = self.execution.apply(data)
        except TransactionValidityError:
            self.refused += 1
            return
        self.body.append(data)
        self.succeeded += error is None
        self.failed += error is not None

    def play_honestly(self, day: int, position: int) -> None:
        """What the tasks' participants do in this block of the day."""
        live = self.execution.runtime.tasks.live.get()
        if (day, position) == (0, 2) or (day % 4, position) == (3, 3):
            seats = 3 if day else 0
            paid = terms(seats=seats, final_seats=seats)
            self.call("creator", encode_call(Tasks.create_task, paid, 77 * FML + 1))
        self.hidden.play(live[:3], day, position)
        for task in live[:3]:
            if position in (4, 5):
                self.register(task, NODES if position == 4 else VALIDATORS)
            elif position in (6, 8):
                self.submit(task, is_reveal=position == 8)
            elif position in (12, 15):
                self.score(task, day, is_reveal=position == 15)
            elif position == 9:
                self.call("creator", encode_call(Tasks.reveal_key, task, KEY_B))

    def register(self, task: int, names: tuple[str, ...]) -> None:
        """Everybody of a role; refused from the second day on."""
        role = Role.TRAINING_NODE if names == NODES else Role.TASK_VALIDATOR
        ratio, hardware = Rational(1, 2), Hardware(memory_gib=8)
        for name in names:
            stake = (10 if role is Role.TRAINING_NODE else 100) * FML
            self.call(name, encode_call(Tasks.register, task, role, stake, ratio, hardware))
            if role is Role.TASK_VALIDATOR:
                key = sealing_secret(name).public_key.encode()
                self.call(name, encode_call(Arena.set_sealing_key, key))
        operator = KEYS[names[0]].account
        self.call("idle", encode_call(Delegation.delegate, task, operator, 3 * FML))

    def submit(self, task: int, *, is_reveal: bool) -> None:
        """Every node seals or reveals its one model."""
        for name in NODES:
            who, made = KEYS[name].account, submitted(name)
            if is_reveal:
                blob = made.content, made.ciphertext, made.size_bytes
                self.call(name, encode_call(Arena.reveal_submission, task, *blob, SALT))
                continue
            seal = seal_submission(self.backend.genesis, task, Account(who), made, SALT)
            self.call(name, encode_call(Arena.commit_submission, task, seal))

    def score(self, task: int, day: int, *, is_reveal: bool) -> None:
        """Every drawn validator seals or opens its sheet; scores differ a little."""
        for index, name in enumerate(VALIDATORS):
            who = KEYS[name].account
            sheet = self.sheet(task, day, who, index)
            if not sheet:
                continue
            if is_reveal:
                self.call(name, encode_call(Arena.reveal_scores, task, sheet, SALT))
                continue
            seal = seal_scores(self.backend.genesis, task, day, who, sheet, SALT)
            self.call(name, encode_call(Arena.commit_scores, task, seal))

    def sheet(self, task: int, day: int, who: AccountId, index: int) -> list[GivenScore]:
        """A verdict for everything that the validator must score."""
        todo = self.execution.runtime.arena.views.to_score(task, day, who)
        base = 500_000_000 + index * 1_000_003
        return [GivenScore(one.submission, Score(base + one.content[0] * 10**6)) for one in todo]


def record(author: Author) -> bytes:
    """Genesis and blocks, for another process."""
    blocks = [(header.encode(), body) for header, body in author.blocks]
    return RECORDED.encode((sorted(author.state.items()), blocks))
