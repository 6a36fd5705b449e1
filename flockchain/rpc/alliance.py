"""`flock_alliance*`, `flock_round*`: the FL Alliance in plain JSON, and certificates of roles.

Reads are the runtime API's, of the best block's state unless a block is named. A certificate comes
with a read proof of every key that it was made from, under the state root of the named block.

Source: WP VI.B to VI.F, WP VI.H (selection that anyone can verify); Substrate `state_getReadProof`.
"""

from __future__ import annotations

from typing import Any, Final

from flockchain.blobs.reference_string import name_of_setup
from flockchain.economics.derivation.state_book import StateBook
from flockchain.rpc.errors import ExecutionFailed, InvalidParams, UnknownBlock
from flockchain.rpc.lookup import state_at
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.errors import StateDiscarded
from runtime.api import runtime_at
from runtime.pallets.fl_alliance.views import (
    AllianceInfo,
    MemberEntry,
    Part,
    PaymentEntry,
    PaymentExplanation,
    RoleCertificate,
    RoundInfo,
    RoundSummary,
)
from runtime.primitives.content_id import cid_text
from runtime.primitives.scale import codec_of
from runtime.primitives.types import AccountId, Hash
from runtime.version import UnknownRuntime

_U32_MAX: Final = 2**32 - 1


@method("flock_allianceTasks")
def alliance_tasks(call: Call) -> Json:
    """The tasks of the FL Alliance that have not ended."""
    return _read(call, "alliance_tasks", list[AllianceInfo])


@method("flock_allianceTask")
def alliance_task(call: Call, task: int) -> Json:
    """A task of the FL Alliance, ended or not; null if there is none of this number."""
    return _read(call, "alliance_task", AllianceInfo | None, task)


@method("flock_allianceMembers")
def alliance_members(call: Call, task: int, start: int | None) -> Json:
    """Members among the 256 places from `start` on (0 if none is given)."""
    return _read(call, "alliance_members", list[MemberEntry], task, start or 0)


@method("flock_alliancePart")
def alliance_part(call: Call, task: int, account: AccountId) -> Json:
    """An account's role in the open round, and what it should call in the next block."""
    return _read(call, "part_of", Part, task, rest=account)


@method("flock_round")
def round_(call: Call, task: int, number: int) -> Json:
    """A round with everybody's part in it; null if its records are not kept."""
    return _read(call, "round_info", RoundInfo | None, task, number)


@method("flock_roundHistory")
def round_history(call: Call, task: int) -> Json:
    """The rounds of a task whose records are kept, the oldest first."""
    return _read(call, "round_history", list[RoundSummary], task)


@method("flock_roundPayments")
def round_payments(call: Call, task: int, number: int) -> Json:
    """What a round did to whom, by account."""
    return _read(call, "round_payments", list[PaymentEntry], task, number)


@method("flock_explainRound")
def explain_round(call: Call, task: int, number: int, account: AccountId) -> Json:
    """What an account's payment of a round was made from; null if there is none that is kept."""
    answer = PaymentExplanation | None
    return _read(call, "explain_payment", answer, task, number, rest=account)


@method("flock_roleProof")
def role_proof(call: Call, task: int, number: int, start: int | None, at: Hash | None) -> Json:
    """The VRF proofs of a round from place `start` on, 256 places, with a read proof; null if the
    proofs are not kept in that state.

    `justification` is that of the named block, null if the node keeps none of it.
    """
    _ensure_u32(task, number, start or 0)
    found = state_at(call.context, at)
    try:
        page = StateBook(found.hash, found.state).open()
        certificate = page.runtime.alliance.views.role_certificate(task, number, start or 0)
        keys = [read.key for read in page.reads()]
        proof = found.state.read_proof(keys)
    except UnknownRuntime as error:
        raise ExecutionFailed(str(error)) from error
    except StateDiscarded as error:  # pruned while it was read
        raise UnknownBlock(found.hash) from error
    if certificate is None:
        return None
    justification = call.context.backend.blocks.justification(found.hash)
    return {
        "block": to_hex(found.hash),
        "number": found.header.number,
        "stateRoot": to_hex(found.header.state_root),
        "isFinalized": call.context.backend.is_finalized(found.hash),
        "justification": None if justification is None else to_hex(justification),
        "certificate": to_json(RoleCertificate, certificate),
        "keys": [to_hex(key) for key in keys],
        "proof": [to_hex(node) for node in proof],
    }


@method("flock_referenceString")
def reference_string(call: Call) -> Json:
    """The chain's own reference string: points, SHA-256, and the content id of its file, which the
    node serves; null where proofs are made with that of Ethereum."""
    state = call.context.backend.state_at(call.context.backend.best.hash)
    declared = runtime_at(state).alliance.setup.find()
    if declared is None:
        return None
    cid = cid_text(name_of_setup(declared))
    return {"points": declared.points, "sha256": to_hex(declared.digest), "cid": cid}


def _read(call: Call, name: str, answer: Any, *numbers: int, rest: bytes = b"") -> Json:
    """What the runtime API says of the best block's state."""
    _ensure_u32(*numbers)
    data = b"".join(number.to_bytes(4, "little") for number in numbers) + rest
    found = state_at(call.context, None)
    method_name = f"AllianceApi_{name}"
    raw = runtime_call(found.state, found.hash, found.header.number, method_name, data)
    return to_json(answer, codec_of(answer).decode_all(raw))


def _ensure_u32(*numbers: int) -> None:
    for number in numbers:
        if number > _U32_MAX:
            raise InvalidParams(f"expected an integer of 32 bits, got {number}")
