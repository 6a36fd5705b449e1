"""What must hold at every step of a simulated network, whatever the faults and up to f liars do.

Owns the list of what was found wrong. Checked as it happens: one finalized chain, which never goes
back, not even over a crash; no honest key signs twice, and no vote leaves before its disk has it;
issuance and every other invariant of the pallets in each final state; bounded memory; nodes end
only where a fault ended them. Checked every so often and at the end: state roots from all pairs,
and execution anew without the shared answers.
Source: GRANDPA paper 2; WP II.A.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import combinations
from typing import Final, TypeVar

from flockchain.chain.notifications import Finalized, Imported
from flockchain.consensus.grandpa.accountability import find_guilty
from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.messages import (
    ENVELOPE,
    JUSTIFICATION,
    GossipVote,
    GrandpaJustification,
    VoteMessage,
)
from flockchain.consensus.grandpa.stored_journal import StoredJournal, key_of_vote
from flockchain.consensus.grandpa.waiting import targets_max
from flockchain.pool.pool import PoolConfig
from flockchain.simulation.network.disk import NO_SPACE
from flockchain.simulation.network.releases import playing, release_of
from flockchain.simulation.network.seat import POWER_CUT, RELEASE_OVER, Outlet, Seat
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.api import execute_block, runtime_at
from runtime.frame.executive import verify_signature
from runtime.primitives.babe_digest import find_claim
from runtime.primitives.types import Hash

_WHOLE_EVERY: Final = 50  # blocks between two recomputations of a whole state
_VIOLATIONS_MAX: Final = 100
_VOTES_KEPT: Final = 16_384
"""Of all nodes: 1,170 rounds of seven. Longer runs would fill this process instead of the nodes."""
_BLOCKS_KEPT: Final = 2_048
_INJECTED: Final = (POWER_CUT, NO_SPACE, RELEASE_OVER)

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(OrderedDict[Key, Value]):
    """A table that holds `count_max` keys at most; the oldest give way."""

    def __init__(self, count_max: int) -> None:
        super().__init__()
        self._count_max = count_max

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._count_max:
            self.popitem(last=False)


class Checkers:
    """Watches every honest node."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.violations: list[str] = []
        self.finalized: dict[int, Hash] = {}
        self._proofs = Recent[tuple[int, int], dict[Hash, GrandpaJustification]](_BLOCKS_KEPT)
        """By set and round: what honest nodes finalized by."""
        self._sets = Recent[int, AuthoritySet](_BLOCKS_KEPT)
        self._highest: dict[int, tuple[int, Hash]] = {}
        self._votes = Recent[tuple[bytes, int, int, type], Hash](_VOTES_KEPT)
        self._seals = Recent[tuple[bytes, int], Hash](_BLOCKS_KEPT)
        self._checked = Recent[Hash, None](_BLOCKS_KEPT)
        self._forgetful: set[int] = set()
        """Places that lost their disk: they may find votes of their own and must be silent then."""
        self.memory_max = 0

    def violate(self, what: str) -> None:
        """Something is wrong."""
        if len(self.violations) < _VIOLATIONS_MAX:
            self.violations.append(f"{self._now_ms()} ms: {what}")

    def watch(self, seat: Seat, outlet: Outlet) -> None:
        """Look at a node that was just built."""
        node = seat.node
        assert node is not None
        notifications = node.backend.notifications
        notifications.on_finalized.append(lambda event: self._on_finalized(seat, event))
        notifications.on_imported.append(lambda event: self._on_imported(seat, event))
        outlet.watchers.append(lambda topic, data: self._on_published(seat, topic, data))
        self._on_reopened(seat)

    def forget_disk(self, seat: Seat) -> None:
        """The node's disk is empty: it need not know what it knew."""
        self._highest.pop(seat.place, None)
        self._forgetful.add(seat.place)

    def on_ended(self, seat: Seat) -> None:
        """A node ended within a call."""
        if seat.ended_because not in _INJECTED:
            self.violate(f"{seat.peer} ended: {seat.ended_because}")

    def check_memory(self, seat: Seat) -> None:
        """Everything that peers can make grow is within its bound."""
        node = seat.node
        if node is None or node.finality is None:
            return
        waiting = len(node.finality.voter.awaited_blocks)
        self.memory_max = max(self.memory_max, waiting + len(node.pool))
        if len(node.pool) > PoolConfig().count_max:
            self.violate(f"{seat.peer} holds {len(node.pool)} extrinsics")
        if waiting > targets_max(len(node.finality.authorities.authorities)):
            self.violate(f"{seat.peer} waits for {waiting} blocks")

    def check_voting(self, seat: Seat) -> None:
        """An honest node with a key of its own never finds a double of it."""
        node = seat.node
        if node is None or seat.place in self._forgetful:
            return
        if node.stopped_because is not None:
            self.violate(f"{seat.peer} stopped: {node.stopped_because}")

    def check_whole_state(self, seat: Seat, number: int) -> None:
        """The state behind a final block is what its header says, pair by pair, and follows again
        from its parent's, executed without any shared answer."""
        node = seat.node
        block = None if node is None else node.backend.blocks.hash_at(number)
        header = None if node is None or block is None else node.backend.header(block)
        if node is None or block is None or header is None:
            return
        pairs = dict(node.backend.state_at(block).pairs())
        if root_of(pairs, StateVersion.V1) != header.state_root:
            self.violate(f"{seat.peer} has another state behind block {number}")
        parent = node.backend.header(header.parent_hash)
        if number == 0 or parent is None:
            return
        state = node.backend.state_at(header.parent_hash)
        body = node.backend.blocks.body(block) or []
        with playing(release_of(state)):
            executed = execute_block(state, header, body, verify_signature)
        again: dict[bytes, bytes | None] = {**dict(state.pairs()), **executed.changes}
        if {key: value for key, value in again.items() if value is not None} != pairs:
            self.violate(f"block {number}, executed again, gives another state")

    def guilty(self) -> set[bytes]:
        """The keys that signed different blocks in two proofs of one round: over a third of the
        weight if finality ever split in a round, and never an honest one."""
        found: set[bytes] = set()
        for (set_id, _), proofs in self._proofs.items():
            for first, second in combinations(proofs.values(), 2):
                doubles = find_guilty(first, second, self._sets[set_id])
                found.update(double.authority for double in doubles)
        return found

    def _note_proof(self, seat: Seat, block: Hash) -> None:
        node = seat.node
        assert node is not None
        assert node.finality is not None
        raw = node.backend.blocks.justification(block)
        if raw is not None and not node.is_warping:  # whose voter does not know the set yet
            proof = JUSTIFICATION.decode_all(raw)
            voters = node.finality.authorities
            self._sets[voters.set_id] = voters
            self._proofs.setdefault((voters.set_id, proof.round), {})[block] = proof

    def _on_reopened(self, seat: Seat) -> None:
        node = seat.node
        assert node is not None
        number, block = self._highest.get(seat.place, (0, node.backend.genesis))
        if node.backend.blocks.hash_at(number) != block or node.backend.finalized.number < number:
            self.violate(f"{seat.peer} came back without its final block {number}")

    def _on_finalized(self, seat: Seat, event: Finalized) -> None:
        number = event.header.number
        before = self._highest.get(seat.place, (0, event.hash))[0]
        if number <= before:
            self.violate(f"{seat.peer} finalized block {number} after {before}")
        self._highest[seat.place] = (number, event.hash)
        self._note_proof(seat, event.hash)
        first = number - len(event.finalized) + 1
        for height, block in enumerate(event.finalized, start=first):
            if self.finalized.setdefault(height, block) != block:
                self.violate(f"{seat.peer} finalized another block {height}")
        if event.hash in self._checked:
            return
        self._checked[event.hash] = None
        node = seat.node
        assert node is not None
        try:
            runtime_at(node.backend.state_at(event.hash)).try_state()
        except AssertionError as error:
            self.violate(f"the state of block {number} breaks an invariant: {error}")
        if number // _WHOLE_EVERY > before // _WHOLE_EVERY:
            self.check_whole_state(seat, number)

    def _on_imported(self, seat: Seat, event: Imported) -> None:
        claim = find_claim(event.header)
        if not event.is_own or claim is None or seat.key is None:
            return
        known = self._seals.setdefault((seat.key.public, claim.slot), event.hash)
        if known != event.hash:
            self.violate(f"{seat.peer} sealed two blocks for slot {claim.slot}")

    def _on_published(self, seat: Seat, topic: str, data: bytes) -> None:
        if topic != "grandpa" or seat.key is None:
            return
        message = ENVELOPE.decode_all(data).message
        if isinstance(message, GossipVote) and message.vote.message.id == seat.key.public:
            self._on_vote(seat, message.vote)

    def _on_vote(self, seat: Seat, vote: VoteMessage) -> None:
        kind = type(vote.message.message)
        key = (vote.message.id, vote.set_id, vote.round, kind)
        target = vote.message.message.target_hash
        if self._votes.setdefault(key, target) != target:
            self.violate(
                f"{seat.peer} signed two {kind.__name__.lower()}s in round {vote.round} "
                f"of set {vote.set_id}"
            )
        if not seat.disk.is_durable(key_of_vote(vote)) and not self._is_past(seat, vote):
            self.violate(f"{seat.peer} sent a vote of round {vote.round} before it was on disk")

    def _is_past(self, seat: Seat, vote: VoteMessage) -> bool:
        """Whether the disk knows a later round as completed: what was said before may be dropped,
        since nothing is ever said there again."""
        completed = StoredJournal(seat.disk).load(vote.set_id).completed
        return completed is not None and completed.round_number > vote.round
