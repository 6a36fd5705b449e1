"""What happened in the chapter, event by event: what the end is told and checked from.

Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.frame.events import ApplyExtrinsic, EventRecord
from runtime.pallets.marketplace import case_records, events
from runtime.primitives.types import AccountId


@dataclass(frozen=True)
class Called:
    """A call that was answered: by whom, of which task's model, for how much, in how many pieces.

    `host`: 0x and hexadecimal, empty where no gateway names it. `charge` in planck.
    """

    task: int
    host: str
    charge: int
    text: str = ""
    pieces: int = 0
    labels: tuple[int, ...] = ()


@dataclass
class Record:
    """The marketplace's events of some hosts, with their blocks."""

    hosts: frozenset[AccountId]
    offered: list[events.Offered] = field(default_factory=list)
    settled: list[tuple[int, int, events.Settled]] = field(default_factory=list)
    opened: events.CaseOpened | None = None
    verdicts: list[events.VerdictOpened] = field(default_factory=list)
    slashed: events.HostSlashed | None = None
    ended: tuple[int, events.CaseEnded] | None = None

    def note(self, number: int, record: EventRecord) -> bool:
        """Remember an event of a block; whether it belongs to the chapter."""
        event, phase = record.event, record.phase
        match event:
            case events.Offered(host=host) if host in self.hosts:
                self.offered.append(event)
            case events.Settled(host=host) if host in self.hosts:
                assert isinstance(phase, ApplyExtrinsic), "hosts settle by extrinsics"
                self.settled.append((number, phase.extrinsic, event))
            case events.CaseOpened(matter=case_records.Disputed(answer=answer)):
                if answer.host not in self.hosts:
                    return False
                self.opened = event
            case events.VerdictOpened() if self._is_ours(event.case):
                self.verdicts.append(event)
            case events.HostSlashed(host=host) if host in self.hosts:
                self.slashed = event
            case events.CaseEnded() if self._is_ours(event.case):
                self.ended = (number, event)
            case events.CaseMoved() if self._is_ours(event.case):
                pass
            case events.HostRegistered(host=host) if host in self.hosts:
                pass
            case _:
                return False
        return True

    def _is_ours(self, case: int) -> bool:
        return self.opened is not None and self.opened.case == case

    def settled_of(self, host: AccountId, model: bytes) -> int:
        """All that was settled for a host's model, planck."""
        return sum(
            each.paid for _, _, each in self.settled if each.host == host and each.model == model
        )
