"""`AllianceApi` as clients call it, and that the metadata declares the pallet."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.frame.api_types import OpaqueMetadata
from runtime.frame.externalities import DictState
from runtime.frame.metadata.generate import decode_metadata
from runtime.frame.metadata.types import MetadataV15
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.pallets.fl_alliance.views import (
    AllianceInfo,
    Duty,
    MemberEntry,
    Part,
    PaymentEntry,
    PaymentExplanation,
    Role,
    RoleCertificate,
    RoundInfo,
    RoundSummary,
)
from runtime.primitives.scale import codec_of
from runtime.primitives.types import ZERO_HASH
from runtime.runtime_apis import call_runtime
from tests.runtime.pallets.fl_alliance.alliance_world import Alliance, new_alliance, yes
from tests.runtime.pallets.world import account
from tests.runtime.played_state import top_of


@pytest.fixture(scope="module")
def made() -> Alliance:
    """A round was played; the next is open for proofs."""
    found = new_alliance(*"abcde")
    found.play("a", dict.fromkeys("bcd", yes()))
    return found


@pytest.fixture(scope="module")
def state(made: Alliance) -> DictState:
    return DictState(top_of(made.world))


def ask(state: DictState, method: str, answer: Any, *numbers: int, rest: bytes = b"") -> Any:
    data = b"".join(number.to_bytes(4, "little") for number in numbers) + rest
    raw = call_runtime(state, ZERO_HASH, 0, f"AllianceApi_{method}", data)
    return codec_of(answer).decode_all(raw)


def test_every_method_answers_what_the_views_say(made: Alliance, state: DictState) -> None:
    views, who = made.pallet.views, account("b")
    info = ask(state, "alliance_task", AllianceInfo | None, 1)
    assert info == views.task_info(1)
    assert ask(state, "alliance_tasks", list[AllianceInfo]) == [info]
    assert ask(state, "alliance_members", list[MemberEntry], 1, 0) == views.members(1, 0)
    part = ask(state, "part_of", Part, 1, rest=who)
    assert (part.role, part.duty, part.round) == (Role.UNDECIDED, Duty.CHECK_IN, 1)
    assert part == views.part_of(1, who)
    assert ask(state, "round_info", RoundInfo | None, 1, 0) == views.round_info(1, 0)
    assert ask(state, "round_history", list[RoundSummary], 1) == views.history(1)
    assert ask(state, "round_payments", list[PaymentEntry], 1, 0) == views.payments(1, 0)
    explained = ask(state, "explain_payment", PaymentExplanation | None, 1, 0, rest=who)
    assert explained == views.explain_payment(1, 0, who)
    certificate = ask(state, "role_certificate", RoleCertificate | None, 1, 0, 0)
    assert certificate == views.role_certificate(1, 0, 0)
    assert ask(state, "alliance_parameters", AllianceParameters) == AllianceParameters()


def test_an_unknown_task_is_no_error(state: DictState) -> None:
    assert ask(state, "alliance_task", AllianceInfo | None, 7) is None
    assert ask(state, "alliance_members", list[MemberEntry], 7, 0) == []
    assert ask(state, "round_info", RoundInfo | None, 7, 0) is None
    assert ask(state, "round_history", list[RoundSummary], 7) == []
    assert ask(state, "round_payments", list[PaymentEntry], 7, 0) == []
    assert ask(state, "part_of", Part, 7, rest=account("a")).role is Role.NONE
    none = ask(state, "explain_payment", PaymentExplanation | None, 7, 0, rest=account("a"))
    assert none is None


def test_the_metadata_declares_pallet_and_api(state: DictState) -> None:
    raw = call_runtime(
        state, ZERO_HASH, 0, "Metadata_metadata_at_version", (15).to_bytes(4, "little")
    )
    opaque = codec_of(OpaqueMetadata | None).decode_all(raw)
    assert opaque is not None
    metadata = decode_metadata(opaque)
    assert isinstance(metadata, MetadataV15)
    pallet = next(item for item in metadata.pallets if item.name == "FlAlliance")
    assert pallet.index == 34
    methods = {api.name: {m.name for m in api.methods} for api in metadata.apis}
    assert methods["AllianceApi"] >= {"part_of", "round_info", "role_certificate"}
