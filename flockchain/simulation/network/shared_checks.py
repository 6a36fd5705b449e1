"""Pure work done once for all nodes of a process: checks of signatures and lottery proofs,
executions, validations for the pool, the decoding of messages and their ids.

Seven nodes would check each vote seven times and execute each block seven times, for the same
answer from the same bytes: nothing is shared but answers of pure functions, keyed by everything
that they depend on. What a node stores and what its state root is stays its own work, and the
checkers execute again without these caches.
Source: performance (what a simulated seed may cost); WP II.A.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from unittest.mock import patch

from flockchain.consensus.grandpa.messages import ENVELOPE
from p2p.seen import message_id
from runtime.api import Executed, Validation, execute_block
from runtime.frame.errors import InvalidKind, TransactionValidityError, UnknownKind
from runtime.frame.executive import Verifier
from runtime.frame.externalities import StateReader
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.primitives.header import Header
from runtime.primitives.scale import Codec
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash
from runtime.primitives.vrf import verify as verify_vrf
from runtime.runtime import Runtime

SHARED_MAX: Final = 32_768


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What an error says; the error itself holds all frames that it passed, and their states."""

    kind_of_error: type[TransactionValidityError]
    kind: InvalidKind | UnknownKind
    reason: str
    code: int


Answer = ValidTransaction | _Refusal


class _Executions:
    """What blocks change, by header and body. Refusals are executed again."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max // 64
        self._known: dict[tuple[Hash, tuple[bytes, ...]], Executed] = {}

    def __call__(
        self,
        state: StateReader,
        header: Header,
        body: list[bytes],
        verify: Verifier,
        runtime: Runtime,
    ) -> Executed:
        key = (header.hash(), tuple(body))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = execute_block(state, header, body, verify, runtime)
            if len(self._known) > self._count_max:
                del self._known[next(iter(self._known))]
            return known
        for changed, value in known.changes.items():  # the runtime stands where it would
            runtime.ext.put(changed, value)
        return known


class _Validations:
    """What the pool hears of extrinsics, by head and extrinsic; stands for `Validation`."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._known: dict[tuple[int, Hash, TransactionSource, bytes], Answer] = {}

    def __call__(
        self, state: StateReader, head: Hash, number: int, verify: Verifier
    ) -> _SharedValidation:
        return _SharedValidation(self, (state, head, number), verify)

    def find(self, key: tuple[int, Hash, TransactionSource, bytes]) -> Answer | None:
        """What somebody heard before."""
        return self._known.get(key)

    def keep(self, key: tuple[int, Hash, TransactionSource, bytes], answer: Answer) -> None:
        """Tell the others too; when there are too many answers all are forgotten."""
        if len(self._known) >= self._count_max:
            self._known.clear()
        self._known[key] = answer


class _SharedValidation:
    """The answers on top of one head; a runtime is built when one is not known."""

    def __init__(
        self, answers: _Validations, place: tuple[StateReader, Hash, int], verify: Verifier
    ) -> None:
        self._answers = answers
        self._place = place
        self._verify = verify
        self._own: Validation | None = None
        self._is_turned = False

    def turn_to(self, state: StateReader, head: Hash, number: int) -> None:
        """As `Validation.turn_to`."""
        self._place = state, head, number
        self._is_turned = False

    def validate(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """As `Validation.validate`."""
        key = (Runtime.spec_version, self._place[1], source, data)
        answer = self._answers.find(key)
        if answer is None:
            try:
                answer = self._ask().validate(source, data)
            except TransactionValidityError as error:
                answer = _Refusal(type(error), error.kind, str(error), error.code)
            self._answers.keep(key, answer)
        if isinstance(answer, _Refusal):
            raise answer.kind_of_error(answer.kind, answer.reason, answer.code)
        return answer

    def _ask(self) -> Validation:
        if self._own is None:
            self._own = Validation(*self._place, self._verify)
        elif not self._is_turned:
            self._own.turn_to(*self._place)
        self._is_turned = True
        return self._own


class _Decoded:
    """A codec that decodes equal bytes once; what does not decode raises each time."""

    def __init__(self, codec: Codec[Any], count_max: int) -> None:
        self.encode = codec.encode
        self.decode_all = lru_cache(count_max)(codec.decode_all)


@contextmanager
def shared_checks(count_max: int = SHARED_MAX) -> Iterator[None]:
    """Within it, the nodes of this process share the answers of pure checks, `count_max` a kind."""
    ed25519 = lru_cache(count_max)(ed25519_verify)
    with (
        patch("runtime.primitives.grandpa_votes.ed25519_verify", ed25519),
        patch("runtime.primitives.slot_seal.ed25519_verify", ed25519),
        patch("flockchain.consensus.babe.lottery.verify", lru_cache(count_max)(verify_vrf)),
        patch("flockchain.chain.importer.execute_block", _Executions(count_max)),
        patch("flockchain.chain.validation.Validation", _Validations(count_max)),
        patch("flockchain.consensus.grandpa.worker.ENVELOPE", _Decoded(ENVELOPE, count_max)),
        patch("p2p.memory_node.message_id", lru_cache(count_max)(message_id)),
    ):
        yield
