"""Building a block: inherents, then the pool's best until weight, bytes or time are used up.

Source: Substrate `sc_basic_authorship`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flockchain.storage.trie_build import ordered_root
from runtime.api import BlockExecution, Changes, inherent_extrinsics
from runtime.frame.errors import InvalidKind, TransactionValidityError
from runtime.frame.executive import Verifier
from runtime.frame.externalities import StateReader
from runtime.frame.extrinsic import extrinsic_hash
from runtime.primitives.header import Digest, PreRuntime
from runtime.primitives.types import Hash
from runtime.runtime import Runtime

log = logging.getLogger(__name__)

_PASSED_OVER_MAX = 32  # extrinsics that no longer fit, before the block counts as full


@dataclass(frozen=True, slots=True)
class Built:
    """A block without its state root and seal, and what it changed."""

    number: int
    parent: Hash
    extrinsics_root: Hash
    digest: Digest
    body: list[bytes]
    changes: Changes
    runtime: Runtime
    """It stands on the state that the changes lead to."""


def build_block(
    parent_state: StateReader,
    parent: Hash,
    number: int,
    logs: list[PreRuntime],
    now_ms: int,
    candidates: Iterable[bytes],
    verify: Verifier,
    is_time_up: Callable[[], bool],
    on_invalid: Callable[[Hash], None],
    runtime: Runtime | None = None,
) -> Built:
    """Build on `parent`. `on_invalid` is told of candidates that can never be included.

    `runtime` stands on `parent_state` and is used up: it is built if none is given.
    """
    execution = BlockExecution(parent_state, parent, number, logs, verify, runtime)
    # A parent made at the end of its slot may be younger than half a slot.
    body = inherent_extrinsics(max(now_ms, execution.earliest_ms()))
    for data in body:
        execution.apply(data)
    passed_over = 0
    for data in candidates:
        if is_time_up() or passed_over > _PASSED_OVER_MAX:
            break
        try:
            execution.apply(data)
        except TransactionValidityError as error:
            if error.kind is InvalidKind.EXHAUSTS_RESOURCES:
                passed_over += 1
            elif error.kind is not InvalidKind.FUTURE:
                on_invalid(extrinsic_hash(data))
            continue
        except Exception:  # a bug that one extrinsic meets must not stop authoring
            log.exception("extrinsic 0x%s cannot be executed, dropped", extrinsic_hash(data).hex())
            on_invalid(extrinsic_hash(data))
            continue
        body.append(data)
    executed = execution.finish()
    root = Hash(ordered_root(body))
    return Built(number, parent, root, executed.digest, body, executed.changes, execution.runtime)
