"""Babe: slots, epochs, their randomness and authorities, as the state sees them.

The epoch of a block follows from its slot. The first block of epoch N announces what epoch N+1 runs
on: authorities, and R(N+1) from the VRF outputs of epoch N−1. Epochs without a block are passed
over: the chain goes on with the data announced last. A session is an epoch with a block, and has
its index.
Invariant: slots rise from block to block.

Source: WP VI.B (VRF), II.A; Substrate `pallet_babe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from runtime import frame
from runtime.economy.authorities import Member
from runtime.frame.weights import Weight
from runtime.primitives.babe_digest import (
    ENGINE,
    INSTANT_ENGINE,
    NEXT_EPOCH,
    Authority,
    NextEpoch,
    decode_claim,
)
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import DecodeError, Limit
from runtime.primitives.types import U32, U64, AccountId, Bytes4, Bytes32, Bytes64, Hash, Moment

AUTHORITIES_MAX = 1_000
_INSTANT_BYTES = 4  # the author's index
_BLOCK = Weight(50_000_000)


class BlockLike(Protocol):
    """What babe asks of system."""

    def pre_runtime(self, engine: Bytes4) -> bytes | None:
        """The digest item of an engine."""

    def pre_runtime_count(self) -> int:
        """How many items engines put into the digest before execution."""

    def deposit_consensus_log(self, engine: Bytes4, data: bytes) -> None:
        """Announce to the engine."""

    def genesis_hash(self) -> Hash:
        """The chain's identity."""


class Sessions(Protocol):
    """Who knows the authorities to come."""

    def next_session(self, index: int, *, is_first: bool) -> list[Member]:
        """Begin session `index`; the members of the one after it, none if they are fixed."""

    def is_disabled(self, who: AccountId) -> bool:
        """Whether a member may not act."""

    def next_session_weight(self) -> Weight:
        """What that costs at most."""


@frame.scale_type
class EpochAuthority:
    """A key that may author, its weight (stake / 10^9 planck), the account paid for its blocks."""

    key: Bytes32
    weight: U64
    account: AccountId


@dataclass(frozen=True)
class Config:
    """`epoch_duration` in slots, `expected_block_time` in milliseconds (one slot)."""

    epoch_duration: U64
    expected_block_time: Moment


_AUTHORITIES = Annotated[list[EpochAuthority], Limit(AUTHORITIES_MAX)]


class Babe(frame.Pallet[Config], index=2):
    authorities = frame.StorageValue[list[EpochAuthority]](_AUTHORITIES, default=[])
    next_authorities = frame.StorageValue[list[EpochAuthority]](
        _AUTHORITIES, default=[], docs="Those announced for the next epoch."
    )
    genesis_slot = frame.StorageValue[int](U64, default=0, docs="The slot of block 1.")
    current_slot = frame.StorageValue[int](U64, default=0)
    current_epoch = frame.StorageValue[int](U64, default=0, docs="Index of the epoch.")
    epoch_start = frame.StorageValue[int](U32, default=0, docs="Number of its first block.")
    randomness = frame.StorageValue[Hash](Hash, default=Hash(bytes(32)))
    next_randomness = frame.StorageValue[Hash](Hash, default=Hash(bytes(32)))
    vrf_outputs = frame.StorageMap[int, bytes](
        U32,
        Bytes64,
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="VRF outputs of the current epoch's blocks by their place in it.",
    )
    vrf_count = frame.StorageValue[int](U32, default=0)
    author_index = frame.StorageValue[int](U32, docs="The author of the latest block.")
    author_vrf = frame.StorageValue[bytes](Bytes64, docs="Its VRF output; none under instant seal.")

    def __init__(
        self, ext: frame.Externalities, config: Config, *, block: BlockLike, sessions: Sessions
    ) -> None:
        super().__init__(ext, config)
        self.block = block
        self.sessions = sessions

    def on_initialize(self, number: int) -> Weight:
        # A second item could send a block past the rules of the engine that sealed it.
        items = self.block.pre_runtime_count()
        if items > 1:
            raise frame.InvalidBlock(f"block {number} carries {items} engine items, one is allowed")
        instant = self.block.pre_runtime(INSTANT_ENGINE)
        if instant is not None:
            if len(instant) != _INSTANT_BYTES:
                raise frame.InvalidBlock(f"instant seal of {len(instant)} bytes in block {number}")
            self.author_index.put(int.from_bytes(instant, "little"))
            self.author_vrf.remove()
            return Weight(5_000_000)
        raw = self.block.pre_runtime(ENGINE)
        if raw is None:
            raise frame.InvalidBlock(f"block {number} claims no slot")
        try:
            claim = decode_claim(raw)
        except DecodeError as error:
            raise frame.InvalidBlock(f"slot claim of block {number}: {error}") from error
        is_new = self._enter_slot(number, claim.slot)
        self.author_index.put(claim.authority_index)
        self.author_vrf.put(claim.vrf_output)
        author = self.author()
        if author is not None and self.sessions.is_disabled(author):
            raise frame.InvalidBlock(f"the author of block {number} is disabled")
        count = self.vrf_count.get()
        self.vrf_outputs.put(count, claim.vrf_output)
        self.vrf_count.put(count + 1)
        return _BLOCK + (self.sessions.next_session_weight() if is_new else frame.ZERO_WEIGHT)

    def _enter_slot(self, number: int, slot: int) -> bool:
        """Whether the slot begins an epoch."""
        if number == 1:
            self.genesis_slot.put(slot)
            self._announce(0)
        elif slot <= self.current_slot.get():
            raise frame.InvalidBlock(
                f"slot {slot} of block {number} is not above {self.current_slot.get()}"
            )
        self.current_slot.put(slot)
        epoch = (slot - self.genesis_slot.get()) // self.config.epoch_duration
        if epoch > self.current_epoch.get():
            self._enter_epoch(epoch, number)
            return True
        return number == 1

    def _enter_epoch(self, epoch: int, number: int) -> None:
        """Begin an epoch on what was announced; announce what the next one runs on."""
        self.current_epoch.put(epoch)
        self.epoch_start.put(number)
        self.randomness.put(self.next_randomness.get())
        self.authorities.put(self.next_authorities.get())
        self._announce(epoch)

    def _announce(self, epoch: int) -> None:
        """R(epoch+1) from the outputs gathered since the last announcement, and who may author."""
        members = self.sessions.next_session(epoch, is_first=not epoch)
        if members:
            self.next_authorities.put(
                [EpochAuthority(each.keys.babe, each.weight, each.account) for each in members]
            )
        count = self.vrf_count.get()
        outputs = b"".join(self.vrf_outputs.get(place) for place in range(count))
        seed = b"flock/rand" + self.block.genesis_hash() + (epoch + 1).to_bytes(8, "little")
        self.next_randomness.put(blake2b_256(seed + outputs))
        for place in range(count):
            self.vrf_outputs.remove(place)
        self.vrf_count.put(0)
        keys = [Authority(item.key, item.weight) for item in self.next_authorities.get()]
        announced = NextEpoch(keys, self.next_randomness.get())
        self.block.deposit_consensus_log(ENGINE, NEXT_EPOCH.encode(announced))

    def on_timestamp_set(self, now: Moment) -> None:
        """The block's time must lie in its slot."""
        if self.block.pre_runtime(ENGINE) is None:
            return
        slot = now // self.config.expected_block_time
        if slot != self.current_slot.get():
            raise frame.InvalidBlock(
                f"time {now} ms lies in slot {slot}, the block is of {self.current_slot.get()}"
            )

    # -- Author, Randomness

    def author(self) -> AccountId | None:
        """The account that is paid for the block."""
        index, authorities = self.author_index.find(), self.authorities.get()
        if index is None or index >= len(authorities):
            return None
        return authorities[index].account

    def author_vrf_output(self) -> bytes | None:
        """The VRF output of the block's author; None under instant seal."""
        return self.author_vrf.find()

    def epoch_randomness(self) -> Hash:
        """The randomness that the current epoch runs on."""
        return self.randomness.get()

    def epoch_index(self) -> int:
        """The current epoch."""
        return self.current_epoch.get()

    def epoch_of(self, slot: int) -> int | None:
        """The epoch in which a slot lies; None before the first."""
        first = self.genesis_slot.get()
        return (slot - first) // self.config.epoch_duration if slot >= first else None

    def genesis_build(self, authorities: list[EpochAuthority]) -> None:
        """Set the first authorities. Raises ValueError if there are none."""
        if not authorities:
            raise ValueError("babe: no authorities")
        self.authorities.put(authorities)
        self.next_authorities.put(authorities)
