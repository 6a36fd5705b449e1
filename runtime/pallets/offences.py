"""Offences: evidence against authorities, and what it costs them.

Anybody reports: with a signature, and a reward, or without, as nodes do by themselves. Evidence
names a key; a proof of ownership names the member of the session that had it. The more weight w of
all weight W offends in one session (for votes: in one authority set), the more each offender loses:
min(1, (3·w/W)²) of what stood behind it, earlier offenders of the same case included.
Invariant: an authority is reported once a case.
Source: WP II.A, III.A.3; Substrate `pallet_offences`; `pallet_staking::slashing`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from runtime import frame
from runtime.economy.authorities import KeyOwnership
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.frame.weights import DispatchClass, Weight
from runtime.primitives.evidence import (
    BlockEquivocation,
    InvalidEvidence,
    VoteEquivocation,
    verify_blocks,
    verify_votes,
)
from runtime.primitives.scale import Limit, codec_of
from runtime.primitives.types import U32, U64, AccountId

PARTS: Final = 10**18
OFFENDERS_MAX: Final = 1_000
_REPORT: Final = Weight(8_000_000_000)  # two signatures, a path, and all earlier offenders anew
_OPERATIONAL: Final = DispatchClass.OPERATIONAL
_LONGEVITY: Final = 64
_PRIORITY: Final = 2**63


@frame.scale_enum("flockchain_runtime::OffenceKind")
class OffenceKind(enum.Enum):
    """What was done twice."""

    BLOCK = 0
    VOTE = 1


@frame.scale_type
class CaseKey:
    """Offences that count together: of one session, or of one authority set's votes."""

    kind: OffenceKind
    number: U64


@frame.scale_type
class Offender:
    """Who offended; `era` is the one whose exposure pays for it."""

    account: AccountId
    era: U32


@frame.scale_type
class Case:
    """All offenders, and their weight."""

    weight: U64
    offenders: Annotated[list[Offender], Limit(OFFENDERS_MAX)]


@frame.event(0)
class Offended:
    """An offence is proved; all offenders of the case lose `fraction` of 10^18."""

    key: CaseKey
    offender: AccountId
    era: U32
    fraction: U64


class AlreadyReported(frame.ModuleError, index=0):
    """The authority is known to have offended in this session or set: more adds nothing."""


class WrongKey(frame.ModuleError, index=1):
    """The proof is for another key than the evidence."""


class WrongSession(frame.ModuleError, index=2):
    """The proof is for another session than the evidence, or the evidence is of no session."""


class FalseEvidence(frame.ModuleError, index=3):
    """The two signatures do not prove an offence."""


class SessionRecordLike(Protocol):
    """What is kept of a session."""

    @property
    def total_weight(self) -> int:
        """Of all members."""

    @property
    def era(self) -> int:
        """Whose exposures stood behind them."""

    @property
    def previous(self) -> int | None:
        """The session before."""


class Sessions(Protocol):
    """What offences asks of session."""

    def check_owner(self, proof: KeyOwnership) -> SessionRecordLike:
        """The session of a proven member. Raises DispatchError."""

    def is_recorded(self, session: int) -> bool:
        """Whether offences in the session can be reported."""

    def disable_offender(self, who: AccountId) -> None:
        """Keep a member from acting, unless a third of the weight would be exceeded."""


class Slots(Protocol):
    """What offences asks of babe."""

    def epoch_of(self, slot: int) -> int | None:
        """The epoch in which a slot lies."""


class Sets(Protocol):
    """What offences asks of grandpa."""

    def sessions_of_set(self, set_id: int) -> tuple[int, int | None] | None:
        """First session of a set, and first one after it."""


class Stake(Protocol):
    """What offences asks of staking."""

    def slash(
        self, era: int, validator: AccountId, fraction: int, reporter: AccountId | None
    ) -> None:
        """Have a validator lose at least `fraction` of 10^18 of its exposure in `era`."""

    def chill_offender(self, who: AccountId) -> bool:
        """`who` is no candidate until it asks again."""


@dataclass(frozen=True)
class Config:
    """No constants."""


_TAG = codec_of(tuple[CaseKey, AccountId])


def compute_fraction(weight: int, total: int) -> int:
    """min(1, (3·w/W)²) in parts of 10^18, floored."""
    return min(9 * weight * weight * PARTS // (total * total), PARTS)


class Offences(frame.Pallet[Config], index=8):
    cases = frame.StorageMap[CaseKey, Case](
        CaseKey,
        Case,
        default=Case(0, []),
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Offenders of sessions and sets in which offences can be reported.",
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        sessions: Sessions,
        slots: Slots,
        sets: Sets,
        stake: Stake,
    ) -> None:
        super().__init__(ext, config)
        self.sessions, self.slots, self.sets, self.stake = sessions, slots, sets, stake

    # -- calls

    @frame.call(0, weight=_REPORT, dispatch_class=_OPERATIONAL)
    def report_blocks(
        self, origin: frame.Origin, evidence: BlockEquivocation, proof: KeyOwnership
    ) -> None:
        """Report two blocks of an author for one slot. Signed: the reporter gets its part.

        Emits Offended. Raises AlreadyReported, WrongKey, WrongSession, FalseEvidence, and what
        session has against the proof.
        """
        reporter = frame.ensure_signed(origin)
        self._convict(*self._check_blocks(evidence, proof), reporter)

    @frame.call(1, weight=_REPORT, dispatch_class=_OPERATIONAL)
    def report_blocks_unsigned(
        self, origin: frame.Origin, evidence: BlockEquivocation, proof: KeyOwnership
    ) -> None:
        """As `report_blocks`, unsigned and without a reward: nodes report by themselves."""
        frame.ensure_none(origin)
        self._convict(*self._check_blocks(evidence, proof), None)

    @frame.call(2, weight=_REPORT, dispatch_class=_OPERATIONAL)
    def report_votes(
        self, origin: frame.Origin, evidence: VoteEquivocation, proof: KeyOwnership
    ) -> None:
        """Report two votes of one kind in a round. Signed: the reporter gets its part.

        Emits Offended. Raises as `report_blocks`.
        """
        reporter = frame.ensure_signed(origin)
        self._convict(*self._check_votes(evidence, proof), reporter)

    @frame.call(3, weight=_REPORT, dispatch_class=_OPERATIONAL)
    def report_votes_unsigned(
        self, origin: frame.Origin, evidence: VoteEquivocation, proof: KeyOwnership
    ) -> None:
        """As `report_votes`, unsigned and without a reward."""
        frame.ensure_none(origin)
        self._convict(*self._check_votes(evidence, proof), None)

    def validate_unsigned(
        self, source: TransactionSource, entry: frame.CallEntry, arguments: tuple[Any, ...]
    ) -> ValidTransaction:
        """All that an unsigned report could fail by. Raises InvalidTransaction."""
        if entry.name not in ("report_blocks_unsigned", "report_votes_unsigned"):
            return super().validate_unsigned(source, entry, arguments)
        evidence, proof = arguments
        try:
            if isinstance(evidence, BlockEquivocation):
                key, _, _ = self._check_blocks(evidence, proof)
            else:
                key, _, _ = self._check_votes(evidence, proof)
        except AlreadyReported as error:
            raise frame.InvalidTransaction(frame.InvalidKind.STALE, "reported before") from error
        except frame.DispatchError as error:
            reason = type(error).__name__
            raise frame.InvalidTransaction(frame.InvalidKind.BAD_PROOF, reason) from error
        tag = b"offence" + _TAG.encode((key, proof.member.account))
        return ValidTransaction(_PRIORITY, [], [tag], _LONGEVITY, True)

    # -- what is proved

    def _check_blocks(
        self, evidence: BlockEquivocation, proof: KeyOwnership
    ) -> tuple[CaseKey, KeyOwnership, SessionRecordLike]:
        """The case, the proven offender and its session."""
        if proof.member.keys.babe != evidence.authority:
            raise WrongKey
        key = CaseKey(OffenceKind.BLOCK, proof.session)
        self._ensure_new(key, proof.member.account)
        record = self.sessions.check_owner(proof)
        epoch = self.slots.epoch_of(evidence.slot)
        # Epochs without a block belong to the session that followed: it had been announced.
        after = -1 if record.previous is None else record.previous
        if epoch is None or not after < epoch <= proof.session:
            raise WrongSession
        try:
            verify_blocks(evidence)
        except InvalidEvidence as error:
            raise FalseEvidence from error
        return key, proof, record

    def _check_votes(
        self, evidence: VoteEquivocation, proof: KeyOwnership
    ) -> tuple[CaseKey, KeyOwnership, SessionRecordLike]:
        """As `_check_blocks`; any session of the voters' set will do, but only one."""
        if proof.member.keys.grandpa != evidence.first.id:
            raise WrongKey
        key = CaseKey(OffenceKind.VOTE, evidence.set_id)
        self._ensure_new(key, proof.member.account)
        record = self.sessions.check_owner(proof)
        sessions = self.sets.sessions_of_set(evidence.set_id)
        if sessions is None:
            raise WrongSession
        first, end = sessions
        if proof.session < first or (end is not None and proof.session >= end):
            raise WrongSession
        try:
            verify_votes(evidence)
        except InvalidEvidence as error:
            raise FalseEvidence from error
        return key, proof, record

    def _ensure_new(self, key: CaseKey, who: AccountId) -> None:
        if any(known.account == who for known in self.cases.get(key).offenders):
            raise AlreadyReported

    # -- what it costs

    def _convict(
        self,
        key: CaseKey,
        proof: KeyOwnership,
        record: SessionRecordLike,
        reporter: AccountId | None,
    ) -> None:
        self._forget()
        case, member = self.cases.get(key), proof.member
        offenders = [*case.offenders, Offender(member.account, record.era)]
        weight = case.weight + member.weight
        self.cases.put(key, Case(weight, offenders))
        fraction = compute_fraction(weight, record.total_weight)
        for each in offenders:
            self.stake.slash(each.era, each.account, fraction, reporter)
        self.stake.chill_offender(member.account)
        self.sessions.disable_offender(member.account)
        self.deposit_event(Offended(key, member.account, record.era, fraction))

    def _forget(self) -> None:
        """Drop cases in which nothing can be reported any more. Few are kept: one a session."""
        over = [key for key, _ in self.cases.items() if self._is_over(key)]
        for key in over:
            self.cases.remove(key)

    def _is_over(self, key: CaseKey) -> bool:
        if key.kind is OffenceKind.BLOCK:
            return not self.sessions.is_recorded(key.number)
        sessions = self.sets.sessions_of_set(key.number)
        if sessions is None:
            return True
        end = sessions[1]
        return end is not None and not self.sessions.is_recorded(end)

    def try_state(self) -> None:
        for key, case in self.cases.items():
            accounts = [each.account for each in case.offenders]
            assert len({*accounts}) == len(accounts), f"{key} names somebody twice"
