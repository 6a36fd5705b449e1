"""`flock_*`: tasks, rankings, rewards and models in plain JSON, and the door for announcements.

Reads are the runtime APIs of the best block's state, in the JSON of `typed_json`: amounts are
decimal strings of planck, accounts SS58 addresses, content ids CID text.

Source: WP V.D to V.I (the AI Arena), WP III.A (emission).
"""

from __future__ import annotations

from typing import Any, Final

from flockchain.model_hash_message import ModelHashError
from flockchain.rpc.errors import CLIENT_ERROR, InvalidParams, RpcError
from flockchain.rpc.lookup import state_at
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json
from runtime.arena_api import IssuanceFigures, NumberedSubmission
from runtime.economy.parameters import ArenaParameters
from runtime.pallets.arena.records import RankedNode
from runtime.pallets.arena.views import DayReport, TaskInfo
from runtime.pallets.emission import EmissionParameters
from runtime.pallets.model_registry import Model
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32

ANNOUNCEMENT_REFUSED: Final = 7001
_EVENT: Final = "flock_taskEvent"


@method("flock_tasks")
def tasks(call: Call) -> Json:
    """Every task that has not ended, those that start later included."""
    return _read(call, "ArenaApi_live_tasks", list[TaskInfo])


@method("flock_task")
def task_(call: Call, task: int) -> Json:
    """A task, whether it has ended or not; null if there is none of this number."""
    return _read(call, "ArenaApi_task_info", TaskInfo | None, task)


@method("flock_leaderboard")
def leaderboard(call: Call, task: int, day: int | None) -> Json:
    """A settled day's ranking, the best first; without a day, that of the last settled one.

    `day` in the answer is null, and the ranking empty, if no day was settled yet.
    """
    if day is None:
        day = _ask(call, "ArenaApi_last_settled_day", U32 | None, task)
    ranking: Json = []
    if day is not None:
        ranking = _read(call, "ArenaApi_leaderboard", list[RankedNode], task, day)
    return {"task": task, "day": day, "ranking": ranking}


@method("flock_submissions")
def submissions(call: Call, task: int, start: int | None) -> Json:
    """Revealed submissions among the 256 numbers from `start` on (0 if none is given)."""
    return _read(call, "ArenaApi_submissions", list[NumberedSubmission], task, start or 0)


@method("flock_dayReport")
def day_report(call: Call, task: int, day: int) -> Json:
    """All that a settled day's payments were made from, and the payments; null if not kept."""
    return _read(call, "ArenaApi_day_report", DayReport | None, task, day)


@method("flock_model")
def model(call: Call, task: int) -> Json:
    """The consensus model of a completed task; null if it has none."""
    return _read(call, "ArenaApi_model", Model | None, task)


@method("flock_parameters")
def parameters(call: Call) -> Json:
    """Today's reward rules, and those of emission as last set."""
    return {
        "arena": _read(call, "ArenaApi_parameters", ArenaParameters),
        "emission": _read(call, "EconomyApi_emission_parameters", EmissionParameters),
    }


@method("flock_issuance")
def issuance(call: Call) -> Json:
    """Tokens at genesis, minted, burned, in all, and what bounds them."""
    return _read(call, "EconomyApi_issuance", IssuanceFigures)


@method("flock_announceModel")
def announce_model(call: Call, message: HexBytes) -> Json:
    """Spread a participant's signed model hash; true. Fails with the reason if it is refused."""
    announce = call.context.announce_model
    if announce is None:
        raise RpcError(CLIENT_ERROR, "Client error: this node announces no models")
    try:
        announce(message)
    except ModelHashError as error:
        raise RpcError(ANNOUNCEMENT_REFUSED, "Model hash refused", str(error)) from error
    return True


@method("flock_subscribeTaskEvents", subscription=True)
def subscribe_task_events(call: Call, task: int | None) -> Json:
    """Events of a task, or of all tasks, of every block that becomes final from now on."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    subscription = call.connection.subscribe(_EVENT)
    subscription.on_close(call.context.task_events.follow(task, subscription.notify))
    return subscription.id


@method("flock_unsubscribeTaskEvents", subscription=True)
def unsubscribe_task_events(call: Call, subscription: str) -> Json:
    """End a subscription; false if there is none."""
    assert call.connection is not None, "subscriptions are refused over HTTP"
    return call.connection.unsubscribe(subscription, _EVENT)


def _ask(call: Call, name: str, answer: Any, *numbers: int) -> Any:
    """What a runtime API whose arguments are u32 says of the best block's state."""
    for number in numbers:
        if number >= 2**32:
            raise InvalidParams(f"expected an integer of 32 bits, got {number}")
    data = b"".join(number.to_bytes(4, "little") for number in numbers)
    found = state_at(call.context, None)
    raw = runtime_call(found.state, found.hash, found.header.number, name, data)
    return codec_of(answer).decode_all(raw)


def _read(call: Call, name: str, answer: Any, *numbers: int) -> Json:
    return to_json(answer, _ask(call, name, answer, *numbers))
