"""A block tree in memory: the `Chain` that a voter asks, filled by tests."""

from flockchain.consensus.grandpa.chain import NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.messages import BlockRef
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest, Header
from runtime.primitives.types import ZERO_HASH, Hash


def make_header(parent: Hash, number: int, name: str) -> Header:
    """A header whose state root is the hash of its name."""
    return Header(parent, number, blake2b_256(name.encode()), ZERO_HASH, Digest([]))


class Tree:
    """Blocks by name; the best chain is the highest one, the first of equals."""

    def __init__(self) -> None:
        genesis = make_header(ZERO_HASH, 0, "genesis")
        self.genesis = BlockRef(genesis.hash(), 0)
        self._headers: dict[Hash, Header] = {self.genesis.hash: genesis}
        self._names: dict[str, BlockRef] = {"genesis": self.genesis}
        self.last_blocks: set[Hash] = set()
        """On which nothing is built before they are final."""

    def __getitem__(self, name: str) -> BlockRef:
        return self._names[name]

    def push(self, parent: str, names: str) -> None:
        """Append blocks, their names separated by spaces, to the block named `parent`."""
        for name in names.split():
            above = self._names[parent]
            header = make_header(above.hash, above.number + 1, name)
            self._names[name] = self.add(header)
            parent = name

    def add(self, header: Header) -> BlockRef:
        """Import a header whose parent is known."""
        assert header.parent_hash in self._headers
        block = BlockRef(header.hash(), header.number)
        self._headers.setdefault(block.hash, header)
        return block

    def headers(self) -> list[Header]:
        """All headers, parents before children."""
        return list(self._headers.values())

    def number(self, block: Hash) -> int | None:
        header = self._headers.get(block)
        return header.number if header is not None else None

    def header(self, block: Hash) -> Header:
        if block not in self._headers:
            raise UnknownBlock(block.hex())
        return self._headers[block]

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        if base not in self._headers or block not in self._headers:
            return False
        height = self._headers[base].number
        while self._headers[block].number > height:
            block = self._headers[block].parent_hash
        return block == base

    def ancestry(self, base: Hash, block: Hash) -> list[Hash]:
        height, header = self.header(base).number, self.header(block)
        if not self.is_equal_or_descendant(base, block):
            raise NotDescendant(f"0x{block.hex()} does not build on 0x{base.hex()}")
        below: list[Hash] = []
        while header.number > height + 1:
            below.append(header.parent_hash)
            header = self._headers[header.parent_hash]
        return below

    def best_containing(self, base: Hash) -> BlockRef | None:
        fitting = [
            BlockRef(block, header.number)
            for block, header in self._headers.items()
            if self.is_equal_or_descendant(base, block)
        ]
        return max(fitting, key=lambda block: block.number, default=None)

    def is_last(self, block: Hash) -> bool:
        return block in self.last_blocks

    def last_votable(self, block: BlockRef) -> BlockRef:
        return block


def fork_tree() -> Tree:
    """Two branches above E: EA EB EC ED and F FA FB FC; heights A=1, E=5, EA=F=6, ED=FC=9."""
    tree = Tree()
    tree.push("genesis", "A B C D E F FA FB FC")
    tree.push("E", "EA EB EC ED")
    return tree
