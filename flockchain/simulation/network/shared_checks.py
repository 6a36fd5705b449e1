"""Pure work done once for all nodes of a process: checks of signatures and lottery proofs,
executions, updates of tries, validations for the pool, the decoding of messages and their ids.

Seven nodes would check each vote seven times and execute each block seven times, for the same
answer from the same bytes: nothing is shared but answers of pure functions, keyed by everything
that they depend on. What a node stores and reads stays its own work, and the checkers execute
again, and compute roots from all pairs, without these caches.
Source: performance (what a simulated seed may cost); WP II.A.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from unittest.mock import patch

from flockchain.consensus.grandpa.messages import ENVELOPE, SignedMessage, is_signed
from flockchain.simulation.network.shared_tries import SharedTries
from flockchain.storage.trie_build import ordered_root, root_of
from flockchain.storage.trie_codec import StateVersion
from flockchain.sync.messages import decode_announcement
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
_GENESES_MAX: Final = 4


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


class _GenesisRoots:
    """Roots of whole states: each node of a chain begins with the same one."""

    def __init__(self) -> None:
        self._root_of = lru_cache(_GENESES_MAX)(
            lambda pairs, version: root_of(dict(pairs), version)
        )

    def __call__(self, pairs: Mapping[bytes, bytes], version: StateVersion) -> bytes:
        return self._root_of(frozenset(pairs.items()), version)


class _BodyRoots:
    """Roots over the extrinsics of blocks."""

    def __init__(self, count_max: int) -> None:
        self._root_of = lru_cache(count_max)(ordered_root)

    def __call__(self, items: Sequence[bytes]) -> bytes:
        return self._root_of(tuple(items))


class _SignedVotes:
    """Checks of votes: nodes that decoded a message once ask for the very same vote."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._known: dict[tuple[int, int, int], tuple[SignedMessage, bool]] = {}

    def __call__(self, signed: SignedMessage, round_number: int, set_id: int) -> bool:
        key = (id(signed), round_number, set_id)
        known = self._known.get(key)
        if known is None:  # a vote that is kept keeps its id
            known = self._known[key] = signed, is_signed(signed, round_number, set_id)
            if len(self._known) > self._count_max:
                del self._known[next(iter(self._known))]
        return known[1]


class _Decoded:
    """A codec that decodes equal bytes once; what does not decode raises each time."""

    def __init__(self, codec: Codec[Any], count_max: int) -> None:
        self.encode = codec.encode
        self.decode_all = lru_cache(count_max)(codec.decode_all)


@contextmanager
def shared_checks(count_max: int = SHARED_MAX) -> Iterator[None]:
    """Within it, the nodes of this process share the answers of pure checks, `count_max` a kind."""
    ed25519 = lru_cache(count_max)(ed25519_verify)
    envelope = _Decoded(ENVELOPE, count_max)
    bodies, tries = _BodyRoots(count_max), SharedTries(count_max // 64)
    with (
        patch("runtime.primitives.grandpa_votes.ed25519_verify", ed25519),
        patch("runtime.primitives.slot_seal.ed25519_verify", ed25519),
        patch("flockchain.consensus.babe.lottery.verify", lru_cache(count_max)(verify_vrf)),
        patch("flockchain.chain.importer.execute_block", _Executions(count_max)),
        patch("flockchain.chain.validation.Validation", _Validations(count_max)),
        patch("flockchain.consensus.grandpa.voter.is_signed", _SignedVotes(count_max)),
        patch("flockchain.consensus.grandpa.worker.ENVELOPE", envelope),
        patch("flockchain.simulation.network.behaviours.votes.ENVELOPE", envelope),
        patch("flockchain.simulation.network.checkers.ENVELOPE", envelope),
        patch("flockchain.simulation.network.seat.ENVELOPE", envelope),
        patch("flockchain.node.decode_announcement", lru_cache(count_max)(decode_announcement)),
        patch("flockchain.chain.backend.root_of", _GenesisRoots()),
        patch("flockchain.chain.builder.ordered_root", bodies),
        patch("flockchain.chain.importer.ordered_root", bodies),
        patch("flockchain.storage.state.TrieUpdate", tries),
        patch("p2p.memory_node.message_id", lru_cache(count_max)(message_id)),
    ):
        yield
