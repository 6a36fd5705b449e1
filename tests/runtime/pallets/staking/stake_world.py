"""The chain's stake in small: system, balances, babe, grandpa, session, staking and offences.

Blocks lie in slots, one each unless slots are passed over; every block ends with `try_state` of all
pallets. The validators v1 to v4 are the authorities of genesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flockchain.consensus.babe.seal import seal_header
from flockchain.keys import KeyPair, key_pair_from_seed
from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.authorities import (
    PLANCK_PER_WEIGHT,
    KeyOwnership,
    Member,
    SessionKeys,
    SessionKeysProof,
    ownership_message,
    prove_member,
)
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.staking import StakingParameters, ValidatorPrefs
from runtime.primitives.babe_digest import Authority, SlotClaim, SlotKind, claim_log
from runtime.primitives.evidence import BlockEquivocation, VoteEquivocation
from runtime.primitives.grandpa_votes import Prevote, SignedMessage, signing_payload
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest, Header
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from runtime.runtime import Runtime

GENESIS = Hash(b"g" * 32)
STAKE = 1_000 * FML
VALIDATORS = ("v1", "v2", "v3", "v4")
OTHERS = ("c1", "c2", "n1", "n2", "n3", "reporter")
FIRST_SLOT = 100
RULES = StakingParameters(validator_count=4)
PRESET = replace(
    DEVNET,
    era_epochs=3,
    bonding_eras=2,
    history_eras=5,
    authorities_max=8,
    candidates_max=8,
    nominators_max=8,
)
HOUSE = AccountId(b"house".ljust(32, b"."))  # keeps the sum of all tokens round


def account(name: str) -> AccountId:
    return AccountId(name.encode().ljust(32, b"."))


def key_of(name: str) -> KeyPair:
    return key_pair_from_seed(blake2b_256(name.encode()), "ed25519")


def keys_of(name: str) -> SessionKeys:
    return SessionKeys(key_of(f"{name} babe").account, key_of(f"{name} gran").account)


@dataclass
class StakeWorld:
    """All pallets of consensus over one state; `slot` is the current block's."""

    rules: StakingParameters = RULES
    validators: Sequence[str] = VALIDATORS
    commissions: dict[str, int] = field(default_factory=dict)  # percent
    number: int = 0
    slot: int = FIRST_SLOT - 1
    state: frame.DictState = field(default_factory=frame.DictState)

    def __post_init__(self) -> None:
        self.ext = ext = frame.Externalities(self.state)
        made = Runtime(ext, PRESET)
        self.system, self.balances, self.babe = made.system, made.balances, made.babe
        self.staking, self.grandpa, self.session = made.staking, made.grandpa, made.session
        self.authorship, self.offences = made.authorship, made.offences
        self.pallets: tuple[frame.Pallet[object], ...] = (
            self.system,
            self.babe,
            self.grandpa,
            self.authorship,
            self.balances,
            self.staking,
            self.offences,
            self.session,
        )
        self._begin_chain()

    def _begin_chain(self) -> None:
        names = (*VALIDATORS, *OTHERS)
        endowed = {account(name): 10 * STAKE for name in names}
        self.balances.genesis_build({**endowed, HOUSE: STAKE})
        weight = STAKE // PLANCK_PER_WEIGHT
        members = [Member(account(name), keys_of(name), weight) for name in self.validators]
        self.babe.genesis_build(
            [EpochAuthority(each.keys.babe, each.weight, each.account) for each in members]
        )
        self.grandpa.genesis_build([Authority(each.keys.grandpa, each.weight) for each in members])
        percents = [Perbill.from_percent(self.commissions.get(name, 0)) for name in self.validators]
        bonds = [
            (each.account, STAKE, ValidatorPrefs(percent))
            for each, percent in zip(members, percents, strict=True)
        ]
        self.system.initialize(0, ZERO_HASH, Digest([]))
        self.staking.genesis_build(self.rules, bonds)
        self.session.genesis_build(members)

    # -- blocks

    def block(self, author: str | None = None, slot: int | None = None) -> None:
        """End this block, begin the next; None: the first authority that may makes it."""
        self.check()
        self.number += 1
        self.slot = self.slot + 1 if slot is None else slot
        parent = GENESIS if self.number == 1 else blake2b_256(self.number.to_bytes(4, "little"))
        index = self._index_of(author)
        output = blake2b_256(self.slot.to_bytes(8, "little")) * 2
        claim = SlotClaim(SlotKind.PRIMARY, index, self.slot, output, bytes(80))
        self.system.initialize(self.number, parent, Digest([claim_log(claim)]))
        for pallet in self.pallets:
            pallet.on_initialize(self.number)

    def _index_of(self, author: str | None) -> int:
        epoch = (self.slot - FIRST_SLOT) // DEVNET.epoch_slots
        is_next = epoch > self.babe.current_epoch.get()
        listed = self.babe.next_authorities if is_next else self.babe.authorities
        accounts = [each.account for each in listed.get()]
        if author is not None:
            return accounts.index(account(author))
        return next(i for i, who in enumerate(accounts) if not self.session.is_disabled(who))

    def to_session(self, index: int, authors: Sequence[str] = ()) -> None:
        """Go on to the first block of a session, the authors taking turns."""
        first = FIRST_SLOT + index * DEVNET.epoch_slots
        while self.slot < first:
            turn = authors[self.number % len(authors)] if authors else None
            self.block(turn)

    def check(self) -> None:
        for pallet in self.pallets:
            pallet.try_state()

    # -- what people do

    def become_candidate(self, name: str, stake: int = STAKE, percent: int = 0) -> None:
        who = signed(account(name))
        self.staking.bond(who, stake)
        self.set_keys(name)
        self.staking.validate(who, ValidatorPrefs(Perbill.from_percent(percent)))

    def set_keys(self, name: str, keys_name: str | None = None) -> None:
        named = keys_name or name
        keys = keys_of(named)
        self.session.set_keys(signed(account(name)), keys, self.own(name, named))

    def own(self, name: str, keys_name: str) -> SessionKeysProof:
        message = ownership_message(GENESIS, account(name), keys_of(keys_name))
        signatures = [key_of(f"{keys_name} {kind}").sign(message) for kind in ("babe", "gran")]
        return SessionKeysProof(*signatures)

    def nominate(self, name: str, stake: int, *targets: str) -> None:
        self.staking.bond(signed(account(name)), stake)
        self.staking.nominate(signed(account(name)), [account(target) for target in targets])

    # -- evidence

    def proof(self, name: str) -> KeyOwnership:
        """Of a member of this session."""
        members = self.session.members.get()
        place = [each.account for each in members].index(account(name))
        return prove_member(self.session.current_index.get(), members, place)

    def two_blocks(self, name: str, slot: int | None = None) -> BlockEquivocation:
        at = self.slot if slot is None else slot
        key = key_of(f"{name} babe")
        first, second = (sealed(key, at, mark) for mark in (1, 2))
        return BlockEquivocation(key.account, at, first, second)

    def two_votes(self, name: str, round_number: int = 1) -> VoteEquivocation:
        set_id, key = self.grandpa.current_set_id.get(), key_of(f"{name} gran")
        first, second = (prevoted(key, mark, round_number, set_id) for mark in (1, 2))
        return VoteEquivocation(set_id, round_number, first, second)

    def report(self, name: str, reporter: str = "reporter") -> None:
        """A member's two blocks of this slot."""
        origin = signed(account(reporter))
        self.offences.report_blocks(origin, self.two_blocks(name), self.proof(name))

    # -- what tests ask

    def bonded(self, name: str) -> int:
        ledger = self.staking.ledger.find(account(name))
        return 0 if ledger is None else ledger.total

    def free(self, name: str) -> int:
        return self.balances.free(account(name))

    def owned(self, name: str) -> int:
        return self.free(name) + self.balances.held(HoldReason.CHAIN_STAKE, account(name))

    def acting(self) -> list[str]:
        return [who.decode().rstrip(".") for who in self.session.validators.get()]

    def events(self, kind: type) -> list[object]:
        """All events of a kind since genesis."""
        return [event for _, event in self.ext.events if isinstance(event, kind)]


def sealed(key: KeyPair, slot: int, mark: int) -> Header:
    """A header of `key` for `slot`; headers with different marks differ."""
    claim = SlotClaim(SlotKind.PRIMARY, 0, slot, bytes(64), bytes(80))
    root = Hash(bytes([mark]) * 32)
    header = Header(ZERO_HASH, 7, root, ZERO_HASH, Digest([claim_log(claim)]))
    return seal_header(header, key.sign)


def prevoted(key: KeyPair, mark: int, round_number: int, set_id: int) -> SignedMessage:
    """A prevote of `key`; votes with different marks differ."""
    message = Prevote(Hash(bytes([mark]) * 32), 7)
    signature = key.sign(signing_payload(message, round_number, set_id))
    return SignedMessage(message, signature, key.account)
