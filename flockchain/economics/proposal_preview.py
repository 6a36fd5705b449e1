"""What a proposal would have changed: past days played with its call, beside what was paid.

The call is made before the first of the days begins, and the chain's own blocks follow: the same
models, scores, rounds and votes, settled by the same pallets under other rules. What people would
have done otherwise nobody knows. Amounts are planck.
Source: WP VII (debate before a vote); WP V.E to V.I, VI.F (settlements).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flockchain.economics.live_day import Progress, vesting_parts
from flockchain.economics.past_days import PastDays, Replay
from runtime.frame.call import RUNTIME_CALL, RuntimeCall
from runtime.frame.errors import DispatchError
from runtime.frame.traits import is_pot
from runtime.pallets.arena.events import Paid
from runtime.pallets.fl_alliance import events as alliance_events
from runtime.pallets.governance.records import Proposal
from runtime.pallets.treasury import TREASURY
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId
from runtime.runtime import Runtime

Amounts = dict[AccountId, int]
ASSUMPTIONS: Final = (
    "everybody did what the blocks hold; extrinsics that the changed state refuses are left out",
    "vesting is what accounts have of Reward B so far if the final ranking equals the mean f_i",
    "what acts later, as an emission curve from the next month, shows nothing",
)


class NothingToPreview(ValueError):
    """The proposal or its call is gone, or its call cannot be made; the message says which."""


@dataclass
class Outcome:
    """How one replay ended; who owns what, and what settlements paid."""

    balances: Amounts = field(default_factory=dict)
    earned: Amounts = field(default_factory=dict)  # in the FL Alliance, not claimed yet
    vesting: Amounts = field(default_factory=dict)
    arena: dict[tuple[int, int], int] = field(default_factory=dict)  # by task and day
    alliance: dict[tuple[int, int], int] = field(default_factory=dict)  # by task and round
    issued: int = 0

    def note(self, event: object) -> None:
        """Add what a settlement paid, or took."""
        if isinstance(event, Paid):
            key = (event.task, event.day)
            self.arena[key] = self.arena.get(key, 0) + event.amount
        elif isinstance(event, alliance_events.Rewarded | alliance_events.Slashed):
            key = (event.task, event.round)
            sign = 1 if isinstance(event, alliance_events.Rewarded) else -1
            self.alliance[key] = self.alliance.get(key, 0) + sign * event.amount

    def close(self, runtime: Runtime) -> None:
        """Note what everybody has after the last block. Pots other than the treasury are nobody."""
        for who, info in runtime.system.all_accounts():
            if who == TREASURY or not is_pot(who):
                self.balances[who] = info.data.free + info.data.reserved
        for (_, who), member in runtime.alliance.members.items():
            self.earned[who] = self.earned.get(who, 0) + member.earned
        for task in runtime.tasks.live.get():
            for who, part in vesting_parts(runtime, task, runtime.arena.today()).items():
                self.vesting[who] = self.vesting.get(who, 0) + part
        self.issued = runtime.balances.issuance()


def preview(past: PastDays, number: int, progress: Progress | None = None) -> dict[str, object]:
    """The answer as a JSON document: amounts are strings of planck.

    Raises NothingToPreview, StateForged, UnknownRuntime.
    """
    total, done = 2 * len(past.blocks), 0

    def play(replay: Replay) -> Outcome:
        nonlocal done
        outcome = Outcome()
        for events in replay.play():
            for event in events:
                outcome.note(event)
            done += 1
            if progress is not None:
                progress(done, total)
        outcome.close(replay.runtime)
        return outcome

    asis = Replay(past)
    without = play(asis)
    is_proven = asis.check_root()
    proposal, call = _read(asis.runtime, number)
    failure, events = asis.trial(call)
    if failure is not None:
        raise NothingToPreview(f"the call of proposal {number} would fail now: {_told(failure)}")
    made_in = asis.runtime.arena.config.calendar.first_block(past.first_day) - 1
    changed = Replay(past, call, made_in)
    with_ = play(changed)
    if changed.failure is not None:
        raise NothingToPreview(
            f"the call of proposal {number} would fail in block {made_in}, before day "
            f"{past.first_day}: {_told(changed.failure)}; replay fewer days"
        )
    return {
        "proposal": number,
        "track": proposal.track.name.lower(),
        "call": f"{call.entry.pallet.__name__}.{call.entry.name}",
        "would_do": [type(event).__name__ for event in events],
        "first_day": past.first_day,
        "last_day": past.last_day,
        "from_block": past.blocks[0].header.number,
        "to_block": past.blocks[-1].header.number,
        "proven": is_proven,
        "left_out": changed.left_out,
        **_compare(without, with_),
        "assumptions": list(ASSUMPTIONS),
    }


def _read(runtime: Runtime, number: int) -> tuple[Proposal, RuntimeCall]:
    proposal = runtime.governance.proposals.find(number)
    if proposal is None:
        raise NothingToPreview(f"there is no proposal {number}, or it was decided long ago")
    data = runtime.preimage.bytes_of(proposal.call) if proposal.stage.is_live() else None
    if data is None:
        raise NothingToPreview(f"proposal {number} is over: {proposal.stage.name.lower()}")
    return proposal, RUNTIME_CALL.decode_all(data)


def _told(failure: DispatchError) -> str:
    reason = " ".join((type(failure).__doc__ or "").split())
    return f"{type(failure).__name__}: {reason}"


# -- the comparison


def _compare(without: Outcome, with_: Outcome) -> dict[str, object]:
    parts = {
        "balance": _differences(without.balances, with_.balances),
        "alliance": _differences(without.earned, with_.earned),
        "vesting": _differences(without.vesting, with_.vesting),
    }
    sums: Amounts = {}
    for amounts in parts.values():
        for who, amount in amounts.items():
            sums[who] = sums.get(who, 0) + amount
    everybody = without.balances.keys() | with_.balances.keys()
    changed = {who for amounts in parts.values() for who, amount in amounts.items() if amount}

    def rows(chosen: Callable[[int], bool]) -> list[dict[str, str]]:
        found = sorted((who for who in changed if chosen(sums[who])), key=lambda who: -sums[who])
        return [
            {
                "account": "treasury" if who == TREASURY else encode_address(who),
                **{name: str(amounts.get(who, 0)) for name, amounts in parts.items()},
                "difference": str(sums[who]),
            }
            for who in found
        ]

    return {
        "gained": rows(lambda amount: amount > 0),
        "lost": rows(lambda amount: amount < 0)[::-1],
        "moved": rows(lambda amount: amount == 0),
        "unchanged": len(everybody - changed),
        "issued": str(with_.issued - without.issued),
        "arena": _settlements("day", without.arena, with_.arena),
        "alliance": _settlements("round", without.alliance, with_.alliance),
    }


def _differences(without: Amounts, with_: Amounts) -> Amounts:
    return {
        who: with_.get(who, 0) - without.get(who, 0)
        for who in sorted(without.keys() | with_.keys())
    }


def _settlements(
    unit: str, without: dict[tuple[int, int], int], with_: dict[tuple[int, int], int]
) -> list[dict[str, object]]:
    """What each settlement paid in all, both ways."""
    return [
        {
            "task": task,
            unit: place,
            "with": str(with_.get((task, place), 0)),
            "without": str(without.get((task, place), 0)),
        }
        for task, place in sorted(without.keys() | with_.keys())
    ]
