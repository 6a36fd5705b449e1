"""Juries: task validators who enlist, and five of them drawn by stake for each case.

The beacon takes in the VRF output of every block while a case waits to be drawn, so that nobody
knows a jury when a case is opened. Who is a party is not drawn. Who no longer validates is struck
from the list. Who was drawn and said nothing is as well, for some days, even if it stood down
meanwhile: else a juror could skip the cases that it does not like.
Source: WP V.B (selection rises with stake), WP IV.B.
"""

from __future__ import annotations

from typing import Final

from runtime.economy.tasks import Role
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.case_records import (
    JURORS_MAX,
    JURY,
    SILENT_DAYS,
    SILENT_MAX,
    Juror,
    Silent,
)
from runtime.pallets.marketplace.storage import Marketplace
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId, Hash

_JURY: Final = b"flockchain/jury/v1"


class Jury:
    """The list and the draw."""

    def __init__(self, market: Marketplace) -> None:
        self.market = market

    def enlist(self, who: AccountId, task: int) -> None:
        """Stand ready as a validator of a task."""
        market, count = self.market, self.market.juror_count.get()
        is_new = not market.jurors.contains(who)
        today = market.today()
        if any(each.who == who and today < each.until_day for each in market.silent.get()):
            raise events.StruckOff
        if not self._stake(who, task):
            raise events.NotAValidator
        if is_new and count >= JURORS_MAX:
            raise events.TooManyJurors
        market.jurors.put(who, task)
        market.juror_count.put(count + is_new)
        market.deposit_event(events.JurorEnlisted(who, task))

    def strike(self, who: AccountId) -> None:
        """Stand ready no more. Raises NotAJuror."""
        market = self.market
        if not market.jurors.contains(who):
            raise events.NotAJuror
        market.jurors.remove(who)
        market.juror_count.put(market.juror_count.get() - 1)
        market.deposit_event(events.JurorStruck(who))

    def strike_off(self, who: AccountId) -> None:
        """Who was drawn and said nothing does not stand ready, and may not for some days."""
        market, today = self.market, self.market.today()
        others = [e for e in market.silent.get() if e.who != who and today < e.until_day]
        silent = [*others, Silent(who, today + SILENT_DAYS)]
        market.silent.put(silent[-SILENT_MAX:])
        if market.jurors.contains(who):
            self.strike(who)

    def turn_beacon(self, number: int) -> None:
        """Take in this block's VRF output."""
        market = self.market
        output = market.randomness.author_vrf_output()
        if output is None:
            output = blake2b_256(market.block.parent() + number.to_bytes(4, "little"))
        market.beacon.put(blake2b_256(market.beacon.get() + output))

    def draw(self, case: int, parties: tuple[AccountId, ...]) -> list[Juror]:
        """Five jurors, each once, in proportion to stake; none if there are fewer."""
        market, stakes = self.market, self._stakes(parties)
        if len(stakes) < JURY:
            return []
        genesis = market.block.genesis_hash()
        seed = blake2b_256(_JURY + genesis + market.beacon.get() + case.to_bytes(4, "little"))
        return [Juror(who) for who in draw_jury(seed, stakes)]

    def _stakes(self, parties: tuple[AccountId, ...]) -> list[tuple[AccountId, int]]:
        """Stakes of who can be drawn, in account order; who cannot any more is struck."""
        found = []
        for who, task in sorted(self.market.jurors.items()):
            stake = self._stake(who, task)
            if not stake:
                self.strike(who)
            elif who not in parties:
                found.append((who, stake))
        return found

    def _stake(self, who: AccountId, task: int) -> int:
        """The stake behind a validator of a live task; else 0."""
        market = self.market
        found = market.stakes.stake_of(task, who, market.today())
        is_validator = found is not None and found.role is Role.TASK_VALIDATOR
        return found.total if found is not None and is_validator else 0


def draw_jury(seed: Hash, stakes: list[tuple[AccountId, int]]) -> list[AccountId]:
    """Five accounts, each once, by their stakes; `stakes` has as many, all above 0."""
    left, drawn = list(stakes), []
    for seat in range(JURY):
        digest = blake2b_256(seed + seat.to_bytes(4, "little"))
        at = int.from_bytes(digest, "little") % sum(stake for _, stake in left)
        place = 0
        while at >= left[place][1]:
            at -= left[place][1]
            place += 1
        drawn.append(left.pop(place)[0])
    return drawn
