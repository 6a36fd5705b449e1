"""`rpc_methods`, and the import of every namespace, which fills the table of methods.

Clients choose how to talk to a node by this list: a group of methods is declared whole or not at
all.

Source: Substrate `rpc_methods`; the new JSON-RPC specification, "API specification".
"""

from __future__ import annotations

from flockchain.rpc import (
    alliance,
    archive,
    author,
    author_keys,
    chain,
    chain_head,
    chain_spec,
    explain,
    finality,
    flock,
    market,
    payment,
    state,
    system,
    transaction,
    trends,
    yields,
)
from flockchain.rpc.registry import METHODS, Call, method
from flockchain.rpc.wire import Json

NAMESPACES = (
    alliance,
    archive,
    author,
    author_keys,
    chain,
    chain_head,
    chain_spec,
    explain,
    finality,
    flock,
    market,
    payment,
    state,
    system,
    transaction,
    trends,
    yields,
)


@method("rpc_methods")
def rpc_methods(call: Call) -> Json:
    """The methods that the caller may call."""
    return {"methods": visible_methods(is_trusted=call.is_trusted)}


def visible_methods(*, is_trusted: bool) -> list[str]:
    """Names in order; unsafe ones only for a trusted caller."""
    return sorted(name for name, item in METHODS.items() if item.is_safe or is_trusted)


__all__ = ["METHODS", "NAMESPACES", "rpc_methods", "visible_methods"]
