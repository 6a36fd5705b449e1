"""Calls within calls: filters that stay, failures that leave nothing, numbers out of range."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.frame.account import AccountData, AccountInfo
from runtime.frame.call import RuntimeCall
from runtime.frame.dispatch import Dispatcher
from runtime.frame.errors import ArithmeticErrorKind, ArithmeticFailure, BadOrigin
from runtime.frame.origin import NONE, ROOT, Origin, signed
from runtime.frame.weights import DispatchClass, Pays
from runtime.pallets.balances import Balances, InsufficientBalance
from runtime.pallets.system import CallFiltered, System
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, AccountId
from runtime.runtime import Runtime
from tests.runtime.block_chain import ALICE, BOB, RICH, Chain, call_of

REMARK = call_of(System.remark_with_event, b"")
PAY = call_of(Balances.transfer_keep_alive, Id(BOB.account), FML)


def runtime_and_dispatcher() -> tuple[Runtime, Dispatcher]:
    runtime = Chain().runtime
    return runtime, Dispatcher(runtime.ext, runtime.pallet, CallFiltered)


def only_remarks(call: RuntimeCall) -> bool:
    return call.entry.pallet is System


def no_events(call: RuntimeCall) -> bool:
    return call.entry.name == "remark"


def test_a_call_is_run_as_its_origin() -> None:
    runtime, dispatcher = runtime_and_dispatcher()
    assert dispatcher.dispatch(PAY, signed(ALICE.account)) is None
    assert runtime.balances.free(BOB.account) == RICH + FML
    for origin in (ROOT, NONE):
        assert isinstance(dispatcher.dispatch(PAY, origin), BadOrigin)


def test_filters_are_kept_and_added() -> None:
    _, dispatcher = runtime_and_dispatcher()
    restricted = signed(BOB.account).acting_as(ALICE.account, only_remarks)
    assert restricted == Origin(ALICE.account, filters=(only_remarks,))
    assert dispatcher.dispatch(REMARK, restricted) is None
    assert isinstance(dispatcher.dispatch(PAY, restricted), CallFiltered)
    twice = restricted.acting_as(AccountId(b"x" * 32), no_events)
    assert isinstance(dispatcher.dispatch(REMARK, twice), CallFiltered)
    assert dispatcher.dispatch(call_of(System.remark, b""), twice) is None


def test_inherent_calls_are_nobodys() -> None:
    _, dispatcher = runtime_and_dispatcher()
    for origin in (NONE, ROOT, signed(ALICE.account)):
        assert isinstance(dispatcher.dispatch(call_of(Timestamp.set, 1), origin), CallFiltered)


@pytest.mark.parametrize("change", [{"dispatch_class": DispatchClass.MANDATORY}, {"pays": Pays.NO}])
def test_what_is_mandatory_or_pays_nothing_is_no_call_of_others(change: dict[str, Any]) -> None:
    _, dispatcher = runtime_and_dispatcher()
    call = RuntimeCall(replace(REMARK.entry, **change), REMARK.arguments)
    assert isinstance(dispatcher.dispatch(call, signed(ALICE.account)), CallFiltered)


def test_a_failure_leaves_neither_writes_nor_events() -> None:
    runtime, dispatcher = runtime_and_dispatcher()
    too_much = call_of(Balances.transfer_keep_alive, Id(BOB.account), 2 * RICH)
    assert isinstance(dispatcher.dispatch(too_much, signed(ALICE.account)), InsufficientBalance)
    assert (runtime.ext.changes(), runtime.ext.events) == ({}, [])


def test_a_number_out_of_range_is_a_failure() -> None:
    runtime, dispatcher = runtime_and_dispatcher()
    full = AccountInfo(providers=1, data=AccountData(free=2**128 - 1))
    runtime.system.set_account_info(BOB.account, full)
    error = dispatcher.dispatch(PAY, signed(ALICE.account))
    assert isinstance(error, ArithmeticFailure)
    assert error.kind is ArithmeticErrorKind.OVERFLOW
    assert runtime.balances.free(ALICE.account) == RICH
