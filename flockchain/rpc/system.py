"""`system_*`: the node, its chain, its peers, and the next nonce of an account.

Source: Substrate `sc_rpc::system`, `frame_rpc_system`.
"""

from __future__ import annotations

from typing import Final

from flockchain.rpc.context import RpcContext
from flockchain.rpc.lookup import state_at
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.wire import Json, to_hex
from runtime.primitives.types import AccountId, Hash

_NONCE_BYTES: Final = 4


@method("system_name")
def name(call: Call) -> Json:
    """The program's name."""
    return call.context.node.name


@method("system_version")
def version(call: Call) -> Json:
    """The program's version."""
    return call.context.node.version


@method("system_chain")
def chain(call: Call) -> Json:
    """The chain's name."""
    return call.context.chain.name


@method("system_chainType")
def chain_type(call: Call) -> Json:
    """Development, Local or Live."""
    return call.context.chain.chain_type


@method("system_properties")
def properties(call: Call) -> Json:
    """How amounts and addresses are shown."""
    return call.context.chain.properties


@method("system_nodeRoles")
def node_roles(call: Call) -> Json:
    """What the node does."""
    return list(call.context.node.roles)


@method("system_localPeerId")
def local_peer_id(call: Call) -> Json:
    """The node's id in the network."""
    return call.context.network.local_peer_id()


@method("system_localListenAddresses")
def local_listen_addresses(call: Call) -> Json:
    """Where others reach the node."""
    return list(call.context.network.listen_addresses())


@method("system_health")
def health(call: Call) -> Json:
    """Peers, and whether the node is catching up."""
    return health_json(call.context)


def health_json(context: RpcContext) -> dict[str, Json]:
    """As `system_health` gives it."""
    return {
        "peers": len(context.network.peers()),
        "isSyncing": context.sync.is_major_syncing,
        "shouldHavePeers": context.network.should_have_peers,
    }


@method("system_peers", safe=False)
def peers(call: Call) -> Json:
    """The connected peers. Unsafe: it tells who is connected to whom."""
    return [
        {
            "peerId": peer.peer_id,
            "roles": peer.roles,
            "bestHash": to_hex(peer.best_hash),
            "bestNumber": peer.best_number,
        }
        for peer in call.context.network.peers()
    ]


@method("system_syncState")
def sync_state(call: Call) -> Json:
    """Where synchronization began, where it is, where it goes."""
    context = call.context
    current = context.backend.best.number
    return {
        "startingBlock": context.sync.starting_block,
        "currentBlock": current,
        "highestBlock": max(current, context.sync.highest_block or 0),
    }


@method("system_accountNextIndex", aliases=["account_nextIndex"])
def account_next_index(call: Call, account: AccountId) -> Json:
    """The nonce behind the account's extrinsics in block and pool."""
    found = state_at(call.context, None)
    raw = runtime_call(
        found.state, found.hash, found.header.number, "AccountNonceApi_account_nonce", account
    )
    on_chain = int.from_bytes(raw, "little")
    return call.context.pool.next_nonce(
        account, on_chain, lambda nonce: account + nonce.to_bytes(_NONCE_BYTES, "little")
    )


@method("system_dryRun", aliases=["system_dryRunAt"], safe=False)
def dry_run(call: Call, extrinsic: HexBytes, at: Hash | None) -> Json:
    """How an extrinsic would go on top of a block, as a SCALE result. Unsafe: it takes time."""
    found = state_at(call.context, at)
    return to_hex(
        runtime_call(
            found.state,
            found.hash,
            found.header.number,
            "BlockBuilder_apply_extrinsic",
            extrinsic,
        )
    )
