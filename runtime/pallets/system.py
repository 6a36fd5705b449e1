"""System: accounts, the block that is being executed, events, digests, block hashes.

Invariant (`try_state`): an account is stored if and only if something provides for it.

Source: Substrate `frame_system`; WP II.A.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from runtime import frame
from runtime.frame.account import AccountInfo
from runtime.frame.dispatch_error import DispatchErrorValue, dispatch_error_value
from runtime.frame.events import (
    ApplyExtrinsic,
    EventRecord,
    Finalization,
    Initialization,
    encode_records,
)
from runtime.frame.limits import BlockWeights
from runtime.frame.traits import is_pot
from runtime.frame.weights import NORMAL, OPERATIONAL, DispatchInfo, Weight
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Consensus, Digest, DigestItem, PreRuntime
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U8, U16, U32, AccountId, Bytes4, Hash

_DIGEST: Final = codec_of(Digest)
_DIGESTS_MAX: Final = 16

REMARK = Weight(20_000_000)


CODE = b":code"  # where Substrate clients look for the runtime


@frame.event(0)
class ExtrinsicSuccess:
    """An extrinsic was applied and its call succeeded."""

    dispatch_info: DispatchInfo


@frame.event(1)
class ExtrinsicFailed:
    """An extrinsic was applied and its call failed; its fee is kept."""

    dispatch_error: DispatchErrorValue
    dispatch_info: DispatchInfo


@frame.event(2)
class CodeUpdated:
    """The runtime changes with the next block."""


@frame.event(3)
class NewAccount:
    """An account came to be."""

    account: AccountId


@frame.event(4)
class KilledAccount:
    """An account was reaped."""

    account: AccountId


@frame.event(5)
class Remarked:
    """Somebody put a remark on the chain."""

    sender: AccountId
    hash: Hash


class CallFiltered(frame.ModuleError, index=5):
    """The call is not open to this origin."""


@frame.scale_type(path="frame_support::dispatch::PerDispatchClass")
class ConsumedWeight:
    """Weight used so far in the block, by class."""

    normal: Weight = frame.ZERO_WEIGHT
    operational: Weight = frame.ZERO_WEIGHT
    mandatory: Weight = frame.ZERO_WEIGHT

    def total(self) -> Weight:
        """The sum over the classes."""
        return self.normal + self.operational + self.mandatory


_NO_WEIGHT: Final = ConsumedWeight()


@dataclass(frozen=True)
class Config:
    """`block_hash_count`: how many blocks' hashes are kept (mortal eras reach that far)."""

    block_hash_count: U32 = 2400
    ss58_prefix: U16 = 42


@lru_cache(maxsize=_DIGESTS_MAX)
def _logs_in(raw: bytes) -> tuple[DigestItem, ...]:
    """The items of an encoded digest: asked several times a block."""
    return tuple(_DIGEST.decode_all(raw).logs)


class System(frame.Pallet[Config], index=0):
    account = frame.StorageMap[AccountId, AccountInfo](
        AccountId, AccountInfo, default=AccountInfo(), docs="The record of an account."
    )
    block_weight = frame.StorageValue[ConsumedWeight](
        ConsumedWeight, default=ConsumedWeight(), docs="Weight of the current block, by class."
    )
    block_hash = frame.StorageMap[int, Hash](
        U32,
        Hash,
        default=Hash(bytes(32)),
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Hashes of recent blocks by number.",
    )
    number = frame.StorageValue[int](U32, default=0, docs="The current block's number.")
    parent_hash = frame.StorageValue[Hash](Hash, default=Hash(bytes(32)), docs="The parent.")
    digest = frame.StorageValue[Digest](Digest, default=Digest([]), docs="The current digest.")
    events = frame.StorageValue[list[EventRecord]](
        list[EventRecord], default=[], docs="Events of the current block."
    )
    event_count = frame.StorageValue[int](U32, default=0, docs="How many events there are.")
    storage_version = frame.StorageMap[int, int](
        U8,
        U16,
        default=1,
        hasher=frame.Hasher.IDENTITY,
        docs="Storage version of each pallet by index; migrations raise it.",
    )
    last_runtime_upgrade = frame.StorageValue[int](
        U32, default=1, docs="The spec version that the state was last migrated to."
    )

    @frame.call(0, weight=lambda remark: Weight(REMARK.ref_time + 1_000 * len(remark)))
    def remark(self, origin: frame.Origin, remark: bytes) -> None:
        """Put bytes into a block and nowhere else. Signed or root."""
        if not origin.is_root:
            frame.ensure_signed(origin)

    @frame.call(7, weight=lambda remark: Weight(REMARK.ref_time + 3_000 * len(remark)))
    def remark_with_event(self, origin: frame.Origin, remark: bytes) -> None:
        """Put bytes into a block and their blake2b-256 into an event. Signed. Emits Remarked."""
        self.deposit_event(Remarked(frame.ensure_signed(origin), blake2b_256(remark)))

    # -- the block

    _given: tuple[bytes | None, tuple[DigestItem, ...]] = (None, ())
    """The digest that the block began with, encoded and not: hooks ask for it."""

    def initialize(self, number: int, parent_hash: Hash, digest: Digest) -> None:
        """Begin a block. `digest` holds what the author put before execution."""
        self.ext.phase = Initialization()
        self.number.put(number)
        self.parent_hash.put(parent_hash)
        self.digest.put(digest)
        self._given = self.ext.get(self.digest.path()), tuple(digest.logs)
        self.events.remove()
        self.event_count.remove()
        self.block_weight.put(_NO_WEIGHT)
        if number > 0:
            self.block_hash.put(number - 1, parent_hash)
            stale = number - 1 - self.config.block_hash_count
            if stale > 0:  # the genesis hash stays
                self.block_hash.remove(stale)

    def begin_extrinsic(self, index: int) -> None:
        """Stamp events with the extrinsic's index."""
        self.ext.phase = ApplyExtrinsic(index)

    def end_extrinsic(self, info: DispatchInfo, error: frame.DispatchError | None) -> None:
        """Tell how the extrinsic went."""
        if error is None:
            self.deposit_event(ExtrinsicSuccess(info))
        else:
            self.deposit_event(ExtrinsicFailed(dispatch_error_value(error), info))

    def begin_finalization(self) -> None:
        """Stamp events as of the block's end."""
        self.ext.phase = Finalization()

    def finalize(self) -> Digest:
        """Write the events, clear what lives only inside a block; the digest to seal."""
        self.ext.put(self.events.path(), encode_records(self.ext.events))
        self.event_count.put(len(self.ext.events))
        return Digest(list(self._logs()))

    def deposit_log(self, item: DigestItem) -> None:
        """Append to the block's digest."""
        self.digest.put(Digest([*self._logs(), item]))

    def deposit_consensus_log(self, engine: Bytes4, data: bytes) -> None:
        """Append a message to the consensus engine."""
        self.deposit_log(Consensus(engine, data))

    def pre_runtime(self, engine: Bytes4) -> bytes | None:
        """What the engine told the runtime in this block's digest."""
        for item in self._logs():
            if isinstance(item, PreRuntime) and item.engine == engine:
                return item.data
        return None

    def pre_runtime_count(self) -> int:
        """How many items engines put into this block's digest before execution."""
        return sum(isinstance(item, PreRuntime) for item in self._logs())

    def _logs(self) -> tuple[DigestItem, ...]:
        """The block's digest so far."""
        raw = self.ext.get(self.digest.path())
        if raw == self._given[0]:
            return self._given[1]
        return () if raw is None else _logs_in(raw)

    def add_weight(self, info: DispatchInfo, base: Weight) -> None:
        """Count a call's weight and the base weight of an extrinsic."""
        used = self.block_weight.get()
        normal, operational, mandatory = used.normal, used.operational, used.mandatory
        time = info.weight.ref_time + base.ref_time
        proof = info.weight.proof_size + base.proof_size
        if info.class_ is NORMAL:
            normal = Weight(normal.ref_time + time, normal.proof_size + proof)
        elif info.class_ is OPERATIONAL:
            operational = Weight(operational.ref_time + time, operational.proof_size + proof)
        else:
            mandatory = Weight(mandatory.ref_time + time, mandatory.proof_size + proof)
        self.block_weight.put(ConsumedWeight(normal, operational, mandatory))

    def has_room(self, info: DispatchInfo, base: Weight, limits: BlockWeights) -> bool:
        """Whether a call fits into what its class and the block have left."""
        used, block = self.block_weight.get(), limits.max_block
        normal, operational, mandatory = used.normal, used.operational, used.mandatory
        time = info.weight.ref_time + base.ref_time
        proof = info.weight.proof_size + base.proof_size
        total_time = normal.ref_time + operational.ref_time + mandatory.ref_time
        total_proof = normal.proof_size + operational.proof_size + mandatory.proof_size
        if total_time + time > block.ref_time or total_proof + proof > block.proof_size:
            return False
        if info.class_ is NORMAL:
            own, most = normal, limits.per_class.normal.max_total
        elif info.class_ is OPERATIONAL:
            own, most = operational, limits.per_class.operational.max_total
        else:
            return True
        return most is None or (
            own.ref_time + time <= most.ref_time and own.proof_size + proof <= most.proof_size
        )

    def weight_of(self, dispatch_class: frame.DispatchClass) -> Weight:
        """Weight that a class has used in this block."""
        used = self.block_weight.get()
        match dispatch_class:
            case frame.DispatchClass.NORMAL:
                return used.normal
            case frame.DispatchClass.OPERATIONAL:
                return used.operational
            case frame.DispatchClass.MANDATORY:
                return used.mandatory

    def total_weight(self) -> Weight:
        """Weight used in this block."""
        return self.block_weight.get().total()

    # -- BlockInfo

    def block_number(self) -> int:
        """The current block's number."""
        return self.number.get()

    def parent(self) -> Hash:
        """The current block's parent."""
        return self.parent_hash.get()

    def genesis_hash(self) -> Hash:
        """The chain's identity."""
        return self.block_hash.get(0)

    def extrinsic_index(self) -> int:
        """The extrinsic that is being applied; 0 in hooks."""
        phase = self.ext.phase
        return phase.extrinsic if isinstance(phase, ApplyExtrinsic) else 0

    def hash_of(self, number: int) -> Hash | None:
        """The hash of a block before this one, as long as it is kept."""
        return self.block_hash.find(number)

    # -- releases

    def set_code(self, code: bytes) -> None:
        """Name the runtime of the next block. Emits CodeUpdated."""
        self.ext.put(CODE, code)
        self.deposit_event(CodeUpdated())

    def last_upgrade(self) -> int:
        """The spec version that the state was last migrated to."""
        return self.last_runtime_upgrade.get()

    def note_upgrade(self, spec_version: int) -> None:
        """The state is of this spec version."""
        self.last_runtime_upgrade.put(spec_version)

    def version_of(self, pallet_index: int) -> int:
        """The storage version of a pallet's state."""
        return self.storage_version.get(pallet_index)

    def set_version(self, pallet_index: int, version: int) -> None:
        """Note that a pallet's state has this version."""
        self.storage_version.put(pallet_index, version)

    # -- AccountStore

    def nonce_of(self, who: AccountId) -> int:
        """The nonce that the account's next extrinsic must have."""
        return self.account.get(who).nonce

    def account_info(self, who: AccountId) -> AccountInfo:
        """The record; the empty one if there is none."""
        return self.account.get(who)

    def set_account_info(self, who: AccountId, info: AccountInfo) -> None:
        """Store or remove a record. Emits NewAccount or KilledAccount."""
        before = self.account.get(who)
        if info.providers == 0 and not is_pot(who):
            if before.providers:
                self.account.remove(who)
                self.deposit_event(KilledAccount(who))
            return
        self.account.put(who, info)
        if before.providers == 0 and info.providers:
            self.deposit_event(NewAccount(who))

    def all_accounts(self) -> Iterator[tuple[AccountId, AccountInfo]]:
        """Every account. Walks the state: for checks, not for blocks."""
        return self.account.items()

    def increment_nonce(self, who: AccountId) -> None:
        """One more extrinsic of `who` is in a block."""
        info = self.account.get(who)
        self.account.put(
            who,
            AccountInfo(
                info.nonce + 1, info.consumers, info.providers, info.sufficients, info.data
            ),
        )

    def try_state(self) -> None:
        for who, info in self.account.items():
            assert info.providers > 0 or is_pot(who) or info.nonce > 0, (
                f"{who.hex()} has no provider"
            )
