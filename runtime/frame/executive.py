"""The executive: how a block changes the state, from initialization to its digest.

`execute_block` reads as the protocol does: initialize, inherents, transactions, idle, finalize.
Whoever builds a block calls the same steps one by one.

Source: Substrate `frame_executive`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from runtime.frame.dispatch import run_call
from runtime.frame.errors import (
    DispatchError,
    InvalidBlock,
    InvalidKind,
    InvalidTransaction,
    TransactionValidityError,
    UnknownKind,
    UnknownTransaction,
)
from runtime.frame.externalities import Externalities
from runtime.frame.extrinsic import (
    Additional,
    Extrinsic,
    MetadataHashMode,
    Preamble,
    decode_extrinsic,
    encode_additional,
    payload_of,
)
from runtime.frame.limits import BlockLength, BlockWeights
from runtime.frame.migrations import migrate
from runtime.frame.origin import NONE, Origin, signed
from runtime.frame.pallet import Pallet
from runtime.frame.validity import FOREVER, TransactionSource, ValidTransaction
from runtime.frame.weights import (
    MANDATORY,
    NORMAL,
    OPERATIONAL,
    ZERO_WEIGHT,
    DispatchClass,
    DispatchInfo,
    Pays,
    Weight,
)
from runtime.primitives.header import Digest, Header, PreRuntime
from runtime.primitives.multi import Ecdsa, Ed25519, Id, MultiSignature
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.signatures import ed25519_verify, sr25519_verify
from runtime.primitives.types import U32, AccountId, Balance, Hash

Verifier = Callable[[MultiSignature, AccountId, bytes], bool]
_NONCE = codec_of(U32)
_NO_METADATA_HASH = MetadataHashMode.DISABLED


def verify_signature(signature: MultiSignature, who: AccountId, message: bytes) -> bool:
    """The chain's rule; a node may put a cache in front of it."""
    if isinstance(signature, Ed25519):
        return ed25519_verify(signature.signature, message, who)
    if isinstance(signature, Ecdsa):
        return False
    return sr25519_verify(signature.signature, message, who)  # type: ignore[attr-defined]


class SystemLike(Protocol):
    """What the executive asks of system."""

    def initialize(self, number: int, parent_hash: Hash, digest: Digest) -> None:
        """Begin a block."""

    def begin_extrinsic(self, index: int) -> None:
        """Begin an extrinsic."""

    def end_extrinsic(self, info: DispatchInfo, error: DispatchError | None) -> None:
        """End an extrinsic."""

    def begin_finalization(self) -> None:
        """Begin the block's end."""

    def finalize(self) -> Digest:
        """End a block."""

    def block_number(self) -> int:
        """The current number."""

    def hash_of(self, number: int) -> Hash | None:
        """The hash of a recent block."""

    def last_upgrade(self) -> int:
        """The spec version that the state was last migrated to."""

    def note_upgrade(self, spec_version: int) -> None:
        """The state is of this spec version."""

    def version_of(self, pallet_index: int) -> int:
        """The storage version of a pallet's state."""

    def set_version(self, pallet_index: int, version: int) -> None:
        """Note that a pallet's state was migrated."""

    def nonce_of(self, who: AccountId) -> int:
        """The next nonce of an account."""

    def increment_nonce(self, who: AccountId) -> None:
        """Use a nonce."""

    def weight_of(self, dispatch_class: DispatchClass) -> Weight:
        """Weight used by a class so far."""

    def total_weight(self) -> Weight:
        """Weight used so far."""

    def add_weight(self, info: DispatchInfo, base: Weight) -> None:
        """Use weight."""

    def has_room(self, info: DispatchInfo, base: Weight, limits: BlockWeights) -> bool:
        """Whether a call fits into what its class and the block have left."""


class FeesLike(Protocol):
    """What the executive asks of transaction payment."""

    def charge(self, who: AccountId, length: int, info: DispatchInfo, tip: Balance) -> Balance:
        """Take the fee. Raises InvalidTransaction."""

    def note_paid(self, who: AccountId, fee: Balance, tip: Balance) -> None:
        """Tell what was paid."""

    def update_multiplier(self, used: Weight) -> None:
        """Move the price by how full the block was."""


class RuntimeLike(Protocol):
    """What the executive runs: pallets in order, over one block's state."""

    @property
    def ext(self) -> Externalities:
        """The state of the block."""

    @property
    def ordered(self) -> Sequence[Pallet[Any]]:
        """All pallets, in order."""

    @property
    def hooked(self) -> Mapping[str, Sequence[Pallet[Any]]]:
        """The pallets that have a hook of their own, by the hook's name, in order."""

    @property
    def system(self) -> SystemLike:
        """Who keeps accounts, events and the block's own data."""

    @property
    def fees(self) -> FeesLike:
        """Who charges."""

    @property
    def weights(self) -> BlockWeights:
        """Weight limits of a block."""

    @property
    def length(self) -> BlockLength:
        """Byte limits of a block."""

    @property
    def spec_version(self) -> int:
        """Signed by every extrinsic."""

    @property
    def transaction_version(self) -> int:
        """Signed by every extrinsic."""

    def pallet(self, kind: type[Pallet[Any]]) -> Pallet[Any]:
        """The instance of a pallet class."""


class Executive:
    """Runs one block over one state."""

    def __init__(self, runtime: RuntimeLike, verify: Verifier = verify_signature) -> None:
        self.runtime = runtime
        self.verify = verify
        self._index = 0
        self._bytes = 0
        self._inherents_over = False
        self._additional: dict[int, bytes] = {}  # birth block → what signers commit to implicitly

    # -- the block, step by step

    def initialize_block(self, number: int, parent_hash: Hash, logs: list[PreRuntime]) -> None:
        """Begin block `number`. `logs` is what consensus put into the digest beforehand.

        The first block of a release begins with its migrations. Raises UnknownStorage.
        """
        system, version = self.runtime.system, self.runtime.spec_version
        system.initialize(number, parent_hash, Digest(list(logs)))
        if system.last_upgrade() != version:
            migrate(self.runtime.ordered, system)
            system.note_upgrade(version)
        base = self.runtime.weights.base_block
        time, proof = base.ref_time, base.proof_size
        for pallet in self.runtime.hooked["on_initialize"]:
            used = pallet.on_initialize(number)
            time, proof = time + used.ref_time, proof + used.proof_size
        system.add_weight(DispatchInfo(Weight(time, proof), MANDATORY, Pays.NO), ZERO_WEIGHT)

    def apply_extrinsic(self, data: bytes) -> DispatchError | None:
        """Apply one extrinsic; the error of a call that failed (its fee is kept), or None.

        Raises TransactionValidityError if it cannot be in this block; nothing is written then.
        """
        try:
            extrinsic = decode_extrinsic(data)
        except DecodeError as error:
            raise InvalidTransaction(InvalidKind.CALL, str(error)) from error
        entry, arguments = extrinsic.call.entry, extrinsic.call.arguments
        info = entry.info(arguments)
        self._ensure_order(extrinsic, info)
        self._ensure_fits(extrinsic, info)
        system = self.runtime.system
        with self.runtime.ext.transaction():
            system.begin_extrinsic(self._index)
            origin, fee = self._pre_dispatch(extrinsic, info)
            failure = self._dispatch(extrinsic, origin)
            if failure is not None and info.class_ is MANDATORY:
                raise InvalidTransaction(InvalidKind.BAD_MANDATORY, f"{entry.name}: {failure!r}")
            system.add_weight(info, self._base(info))
            if extrinsic.preamble is not None and origin.who is not None:
                self.runtime.fees.note_paid(origin.who, fee, extrinsic.preamble.extra.tip)
            system.end_extrinsic(info, failure)
        self._index += 1
        self._bytes += extrinsic.length
        return failure

    def finalize_block(self, number: int) -> Digest:
        """End the block: idle work, hooks, events; the digest to seal."""
        runtime, system = self.runtime, self.runtime.system
        system.begin_finalization()
        used, limit = system.total_weight(), runtime.weights.max_block
        for pallet in runtime.hooked["on_idle"]:
            left = Weight(max(limit.ref_time - used.ref_time, 0), limit.proof_size)
            spent = pallet.on_idle(number, left)
            if spent.ref_time or spent.proof_size:
                system.add_weight(DispatchInfo(spent, MANDATORY, Pays.NO), ZERO_WEIGHT)
                used = system.total_weight()
        runtime.fees.update_multiplier(system.weight_of(NORMAL))
        for pallet in runtime.hooked["on_finalize"]:
            pallet.on_finalize(number)
        return system.finalize()

    def execute_block(self, header: Header, extrinsics: Sequence[bytes]) -> Digest:
        """Run a whole block made by somebody else; its digest without the seal.

        Raises InvalidBlock. The caller compares the state root and the extrinsics root.
        """
        expected = header.unsealed_digest()
        before = [log for log in expected.logs if isinstance(log, PreRuntime)]
        self.initialize_block(header.number, header.parent_hash, before)
        for index, data in enumerate(extrinsics):
            try:
                self.apply_extrinsic(data)
            except TransactionValidityError as error:
                raise InvalidBlock(
                    f"extrinsic {index} of block {header.number}: {error}"
                ) from error
        digest = self.finalize_block(header.number)
        if digest != expected:
            raise InvalidBlock(f"digest of block {header.number} is not what execution gives")
        return digest

    # -- one extrinsic

    def validate_transaction(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """What the pool must know. Raises TransactionValidityError. Leaves no write."""
        try:
            extrinsic = decode_extrinsic(data)
        except DecodeError as error:
            raise InvalidTransaction(InvalidKind.CALL, str(error)) from error
        entry, arguments = extrinsic.call.entry, extrinsic.call.arguments
        info = entry.info(arguments)
        if extrinsic.preamble is None:
            if info.class_ is MANDATORY:
                raise UnknownTransaction(
                    UnknownKind.NO_UNSIGNED_VALIDATOR, "inherents are authors'"
                )
            self._ensure_ever_fits(extrinsic, info)
            pallet = self.runtime.pallet(entry.pallet)
            return pallet.validate_unsigned(source, entry, arguments)
        self._ensure_ever_fits(extrinsic, info)
        who = self._check_signed(extrinsic, extrinsic.preamble)
        extra = extrinsic.preamble.extra
        expected = self.runtime.system.nonce_of(who)
        if extra.nonce < expected:
            raise InvalidTransaction(InvalidKind.STALE, f"nonce {extra.nonce}, next is {expected}")
        with self.runtime.ext.transaction(is_trial=True):
            self.runtime.fees.charge(who, extrinsic.length, info, extra.tip)
        requires = [_tag(who, extra.nonce - 1)] if extra.nonce > expected else []
        number = self.runtime.system.block_number()
        death = extra.era.death(number)
        longevity = FOREVER if death is None else death - number
        priority = min(extra.tip // 10**9 + (2**62 if info.class_.value == 1 else 0), 2**64 - 1)
        return ValidTransaction(priority, requires, [_tag(who, extra.nonce)], longevity, True)

    def _ensure_ever_fits(self, extrinsic: Extrinsic, info: DispatchInfo) -> None:
        """Refuse what no block can take: signed inherents, too heavy or too long calls."""
        if info.class_ is MANDATORY:
            name = extrinsic.call.entry.name
            raise InvalidTransaction(InvalidKind.MANDATORY_VALIDATION, f"{name} is inherent")
        if not (info.weight + self._base(info)).fits(self._extrinsic_max(info)):
            raise InvalidTransaction(InvalidKind.EXHAUSTS_RESOURCES, "heavier than a block")
        if extrinsic.length > self._bytes_max(info):
            raise InvalidTransaction(InvalidKind.EXHAUSTS_RESOURCES, "longer than a block")

    def _check_signed(self, extrinsic: Extrinsic, preamble: Preamble) -> AccountId:
        address, extra, system = preamble.address, preamble.extra, self.runtime.system
        if not isinstance(address, Id):
            raise UnknownTransaction(UnknownKind.CANNOT_LOOKUP, "the address is no account id")
        if not any(address.account):
            raise InvalidTransaction(InvalidKind.BAD_SIGNER, "the zero account signs nothing")
        if extra.mode is not _NO_METADATA_HASH:
            raise UnknownTransaction(UnknownKind.CANNOT_LOOKUP, "metadata hashes are not checked")
        number = system.block_number()
        death = extra.era.death(number)
        if death is not None and number >= death:
            raise InvalidTransaction(InvalidKind.ANCIENT_BIRTH_BLOCK)
        birth = extra.era.birth(number)
        additional = self._additional.get(birth) or self._additional_of(birth)
        message = payload_of(extrinsic.signed_part, additional)
        if not self.verify(preamble.signature, address.account, message):
            raise InvalidTransaction(InvalidKind.BAD_PROOF, "the signature does not verify")
        return address.account

    def _additional_of(self, birth_number: int) -> bytes:
        """The signed extensions' implied data for a birth block, encoded once a block."""
        birth = self.runtime.system.hash_of(birth_number)
        genesis = self.runtime.system.hash_of(0)
        if birth is None or genesis is None:
            raise InvalidTransaction(InvalidKind.ANCIENT_BIRTH_BLOCK)
        versions = self.runtime.spec_version, self.runtime.transaction_version
        encoded = encode_additional(Additional(*versions, genesis, birth, None))
        self._additional[birth_number] = encoded
        return encoded

    def _pre_dispatch(self, extrinsic: Extrinsic, info: DispatchInfo) -> tuple[Origin, Balance]:
        preamble = extrinsic.preamble
        entry = extrinsic.call.entry
        if preamble is None:
            if info.class_ is not MANDATORY:
                pallet = self.runtime.pallet(entry.pallet)
                pallet.validate_unsigned(
                    TransactionSource.IN_BLOCK, entry, extrinsic.call.arguments
                )
            return NONE, 0
        if info.class_ is MANDATORY:
            raise InvalidTransaction(InvalidKind.MANDATORY_VALIDATION, f"{entry.name} is inherent")
        who = self._check_signed(extrinsic, preamble)
        nonce, expected = preamble.extra.nonce, self.runtime.system.nonce_of(who)
        if nonce != expected:
            kind = InvalidKind.STALE if nonce < expected else InvalidKind.FUTURE
            raise InvalidTransaction(kind, f"nonce {nonce}, next is {expected}")
        fee = self.runtime.fees.charge(who, extrinsic.length, info, preamble.extra.tip)
        self.runtime.system.increment_nonce(who)
        return signed(who), fee

    def _dispatch(self, extrinsic: Extrinsic, origin: Origin) -> DispatchError | None:
        call = extrinsic.call
        return run_call(self.runtime.ext, self.runtime.pallet(call.entry.pallet), call, origin)

    # -- limits

    def _base(self, info: DispatchInfo) -> Weight:
        limits = self.runtime.weights.per_class
        if info.class_ is NORMAL:
            return limits.normal.base_extrinsic
        own = limits.operational if info.class_ is OPERATIONAL else limits.mandatory
        return own.base_extrinsic

    def _bytes_max(self, info: DispatchInfo) -> int:
        limits = self.runtime.length.max
        is_normal = info.class_ is NORMAL
        return limits.normal if is_normal else limits.operational

    def _extrinsic_max(self, info: DispatchInfo) -> Weight:
        return self.runtime.weights.total_max(info.class_) or self.runtime.weights.max_block

    def _ensure_order(self, extrinsic: Extrinsic, info: DispatchInfo) -> None:
        inherent = extrinsic.preamble is None and info.class_ is MANDATORY
        if inherent and self._inherents_over:
            raise InvalidTransaction(InvalidKind.BAD_MANDATORY, "an inherent behind transactions")
        if not inherent:
            self._inherents_over = True

    def _ensure_fits(self, extrinsic: Extrinsic, info: DispatchInfo) -> None:
        if info.class_ is MANDATORY:
            return
        if not self.runtime.system.has_room(info, self._base(info), self.runtime.weights):
            raise InvalidTransaction(
                InvalidKind.EXHAUSTS_RESOURCES, "the block's weight is used up"
            )
        if self._bytes + extrinsic.length > self._bytes_max(info):
            raise InvalidTransaction(
                InvalidKind.EXHAUSTS_RESOURCES, "the block's bytes are used up"
            )


def _tag(who: AccountId, nonce: int) -> bytes:
    return who + _NONCE.encode(nonce)
