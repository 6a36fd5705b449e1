"""What a host's day was worth: who paid it, and what a sample of them says of its answers.

A bounded sample of a day's payers is kept as they settle, drawn by the chain's randomness and by
what each paid. On the next
day those seal their rating in the first half and open it in the second; weighed by what each paid,
the lower median moves the host's quality. To rate oneself costs what burns of every payment.
Source: WP II.C, II.D.6 (hosts are paid by the quality and frequency of what they contribute).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.market import HostClaim
from runtime.economy.parameters import SCORE_MAX
from runtime.economy.trends import PPM
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.records import HostDay, Rater
from runtime.pallets.marketplace.sampling import ticket_of, with_payment
from runtime.pallets.marketplace.seals import draw_number, seal_rating
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.types import AccountId


class Ratings:
    """Days of hosts."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    # -- what payments leave

    def note(
        self, caller: AccountId, host: AccountId, paid: int, burned: int, multiplier: int
    ) -> None:
        """Count a payment to a registered host, and keep its payer in the sample, or not.

        `multiplier`: of the model's host claims, in parts per million.
        """
        market = self.market
        if not market.hosts.contains(host):
            return
        key = (market.today(), host)
        found = market.days.get(key)
        raters = found.raters
        if paid:  # a free answer buys no say
            ticket = ticket_of(self._number(host, caller, found.payments), paid)
            raters = with_payment(raters, Rater(caller, paid, ticket=ticket))
        weighed = found.weighed + burned * multiplier // PPM
        sums = (found.paid + paid, found.burned + burned, found.payments + 1)
        market.days.put(key, HostDay(*sums, raters, weighed))

    def _number(self, host: AccountId, caller: AccountId, payments: int) -> int:
        market = self.market
        output = market.randomness.author_vrf_output() or b""
        return draw_number(market.block.parent(), output, host, caller, payments)

    # -- ratings

    def seal(self, who: AccountId, host: AccountId, seal: bytes) -> None:
        """Keep a sealed rating of yesterday; a later one replaces it."""
        market = self.market
        if not self._is_sealing():
            raise events.RatingClosed
        day, place, found = self._rater(who, host)
        rater = replace(found.raters[place], seal=seal)
        market.days.put((day, host), found.with_rater(place, rater))
        market.deposit_event(events.RatingSealed(who, host, day))

    def open(self, who: AccountId, host: AccountId, rating: int, salt: bytes) -> None:
        """Open a rating of yesterday."""
        market = self.market
        if self._is_sealing():
            raise events.RatingClosed
        day, place, found = self._rater(who, host)
        rater = found.raters[place]
        genesis = market.block.genesis_hash()
        is_sealed = rater.seal == seal_rating(genesis, who, host, day, rating, salt)
        if not is_sealed or rating > SCORE_MAX:
            raise events.BadOpening
        market.days.put((day, host), found.with_rater(place, replace(rater, rating=rating)))
        market.deposit_event(events.Rated(who, host, day, rating))

    def _is_sealing(self) -> bool:
        calendar = self.market.config.calendar
        return calendar.position_of(self.market.block.block_number()) < calendar.submit_end

    def _rater(self, who: AccountId, host: AccountId) -> tuple[int, int, HostDay]:
        """Yesterday, the rater's place in its sample, and the sample. Raises NotSampled."""
        day = self.market.today() - 1
        found = self.market.days.get((max(day, 0), host))
        places = [place for place, each in enumerate(found.raters) if each.caller == who]
        if day < 0 or not places:
            raise events.NotSampled
        return day, places[0], found

    # -- the first block of a day

    def begin_day(self, day: int) -> list[HostClaim]:
        """Take in the ratings of the day before yesterday; what hosts may claim for yesterday."""
        market = self.market
        if day >= 2:
            for host, found in list(market.days.items_of(day - 2)):
                self._take_in(host, found)
            market.days.remove_all(day - 2)
        if day < 1:
            return []
        yesterday = sorted(market.days.items_of(day - 1))
        claims = [self._claim(host, found) for host, found in yesterday if self._is_serving(host)]
        return [each for each in claims if each.weight]

    def _is_serving(self, host: AccountId) -> bool:
        found = self.market.hosts.find(host)
        return found is not None and found.stake >= self.market.parameters.get().host_stake

    def _claim(self, host: AccountId, found: HostDay) -> HostClaim:
        quality = self.market.hosts.get(host).quality
        return HostClaim(host, quality * found.weighed, found.burned // 2)

    def _take_in(self, who: AccountId, found: HostDay) -> None:
        market = self.market
        host, said = market.hosts.find(who), weighted_median(found.raters)
        if host is None or said is None:
            return
        weight = market.parameters.get().rating_weight
        quality = weight.complement().mul_floor(host.quality) + weight.mul_floor(said)
        market.hosts.put(who, replace(host, quality=quality))
        market.deposit_event(events.QualityChanged(who, quality))


def weighted_median(raters: list[Rater]) -> int | None:
    """The lower median of opened ratings, by what each paid; None if nobody opened one."""
    opened = sorted((each.rating, each.paid) for each in raters if each.rating is not None)
    half, below = sum(paid for _, paid in opened), 0
    for rating, paid in opened:
        below += paid
        if 2 * below >= half:
            return rating
    return None
