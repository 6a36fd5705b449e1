"""Which submissions of a day are copies by behaviour, and what a ranked one was compared with.

Source: WP V.E (copies of a model), Table I.
"""

from __future__ import annotations

from flockchain.economics.derivation.day_record import DayRecord
from flockchain.economics.derivation.state_book import Page
from flockchain.economics.derivation.terms import ExplainError, Term, Unit, ensure_equal
from runtime.pallets.arena.duplicates import consensus_fingerprint, find_original
from runtime.pallets.arena.records import Roster
from runtime.pallets.arena.work_records import Original


def find_copies(page: Page, record: DayRecord, roster: Roster) -> frozenset[int]:
    """The copies among the day's submissions, found anew. Raises ExplainError."""
    distance = record.task.terms.duplicate_distance
    if distance is None:
        return frozenset()
    _, copies = _compare(page, record, roster, distance)
    behaviours = page.runtime.arena.behaviours
    found = ((e.submission, behaviours.find((record.key, e.submission))) for e in roster.entries)
    recorded = {
        number: each.copy_of
        for number, each in found
        if each is not None and each.copy_of is not None
    }
    ensure_equal("copies", copies, recorded)
    return frozenset(copies)


def explain_fingerprint(record: DayRecord, submission: int) -> tuple[Term, ...]:
    """Why a submission is no copy; nothing in tasks that do not compare. Raises ExplainError."""
    distance = record.task.terms.duplicate_distance
    if distance is None:
        return ()
    page, place = record.book.open(), (record.key, submission)
    arena = page.runtime.arena
    roster, stored = arena.rosters.find(record.key), arena.behaviours.find(place)
    scored = arena.results.find(place)
    if roster is None or stored is None or scored is None:
        raise ExplainError(f"fingerprint: submission {submission} has none")
    ballots = arena.ballots.get(place)
    ensure_equal("fingerprint", consensus_fingerprint(ballots, scored.kept), stored.fingerprint)
    originals, _ = _compare(page, record, roster, distance)
    own = next(each for each in originals if each.submission == submission)
    gaps = [
        (each.fingerprint ^ own.fingerprint).bit_count()
        for each in originals
        if each.submission < submission and (own.owner is None or each.owner != own.owner)
    ]
    return (
        Term(
            "Fingerprint",
            "each bit by the weighted majority of the ballots that count; a copy if within the "
            "distance of an earlier original of another owner",
            "WP V.E, Table I",
            {
                "distance": str(distance),
                "compared with": str(len(gaps)),
                "nearest": str(min(gaps)) if gaps else "none",
            },
            stored.fingerprint,
            Unit.FINGERPRINT,
            page.reads(),
        ),
    )


def _compare(
    page: Page, record: DayRecord, roster: Roster, distance: int
) -> tuple[list[Original], dict[int, int]]:
    """Originals, and copies with what they copy, by the recorded fingerprints."""
    originals: list[Original] = []
    copies: dict[int, int] = {}
    for number in sorted(entry.submission for entry in roster.entries):
        found = page.runtime.arena.behaviours.find((record.key, number))
        if found is None:
            continue
        owner = page.runtime.arena.submissions.get((record.key.task, number)).owner
        one = Original(number, owner, found.fingerprint)
        original = find_original(one, originals, distance)
        if original is None:
            originals.append(one)
        else:
            copies[number] = original
    return originals, copies
