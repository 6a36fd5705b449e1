"""`flock_*` of the vote on models: lists, the poll, ballots and multipliers in plain JSON.

Reads are the runtime API `TrendsApi` of the best block's state, in the JSON of `typed_json`.

Source: litepaper, governance (top and trending models).
"""

from __future__ import annotations

from typing import Any

from flockchain.rpc.lookup import state_at
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json
from runtime.economy.trends import TrendParameters
from runtime.pallets.trends.records import Ballot, Poll
from runtime.primitives.scale import codec_of
from runtime.primitives.types import AccountId
from runtime.trends_api import ModelMultipliers, SeasonLists


@method("flock_seasonLists")
def season_lists(call: Call) -> Json:
    """The season's top and trending models so far, by what their payers burned."""
    return _read(call, "season_lists", SeasonLists)


@method("flock_modelPoll")
def model_poll(call: Call) -> Json:
    """The vote on the last season's models, open or over; null if none was listed."""
    return _read(call, "model_poll", Poll | None)


@method("flock_modelBallot")
def model_ballot(call: Call, voter: AccountId) -> Json:
    """How an account divides its votes in it; null if it does not vote."""
    return _read(call, "model_ballot", Ballot | None, voter)


@method("flock_modelMultipliers")
def model_multipliers(call: Call) -> Json:
    """What multiplies host claims and royalties of models, in parts per million; else it is one."""
    return _read(call, "model_multipliers", list[ModelMultipliers])


@method("flock_trendParameters")
def trend_parameters(call: Call) -> Json:
    """What the DAO decides for seasons and their votes."""
    return _read(call, "trend_parameters", TrendParameters)


def _read(call: Call, name: str, answer: Any, arguments: bytes = b"") -> Json:
    """What a method of `TrendsApi` says of the best block's state."""
    found = state_at(call.context, None)
    asked = f"TrendsApi_{name}"
    raw = runtime_call(found.state, found.hash, found.header.number, asked, arguments)
    return to_json(answer, codec_of(answer).decode_all(raw))
