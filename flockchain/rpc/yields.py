"""`flock_yields`: what stake behind the operators of live tasks earned a day, for delegators.

Owns the words for what the figures assume. The figures are the runtime API's, of the best block's
state or of another block's.

Source: WP II.D (delegation), WP V.E to V.H (rewards).
"""

from __future__ import annotations

from typing import Final

from flockchain.rpc.errors import CLIENT_ERROR, InvalidParams, RpcError
from flockchain.rpc.lookup import BlockState, state_at
from flockchain.rpc.registry import Call, method
from flockchain.rpc.runtime_call import runtime_call
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json, to_hex
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U16, U32, Hash
from runtime.yields import YIELD_UNIT, TaskYields
from runtime.yields_api import DAYS_MAX

OPERATORS_MAX: Final = 2_000  # in an answer about all tasks
ASSUMPTIONS: Final[dict[str, Json]] = {
    "paid": (
        "the mean over the settled days looked at of Reward A, validation and creation, as paid; "
        "a day counts if the ledger still knows how the stake was divided on it"
    ),
    "expected": (
        "what a planck-day has of the vesting Reward B if the final ranking equals the mean f_i so "
        "far and the task does not fail; it is paid when the task is complete; a bounty is in no "
        "figure"
    ),
    "staked": "a planck before its reward is shared between operator and delegators",
    "ownStake": "a planck of the operator's own, with what it keeps of its delegators' part",
    "delegation": "a delegator's planck, by the share ratio of each day",
    "groups": "of own stake and delegations the means by what each operator has of them now",
}
_ARGUMENTS: Final = codec_of(tuple[U32, U16])
_NUMBERS: Final = codec_of(list[U32])
_ANSWER: Final = codec_of(TaskYields | None)


@method("flock_yields")
def yields(call: Call, task: int | None, days: int | None, at: Hash | None) -> Json:
    """Yields of every operator of a live task, or of all live tasks, over its last settled days.

    `days` is 30 if it is not given, and at most that. A yield is in 10^-18 planck for a planck and
    a day, floored. An answer about all tasks has at most 2,000 operators.
    """
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise InvalidParams(f"expected 1 to {DAYS_MAX} days, got {days}")
    found = state_at(call.context, at)
    numbers = _live(found) if task is None else [task]
    answers: list[Json] = []
    operators = 0
    for number in numbers:
        answer = _ask(found, number, DAYS_MAX if days is None else days)
        if answer is None:
            continue
        operators += len(answer.operators)
        if task is None and operators > OPERATORS_MAX:
            raise RpcError(
                CLIENT_ERROR,
                f"Client error: the tasks have more than {OPERATORS_MAX} operators, ask for one",
            )
        answers.append(to_json(TaskYields, answer))
    return {
        "block": to_hex(found.hash),
        "number": found.header.number,
        "unit": str(YIELD_UNIT),
        "assumptions": ASSUMPTIONS,
        "tasks": answers,
    }


def _live(found: BlockState) -> list[int]:
    return _NUMBERS.decode_all(_call(found, "YieldApi_live_task_numbers", b""))


def _ask(found: BlockState, task: int, days: int) -> TaskYields | None:
    if task >= 2**32:
        raise InvalidParams(f"expected an integer of 32 bits, got {task}")
    raw = _call(found, "YieldApi_task_yields", _ARGUMENTS.encode((task, days)))
    answer: TaskYields | None = _ANSWER.decode_all(raw)
    return answer


def _call(found: BlockState, name: str, data: bytes) -> bytes:
    return runtime_call(found.state, found.hash, found.header.number, name, data)
