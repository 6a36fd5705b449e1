"""What the marketplace keeps: hosts, offers, callers' stakes, channels, requests.

A model is named by the content digest of a completed task's consensus model: a version is pinned by
its hash.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.primitives.multi import MultiSignature
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U128, AccountId, Balance, BlockNumber, Bytes32

HOSTS_MAX: Final = 256  # a day's first block looks at all of them
OFFERS_MAX: Final = 32  # of one host
ENDPOINT_BYTES_MAX: Final = 200
CLAIMS_MAX: Final = 256  # settled by one call
LEAVING_MAX: Final = 16  # parts of one caller's stake on their way out
CONTRIBUTIONS_MAX: Final = 64  # of one account
RATERS_MAX: Final = 16  # of one host and day
LOOKS_MAX: Final = 32  # at due requests and at blocks that have some, a block


@frame.scale_type
class Host:
    """A host's stake, its quality in [0, 10^9], and when it may take the stake.

    `leaving_at` is None until it leaves. `cases`: challenges of its answers on their way.
    """

    stake: Balance
    quality: U32
    leaving_at: BlockNumber | None = None
    offers: U32 = 0
    cases: U32 = 0


@frame.scale_type
class Offer:
    """A host serves a model at an endpoint, for so many planck a call.

    `follows`: when a model that came of this one is complete, its host may move the offer on to it.
    """

    task: U32
    endpoint: str
    price: Balance
    follows: bool
    since: BlockNumber


@frame.scale_type
class Leaving:
    """A part of a stake that is free from a block on."""

    amount: Balance
    free_at: BlockNumber


@frame.scale_type
class CallerStake:
    """A stake for free calls: `amount` now, `before` at the start of day `day`, when it changed."""

    amount: Balance
    before: Balance
    day: U32
    leaving: Annotated[list[Leaving], Limit(LEAVING_MAX)]

    def counted_on(self, day: int) -> int:
        """What counts on a day: what was there when it began and has not left."""
        return min(self.before, self.amount) if self.day == day else self.amount

    def held(self) -> int:
        """All that is held."""
        return self.amount + sum(part.amount for part in self.leaving)


@frame.scale_type
class Line:
    """A host and a model, as a caller's channels are told apart."""

    host: AccountId
    model: ContentDigest


@frame.scale_type
class Channel:
    """What a caller deposited for a host's model, and what of it was settled: in all, for ever.

    The rest is held. From block `closing_at` on the caller may take it.
    """

    deposit: Balance
    settled: Balance = 0
    closing_at: BlockNumber | None = None

    def left(self) -> int:
        """What a voucher can still claim."""
        return self.deposit - self.settled


@frame.scale_type
class Claim:
    """A caller's voucher in its host's hands: the total, and the caller's signature."""

    caller: AccountId
    model: ContentDigest
    total: Balance
    signature: MultiSignature


@frame.scale_type
class Request:
    """A call by the chain itself: `max_fee` is held of the caller until block `deadline`.

    `host`: who may answer; None: any host of the model whose price is no more.
    """

    caller: AccountId
    host: AccountId | None
    model: ContentDigest
    question: ContentDigest
    max_fee: Balance
    deadline: BlockNumber


@frame.scale_type
class Rater:
    """Who paid a host on a day, how much, and what it says of the answers: sealed, then opened.

    `ticket`: the lowest ones are in the sample.
    """

    caller: AccountId
    paid: Balance
    seal: Bytes32 | None = None
    rating: U32 | None = None
    ticket: U128 = 0


@frame.scale_type
class HostDay:
    """What a host was paid on a day in planck, in how many payments, and a sample of who paid.

    `weighed`: what was burned, each payment times the multiplier of its model.
    """

    paid: Balance
    burned: Balance
    payments: U32
    raters: Annotated[list[Rater], Limit(RATERS_MAX)]
    weighed: Balance = 0

    def with_rater(self, place: int, rater: Rater) -> HostDay:
        """The same with another rater at a place."""
        raters = [rater if at == place else each for at, each in enumerate(self.raters)]
        return replace(self, raters=raters)


Claims = Annotated[list[Claim], Limit(CLAIMS_MAX)]
