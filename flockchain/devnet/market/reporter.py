"""What the chapter says while it happens: one line an event, in plain words.

Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.devnet.arena.reporter import short
from flockchain.devnet.market.cast import name_of
from flockchain.devnet.market.record import Record
from runtime.frame.events import EventRecord
from runtime.pallets.marketplace import case_records, events

_SAID: Final = {
    case_records.Right: "right",
    case_records.Wrong: "wrong",
    case_records.NoData: "that it cannot be judged",
}


class Reporter:
    """Says lines by `say`, and remembers in `record` what the end is made from."""

    def __init__(self, say: Callable[[str], None], record: Record) -> None:
        self._say = say
        self.record = record

    def on_event(self, number: int, record: EventRecord) -> None:
        """Tell of an event of block `number`, if it belongs to the chapter."""
        if self.record.note(number, record):
            line = _line(record.event)
            if line is not None:
                self._say(f"  #{number:<4} market: {line}")


def _line(event: object) -> str | None:
    match event:
        case events.HostRegistered(host=host, stake=stake):
            return f"{name_of(host)} stakes {short(stake)}"
        case events.Offered(host=host, task=task, price=price):
            return f"{name_of(host)} offers the model of task {task} for {short(price)} a call"
        case events.Settled(host=host, paid=paid, burned=burned, royalty=royalty):
            rest = short(paid - burned - royalty)
            return (
                f"{name_of(host)} settles {short(paid)}: {short(burned)} burned, "
                f"{short(royalty)} for who made the model, {rest} its own"
            )
        case events.CaseOpened(case=case, opener=opener):
            return f"{name_of(opener)} challenges an answer: case {case}"
        case events.CaseMoved(stage=case_records.CaseStage.SEALING, jurors=jurors):
            return f"drawn: {', '.join(name_of(each) for each in jurors)}"
        case events.VerdictOpened(juror=juror, verdict=verdict):
            return f"{name_of(juror)} found the answer {_SAID.get(type(verdict), 'measured')}"
        case events.HostSlashed(host=host, slashed=slashed, reward=reward):
            return f"{name_of(host)} is slashed {short(slashed)}, {short(reward)} of it reward"
        case events.CaseEnded(case=case, outcome=outcome):
            return f"case {case} is {outcome.name.lower()}"
        case _:
            return None
