"""`chainSpec_v1_*`: the chain's identity.

Source: the new JSON-RPC specification, group chainSpec.
"""

from __future__ import annotations

from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex


@method("chainSpec_v1_chainName")
def chain_name(call: Call) -> Json:
    """The chain's name."""
    return call.context.chain.name


@method("chainSpec_v1_genesisHash")
def genesis_hash(call: Call) -> Json:
    """The hash of block 0."""
    return to_hex(call.context.backend.genesis)


@method("chainSpec_v1_properties")
def properties(call: Call) -> Json:
    """How amounts and addresses are shown."""
    return call.context.chain.properties
