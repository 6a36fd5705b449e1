"""Session: the keys with which validators act, and who acts in which session.

A session is an epoch. When session N begins, the members of N+1 are fixed with the keys registered
by then: a key acts two sessions after it was registered. Of past sessions the root over the members
stays as long as offences can be reported, so that anybody can prove whose a key was. A chain whose
spec bonds nobody has no members here: its authorities stay those of the spec.
Who has offended may not act until an era begins for which it is elected anew; so not more than a
third of the weight is kept from acting.
Invariant: a key has one owner, and members have different keys.
Source: Substrate `pallet_session`, `pallet_session::historical`; WP II.A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from runtime import frame
from runtime.economy.authorities import (
    MEMBER,
    KeyOwnership,
    Member,
    SessionKeys,
    SessionKeysProof,
    members_root,
    ownership_message,
)
from runtime.frame.traits import BlockInfo
from runtime.frame.weights import Weight
from runtime.primitives.babe_digest import Authority
from runtime.primitives.merkle import verify_item
from runtime.primitives.scale import Limit
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import U32, U64, AccountId, Bytes4, Bytes32, Hash

MEMBERS_MAX: Final = 1_000
BABE: Final = b"babe"
GRANDPA: Final = b"gran"
_ROTATION: Final = Weight(500_000_000)
_PER_MEMBER: Final = Weight(60_000_000)


@frame.event(0)
class NewSession:
    """A session began."""

    session_index: U32


@frame.event(1)
class KeysSet:
    """`who` registered session keys; they act from session `from_session` on if it is elected."""

    who: AccountId
    keys: SessionKeys
    from_session: U32


@frame.event(2)
class KeysPurged:
    """`who` has no session keys any more."""

    who: AccountId


@frame.event(3)
class MemberDisabled:
    """`who` makes no blocks, and from the next session on does not vote, until elected anew."""

    who: AccountId


class NotBonded(frame.ModuleError, index=0):
    """Only who has bonded stake has session keys. Bond first."""


class KeysNotOwned(frame.ModuleError, index=1):
    """The signatures are not those of both keys over `ownership_message`."""


class DuplicatedKey(frame.ModuleError, index=2):
    """A key belongs to another validator. Every validator has keys of its own."""


class NoKeys(frame.ModuleError, index=3):
    """No session keys are registered."""


class StillValidating(frame.ModuleError, index=4):
    """The keys are in use in this session or the next one, or their owner is a candidate."""


class StaleProof(frame.ModuleError, index=5):
    """The session is too long ago, or not begun: nothing is kept to check the proof with."""


class FalseProof(frame.ModuleError, index=6):
    """The member did not stand there in that session."""


class NotMember(frame.ModuleError, index=7):
    """The account is no member of this session."""


class NobodyLeft(frame.ModuleError, index=8):
    """Then no member could act."""


@frame.scale_type
class SessionRecord:
    """What is kept of a session; `previous` is the session before it."""

    root: Hash
    members: U32
    total_weight: U64
    era: U32
    previous: U32 | None


class Stake(Protocol):
    """What session asks of staking."""

    def is_bonded(self, who: AccountId) -> bool:
        """Whether `who` has stake."""

    def is_candidate(self, who: AccountId) -> bool:
        """Whether `who` wants to be elected."""

    def chill_offender(self, who: AccountId) -> bool:
        """`who` is no candidate until it asks again."""

    def start_session(self, index: int) -> tuple[int, int]:
        """The era of the session that begins, and the oldest that may still be reported."""

    def plan_session(self, index: int) -> list[tuple[AccountId, int]] | None:
        """Elected accounts with weights; None if those of the session before go on."""

    def plan_weight(self) -> Weight:
        """What an election costs at most."""


class Finality(Protocol):
    """What session asks of grandpa."""

    def set_authorities(self, authorities: list[Authority], session: int) -> None:
        """Those who finalize what the session adds."""


@dataclass(frozen=True)
class Config:
    """`members_max` bounds a session's authorities."""

    members_max: U32 = MEMBERS_MAX


_MEMBERS = Annotated[list[Member], Limit(MEMBERS_MAX)]


class Session(frame.Pallet[Config], index=9):
    validators = frame.StorageValue[list[AccountId]](
        Annotated[list[AccountId], Limit(MEMBERS_MAX)], default=[], docs="Who acts now."
    )
    members = frame.StorageValue[list[Member]](
        _MEMBERS, default=[], docs="Who acts now, with keys and weights."
    )
    queued = frame.StorageValue[list[Member]](
        _MEMBERS, default=[], docs="Who acts in the next session."
    )
    disabled = frame.StorageValue[list[AccountId]](
        Annotated[list[AccountId], Limit(MEMBERS_MAX)],
        default=[],
        docs="Members that may not act until they are elected anew.",
    )
    current_index = frame.StorageValue[int](U32, default=0)
    next_keys = frame.StorageMap[AccountId, SessionKeys](
        AccountId, SessionKeys, docs="The keys that a validator has registered."
    )
    key_owner = frame.StorageDoubleMap[tuple[bytes, bytes], AccountId](
        Bytes4, Bytes32, AccountId, docs="Who registered a key, by its kind."
    )
    records = frame.StorageMap[int, SessionRecord](
        U32,
        SessionRecord,
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Sessions in which offences can be reported.",
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        block: BlockInfo,
        stake: Stake,
        finality: Finality,
    ) -> None:
        super().__init__(ext, config)
        self.block, self.stake, self.finality = block, stake, finality

    # -- calls

    @frame.call(0, weight=Weight(400_000_000))
    def set_keys(self, origin: frame.Origin, keys: SessionKeys, proof: SessionKeysProof) -> None:
        """Register the keys that act two sessions later. Signed. Emits KeysSet.

        Raises NotBonded, KeysNotOwned, DuplicatedKey.
        """
        who = frame.ensure_signed(origin)
        if not self.stake.is_bonded(who):
            raise NotBonded
        message = ownership_message(self.block.genesis_hash(), who, keys)
        if not (
            ed25519_verify(proof.babe, message, keys.babe)
            and ed25519_verify(proof.grandpa, message, keys.grandpa)
        ):
            raise KeysNotOwned
        if any(self.key_owner.find(named) not in (None, who) for named in _named(keys)):
            raise DuplicatedKey
        self._register(who, keys)
        self.deposit_event(KeysSet(who, keys, self.current_index.get() + 2))

    @frame.call(1, weight=Weight(150_000_000))
    def purge_keys(self, origin: frame.Origin) -> None:
        """Give one's session keys up. Signed. Emits KeysPurged. Raises NoKeys, StillValidating."""
        who = frame.ensure_signed(origin)
        if not self.next_keys.contains(who):
            raise NoKeys
        if self.stake.is_candidate(who) or self.is_acting(who):
            raise StillValidating
        self.forget_keys(who)

    @frame.call(2, weight=lambda absent: Weight(100_000_000).times(len(absent) + 1))
    def disable(
        self, origin: frame.Origin, absent: Annotated[list[AccountId], Limit(MEMBERS_MAX)]
    ) -> None:
        """Keep members from acting that are gone for good, whatever they weigh. Root.

        They are no candidates any more. For `grandpa.note_stalled`. Emits MemberDisabled. Raises
        NotMember, NobodyLeft.
        """
        frame.ensure_root(origin)
        members = {each.account for each in self.members.get()}
        if not members.issuperset(absent):
            raise NotMember
        if members <= {*self.disabled.get(), *absent}:
            raise NobodyLeft
        for who in absent:
            self.stake.chill_offender(who)
        self._disable(absent)

    def _disable(self, accounts: Sequence[AccountId]) -> None:
        listed = self.disabled.get()
        more = [who for who in dict.fromkeys(accounts) if who not in listed]
        if more:
            self.disabled.put([*listed, *more])
        for who in more:
            self.deposit_event(MemberDisabled(who))

    def _register(self, who: AccountId, keys: SessionKeys) -> None:
        self._disown(who)
        self.next_keys.put(who, keys)
        for named in _named(keys):
            self.key_owner.put(named, who)

    def _disown(self, who: AccountId) -> None:
        before = self.next_keys.find(who)
        if before is not None:
            for named in _named(before):
                self.key_owner.remove(named)

    # -- what staking and offences ask

    def is_acting(self, who: AccountId) -> bool:
        """Whether `who` is a member of this session or of the next one."""
        return any(each.account == who for each in (*self.members.get(), *self.queued.get()))

    def is_disabled(self, who: AccountId) -> bool:
        """Whether a member may not act."""
        return who in self.disabled.get()

    def disable_offender(self, who: AccountId) -> None:
        """Keep a member from acting, unless a third of the weight would be exceeded.

        Emits MemberDisabled.
        """
        members, disabled = self.members.get(), {*self.disabled.get(), who}
        weight = sum(each.weight for each in members if each.account in disabled)
        is_member = any(each.account == who for each in members)
        if is_member and 3 * weight <= sum(each.weight for each in members):
            self._disable([who])

    def acting(self) -> list[Member]:
        """The members of this session."""
        return self.members.get()

    def session_index(self) -> int:
        """This session."""
        return self.current_index.get()

    def is_recorded(self, session: int) -> bool:
        """Whether offences in the session can be reported."""
        return self.records.contains(session)

    def has_keys(self, who: AccountId) -> bool:
        """Whether `who` could act if it were elected."""
        return self.next_keys.contains(who)

    def forget_keys(self, who: AccountId) -> None:
        """`who` has left. Emits KeysPurged if it had keys."""
        if self.next_keys.contains(who):
            self._disown(who)
            self.next_keys.remove(who)
            self.deposit_event(KeysPurged(who))

    def check_owner(self, proof: KeyOwnership) -> SessionRecord:
        """The session of a proven member. Raises StaleProof, FalseProof."""
        record = self.records.find(proof.session)
        if record is None:
            raise StaleProof
        item = MEMBER.encode(proof.member)
        if not verify_item(record.root, record.members, proof.place, item, proof.path):
            raise FalseProof
        return record

    # -- from session to session

    def next_session(self, index: int, *, is_first: bool) -> list[Member]:
        """Begin session `index`; the members of the one after it, none if they are fixed.

        The first session began with the chain. Emits NewSession.
        """
        before = self.members.get()
        if not before:
            return []
        if not is_first:
            self._begin(index, self.queued.get())
        members = self.members.get()
        elected = self.stake.plan_session(index + 1)
        weights = elected or [(each.account, each.weight) for each in members]
        acting = {each.account: each.keys for each in members}
        queued = [
            Member(who, self.next_keys.find(who) or acting[who], weight) for who, weight in weights
        ]
        self.queued.put(queued)
        return queued

    def next_session_weight(self) -> Weight:
        """What that costs at most."""
        count = len(self.members.get()) + len(self.queued.get())
        return _ROTATION + _PER_MEMBER.times(count) + self.stake.plan_weight()

    def _begin(self, index: int, members: list[Member]) -> None:
        previous = self.current_index.get()
        self.current_index.put(index)
        self.members.put(members)
        self.validators.put([each.account for each in members])
        era, oldest = self.stake.start_session(index)
        if era != self.records.get(previous).era:
            self._enable_elected(members)
        self._record(index, members, era, previous)
        stale = [session for session, kept in self.records.items() if kept.era < oldest]
        for session in stale:
            self.records.remove(session)
        disabled = self.disabled.get()
        voters = [each for each in members if each.account not in disabled] or members
        self.finality.set_authorities(
            [Authority(each.keys.grandpa, each.weight) for each in voters], index
        )
        self.deposit_event(NewSession(index))

    def _enable_elected(self, members: list[Member]) -> None:
        """An era begins: whoever stood for election again, and was elected, acts again."""
        present = {each.account for each in members}
        kept = [
            who
            for who in self.disabled.get()
            if who in present and not self.stake.is_candidate(who)
        ]
        # Elected before they offended, all of them may be new: somebody has to make blocks.
        self.disabled.put(kept if len(kept) < len(present) else [])

    def _record(self, index: int, members: list[Member], era: int, previous: int | None) -> None:
        total = sum(each.weight for each in members)
        self.records.put(
            index, SessionRecord(members_root(members), len(members), total, era, previous)
        )

    # -- genesis and invariants

    def genesis_build(self, members: list[Member]) -> None:
        """Set the members of the first two sessions; they have bonded before."""
        for each in members:
            self._register(each.account, each.keys)
        self.members.put(members)
        self.queued.put(members)
        self.validators.put([each.account for each in members])
        self._record(0, members, 0, None)

    def try_state(self) -> None:
        owned = {(kind, key): who for (kind, key), who in self.key_owner.items()}
        registered = {named: who for who, keys in self.next_keys.items() for named in _named(keys)}
        assert owned == registered, "a key has one owner"
        for who in registered.values():
            assert self.stake.is_bonded(who), f"0x{who.hex()} has keys without stake"
        for members in (self.members.get(), self.queued.get()):
            for kind in ("babe", "grandpa"):
                keys = [getattr(each.keys, kind) for each in members]
                assert len(set(keys)) == len(keys), f"a {kind} key acts twice"
        assert self.validators.get() == [each.account for each in self.members.get()]
        disabled = {*self.disabled.get()}
        assert not disabled or {*self.validators.get()} - disabled, "nobody may act"


def _named(keys: SessionKeys) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    return (BABE, keys.babe), (GRANDPA, keys.grandpa)
