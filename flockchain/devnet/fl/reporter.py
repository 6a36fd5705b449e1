"""What the chapter says while it happens: one line an event, in plain words.

Source: WP VI.B to VI.F.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.fl.cast import name_of
from flockchain.devnet.fl.record import Record
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import FailureReason, Outcome
from runtime.pallets.fl_alliance.views import RoundInfo
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import AccountId

_FAILURES: Final = {
    FailureReason.NO_PROOF: "it posted no proof",
    FailureReason.BAD_PROOF: "its proof is wrong",
    FailureReason.NO_OPENING: "what it handed out is not the sum that was proved, say the voters",
}


class Reporter:
    """Says lines by `say`, and remembers in `record` what the end is made from."""

    def __init__(self, say: Callable[[str], None], task: int) -> None:
        self.say = say
        self.record = Record(task)

    def on_event(self, number: int, event: object) -> None:
        """Tell of an event of block `number`, if it belongs to the task."""
        self.record.note(event)
        if getattr(event, "task", None) != self.record.task:
            return
        line = _line(event)
        if line is not None:
            self.say(f"  #{number:<4} {line}")

    def on_roles(self, number: int, made: RoundInfo) -> None:
        """Tell of a round's roles."""
        proposers, voters = made.record.proposers, made.record.voters
        self.say(
            f"  #{number:<4} round {made.round}: {_names(proposers)} propose, {_names(voters)} vote"
        )

    def on_settled(self, number: int, round_: int) -> None:
        """Tell what a round did to whom."""
        record = self.record
        for word, events in (("paid", record.rewarded), ("slashed", record.slashed)):
            sums = {event.who: event.amount for event in events if event.round == round_}
            if sums:
                parts = ", ".join(f"{name_of(who)} {short(sum_)}" for who, sum_ in sums.items())
                self.say(f"  #{number:<4} round {round_}: {word}: {parts}")


def _names(accounts: list[AccountId]) -> str:
    return ", ".join(name_of(account) for account in accounts)


def _line(event: object) -> str | None:
    match event:
        case alliance.Joined(who=who, stake=stake, units=units):
            return f"{name_of(who)} joins with {short(stake)} and {units} units of samples"
        case alliance.RoundOpened(round=round_, members=members):
            return f"round {round_} opens for {members} members"
        case alliance.VoteRevealed(round=round_, who=who, accepts=accepts):
            said = {True: "accepts", False: "rejects", None: "had no data"}[accepts]
            return f"round {round_}: {name_of(who)} {said}"
        case alliance.RoundTallied(round=round_, outcome=outcome, votes=votes, reward=reward):
            void = f" ({event.void.name.lower()})" if event.void is not None else ""
            words = {Outcome.ACCEPTED: "accepted", Outcome.REJECTED: "rejected"}
            said = words.get(outcome, f"void{void}")
            return f"round {round_} is {said}: votes add up to {votes}, reward {short(reward)}"
        case alliance.RoundSettled(round=round_, model=model) if model is not None:
            return f"round {round_} is settled; the model is {cid_text(model)}"
        case alliance.SumProved(round=round_, who=who, proved=sum_):
            return (
                f"round {round_}: {name_of(who)} proves its sum by 80 bytes, H(Enc(w)) is "
                f"0x{sum_[:8].hex()}.."
            )
        case alliance.AggregatorFailed(round=round_, who=who, reason=reason):
            return f"round {round_}: {name_of(who)} fails to aggregate: {_FAILURES[reason]}"
        case alliance.HandedOver(round=round_, who=who):
            return f"round {round_}: {name_of(who)} hands its update to the next aggregator"
        case alliance.SecretsShared(round=round_, who=who):
            return f"round {round_}: {name_of(who)} shares the secrets of its masks"
        case alliance.SharesRevealed(round=round_, who=who):
            return f"round {round_}: {name_of(who)} reveals the shares that are asked for"
        case alliance.Expelled(who=who, balance=balance):
            return f"{name_of(who)} is expelled with {short(balance)} left"
        case alliance.Claimed(who=who, stake=stake, earned=earned):
            return f"{name_of(who)} takes home {short(stake + earned)}"
        case alliance.TaskEnded(reason=reason, returned=returned, burned=burned):
            left = f"{short(returned)} return, {short(burned)} burn"
            return f"the task ends ({reason.name.lower()}); of its pool {left}"
        case _:
            return None
