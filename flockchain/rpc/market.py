"""`flock_*` of the marketplace: hosts, offers, channels and free calls in plain JSON.

Reads are the runtime API `MarketApi` of the best block's state, in the JSON of `typed_json`.

Source: WP II.C, III.B.2 (AI Marketplace).
"""

from __future__ import annotations

from typing import Any

from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.lookup import state_at
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json
from runtime.economy.market import MarketParameters
from runtime.market_api import ChannelEntry, HostEntry, OfferEntry, Quota
from runtime.pallets.marketplace.case_records import Case
from runtime.pallets.marketplace.records import Channel
from runtime.primitives.content_id import ContentIdError, parse_cid_text
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Bytes32


@method("flock_hosts")
def hosts(call: Call) -> Json:
    """Every model host, and whether it may serve now."""
    return _read(call, "hosts", list[HostEntry], ())


@method("flock_offers")
def offers(call: Call, model: str | None) -> Json:
    """What hosts serve now; of one model by its content id, or of all."""
    wanted = None if model is None else _content(model)
    return _read(call, "offers", list[OfferEntry], (wanted,), Bytes32 | None)


@method("flock_channel")
def channel(call: Call, caller: AccountId, host: AccountId, model: str) -> Json:
    """A caller's channel to a host for a model; null if it never had one."""
    arguments = (caller, host, _content(model))
    return _read(call, "channel", Channel | None, arguments, AccountId, AccountId, Bytes32)


@method("flock_channels")
def channels(call: Call, caller: AccountId) -> Json:
    """All channels that a caller ever opened."""
    return _read(call, "channels_of", list[ChannelEntry], (caller,), AccountId)


@method("flock_quota")
def quota(call: Call, caller: AccountId) -> Json:
    """A caller's stake that counts today, and how many calls of each host's model are free."""
    return _read(call, "free_quota", Quota, (caller,), AccountId)


@method("flock_case")
def case(call: Call, case: int) -> Json:
    """A challenge or a measurement before its jury; null if it is not kept."""
    if case >= 2**32:
        raise InvalidParams(f"expected an integer of 32 bits, got {case}")
    return _read(call, "case", Case | None, (case,), U32)


@method("flock_marketParameters")
def market_parameters(call: Call) -> Json:
    """What the DAO decides for the marketplace."""
    return _read(call, "market_parameters", MarketParameters, ())


def _read(call: Call, name: str, answer: Any, arguments: tuple[object, ...], *types: Any) -> Json:
    """What a method of `MarketApi` says of the best block's state."""
    parts = (codec_of(tp).encode(each) for tp, each in zip(types, arguments, strict=True))
    found = state_at(call.context, None)
    data = b"".join(parts)
    raw = runtime_call(found.state, found.hash, found.header.number, f"MarketApi_{name}", data)
    return to_json(answer, codec_of(answer).decode_all(raw))


def _content(text: str) -> bytes:
    try:
        return parse_cid_text(text)
    except ContentIdError as error:
        raise InvalidParams(str(error)) from None
