"""A chain of instantly sealed blocks in memory, for tests of execution: no store, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from flockchain.keys import KeyPair, key_pair_from_seed
from runtime.api import BlockExecution, Executed, execute_block, runtime_at, validate_transaction
from runtime.frame.call import RUNTIME_CALL, RuntimeCall
from runtime.frame.errors import DispatchError
from runtime.frame.events import ApplyExtrinsic, EventRecord
from runtime.frame.externalities import DictState
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.genesis import GenesisConfig, build_genesis
from runtime.kept_runtimes import KeptRuntimes
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.system import System
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.babe_digest import Authority, instant_log
from runtime.primitives.era import IMMORTAL, Era
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Header, PreRuntime
from runtime.primitives.multi import Ed25519, Id, MultiAddress
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from runtime.runtime import Runtime
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION

START_MS = 1_700_000_000_000


def key_of(name: str) -> KeyPair:
    """An ed25519 key pair named by a word."""
    return key_pair_from_seed(blake2b_256(name.encode()), "ed25519")


OF_FEES = ("Withdraw", "TransactionFeePaid")
AUTHOR, ALICE, BOB = key_of("author"), key_of("alice"), key_of("bob")
RICH = 1_000 * FML


class State(DictState):
    """A state that is never written to: blocks make new ones."""

    def after(self, executed: Executed) -> State:
        """The state behind a block."""
        merged = {**self.top, **executed.changes}
        return State({key: value for key, value in merged.items() if value is not None})


def genesis_config() -> GenesisConfig:
    """Three rich accounts; one of them authors."""
    return GenesisConfig(
        "devnet",
        {key.account: RICH for key in (AUTHOR, ALICE, BOB)},
        [EpochAuthority(AUTHOR.account, 1, AUTHOR.account)],
        [Authority(AUTHOR.account, 1)],
    )


@dataclass
class Chain:
    """The head's state, and what was executed to get there."""

    state: State = field(default_factory=lambda: State(build_genesis(genesis_config())))
    number: int = 0
    now_ms: int = START_MS
    hashes: list[Hash] = field(default_factory=lambda: [blake2b_256(b"genesis")])
    kept: KeptRuntimes = field(default_factory=KeptRuntimes)

    @property
    def head(self) -> Hash:
        return self.hashes[-1]

    @property
    def runtime(self) -> Runtime:
        """The pallets over the head's state."""
        return runtime_at(self.state)

    def begin(self, logs: list[PreRuntime] | None = None) -> BlockExecution:
        """A block on the head, its time set."""
        given = [instant_log(0)] if logs is None else logs
        execution = BlockExecution(self.state, self.head, self.number + 1, given)
        execution.apply(self.time())
        return execution

    def time(self, now_ms: int | None = None) -> bytes:
        """The inherent of the next block."""
        moment = self.now_ms + 1_000 if now_ms is None else now_ms
        return assemble(encode_call(Timestamp.set, moment), None)

    def header(self, executed: Executed) -> Header:
        """A header without roots: who imports compares them, the executive does not."""
        return Header(self.head, self.number + 1, ZERO_HASH, ZERO_HASH, executed.digest)

    def block(self, *extrinsics: bytes) -> list[DispatchError | None]:
        """Author a block, execute it again as a stranger's, and move on; the calls' errors."""
        execution = self.begin()
        results = [execution.apply(data) for data in extrinsics]
        executed = execution.finish()
        header = self.header(executed)
        used = self.kept.take(self.head, self.state)
        again = execute_block(self.state, header, [self.time(), *extrinsics], runtime=used)
        assert again == executed, "author and importer disagree"
        self.kept.put(header.hash(), used)  # the importer goes on with it, the author does not
        self.state = self.state.after(executed)
        self.number += 1
        self.now_ms += 1_000
        self.hashes.append(header.hash())
        self.runtime.try_state()
        return results

    def execute(self, body: Sequence[bytes], logs: list[PreRuntime] | None = None) -> Executed:
        """Execute a block of a stranger, with the digest that execution gives if it succeeds."""
        digest = self.begin(logs).finish().digest
        header = Header(self.head, self.number + 1, ZERO_HASH, ZERO_HASH, digest)
        return execute_block(self.state, header, body)

    def events(self) -> list[EventRecord]:
        """What happened in the head."""
        return self.runtime.system.events.get()

    def run(
        self, key: KeyPair, function: Callable[..., None], *arguments: object
    ) -> DispatchError | None:
        """A block with one transaction; what its call failed with."""
        (error,) = self.block(self.sign(key, encode_call(function, *arguments)))
        return error

    def told(self, index: int = 1) -> list[object]:
        """Events of one of the head's extrinsics, but for those of fees."""
        return [
            record.event
            for record in self.events()
            if record.phase == ApplyExtrinsic(index) and type(record.event).__name__ not in OF_FEES
        ]

    def told_names(self, index: int = 1) -> list[str]:
        """Names of `told`."""
        return [type(event).__name__ for event in self.told(index)]

    def validate(
        self, data: bytes, source: TransactionSource = TransactionSource.EXTERNAL
    ) -> ValidTransaction:
        """What the pool would be told on the head."""
        return validate_transaction(self.state, self.head, self.number, source, data)

    def sign(
        self,
        key: KeyPair,
        call: bytes,
        *,
        nonce: int | None = None,
        tip: int = 0,
        era: Era = IMMORTAL,
        mode: MetadataHashMode = MetadataHashMode.DISABLED,
        address: MultiAddress | None = None,
        **additional: object,
    ) -> bytes:
        """A signed extrinsic for the next block; `additional` falsifies what is signed."""
        own = self.runtime.system.nonce_of(key.account) if nonce is None else nonce
        extra = Extra(era, own, tip, mode)
        birth = self.hashes[min(era.birth(self.number + 1), self.number)]
        implied = Additional(SPEC_VERSION, TRANSACTION_VERSION, self.hashes[0], birth, None)
        implied = replace(implied, **additional)  # type: ignore[arg-type]
        signature = Ed25519(key.sign(signing_payload(call, extra, implied)))
        return assemble(call, Preamble(address or Id(key.account), signature, extra))


def remark(data: bytes = b"hi") -> bytes:
    """A call that everyone may make and that does nothing."""
    return encode_call(System.remark, data)


def call_of(function: Callable[..., None], *arguments: object) -> RuntimeCall:
    """A call as an argument of another."""
    return RUNTIME_CALL.decode_all(encode_call(function, *arguments))


def free_of(chain: Chain, who: AccountId) -> int:
    """Free planck of an account."""
    return chain.runtime.balances.free(who)
