"""The one door to the runtime: what a node may ask of a state.

Everything takes a `StateReader` and gives back values; nothing here writes to a store. Which rules
apply follows from `:code` in the state.

Source: Substrate runtime APIs (`Core`, `BlockBuilder`, `TaggedTransactionQueue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeVar

from runtime.constants import PRESETS, Preset
from runtime.frame.errors import DispatchError
from runtime.frame.executive import Executive, Verifier, verify_signature
from runtime.frame.externalities import DictState, Externalities, StateReader
from runtime.frame.extrinsic import assemble
from runtime.frame.migrations import UnknownStorage, ensure_known
from runtime.frame.pallet import encode_call
from runtime.frame.storage import StorageValue
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.genesis import GenesisConfig, build_genesis
from runtime.pallets.babe import Babe, EpochAuthority
from runtime.pallets.grandpa import Grandpa
from runtime.pallets.session import Session
from runtime.pallets.system import System
from runtime.pallets.timestamp import Timestamp
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.babe_digest import Authority
from runtime.primitives.header import Digest, Header, PreRuntime
from runtime.primitives.record import record
from runtime.primitives.types import Hash, Moment
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, READABLE_BACK, SPEC_VERSION, UnknownRuntime, parse_code

Changes = dict[bytes, bytes | None]
V = TypeVar("V")
_CODES_MAX: Final = 16
_AUTHORITIES_MAX: Final = 16  # lists of authorities that are kept decoded


def preset_of(state: StateReader) -> Preset:
    """The preset that the state names, for reading: one of this release, of the one before, or of
    the next one as long as that has not migrated anything.

    Raises UnknownRuntime.
    """
    spec_version, preset = _named(state.get(CODE_KEY))
    if spec_version < SPEC_VERSION - READABLE_BACK:
        raise _other_release(state, spec_version)
    if spec_version > SPEC_VERSION and not _is_last_block(state, spec_version):
        raise _other_release(state, spec_version)
    return preset


def _is_last_block(state: StateReader, spec_version: int) -> bool:
    """Whether the block before the release of `spec_version` ended in this state."""
    latest = _latest_upgrade(state)
    if latest is None or latest.spec_version != spec_version:
        return False
    return _value_at(state, System.number) == latest.last_block


@lru_cache(maxsize=_CODES_MAX)
def _named(code: bytes | None) -> tuple[int, Preset]:
    """Asked several times a block."""
    spec_version, name = parse_code(code)
    preset = PRESETS.get(name)
    if preset is None:
        raise UnknownRuntime(f"unknown preset {name!r}, known are {', '.join(sorted(PRESETS))}")
    return spec_version, preset


def executing_preset(state: StateReader) -> Preset:
    """The preset by which the next block is made. Raises UnknownRuntime for another release's."""
    spec_version, preset = _named(state.get(CODE_KEY))
    if spec_version != SPEC_VERSION:
        raise _other_release(state, spec_version)
    return preset


def _other_release(state: StateReader, spec_version: int) -> UnknownRuntime:
    """How a state tells which release goes on from it."""
    latest = _latest_upgrade(state)
    advice = "install the release that governance scheduled"
    if latest is not None and latest.spec_version == spec_version:
        advice = (
            f"install the release with hash 0x{latest.release.hex()}, which goes on after block "
            f"{latest.last_block} (`flockchain release` prints a release's own)"
        )
    elif spec_version < SPEC_VERSION:
        advice = "the older release goes on until the upgrade that governance scheduled"
    return UnknownRuntime(
        f"the chain runs spec version {spec_version}, this release has {SPEC_VERSION}: {advice}"
    )


def _latest_upgrade(state: StateReader) -> Upgrade | None:
    found = state.get(Upgrades.latest.path())
    return None if found is None else Upgrades.latest.value_codec.decode_all(found)


def ensure_executable(state: StateReader) -> None:
    """Raises UnknownRuntime for a state that this release cannot go on from."""
    runtime = _executing(state)
    try:
        ensure_known(runtime.ordered, runtime.system)
    except UnknownStorage as error:
        raise UnknownRuntime(str(error)) from error


def runtime_at(state: StateReader) -> Runtime:
    """The pallets over a state, for reading; what is written is lost."""
    return Runtime(Externalities(state), preset_of(state))


def _executing(state: StateReader) -> Runtime:
    """The pallets over a state, to make its child. Raises UnknownRuntime."""
    return Runtime(Externalities(state), executing_preset(state))


@record
class Executed:
    """What a block did: the digest to seal, every changed key, the events' count."""

    digest: Digest
    changes: Changes


class BlockExecution:
    """A block in the making, step by step. Each step may be refused; the state stays whole."""

    def __init__(
        self,
        parent_state: StateReader,
        parent_hash: Hash,
        number: int,
        logs: list[PreRuntime],
        verify: Verifier = verify_signature,
        runtime: Runtime | None = None,
    ) -> None:
        """`runtime` stands on `parent_state` and is used up: it is built if none is given."""
        self.runtime = _executing(parent_state) if runtime is None else runtime
        self._ext = self.runtime.ext
        self._executive = Executive(self.runtime, verify)
        self._number = number
        self._executive.initialize_block(number, parent_hash, logs)

    def earliest_ms(self) -> Moment:
        """The least time that the block may set: its parent may have been made late."""
        return self.runtime.timestamp.earliest()

    def apply(self, data: bytes) -> DispatchError | None:
        """Apply an extrinsic. Raises TransactionValidityError if it cannot be in the block."""
        return self._executive.apply_extrinsic(data)

    def finish(self) -> Executed:
        """End the block."""
        digest = self._executive.finalize_block(self._number)
        return Executed(digest, self._ext.changes())


def inherent_extrinsics(now_ms: Moment) -> list[bytes]:
    """What the author itself puts first into a block."""
    return [assemble(encode_call(Timestamp.set, now_ms), None)]


def execute_block(
    parent_state: StateReader,
    header: Header,
    extrinsics: Sequence[bytes],
    verify: Verifier = verify_signature,
    runtime: Runtime | None = None,
) -> Executed:
    """Execute a block made by somebody else. Raises InvalidBlock, UnknownRuntime.

    The caller compares state root and extrinsics root. `runtime` is as for `BlockExecution`.
    """
    used = _executing(parent_state) if runtime is None else runtime
    digest = Executive(used, verify).execute_block(header, extrinsics)
    return Executed(digest, used.ext.changes())


class Validation:
    """Validates extrinsics on top of block `head` of `number`; reads are kept between calls.

    No call leaves a write. What is kept grows by an account a call: use it for so many calls.
    """

    def __init__(
        self,
        state: StateReader,
        head: Hash,
        number: int,
        verify: Verifier = verify_signature,
    ) -> None:
        self._verify = verify
        self._runtime = Runtime(Externalities(state), preset_of(state))
        self._begin(head, number)

    def turn_to(self, state: StateReader, head: Hash, number: int) -> None:
        """Validate on top of another block from now on; nothing that was read is kept.

        Pallets are not built again for each block: they lie in cycles, which pile up until the
        collector comes. Raises UnknownRuntime.
        """
        preset = preset_of(state)
        if preset is not self._runtime.preset:
            self._runtime = Runtime(Externalities(state), preset)
        else:
            self._runtime.ext.start_anew(state)
        self._begin(head, number)

    def _begin(self, head: Hash, number: int) -> None:
        self._runtime.system.initialize(number + 1, head, Digest([]))
        self._executive = Executive(self._runtime, self._verify)

    def validate(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """What the pool must know of an extrinsic. Raises TransactionValidityError."""
        with self._runtime.ext.transaction(is_trial=True):
            return self._executive.validate_transaction(source, data)


def validate_transaction(
    state: StateReader,
    head: Hash,
    number: int,
    source: TransactionSource,
    data: bytes,
    verify: Verifier = verify_signature,
) -> ValidTransaction:
    """As `Validation`, for one extrinsic."""
    return Validation(state, head, number, verify).validate(source, data)


@record
class Epoch:
    """What slots of an epoch are claimed with. `weights` are stake / 10^9 planck."""

    index: int
    authorities: tuple[Authority, ...]
    randomness: Hash


def epoch_of_slot(parent_state: StateReader, parent_number: int, slot: int) -> Epoch:
    """The epoch in which a child of that state would lie in `slot`.

    Epochs that passed without a block are jumped over: what was announced last applies.
    """
    # Asked for every block: the values are read without building the pallets around them.
    index, is_current = _place_of_slot(parent_state, parent_number, slot)
    randomness = _value_at(parent_state, Babe.randomness if is_current else Babe.next_randomness)
    item = Babe.authorities if is_current else Babe.next_authorities
    return Epoch(index, _authorities_in(parent_state.get(item.prefix)), randomness)


@lru_cache(maxsize=_AUTHORITIES_MAX)
def _authorities_in(raw: bytes | None) -> tuple[Authority, ...]:
    """They stay the same for an epoch, and are asked for every block."""
    listed = [] if raw is None else Babe.authorities.value_codec.decode_all(raw)
    return tuple(Authority(item.key, item.weight) for item in listed)


def disabled_authors(parent_state: StateReader, parent_number: int, slot: int) -> list[bytes]:
    """Keys with which a child of that state in `slot` would be refused, or may be.

    A member may have other keys in the next session; who is disabled may act again in a new era.
    """
    disabled = _value_at(parent_state, Session.disabled)
    _, is_current = _place_of_slot(parent_state, parent_number, slot)
    return [each.key for each in _authors(parent_state, is_current) if each.account in disabled]


def _place_of_slot(parent_state: StateReader, parent_number: int, slot: int) -> tuple[int, bool]:
    """The epoch of a slot, and whether it is the one that the state is in."""
    index = 0
    if parent_number:
        first = _value_at(parent_state, Babe.genesis_slot)
        index = (slot - first) // preset_of(parent_state).epoch_slots
    return index, index == _value_at(parent_state, Babe.current_epoch)


def _authors(parent_state: StateReader, is_current: bool) -> list[EpochAuthority]:
    """The authorities of the state's epoch, or of the next one."""
    return _value_at(parent_state, Babe.authorities if is_current else Babe.next_authorities)


def _value_at(state: StateReader, item: StorageValue[V]) -> V:
    """What a state holds of a pallet's value. Raises KeyError if that is nothing."""
    raw = state.get(item.prefix)
    if raw is not None:
        return item.value_codec.decode_all(raw)
    if item.default is None:
        raise KeyError(f"{item.name}: no value, and none by default")
    return item.default


def grandpa_authorities(state: StateReader) -> tuple[int, tuple[Authority, ...]]:
    """(set id, voters with weights). Raises UnknownRuntime.

    Read as for slots: a node asks with each proof of finality.
    """
    preset_of(state)
    listed = _value_at(state, Grandpa.authorities)
    return _value_at(state, Grandpa.current_set_id), tuple(listed)


def genesis_state(config: GenesisConfig) -> dict[bytes, bytes]:
    """The state of block 0. Raises ValueError with the key and the rule that it breaks."""
    return build_genesis(config)


__all__ = [
    "BlockExecution",
    "Changes",
    "DictState",
    "Epoch",
    "Executed",
    "Validation",
    "ensure_executable",
    "epoch_of_slot",
    "execute_block",
    "executing_preset",
    "genesis_state",
    "grandpa_authorities",
    "inherent_extrinsics",
    "preset_of",
    "runtime_at",
    "validate_transaction",
]
