"""`payment_*`: what an extrinsic will cost.

Source: Substrate `pallet_transaction_payment_rpc`.
"""

from __future__ import annotations

from typing import Final

from flockchain.rpc.lookup import state_at
from flockchain.rpc.params import HexBytes
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.wire import Json
from runtime.frame.api_types import FeeDetails, RuntimeDispatchInfo
from runtime.primitives.scale import codec_of
from runtime.primitives.types import Hash

_INFO: Final = codec_of(RuntimeDispatchInfo)
_DETAILS: Final = codec_of(FeeDetails)


@method("payment_queryInfo")
def query_info(call: Call, extrinsic: HexBytes, at: Hash | None) -> Json:
    """Weight, class, and fee in planck as a decimal string, without the tip."""
    info = _INFO.decode_all(_ask(call, "query_info", extrinsic, at))
    weight: Json = {"ref_time": info.weight.ref_time, "proof_size": info.weight.proof_size}
    return {
        "weight": weight,
        "class": info.class_.name.lower(),
        "partialFee": str(info.partial_fee),
    }


@method("payment_queryFeeDetails")
def query_fee_details(call: Call, extrinsic: HexBytes, at: Hash | None) -> Json:
    """The parts of the fee in planck, as hex."""
    details = _DETAILS.decode_all(_ask(call, "query_fee_details", extrinsic, at))
    fee = details.inclusion_fee
    if fee is None:
        return {"inclusionFee": None}
    parts: Json = {
        "baseFee": hex(fee.base_fee),
        "lenFee": hex(fee.len_fee),
        "adjustedWeightFee": hex(fee.adjusted_weight_fee),
    }
    return {"inclusionFee": parts}


def _ask(call: Call, name: str, extrinsic: bytes, at: Hash | None) -> bytes:
    found = state_at(call.context, at)
    argument = extrinsic + len(extrinsic).to_bytes(4, "little")
    return runtime_call(
        found.state, found.hash, found.header.number, f"TransactionPaymentApi_{name}", argument
    )
