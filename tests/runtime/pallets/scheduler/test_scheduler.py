"""Scheduled calls: when and in what order they are made, what waits, what is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from runtime.frame.call import RuntimeCall
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import NONE, ROOT, signed
from runtime.frame.pallet import encode_call
from runtime.frame.result import Err, Ok
from runtime.frame.weights import Weight
from runtime.pallets.balances import Balances
from runtime.pallets.multisig import Multisig
from runtime.pallets.preimage import Preimage
from runtime.pallets.scheduler import Scheduler, pallet, records
from runtime.pallets.scheduler.records import Inline, Lookup, origin_of, stored_origin
from runtime.pallets.system import CallFiltered, System
from runtime.pallets.timestamp import Timestamp
from runtime.pallets.treasury import TREASURY, Treasury
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, AccountId, Hash
from runtime.runtime import Runtime
from tests.runtime.block_chain import ALICE, BOB, Chain, call_of

CAROL = AccountId(blake2b_256(b"carol"))
NAME, OTHER = b"n" * 32, b"o" * 32
SPEND = call_of(Treasury.spend, CAROL, FML)


def heavy(ref_time: int) -> RuntimeCall:
    """A call that is weighed at least so much; made by root it fails."""
    return call_of(Multisig.as_multi, 2, [CAROL], None, SPEND, Weight(ref_time))


@dataclass
class Blocks:
    """A state whose blocks have hooks only; the treasury has 100 FML."""

    runtime: Runtime = field(default_factory=lambda: Chain().runtime)
    number: int = 0

    def __post_init__(self) -> None:
        self.runtime.balances.transfer(ALICE.account, TREASURY, 100 * FML)
        self.scheduler: Scheduler = self.runtime.scheduler
        self.next()

    def next(self) -> list[object]:
        """The events of the next block's tasks."""
        self.number += 1
        self.runtime.system.number.put(self.number)
        before = len(self.runtime.ext.events)
        used = self.scheduler.on_initialize(self.number)
        assert used.fits(self.scheduler.config.maximum_weight)
        self.runtime.try_state()
        return [event for _, event in self.runtime.ext.events[before:]]

    def results(self) -> list[object]:
        """Results of the next block's calls."""
        return [e.result for e in self.next() if isinstance(e, records.Dispatched)]

    @property
    def paid(self) -> int:
        """FML that were spent."""
        return self.runtime.balances.free(CAROL) // FML


def test_a_call_is_made_in_its_block_and_leaves_nothing() -> None:
    blocks = Blocks()
    blocks.scheduler.schedule(ROOT, 3, None, 0, SPEND)
    assert blocks.next() == []
    told = blocks.next()
    assert told[-1] == records.Dispatched((3, 0), None, Ok(None))
    assert blocks.paid == 1
    assert not blocks.scheduler.agenda.contains(3)
    assert blocks.next() == []


def test_a_call_that_fails_is_told_and_undone() -> None:
    blocks = Blocks()
    blocks.scheduler.schedule_after(ROOT, 0, None, 0, call_of(Treasury.spend, CAROL, 200 * FML))
    (result,) = blocks.results()
    assert isinstance(result, Err)
    assert blocks.paid == 0


def test_inherent_calls_are_not_scheduled_past_the_authors() -> None:
    blocks = Blocks()
    blocks.scheduler.schedule_after(ROOT, 0, None, 0, call_of(Timestamp.set, 1))
    assert blocks.results() == [dispatch_result(CallFiltered())]


def test_priorities_and_order() -> None:
    blocks = Blocks()
    for priority, text in ((5, b"c"), (1, b"a"), (5, b"d"), (1, b"b")):
        call = call_of(System.remark, text)
        blocks.scheduler.schedule(ROOT, 2, None, priority, call)
    told = [e.task for e in blocks.next() if isinstance(e, records.Dispatched)]
    assert told == [(2, 1), (2, 3), (2, 0), (2, 2)]


def test_a_periodic_call_is_made_so_often() -> None:
    blocks = Blocks()
    blocks.scheduler.schedule_named(ROOT, NAME, 2, (3, 3), 0, SPEND)
    paid = []
    for _ in range(12):
        blocks.next()
        paid.append((blocks.number, blocks.paid))
    assert [number for number, total in paid if (number - 1, total) not in paid][1:] == [5, 8]
    assert blocks.paid == 3
    assert not blocks.scheduler.lookup.contains(NAME)
    assert list(blocks.scheduler.agenda.keys()) == []


def test_a_period_of_nothing_is_once() -> None:
    blocks = Blocks()
    for periodic in ((0, 9), (5, 1), (5, 0)):
        blocks.scheduler.schedule(ROOT, 2, periodic, 0, SPEND)
    blocks.next()
    assert blocks.paid == 3
    assert list(blocks.scheduler.agenda.keys()) == []


def test_tasks_are_cancelled() -> None:
    blocks = Blocks()
    scheduler = blocks.scheduler
    scheduler.schedule(ROOT, 3, None, 0, SPEND)
    scheduler.schedule_named_after(ROOT, NAME, 1, None, 0, SPEND)
    with pytest.raises(records.Named):
        scheduler.cancel(ROOT, 3, 1)
    scheduler.cancel(ROOT, 3, 0)
    scheduler.schedule(ROOT, 3, None, 0, call_of(System.remark, b""))  # takes the empty place
    assert [task is not None for task in scheduler.agenda.get(3)] == [True, True]
    scheduler.cancel_named(ROOT, NAME)
    for missing in ((3, 1), (3, 9), (4, 0)):
        with pytest.raises(records.NotFound):
            scheduler.cancel(ROOT, *missing)
    with pytest.raises(records.NotFound):
        scheduler.cancel_named(ROOT, NAME)
    blocks.next()
    assert len(blocks.results()) == 1
    assert blocks.paid == 0


def test_only_root_schedules_and_cancels() -> None:
    blocks = Blocks()
    scheduler = blocks.scheduler
    calls = (
        (scheduler.schedule, (9, None, 0, SPEND)),
        (scheduler.schedule_named, (NAME, 9, None, 0, SPEND)),
        (scheduler.schedule_after, (9, None, 0, SPEND)),
        (scheduler.schedule_named_after, (NAME, 9, None, 0, SPEND)),
        (scheduler.cancel, (9, 0)),
        (scheduler.cancel_named, (NAME,)),
    )
    for origin in (signed(ALICE.account), NONE):
        for call, arguments in calls:
            refused: Callable[..., None] = call
            with pytest.raises(BadOrigin):
                refused(origin, *arguments)


def test_the_past_is_over_and_names_and_places_are_taken_once() -> None:
    blocks = Blocks()
    scheduler = blocks.scheduler
    with pytest.raises(records.TargetBlockNumberInPast):
        scheduler.schedule(ROOT, blocks.number, None, 0, SPEND)
    scheduler.schedule_named(ROOT, NAME, 5, None, 0, SPEND)
    with pytest.raises(records.FailedToSchedule):
        scheduler.schedule_named(ROOT, NAME, 6, None, 0, SPEND)
    for _ in range(records.SCHEDULED_MAX - 1):
        scheduler.schedule(ROOT, 5, None, 0, call_of(System.remark, b""))
    with pytest.raises(records.FailedToSchedule):
        scheduler.schedule(ROOT, 5, None, 0, SPEND)


def test_a_periodic_call_whose_agenda_is_full_ends() -> None:
    blocks = Blocks()
    long = call_of(System.remark, bytes(200))
    blocks.scheduler.schedule_named(ROOT, NAME, 2, (1, 5), 0, long)
    for _ in range(records.SCHEDULED_MAX):
        blocks.scheduler.schedule(ROOT, 3, None, 0, call_of(System.remark, b""))
    assert records.PeriodicFailed((2, 0), NAME) in blocks.next()
    assert not blocks.scheduler.lookup.contains(NAME)
    assert list(blocks.runtime.preimage.request_status_for.keys()) == []


def test_there_are_only_so_many_blocks() -> None:
    blocks, last = Blocks(), 2**32 - 1
    for schedule in (blocks.scheduler.schedule_after, blocks.scheduler.schedule):
        with pytest.raises(records.FailedToSchedule):
            schedule(ROOT, last + 1, None, 0, SPEND)
    blocks.scheduler.schedule(ROOT, 2, (last, 2), 0, SPEND)
    blocks.scheduler.schedule(ROOT, last, None, 0, SPEND)
    assert blocks.next()[-1] == records.PeriodicFailed((2, 0), None)


# -- weight


def test_what_does_not_fit_waits_for_the_next_block_ahead_of_its_own() -> None:
    blocks = Blocks()
    most = blocks.scheduler.config.maximum_weight.ref_time
    for _ in range(3):
        blocks.scheduler.schedule(ROOT, 2, None, 9, heavy(most // 2))
    blocks.scheduler.schedule(ROOT, 3, None, 0, SPEND)
    told = blocks.next()
    assert [e.task for e in told if isinstance(e, records.Dispatched)] == [(2, 0)]
    assert told[-1] == records.AgendaIncomplete(2)
    assert blocks.scheduler.incomplete_since.find() == 2
    following = [blocks.next() for _ in range(3)]
    order = [[e.task for e in told if isinstance(e, records.Dispatched)] for told in following]
    assert order == [[(2, 1)], [(2, 2), (3, 0)], []]
    assert blocks.scheduler.incomplete_since.find() is None


def test_a_lighter_call_overtakes_one_that_waits() -> None:
    blocks = Blocks()
    most = blocks.scheduler.config.maximum_weight.ref_time
    for _ in range(2):
        blocks.scheduler.schedule(ROOT, 2, None, 0, heavy(most // 2))
    blocks.scheduler.schedule(ROOT, 2, None, 5, SPEND)
    assert [e.task for e in blocks.next() if isinstance(e, records.Dispatched)] == [
        *((2, 0), (2, 2)),
    ]


def test_what_never_fits_is_forgotten() -> None:
    blocks = Blocks()
    most = blocks.scheduler.config.maximum_weight.ref_time
    blocks.scheduler.schedule_named(ROOT, NAME, 2, (5, 5), 0, heavy(most))
    assert blocks.next() == [records.PermanentlyOverweight((2, 0), NAME)]
    assert not blocks.scheduler.lookup.contains(NAME)
    assert list(blocks.scheduler.agenda.keys()) == []


def test_a_full_agenda_of_the_heaviest_calls_is_worked_off() -> None:
    blocks = Blocks()
    most = blocks.scheduler.config.maximum_weight.ref_time
    for _ in range(records.SCHEDULED_MAX):
        blocks.scheduler.schedule(ROOT, 2, None, 0, heavy(most * 9 // 10))
    done = [len(blocks.results()) for _ in range(records.SCHEDULED_MAX)]
    assert done == [1] * records.SCHEDULED_MAX
    assert list(blocks.scheduler.agenda.keys()) == []


def test_agendas_of_the_past_are_looked_at_in_parts() -> None:
    blocks = Blocks()
    scheduler = blocks.scheduler
    scheduler.config = replace(scheduler.config, maximum_weight=pallet.AGENDA.times(3))
    scheduler.incomplete_since.put(1)
    blocks.number = 10
    blocks.runtime.system.number.put(10)
    scheduler.on_initialize(10)
    assert scheduler.incomplete_since.find() == 4


# -- calls among the preimages


def test_a_long_call_lies_among_the_preimages() -> None:
    blocks = Blocks()
    long = call_of(System.remark, bytes(200))
    blocks.scheduler.schedule(ROOT, 2, (2, 2), 0, long)
    found = Hash(blake2b_256(encode_call(System.remark, bytes(200))))
    assert blocks.runtime.preimage.bytes_of(found) is not None
    assert blocks.results() == [Ok(None)]
    assert blocks.runtime.preimage.bytes_of(found) is not None
    blocks.next()
    assert blocks.results() == [Ok(None)]
    assert blocks.runtime.preimage.bytes_of(found) is None


def test_a_call_is_scheduled_by_its_hash_before_its_bytes_come() -> None:
    blocks = Blocks()
    data = encode_call(Treasury.spend, CAROL, FML)
    found = Hash(blake2b_256(data))
    for when in (2, 3):
        blocks.scheduler.schedule_call(when, Lookup(found, len(data)), ROOT)
    assert blocks.next() == [records.CallUnavailable((2, 0), None)]
    blocks.runtime.preimage.note_preimage(signed(ALICE.account), data)
    assert blocks.results() == [Ok(None)]
    assert blocks.paid == 1


def test_a_call_of_another_length_than_was_said_is_unavailable() -> None:
    blocks, data = Blocks(), encode_call(Treasury.spend, CAROL, FML)
    found = blocks.runtime.preimage.note(data)
    blocks.scheduler.schedule_call(2, Lookup(found, len(data) - 1), ROOT)
    assert blocks.next() == [records.CallUnavailable((2, 0), None)]
    assert blocks.runtime.preimage.bytes_of(found) == data  # whoever noted it still relies on it


@pytest.mark.parametrize("data", [b"", b"\xff\xff", encode_call(Treasury.spend, CAROL, 1) + b"x"])
def test_bytes_that_are_no_call_are_forgotten(data: bytes) -> None:
    blocks = Blocks()
    blocks.scheduler.schedule_call(2, Inline(data), ROOT, name=NAME)
    assert blocks.next() == [records.CallUnavailable((2, 0), NAME)]
    assert list(blocks.scheduler.agenda.keys()) == []


def test_requests_that_root_ends_do_not_stop_a_block() -> None:
    blocks = Blocks()
    long = call_of(System.remark, bytes(200))
    blocks.scheduler.schedule(ROOT, 2, None, 0, long)
    found = Hash(blake2b_256(encode_call(System.remark, bytes(200))))
    end = call_of(Preimage.unrequest_preimage, found)
    blocks.scheduler.schedule(ROOT, 2, None, 200, end)
    blocks.runtime.preimage.unrequest_preimage(ROOT, found)
    told = blocks.next()
    assert records.CallUnavailable((2, 0), None) in told
    assert isinstance(next(e for e in told if isinstance(e, records.Dispatched)).result, Err)


def test_a_task_cannot_cancel_another_of_its_block() -> None:
    blocks = Blocks()
    blocks.scheduler.schedule(ROOT, 2, None, 0, call_of(Scheduler.cancel_named, NAME))
    blocks.scheduler.schedule_named(ROOT, NAME, 2, None, 1, SPEND)
    blocks.scheduler.schedule(ROOT, 2, None, 2, call_of(Scheduler.cancel_named, OTHER))
    assert [isinstance(result, Ok) for result in blocks.results()] == [False, True, False]
    assert blocks.paid == 1


# -- origins


def test_the_origin_is_kept() -> None:
    blocks = Blocks()
    pay = encode_call(Balances.transfer_keep_alive, Id(CAROL), FML)
    blocks.scheduler.schedule_call(2, Inline(pay), signed(BOB.account))
    spend = encode_call(Treasury.spend, CAROL, FML)
    blocks.scheduler.schedule_call(2, Inline(spend), signed(BOB.account))
    assert blocks.results() == [Ok(None), dispatch_result(BadOrigin())]


def test_origins_have_a_stored_form_and_restricted_ones_have_none() -> None:
    for origin in (ROOT, signed(BOB.account)):
        assert origin_of(stored_origin(origin)) == origin
    restricted = signed(BOB.account).acting_as(CAROL, lambda call: False)
    for origin in (NONE, restricted):
        with pytest.raises(BadOrigin):
            stored_origin(origin)


def test_scheduled_calls_run_in_real_blocks() -> None:
    chain = Chain()
    chain.runtime.scheduler.schedule(ROOT, 2, None, 0, SPEND)
    runtime = chain.runtime
    runtime.scheduler.schedule(ROOT, 2, None, 0, call_of(System.remark, b""))
    changes = {k: v for k, v in runtime.ext.changes().items() if v is not None}
    chain.state = type(chain.state)({**chain.state.top, **changes})
    chain.block()
    chain.block()
    dispatched = [r.event for r in chain.events() if isinstance(r.event, records.Dispatched)]
    assert [event.result for event in dispatched] == [Ok(None)]
    assert not chain.runtime.scheduler.agenda.contains(2)
