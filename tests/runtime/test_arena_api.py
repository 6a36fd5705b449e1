"""`ArenaApi` and `EconomyApi` over a task's whole life, as clients call them."""

from __future__ import annotations

from typing import Any

import pytest

from genesis.spec import load_chain_spec
from runtime.arena_api import IssuanceFigures, NumberedSubmission
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import TaskStatus
from runtime.frame.api_types import OpaqueMetadata
from runtime.frame.externalities import DictState
from runtime.frame.metadata.generate import decode_metadata
from runtime.frame.metadata.types import MetadataV15
from runtime.pallets.arena.records import Payment, PaymentKind, RankedNode
from runtime.pallets.arena.views import DayReport, ScoredSubmission, TaskInfo, ToScore
from runtime.pallets.emission import Allotment
from runtime.pallets.model_registry import Model
from runtime.primitives.scale import codec_of
from runtime.primitives.types import FML, U32, ZERO_HASH, Balance
from runtime.runtime_apis import call_runtime
from tests.runtime.pallets.world import SCORES, World, account, content
from tests.runtime.played_state import play, top_of


@pytest.fixture(scope="module")
def world() -> World:
    return play()


@pytest.fixture(scope="module")
def state(world: World) -> DictState:
    return DictState(top_of(world))


def ask(state: DictState, method: str, answer: Any, *numbers: int, rest: bytes = b"") -> Any:
    data = b"".join(number.to_bytes(4, "little") for number in numbers) + rest
    return codec_of(answer).decode_all(call_runtime(state, ZERO_HASH, 0, method, data))


def test_a_task_that_ended(state: DictState) -> None:
    info = ask(state, "ArenaApi_task_info", TaskInfo | None, 0)
    assert (info.task, info.today, info.submissions, info.vested) == (0, 4, 3, 0)
    assert info.record.status is TaskStatus.COMPLETED
    assert ask(state, "ArenaApi_live_tasks", list[TaskInfo]) == []
    assert ask(state, "ArenaApi_last_settled_day", U32 | None, 0) == 3
    model = ask(state, "ArenaApi_model", Model | None, 0)
    assert (model.content, model.owner) == (content("good"), account("n1"))
    assert ask(state, "ArenaApi_parameters", ArenaParameters) == ArenaParameters()


def test_an_unknown_task_is_no_error(state: DictState) -> None:
    for method in ("task_info", "model", "last_settled_day"):
        assert call_runtime(state, ZERO_HASH, 0, f"ArenaApi_{method}", b"\7\0\0\0") == b"\0"
    for method in ("leaderboard", "payments", "submissions"):
        assert ask(state, f"ArenaApi_{method}", list[U32], 7, 0) == []
    assert ask(state, "ArenaApi_day_report", DayReport | None, 7, 1) is None
    assert ask(state, "ArenaApi_day_report", DayReport | None, 0, 2**32 - 1) is None


def test_rankings_and_what_they_paid(state: DictState) -> None:
    board = ask(state, "ArenaApi_leaderboard", list[RankedNode], 0, 2)
    assert [node.owner for node in board] == [account("n1"), account("n2")]
    report = ask(state, "ArenaApi_day_report", DayReport | None, 0, 2)
    assert report.result.ranking == board
    payments = ask(state, "ArenaApi_payments", list[Payment], 0, 2)
    assert payments == report.payments
    kinds = {payment.kind for payment in payments}
    assert kinds == {PaymentKind.REWARD_A, PaymentKind.VALIDATION, PaymentKind.CREATION}
    scored = ask(state, "ArenaApi_scored_submission", ScoredSubmission | None, 0, 2, 0)
    assert scored.result.numerator == SCORES["good"] * scored.result.denominator
    assert scored.ballots
    assert scored.ballots == sorted(scored.ballots, key=lambda ballot: ballot.validator)


def test_submissions_come_in_pages(state: DictState) -> None:
    found = ask(state, "ArenaApi_submissions", list[NumberedSubmission], 0, 0)
    assert [(item.submission, item.record.owner) for item in found] == [
        (0, account("n1")),
        (1, account("n2")),
        (2, account("n3")),
    ]
    assert ask(state, "ArenaApi_submissions", list[NumberedSubmission], 0, 2) == found[2:]
    assert ask(state, "ArenaApi_submissions", list[NumberedSubmission], 0, 2**32 - 1) == []


def test_what_is_to_score_is_that_of_the_day() -> None:
    world = play(days=1)
    state = DictState(top_of(world))
    assert [info.task for info in ask(state, "ArenaApi_live_tasks", list[TaskInfo])] == [0]
    for name in ("v1", "v2", "v3"):
        todo = ask(state, "ArenaApi_to_score", list[ToScore], 0, 1, rest=account(name))
        assert todo == world.arena.views.to_score(0, 1, account(name))
        assert ask(state, "ArenaApi_to_score", list[ToScore], 0, 2, rest=account(name)) == []


def test_issuance_and_emission(world: World, state: DictState) -> None:
    figures = ask(state, "EconomyApi_issuance", IssuanceFigures)
    assert figures.total == figures.genesis + figures.minted - figures.burned
    assert figures.minted == figures.emitted == 300_000 * FML
    assert (figures.genesis, figures.cap) == (80_000 * FML, 10**9 * FML)
    assert figures.emission_ceiling == 300_000_000 * FML
    assert ask(state, "EconomyApi_emission_of", Balance | None, 2) == 100_000 * FML
    assert ask(state, "EconomyApi_emission_of", Balance | None, 30) == 99_000 * FML
    allotment = ask(state, "EconomyApi_allotment_of", Allotment | None, 2)
    assert [(reward.task, reward.minted) for reward in allotment.arena] == [(0, 100_000 * FML)]
    assert ask(state, "EconomyApi_allotment_of", Allotment | None, 77) is None


def test_an_allotment_that_is_not_kept_any_more_has_no_emission() -> None:
    world = play(days=1)
    world.emission.allotments.remove(1)
    world.emission.last_day.put(31)
    assert ask(DictState(top_of(world)), "EconomyApi_emission_of", Balance | None, 1) is None


def test_metadata_declares_every_method() -> None:
    state = DictState(load_chain_spec("dev").genesis_top())
    raw = ask(state, "Metadata_metadata_at_version", OpaqueMetadata | None, 15)
    metadata = decode_metadata(raw)
    assert isinstance(metadata, MetadataV15)
    declared = {api.name: {method.name for method in api.methods} for api in metadata.apis}
    assert declared["ArenaApi"] >= {"task_info", "to_score", "day_report", "payments"}
    assert declared["ArenaApi"] >= {"validators_of", "model_key_for", "ring_places", "ring_of"}
    assert declared["EconomyApi"] == {
        "issuance",
        "emission_of",
        "allotment_of",
        "emission_parameters",
    }


@pytest.mark.parametrize("version", [14, 15])
def test_metadata_describes_the_calls_of_aliases(version: int) -> None:
    state = DictState(load_chain_spec("dev").genesis_top())
    raw = ask(state, "Metadata_metadata_at_version", OpaqueMetadata | None, version)
    metadata: Any = decode_metadata(raw)
    arena = next(pallet for pallet in metadata.pallets if pallet.name == "Arena")
    types = {entry.id: entry for entry in metadata.types}
    calls = {call.index: call for call in types[arena.calls].definition.variants}
    assert [(index, calls[index].name) for index in range(4, 11)] == [
        (4, "set_ring_key"),
        (5, "set_sealing_key"),
        (6, "commit_alias"),
        (7, "reveal_alias"),
        (8, "open_aliases"),
        (9, "share_keys"),
        (10, "share_keys_of_alias"),
    ]
    commit = calls[6]
    names = ["task", "day", "index", "ring", "alias", "seal", "tag", "signature"]
    assert [member.name for member in commit.fields] == names
    signature = types[commit.fields[-1].type_id]
    assert signature.path == ["flockchain_primitives", "RingSignature"]
    errors = {error.name for error in types[arena.error].definition.variants}
    assert errors >= {"AliasTaken", "NoSuchRing", "BadTagProof", "NoSeat"}
