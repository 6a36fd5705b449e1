"""A host's book: free calls, vouchers, refunds, claims; and the same after any crash."""

from __future__ import annotations

import asyncio
import errno
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from flockchain.marketplace.ledger import (
    Account,
    Channel,
    Charge,
    Claim,
    Ledger,
    Payer,
    Pledge,
    Record,
    Terms,
    Unpaid,
)
from flockchain.marketplace.ledger_file import LedgerFile
from flockchain.workers.locked_file import StateFileError
from runtime.primitives.types import FML, AccountId, Hash

PAYER = Payer(AccountId(b"\1" * 32), b"\2" * 32)
OTHER = Payer(AccountId(b"\3" * 32), b"\2" * 32)
GENESIS = Hash(bytes(32))
HOST = AccountId(b"\4" * 32)
QUARTER = FML // 4
PAID = Terms(QUARTER, 0, 7, Channel(100 * FML, 0))


def pledge(total: int, expires_day: int = 7) -> Pledge:
    return Pledge(total, f"{total:x}", expires_day)


def pay(ledger: Ledger, total: int, terms: Terms = PAID) -> Charge:
    return ledger.charge(PAYER, terms, pledge(total), None)[0]


def test_the_whitepapers_case() -> None:
    """130 calls at a quota of 100 and a price of .25 FML cost 7.5 FML."""
    ledger, terms = Ledger(), replace(PAID, free_calls=100)
    charges = [pay(ledger, (n + 1) * QUARTER, terms).amount for n in range(-100, 30)]
    assert charges == [0] * 100 + [QUARTER] * 30
    claim = next(ledger.claims(7))
    assert claim == Claim(PAYER, 30 * QUARTER, f"{30 * QUARTER:x}", 30 * QUARTER)
    assert claim.total == 75 * FML // 10


@pytest.mark.parametrize(
    ("terms", "message", "due"),
    [
        (
            replace(PAID, channel=None),
            "no free calls are left today, and there is no channel to pay from",
            None,
        ),
        (
            replace(PAID, channel=Channel(FML, 0, is_closing=True)),
            "no free calls are left today, and the channel is being closed",
            None,
        ),
        (
            replace(PAID, channel=Channel(1, 0)),
            "no free calls are left today, and of the deposit of 1 planck 0 are spent: top it up",
            None,
        ),
        (
            PAID,
            f"no free calls are left today: send a voucher of {QUARTER} planck in all, or use a "
            "key with a higher limit",
            QUARTER,
        ),
    ],
)
def test_what_is_not_covered_is_refused_and_changes_nothing(
    terms: Terms, message: str, due: int | None
) -> None:
    ledger = Ledger()
    with pytest.raises(Unpaid) as refused:
        ledger.charge(PAYER, terms, pledge(QUARTER - 1), None)
    assert (str(refused.value), refused.value.due) == (message, due)
    assert ledger.accounts == {}


def test_a_replayed_or_lower_voucher_earns_nothing() -> None:
    ledger = Ledger()
    pay(ledger, QUARTER)
    for total in (QUARTER, QUARTER - 1, 0, 101 * FML):
        with pytest.raises(Unpaid):
            pay(ledger, total)
    assert pay(ledger, 2 * QUARTER).spent == 2 * QUARTER
    assert pay(ledger, QUARTER // 2 + 3 * QUARTER).spent == 3 * QUARTER  # half a call is credit
    with pytest.raises(Unpaid):
        pay(ledger, 0)


def test_a_failed_call_covers_a_later_one() -> None:
    ledger = Ledger()
    ledger.refund(pay(ledger, QUARTER))
    assert list(ledger.claims(7)) == []
    assert ledger.charge(PAYER, PAID, None, None)[0].spent == QUARTER
    assert ledger.refund(Charge(PAYER, 0, 0)) == []


def test_a_keys_reserve_is_claimed_only_when_it_must() -> None:
    ledger = Ledger()
    ledger.charge(PAYER, PAID, None, pledge(2 * QUARTER, expires_day=9))
    assert list(ledger.claims(9)) == []
    expected = Claim(PAYER, 2 * QUARTER, f"{2 * QUARTER:x}", QUARTER)
    assert list(ledger.claims(10)) == [expected]
    assert list(ledger.claims(9, closing=frozenset({PAYER}))) == [expected]
    ledger.charge(PAYER, PAID, None, None)
    used_up = list(ledger.claims(9))
    assert used_up == [replace(expected, earned=2 * QUARTER)]
    ledger.note_settled(PAYER, 2 * QUARTER)
    assert list(ledger.claims(10)) == []
    with pytest.raises(Unpaid):
        ledger.charge(PAYER, PAID, None, pledge(2 * QUARTER))


def test_of_a_key_and_vouchers_what_vouchers_cover_is_claimed() -> None:
    ledger = Ledger()
    pay(ledger, QUARTER)
    ledger.charge(PAYER, PAID, None, pledge(9 * QUARTER))
    assert list(ledger.claims(7)) == [Claim(PAYER, QUARTER, f"{QUARTER:x}", QUARTER)]


def test_a_lost_book_begins_at_what_the_chain_paid() -> None:
    ledger = Ledger()
    terms = replace(PAID, channel=Channel(100 * FML, 3 * QUARTER))
    with pytest.raises(Unpaid) as refused:
        ledger.charge(PAYER, terms, pledge(3 * QUARTER), None)
    assert refused.value.due == 4 * QUARTER
    assert ledger.charge(PAYER, terms, pledge(4 * QUARTER), None)[0].spent == 4 * QUARTER


def test_a_free_model_costs_nothing() -> None:
    assert Ledger().charge(PAYER, Terms(0, 0, 1, None), None, None) == (Charge(PAYER, 0, 0), [])


def test_a_model_without_an_offer_is_not_served() -> None:
    ledger = Ledger()
    for terms in (replace(PAID, price=None), Terms(None, 5, 1, None)):
        with pytest.raises(Unpaid, match="withdrawn, or not final yet") as refused:
            ledger.charge(PAYER, terms, pledge(FML), None)
        assert refused.value.due is None
    assert ledger.accounts == {}


def test_records_are_read_as_they_were_written() -> None:
    record = Record(PAYER, "voucher", pledge=pledge(5))
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    with pytest.raises(ValueError, match="record of kind gift"):
        Record.from_json({**record.to_json(), "kind": "gift"})


# -- on disk


def opened(directory: Path) -> LedgerFile:
    return LedgerFile(directory, GENESIS, HOST)


async def pay_on_disk(book: LedgerFile, total: int) -> None:
    _, records = book.ledger.charge(PAYER, PAID, pledge(total), None)
    await book.write(records)


def journal_of(directory: Path) -> Path:
    return next(directory.glob("*.journal"))


async def closed(book: LedgerFile) -> None:
    await book.close()


async def at_rest(book: LedgerFile) -> None:
    """Once what is being written or folded is on disk."""
    if book._flush is not None:
        await book._flush


def abandoned(book: LedgerFile) -> None:
    """As if the process was killed: only the lock goes."""
    book._file.close()


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    async def run() -> None:
        book = opened(tmp_path)
        await asyncio.gather(*(pay_on_disk(book, (n + 1) * QUARTER) for n in range(5)))
        with pytest.raises(StateFileError, match="in use by another worker"):
            opened(tmp_path)
        abandoned(book)
        again = opened(tmp_path)
        assert again.ledger.accounts == book.ledger.accounts
        assert again.ledger.account(PAYER).spent == 5 * QUARTER
        await again.close()
        assert journal_of(tmp_path).read_bytes() == b""
        folded = opened(tmp_path)
        assert folded.ledger.accounts == book.ledger.accounts
        await pay_on_disk(folded, 6 * QUARTER)
        abandoned(folded)
        assert opened(tmp_path).ledger.account(PAYER).spent == 6 * QUARTER

    asyncio.run(run())


def test_a_torn_line_is_a_call_that_nobody_was_told_of(tmp_path: Path) -> None:
    async def run() -> None:
        book = opened(tmp_path)
        await pay_on_disk(book, QUARTER)
        whole = journal_of(tmp_path).read_bytes()
        await pay_on_disk(book, 2 * QUARTER)
        abandoned(book)
        data = journal_of(tmp_path).read_bytes()
        for cut in range(len(whole), len(data), 40):
            journal_of(tmp_path).write_bytes(data[:cut])
            torn = opened(tmp_path)
            assert torn.ledger.account(PAYER).spent == QUARTER
            await pay_on_disk(torn, 2 * QUARTER)
            abandoned(torn)
            again = opened(tmp_path)
            assert again.ledger.account(PAYER).spent == 2 * QUARTER
            abandoned(again)

    asyncio.run(run())


def test_a_fold_that_was_cut_short_counts_nothing_twice(tmp_path: Path) -> None:
    async def run() -> None:
        book = opened(tmp_path)
        await pay_on_disk(book, QUARTER)
        before = journal_of(tmp_path).read_bytes()
        await book.close()
        journal_of(tmp_path).write_bytes(before)  # as if it was not emptied any more
        again = opened(tmp_path)
        assert again.ledger.account(PAYER).spent == QUARTER
        abandoned(again)

    asyncio.run(run())


def test_a_long_journal_is_folded_while_calls_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flockchain.marketplace.ledger_file.FOLD_LINES", 8)

    async def run() -> None:
        book = opened(tmp_path)
        book.ledger.apply([Record(OTHER, "free", 6)])
        for n in range(20):
            await pay_on_disk(book, (n + 1) * QUARTER)
        await at_rest(book)
        assert len(journal_of(tmp_path).read_bytes().splitlines()) < 8
        abandoned(book)
        again = opened(tmp_path)
        assert again.ledger.account(PAYER).spent == 20 * QUARTER
        assert again.ledger.account(OTHER) == Account(day=6, free=1)

    asyncio.run(run())


def test_a_fold_that_the_disk_refuses_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flockchain.marketplace.ledger_file.FOLD_LINES", 8)
    replacing = Path.replace

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    async def run() -> None:
        book = opened(tmp_path)
        monkeypatch.setattr(Path, "replace", full)
        for n in range(6):
            await asyncio.wait_for(pay_on_disk(book, (n + 1) * QUARTER), 10)
        await asyncio.wait_for(pay_on_disk(book, 7 * QUARTER), 10)
        await at_rest(book)
        assert len(journal_of(tmp_path).read_bytes().splitlines()) >= 14
        monkeypatch.setattr(Path, "replace", replacing)
        for n in range(7, 12):
            await asyncio.wait_for(pay_on_disk(book, (n + 1) * QUARTER), 10)
        await at_rest(book)
        assert len(journal_of(tmp_path).read_bytes().splitlines()) < 14
        abandoned(book)
        assert opened(tmp_path).ledger.account(PAYER).spent == 12 * QUARTER

    asyncio.run(run())


def test_calls_of_the_time_of_a_fold_are_written_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flockchain.marketplace.ledger_file.FOLD_LINES", 2)

    async def run() -> None:
        book = opened(tmp_path)
        folding, go_on = asyncio.Event(), threading.Event()
        loop, write = asyncio.get_running_loop(), book._file.write

        def held(document: dict[str, object]) -> None:
            loop.call_soon_threadsafe(folding.set)
            assert go_on.wait(10)
            write(document)

        monkeypatch.setattr(book._file, "write", held)
        await pay_on_disk(book, QUARTER)
        await folding.wait()
        late = asyncio.create_task(pay_on_disk(book, 2 * QUARTER))
        await asyncio.sleep(0)
        assert book.ledger.account(PAYER).spent == 2 * QUARTER
        go_on.set()
        await late
        await at_rest(book)
        abandoned(book)
        assert opened(tmp_path).ledger.account(PAYER).spent == 2 * QUARTER

    asyncio.run(run())


def test_a_fold_drops_pages_that_the_chain_knows(tmp_path: Path) -> None:
    async def run() -> None:
        book = opened(tmp_path)
        charge = pay(book.ledger, QUARTER)
        book.ledger.charge(OTHER, PAID, pledge(2 * QUARTER), None)
        for payer in (PAYER, OTHER):
            book.ledger.note_settled(payer, QUARTER)
        await book.close()
        again = opened(tmp_path)
        assert list(again.ledger.accounts) == [OTHER]  # its voucher is not used up
        settled = replace(PAID, channel=Channel(100 * FML, QUARTER))
        again.ledger.refund(charge)  # of a call that ran meanwhile
        assert pay(again.ledger, QUARTER, settled).spent == QUARTER  # one call, no second one
        with pytest.raises(Unpaid):
            pay(again.ledger, QUARTER, settled)
        assert pay(again.ledger, 2 * QUARTER, settled).spent == 2 * QUARTER
        abandoned(again)

    asyncio.run(run())


def test_a_book_that_could_not_be_read_back_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        book = opened(tmp_path)
        await pay_on_disk(book, QUARTER)
        monkeypatch.setattr("flockchain.workers.locked_file.FILE_BYTES_MAX", 100)
        await book.close()
        assert "settle or finish what is open" in caplog.text
        monkeypatch.undo()
        again = opened(tmp_path)
        assert again.ledger.account(PAYER).spent == QUARTER
        abandoned(again)

    asyncio.run(run())


def test_the_day_of_the_first_unpaid_call_is_in_the_book() -> None:
    ledger = Ledger()
    for day in (7, 8):
        pay(ledger, (day - 6) * QUARTER, replace(PAID, day=day))
    assert ledger.account(PAYER).owing_since == 7
    ledger.note_settled(PAYER, 2 * QUARTER)
    pay(ledger, 3 * QUARTER, replace(PAID, day=9))
    assert ledger.account(PAYER).owing_since == 9


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    asyncio.run(closed(opened(tmp_path)))
    next(tmp_path.glob("*-ledger.json")).write_text('{"version": 9}')
    with pytest.raises(StateFileError, match="is no worker state"):
        asyncio.run(closed(opened(tmp_path)))
