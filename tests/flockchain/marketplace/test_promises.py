"""What a caller signs away: on disk first, one call at a time, whatever a host claims."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from flockchain.marketplace.promises import Line, Overcharged, Promises
from flockchain.workers.locked_file import StateFileError
from runtime.frame.executive import verify_signature
from tests.flockchain.marketplace.market_world import CALLER, GENESIS, HOST, MODEL, PRICE

LINE = Line(HOST.account, MODEL)


def opened(directory: Path) -> Promises:
    return Promises(directory, GENESIS, CALLER)


async def total(promises: Promises) -> int:
    signed = await promises.pay(LINE, PRICE)
    assert verify_signature(signed.signature, CALLER.account, signed.voucher.payload())
    return signed.voucher.total


def test_each_call_adds_its_price_and_refused_ones_add_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        promises = opened(tmp_path)
        assert await total(promises) == PRICE
        promises.ended(LINE, PRICE, 0)  # the call was free
        assert await total(promises) == PRICE
        promises.ended(LINE, PRICE, PRICE)
        assert await total(promises) == 2 * PRICE
        promises.ended(LINE, PRICE, None)  # no word from the host
        assert await total(promises) == 2 * PRICE
        promises.ended(LINE, PRICE, 10 * PRICE)  # a lie is believed up to what was signed
        assert promises.of(LINE).spent == 2 * PRICE
        assert [await total(promises), await total(promises)] == [3 * PRICE, 4 * PRICE]

    asyncio.run(run())


def test_after_a_kill_nothing_is_signed_twice_over(tmp_path: Path) -> None:
    async def run() -> None:
        promises = opened(tmp_path)
        with pytest.raises(StateFileError, match="in use by another worker"):
            opened(tmp_path)
        for n in range(3):
            assert await total(promises) == (n + 1) * PRICE
            promises.ended(LINE, PRICE, (n + 1) * PRICE)
        assert await total(promises) == 4 * PRICE  # killed before the host's answer
        promises._file.close()
        again = opened(tmp_path)
        assert again.of(LINE).signed == 4 * PRICE
        again.agree(LINE, 5 * PRICE, PRICE)  # the host had charged it
        assert await total(again) == 5 * PRICE
        with pytest.raises(Overcharged, match=f"planck, {5 * PRICE} are signed"):
            again.agree(LINE, 9 * PRICE, PRICE)

    asyncio.run(run())


def test_calls_at_the_same_time_leave_after_their_totals_are_on_disk(tmp_path: Path) -> None:
    lines = [Line(HOST.account, bytes([n]) * 32) for n in range(5)]

    def kept(line: Line) -> int:
        written = json.loads(next(tmp_path.glob("*-promises.json")).read_text())["promises"]
        return int(next(each["signed"] for each in written if each["model"] == line.model.hex()))

    async def run() -> None:
        promises = opened(tmp_path)

        async def call(line: Line) -> int:
            signed = await promises.pay(line, PRICE)
            assert signed.voucher.total <= kept(line)
            return signed.voucher.total

        totals = await asyncio.gather(*(call(line) for line in lines for _ in range(3)))
        assert sorted(totals) == sorted(5 * [PRICE, 2 * PRICE, 3 * PRICE])

    asyncio.run(run())


def test_a_call_that_could_not_be_paid_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(_: object) -> None:
        raise OSError(28, "No space left on device")

    async def run() -> None:
        promises = opened(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(promises._file, "write", is_full)
            with pytest.raises(OSError, match="No space"):
                await promises.pay(LINE, PRICE)
        assert await total(promises) == PRICE

    asyncio.run(run())


def test_a_lost_file_begins_at_what_the_chain_paid(tmp_path: Path) -> None:
    promises = opened(tmp_path)
    promises.note_settled(LINE, 7 * PRICE)
    promises.agree(LINE, 8 * PRICE, PRICE)
    assert asyncio.run(total(promises)) == 8 * PRICE


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    promises = opened(tmp_path)
    asyncio.run(total(promises))
    promises.close()
    next(tmp_path.glob("*.json")).write_text('{"version": 1, "promises": [{}]}')
    with pytest.raises(StateFileError, match="is no worker state"):
        opened(tmp_path)
