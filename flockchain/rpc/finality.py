"""`flock_finalityProof`: how a final block follows from an earlier one, for who believes nobody.

Source: GRANDPA paper 2.4; Substrate `grandpa_proveFinality`.
"""

from __future__ import annotations

from flockchain.rpc.errors import CLIENT_ERROR, RpcError
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex
from flockchain.sync.warp_messages import decode_warp_answer
from flockchain.sync.warp_serve import serve_warp
from p2p.interface import PeerError
from runtime.primitives.types import Hash


@method("flock_finalityProof")
def finality_proof(call: Call, begin: Hash) -> Json:
    """Every change of voters above a final block with its proof, then the last final block.

    Where `isLast` is false, ask again from the last block of the answer.
    """
    try:
        answer = decode_warp_answer(serve_warp(call.context.backend, begin))
    except PeerError as error:
        raise RpcError(CLIENT_ERROR, f"Client error: {error}") from error
    return {
        "fragments": [
            {"header": to_hex(each.header.encode()), "proof": to_hex(each.justification)}
            for each in answer.fragments
        ],
        "isLast": answer.is_last,
    }
