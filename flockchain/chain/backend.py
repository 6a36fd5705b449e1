"""The chain on disk: blocks, states and finality change together, one batch a step.

Owns the tree of unfinalized blocks, the best and the finalized head. Invariants: after a crash the
store holds the state before a step or after it, never between; own blocks and finality are there on
return, and so is a block of others before anything is signed that builds on it, since every write
that must be on disk takes along those before it.

Source: Substrate `sc_client_db::Backend`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from flockchain.chain.blocks import BlockStore
from flockchain.chain.errors import BelowFinality, UnknownParent
from flockchain.chain.notifications import Finalized, Imported, Notifications
from flockchain.chain.tree import NO_ROUTE, BlockTree, Route, TreeBlock
from flockchain.storage.errors import StorageError
from flockchain.storage.kv import KeyValueStore, WriteBatch
from flockchain.storage.state import StateDelta, StateStore
from flockchain.storage.state_reader import StateReader
from flockchain.storage.trie_build import ordered_root, root_of
from flockchain.storage.trie_codec import EMPTY_ROOT, StateVersion
from flockchain.storage.trie_update import TrieRoot
from runtime.primitives.babe_digest import SlotKind, find_claim
from runtime.primitives.grandpa_votes import ForcedChange, find_set_change
from runtime.primitives.header import Digest, Header
from runtime.primitives.record import record
from runtime.primitives.types import ZERO_HASH, Hash


class WrongGenesis(Exception):
    """The database belongs to another chain."""


@record
class Head:
    """A block that a chain ends in."""

    hash: Hash
    number: int


class ProvenBlock(Protocol):
    """A final block and the proof of it."""

    @property
    def header(self) -> Header:
        """The block."""

    @property
    def justification(self) -> bytes:
        """The proof."""


def is_primary(header: Header) -> bool:
    """Whether the block's slot was won by lottery; blocks without slots all count."""
    claim = find_claim(header)
    return claim is None or claim.kind is SlotKind.PRIMARY


class Backend:
    """One chain's blocks and states."""

    def __init__(self, store: KeyValueStore, state: StateStore) -> None:
        self.store = store
        self.state = state
        self.blocks = BlockStore(store)
        self.notifications = Notifications()
        self._finalized: Head | None = None
        self.bodies_from = 1
        """The lowest block whose extrinsics are worth having here: see `BlockPruner`."""
        self.tree: BlockTree
        self.genesis: Hash
        self.best: Head
        self._changes: dict[Hash, int]  # unfinalized blocks that name new voters, by height
        self._forced: dict[Hash, ForcedChange]  # those of them that do so by force

    # -- opening

    def open(self, genesis: Mapping[bytes, bytes]) -> None:
        """Load the chain, or begin it with this genesis state.

        Raises WrongGenesis if the store holds another chain.
        """
        known = self.blocks.meta("genesis")
        header = genesis_header(root_of(genesis, StateVersion.V1))
        if known is None:
            self._begin(genesis, header)
        elif known != header.hash():
            raise WrongGenesis(
                f"the database holds the chain of genesis 0x{known.hex()}, the chain spec gives "
                f"0x{header.hash().hex()}: use another --base-path, or purge-chain"
            )
        self.genesis = header.hash()
        self._load_tree()
        if self.blocks.meta("changes") is None:
            self._list_changes()

    def _begin(self, genesis: Mapping[bytes, bytes], header: Header) -> None:
        batch, block = WriteBatch(), header.hash()
        self.state.commit(EMPTY_ROOT, genesis, block, ZERO_HASH, 0, batch)
        self.state.canonicalize(block, batch)
        self.blocks.put_block(batch, block, header, [])
        self.blocks.mark_final(batch, 0, block)
        self.blocks.put_number(batch, 0, block)
        for name in ("genesis", "best", "finalized"):
            self.blocks.put_meta(batch, name, block)
        self.blocks.put_meta(batch, "changes", b"")
        self._write(batch)

    def _list_changes(self) -> None:
        """Find the changes of voters in a database of a release that kept no list of them."""
        batch = WriteBatch()
        for number in range(1, self.tree.root.number + 1):
            block = self.blocks.hash_at(number)
            if block is not None and find_set_change(self._header(block)) is not None:
                self.blocks.put_change(batch, number, block)
        self.blocks.put_meta(batch, "changes", b"")
        self._write(batch)

    def _load_tree(self) -> None:
        finalized = Hash(self._meta("finalized"))
        root = self._header(finalized)
        self.tree = BlockTree(finalized, root.number)
        self._changes, self._forced = {}, {}
        for _, block in self.blocks.unfinalized():
            header = self._header(block)
            if header.parent_hash in self.tree:
                self.tree.insert(
                    block, header.parent_hash, header.number, is_primary=is_primary(header)
                )
                self._note_change(block, header)
        best = self.tree.best()
        self.best = Head(best.hash, best.number)

    def _meta(self, name: str) -> bytes:
        value = self.blocks.meta(name)
        if value is None:
            raise StorageError(f"the database has no {name} block: purge-chain and sync again")
        return value

    def _header(self, block: Hash) -> Header:
        header = self.blocks.header(block)
        if header is None:
            raise StorageError(
                f"the database lacks block 0x{block.hex()}: purge-chain and sync again"
            )
        return header

    # -- reading

    @property
    def finalized(self) -> Head:
        """The last finalized block."""
        root = self.tree.root
        if self._finalized is None or self._finalized.hash != root.hash:
            self._finalized = Head(root.hash, root.number)  # asked for with every message
        return self._finalized

    def header(self, block: Hash) -> Header | None:
        """The header of a known block."""
        return self.blocks.header(block)

    def state_at(self, block: Hash) -> StateReader:
        """The state behind a block. Raises UnknownParent, or StateDiscarded when pruned."""
        header = self.blocks.header(block)
        if header is None:
            raise UnknownParent(f"block 0x{block.hex()} is not known")
        return self.state.reader(header.state_root)

    def is_finalized(self, block: Hash) -> bool:
        """Whether a known block is final."""
        header = self.blocks.header(block)
        if header is None or header.number > self.tree.root.number:
            return False
        return self.blocks.hash_at(header.number) == block

    def first_change(self, head: Hash) -> TreeBlock | None:
        """The lowest unfinalized block up to `head` that names new voters; mostly there is none.

        Those up to a forced change in force are passed over.
        """
        forced = self.forced_change()
        is_forced = forced is not None and self.tree.is_descendant(forced.hash, head)
        above = forced.number if forced is not None and is_forced else 0
        for block, number in sorted(self._changes.items(), key=lambda item: item[1]):
            if number > above and self.tree.is_descendant(block, head):
                return self.tree.get(block)
        return None

    def forced_change(self) -> TreeBlock | None:
        """The latest block of the best chain that names voters by force and lies deep enough.

        Those vote on all that comes after it, and what comes before is final with it. One that
        presumes a change to be final which is not here does not count.
        """
        for block, change in reversed(self._forced.items()):
            node = self.tree.get(block)
            if node is None or self.best.number < node.number + change.delay:
                continue
            if self.tree.is_descendant(block, self.best.hash) and not any(
                number <= change.median_last_finalized and self.tree.is_descendant(other, block)
                for other, number in self._changes.items()
            ):
                return node
        return None

    def _note_change(self, block: Hash, header: Header) -> None:
        change = find_set_change(header)
        if change is not None:
            self._changes[block] = header.number
        if isinstance(change, ForcedChange):
            self._forced[block] = change

    # -- changing

    def insert(
        self,
        header: Header,
        body: list[bytes],
        delta: StateDelta,
        *,
        justification: bytes | None = None,
        is_own: bool = False,
        block: Hash | None = None,
    ) -> Imported:
        """Store a checked block with its state. Raises UnknownParent, BelowFinality.

        `block` is the header's hash, if the caller has it already.
        """
        block, parent = block or header.hash(), header.parent_hash
        if parent not in self.tree:
            if self.blocks.has(parent):
                raise BelowFinality(f"block {header.number} forks off below the finalized block")
            raise UnknownParent(f"block 0x{parent.hex()} is not known")
        if self.tree.is_full():
            raise BelowFinality(f"{len(self.tree)} blocks wait for finality, no more are taken")
        batch = WriteBatch()
        self.state.commit_delta(delta, block, parent, header.number, batch)
        self.blocks.put_block(batch, block, header, body)
        if justification is not None:
            self.blocks.put_justification(batch, block, justification)
        node = self.tree.insert(block, parent, header.number, is_primary=is_primary(header))
        self._note_change(block, header)
        before = self.tree.get(self.best.hash)
        is_new_best = before is None or node.order() > before.order()
        route = self.tree.route(self.best.hash, block) if is_new_best else NO_ROUTE
        if is_new_best:
            self._put_best(batch, Head(block, header.number), route)
        self._write(batch, sync=is_own)  # others' blocks can be fetched again
        self.blocks.remember(block, header)
        if is_new_best:
            self.best = Head(block, header.number)
        imported = Imported(block, header, is_new_best, route, is_own)
        self.notifications.imported(imported)
        return imported

    def finalize(
        self, block: Hash, justification: bytes | None = None, *, keep_proof: bool = False
    ) -> Finalized | None:
        """Make a block of the tree final; None if it is already. Raises KeyError if unknown.

        The newest proof is always kept; earlier ones only where `keep_proof` said so.
        """
        if block == self.tree.root.hash:
            return None
        former = self.tree.root.hash
        final, lost = self.tree.finalize(block)
        batch = WriteBatch()
        for node in final:
            if node.hash in self._changes:
                self.blocks.put_change(batch, node.number, node.hash)
        for node in (*final, *lost):
            self._changes.pop(node.hash, None)
            self._forced.pop(node.hash, None)
        route, retracted = self._route_off(final, lost)
        if self.blocks.is_passing_proof(former):
            self.blocks.remove_justification(batch, former)
        for node in final:
            self.blocks.mark_final(batch, node.number, node.hash)
            self.blocks.put_number(batch, node.number, node.hash)
        self.state.canonicalize(block, batch)
        for node in lost:
            self.blocks.remove_block(batch, node.number, node.hash)
        self.blocks.put_meta(batch, "finalized", block)
        if justification is not None:
            self.blocks.put_justification(batch, block, justification, passing=not keep_proof)
        if route.retracted:
            best = self.tree.best()
            self._put_best(batch, Head(best.hash, best.number), route)
        self._write(batch)
        if route.retracted:
            self.best = Head(best.hash, best.number)
        header = self._header(block)
        event = Finalized(
            block,
            header,
            tuple(node.hash for node in final),
            tuple(node.hash for node in lost),
            route,
            retracted,
        )
        self.notifications.finalized(event)
        return event

    def adopt(
        self,
        target: ProvenBlock,
        root: TrieRoot,
        changes: Iterable[ProvenBlock],
        batch: WriteBatch,
    ) -> None:
        """Go on from a proven block whose state is here, on a chain that has only its genesis.

        `changes` are the blocks below it that name new voters; `batch` may hold what goes with it.
        The blocks between are still to come: see `PastBlocks`. Raises StateConflict.
        """
        header = target.header
        block = header.hash()
        for one in (*changes, target):
            self.blocks.put_header(batch, one.header.hash(), one.header)
            is_change = find_set_change(one.header) is not None
            if is_change:
                self.blocks.put_change(batch, one.header.number, one.header.hash())
            self.blocks.put_justification(
                batch, one.header.hash(), one.justification, passing=not is_change
            )
        self.state.adopt(root, block, header.parent_hash, header.number, batch)
        for name in ("best", "finalized", "history"):
            self.blocks.put_meta(batch, name, block)
        self._write(batch)
        self._load_tree()
        self.notifications.finalized(Finalized(block, header, (block,), ()))

    def revert(self, count: int) -> Head:
        """Forget the last `count` blocks of the best chain, and all that is not final beside it.

        So no fork is left that could be better. It stops at the finalized block. For a node at
        rest: nobody is told. The new best block.
        """
        number = max(self.best.number - count, self.tree.root.number)
        batch = WriteBatch()
        heights = range(self.tree.root.number, number + 1)
        kept = [block for height in heights if (block := self.blocks.hash_at(height))]
        self.state.discard_all_but(kept, batch)
        for height, block in list(self.blocks.unfinalized()):
            if height > number:
                self.blocks.remove_number(batch, height)
            if block not in kept:
                self.blocks.remove_block(batch, height, block)
        best = self.blocks.hash_at(number)
        assert best is not None, "the best chain is indexed"
        self.blocks.put_meta(batch, "best", best)
        self._write(batch)
        self._load_tree()
        return self.best

    def _put_best(self, batch: WriteBatch, head: Head, route: Route) -> None:
        for node in route.retracted:
            self.blocks.remove_number(batch, node.number)
        for node in route.enacted:
            self.blocks.put_number(batch, node.number, node.hash)
        self.blocks.put_meta(batch, "best", head.hash)

    def _route_off(
        self, final: list[TreeBlock], lost: list[TreeBlock]
    ) -> tuple[Route, tuple[tuple[Hash, bytes], ...]]:
        """If the head lost to finality: the route to the new one, and what it takes back."""
        gone = {node.hash: node for node in lost}
        retracted: list[TreeBlock] = []
        node = gone.get(self.best.hash)
        while node is not None:
            retracted.append(node)
            node = gone.get(node.parent)
        if not retracted:
            return NO_ROUTE, ()
        enacted = [one for one in final if self.blocks.hash_at(one.number) != one.hash]
        above = self.tree.path(self.tree.root.hash, self.tree.best().hash) or []
        extrinsics = [
            (one.hash, data) for one in retracted for data in self.blocks.body(one.hash) or []
        ]
        return Route(tuple(retracted), (*enacted, *reversed(above))), tuple(extrinsics)

    def _write(self, batch: WriteBatch, *, sync: bool = True) -> None:
        self.store.write(batch, sync)


def genesis_header(state_root: bytes) -> Header:
    """Block 0: no parent, no extrinsics, no digest."""
    return Header(ZERO_HASH, 0, Hash(state_root), Hash(ordered_root([])), Digest([]))
