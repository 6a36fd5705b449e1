"""The real runtime over one state with payments, locks and seasons, for tests of trends."""

from __future__ import annotations

from dataclasses import dataclass, replace

from runtime import frame
from runtime.pallets.marketplace.records import Line
from runtime.pallets.trends.records import Part, Poll, Season
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import (
    DAY,
    GRAND,
    MODEL,
    OTHER,
    PARENT,
    Market,
    account,
    origin,
)

HOSTED = (GRAND, PARENT, MODEL, OTHER)
PAYERS = tuple(f"payer {number}" for number in range(6))
VOTERS = ("ann", "ben", "cat", "dan")
START = 5_000 * FML
BURN = 3  # tenths of a payment


@dataclass
class Seasons(Market):
    """`hal` hosts four models; six payers and four voters have 5,000 FML each."""

    def __post_init__(self) -> None:
        self.trends = self.runtime.trends
        self.dao = self.runtime.governance
        super().__post_init__()
        for name in (*PAYERS, *VOTERS, "hal"):
            self.balances.mint(account(name), START)
        for model in HOSTED:
            self.host("hal", model)

    def next(self) -> None:
        """Go on to the next block, by the hooks that matter here."""
        self.number += 1
        self.runtime.system.number.put(self.number)
        self.market.on_initialize(self.number)
        self.dao.on_initialize(self.number)
        self.trends.on_initialize(self.number)
        self.trends.try_state()

    def go_to(self, block: int) -> None:
        """Go on to a block, and check everything there."""
        self.go(block - self.number)
        self.runtime.try_state()

    def end_season(self) -> None:
        """Go on to the first block of the next season."""
        self.go_to(self.season().until)

    def end_poll(self) -> None:
        """Go on to the block in which the open vote is over."""
        self.go_to(self.poll().until)

    def pay(self, name: str, model: bytes, paid: int) -> None:
        """Pay the host for a model; three tenths burn."""
        line = Line(account("hal"), model)
        channel = self.market.channels.find((account(name), line))
        if channel is None:
            self.open(name, "hal", paid, model)
        else:
            self.market.top_up(origin(name), account("hal"), model, paid)
        total = self.channel(name, "hal", model).deposit
        self.settle("hal", name, total, model)

    def list_model(self, model: bytes, payers: int, paid: int = 10 * FML) -> None:
        """Have so many payers pay for a model."""
        for name in PAYERS[:payers]:
            self.pay(name, model, paid)

    def trend_rules(self, **changes: object) -> None:
        """Change rules as a passed proposal does."""
        changed = replace(self.trends.parameters.get(), **changes)  # type: ignore[arg-type]
        self.trends.set_parameters(frame.ROOT, changed)

    def lock(self, name: str, amount: int, days: int = 1) -> None:
        self.dao.lock(origin(name), amount, days)

    def vote(self, name: str, **shares: int) -> None:
        """Divide one's votes in percent, as `model=60`; names are those of the four models."""
        names = {"grand": GRAND, "parent": PARENT, "model": MODEL, "other": OTHER}
        parts = [Part(names[each], share * 10_000) for each, share in shares.items()]
        self.trends.vote(origin(name), parts)

    # -- what tests ask

    def season(self) -> Season:
        return self.trends.season.get()

    def poll(self) -> Poll:
        found = self.trends.poll.find()
        assert found is not None, "no vote"
        return found

    def votes(self) -> dict[bytes, int]:
        """The votes for each candidate."""
        return {each.model: each.votes for each in self.poll().candidates}


__all__ = ["DAY", "GRAND", "HOSTED", "MODEL", "OTHER", "PARENT", "PAYERS", "VOTERS", "Seasons"]
