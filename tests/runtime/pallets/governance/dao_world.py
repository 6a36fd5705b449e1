"""The real runtime over one state, with blocks of hooks only, for tests of governance."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime import frame
from runtime.economy.governance import Track
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.governance import Governance
from runtime.pallets.governance.records import Proposal
from runtime.pallets.treasury import TREASURY, Treasury
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, AccountId
from runtime.runtime import Runtime
from tests.runtime.block_chain import AUTHOR, Chain, call_of

WHY = blake2b_256(b"why")
NAMES = ("ann", "ben", "cat", "dan")
PAYEE = AccountId(blake2b_256(b"payee"))
SPEND = call_of(Treasury.spend, PAYEE, 7 * FML)
START = 500 * FML


def account(name: str) -> AccountId:
    """An account of a name."""
    return AccountId(blake2b_256(name.encode()))


@dataclass
class Dao:
    """Four accounts of 500 FML each and a treasury of 200; `number` is the current block."""

    runtime: Runtime = field(default_factory=lambda: Chain().runtime)
    number: int = 0

    def __post_init__(self) -> None:
        self.balances = self.runtime.balances
        self.dao: Governance = self.runtime.governance
        for name in NAMES:
            self.balances.mint(account(name), START)
        self.balances.transfer(AUTHOR.account, TREASURY, 200 * FML)
        self.next()

    def next(self) -> None:
        """Go on to the next block."""
        self.runtime.try_state()
        self.number += 1
        self.runtime.system.number.put(self.number)
        self.runtime.scheduler.on_initialize(self.number)
        self.dao.on_initialize(self.number)
        self.runtime.try_state()

    def go(self, blocks: int) -> None:
        """Let blocks pass."""
        for _ in range(blocks):
            self.next()

    def lock(self, name: str, amount: int, days: int = 1) -> None:
        self.dao.lock(signed(account(name)), amount, days)

    def propose(
        self, name: str, track: Track = Track.TREASURY, call: frame.RuntimeCall = SPEND
    ) -> int:
        """A proposal; its debate has begun."""
        number = self.dao.next_proposal.get()
        self.dao.propose(signed(account(name)), track, WHY, call)
        self.next()
        return number

    def open_vote(self, name: str, **about: object) -> int:
        """A proposal that is voted on from this block."""
        number = self.propose(name, **about)  # type: ignore[arg-type]
        self.go(self.dao.parameters.get().debate)
        return number

    def vote(self, name: str, number: int, *, is_aye: bool = True) -> None:
        self.dao.vote(signed(account(name)), number, is_aye)

    def close(self) -> None:
        """Let the vote end, which opened in this block."""
        self.go(self.dao.parameters.get().voting)

    def enact(self) -> None:
        """Let the timelock end, which began in this block."""
        self.go(self.dao.parameters.get().timelock)

    def proposal(self, number: int) -> Proposal:
        return self.dao.proposals.get(number)

    def free(self, name: str) -> int:
        return self.balances.free(account(name))

    def held(self, reason: HoldReason, name: str) -> int:
        return self.balances.held(reason, account(name))
