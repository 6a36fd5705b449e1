"""What a chapter of the Alliance keeps of events that a test makes up."""

from __future__ import annotations

from collections.abc import Iterable

from flockchain.devnet.fl.record import Record


def record_of(task: int, events: Iterable[object]) -> Record:
    """The record of a task to which these things happened."""
    record = Record(task)
    for event in events:
        record.note(event)
    return record
