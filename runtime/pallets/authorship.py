"""Authorship: who makes blocks, and who has long made none.

A member of the authorities that makes no block while the others make so many that it should have
had its turn is not there: it is chilled, never slashed, and nobody is if more than a third of the
weight is silent: then it is the network that fails, and the few who are left must not decide alone.
Invariant: a block is noted for its author and for nobody else.
Source: Substrate `pallet_authorship`, `pallet_im_online`; WP II.A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from runtime import frame
from runtime.economy.authorities import Member
from runtime.frame.weights import Weight
from runtime.primitives.types import U32, AccountId

_BLOCK = Weight(60_000_000)


@frame.event(0)
class SomeOffline:
    """These made no block for long and are chilled."""

    offline: list[AccountId]


class AuthorOfBlock(Protocol):
    """What authorship asks of babe."""

    def author(self) -> AccountId | None:
        """The account of the block's author."""


class Rewards(Protocol):
    """What authorship asks of staking."""

    def note_author(self, who: AccountId) -> None:
        """`who` made a block."""

    def fee_receiver(self, author: AccountId) -> AccountId:
        """Who gets the author's part of fees."""

    def chill_offender(self, who: AccountId) -> bool:
        """`who` is no candidate until it asks again; whether it was one."""


class Members(Protocol):
    """What authorship asks of session."""

    def acting(self) -> Sequence[Member]:
        """The members of this session."""

    def session_index(self) -> int:
        """This session."""


@dataclass(frozen=True)
class Config:
    """`silence` blocks for each member without one of its own: then the member is not there.

    A member gets three quarters of an equal part of the slots at least, by secondary slots: one
    that is there has no block among 40 a member with a chance of 10^-13.
    """

    silence: U32 = 40


class Authorship(frame.Pallet[Config], index=4):
    last_block = frame.StorageMap[AccountId, int](
        AccountId, U32, docs="The block since which a member is awaited: its last, or when it came."
    )
    checked_session = frame.StorageValue[int](U32, default=0)

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        block: AuthorOfBlock,
        rewards: Rewards,
        members: Members,
    ) -> None:
        super().__init__(ext, config)
        self.block, self.rewards, self.members = block, rewards, members

    def on_initialize(self, number: int) -> Weight:
        author = self.block.author()
        if author is not None:
            self.rewards.note_author(author)
            if self.last_block.contains(author):
                self.last_block.put(author, number)
        session = self.members.session_index()
        if session == self.checked_session.get():
            return _BLOCK
        self.checked_session.put(session)
        acting = self.members.acting()
        self._check(acting, number)
        self._await(acting, number)
        return _BLOCK + _BLOCK.times(2 * len(acting))

    def _check(self, acting: Sequence[Member], number: int) -> None:
        """Chill who is silent. Emits SomeOffline."""
        patience = self.config.silence * len(acting)
        silent = [
            each
            for each in acting
            if number - (self.last_block.find(each.account) or number) >= patience
        ]
        weight = sum(each.weight for each in silent)
        if not silent or 3 * weight > sum(each.weight for each in acting):
            return
        chilled = [each.account for each in silent if self.rewards.chill_offender(each.account)]
        if chilled:
            self.deposit_event(SomeOffline(chilled))

    def _await(self, acting: Sequence[Member], number: int) -> None:
        """Members are awaited from when they come to when they go."""
        present = {each.account for each in acting}
        gone = [who for who, _ in self.last_block.items() if who not in present]
        for who in gone:
            self.last_block.remove(who)
        for each in acting:
            if not self.last_block.contains(each.account):
                self.last_block.put(each.account, number)

    # -- Author

    def author(self) -> AccountId | None:
        """The account of the block's author: it gets the tips."""
        return self.block.author()

    def fee_receiver(self) -> AccountId | None:
        """Who gets the author's part of fees."""
        author = self.block.author()
        return None if author is None else self.rewards.fee_receiver(author)
