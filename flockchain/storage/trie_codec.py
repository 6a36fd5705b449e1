"""The base-16 trie's node format: Substrate's, byte for byte.

Owns `TrieNode`, its encoding, its strict decoding and the merkle value by which a parent names a
child. A nibble path is a string of lower-case hex digits, so that comparing, slicing and packing
paths are single calls into C. Invariant: `decode_node(encode_node(n)) == n` up to the values kept
outside the encoding, and a node is never changed once it has been encoded.

| header bits | node |
|---|---|
| 00000000 | empty trie |
| 01pppppp | leaf |
| 10pppppp | branch |
| 11pppppp | branch with value |
| 001ppppp | leaf whose value is replaced by its hash |
| 0001pppp | branch whose value is replaced by its hash |

Source: Substrate trie format (state versions 0 and 1), Polkadot Host specification 2.4.
"""

from enum import IntEnum
from hashlib import blake2b
from typing import Final

HASH_BYTES: Final = 32
LOCATION_BYTES: Final = 8
KEY_BYTES_MAX: Final = 320
"""Longest state key: bounds the depth of the trie, hence the recursion that walks it."""
VALUE_BYTES_INLINE_MAX: Final = 32
"""State version 1 replaces every longer value by its hash."""
INLINED_MAX: Final = 8_192
"""Inlined nodes that are kept decoded, some 4 MB: a state has hundreds, each block writes a few."""

NO_REF: Final = b""
NO_LOCATION: Final = b""
HASH_REF_HEAD: Final = b"\x80"
"""Compact(32): what precedes a child's hash in a branch; shorter children are inlined."""
INDEX_OF_NIBBLE: Final = {digit: index for index, digit in enumerate("0123456789abcdef")}
NIBBLES: Final = "0123456789abcdef"

_LEAF, _BRANCH, _BRANCH_VALUE, _LEAF_HASHED, _BRANCH_HASHED = range(5)
_KIND_BITS: Final = ((0x40, 63), (0x80, 63), (0xC0, 63), (0x20, 31), (0x10, 15))
"""Per kind: the header's type bits and the largest partial length its first byte can hold."""


class StateVersion(IntEnum):
    """How values are laid out: V1 keeps values above 32 bytes out of the nodes, by hash."""

    V0 = 0
    V1 = 1


class NodeFormatError(ValueError):
    """Bytes that are no trie node; says where the format is broken."""


def hash_256(data: bytes) -> bytes:
    """BLAKE2b-256, called from `hashlib` itself: a wrapper costs a tenth of the trie's time."""
    state = NEW_HASH()
    state.update(data)
    return state.digest()


NEW_HASH: Final = blake2b(digest_size=HASH_BYTES).copy
"""An empty BLAKE2b-256: a copy costs half of what reading the constructor's arguments does."""
EMPTY_ROOT: Final = hash_256(b"\x00")


class TrieNode:
    """A decoded node; a leaf has no `refs`.

    Bit i of `bitmap` says whether there is a child i; `refs[i]` is that child as it stands in the
    encoding, a compact length and its merkle value; `locations[i]` says where the store keeps it,
    empty where it is inlined.
    `value` is the value itself (None: no value here; a proof's reader may not know it yet), also
    where the encoding holds `value_hash`.
    `frame` is what the encoding begins with, all but a leaf's value or a branch's references, once
    somebody asked for it: mostly those alone are what a block changes.
    """

    __slots__ = ("bitmap", "frame", "locations", "partial", "refs", "value", "value_hash")

    def __init__(
        self,
        partial: str,
        value: bytes | None,
        value_hash: bytes | None,
        bitmap: int = 0,
        refs: list[bytes] | None = None,
        locations: list[bytes] | None = None,
        frame: bytes | None = None,
    ) -> None:
        self.partial = partial
        self.value = value
        self.value_hash = value_hash
        self.bitmap = bitmap
        self.refs = refs
        self.locations = locations
        self.frame = frame


def children_of(bitmap: int) -> tuple[int, ...]:
    """The indices of the children that a branch with this bitmap has, in order."""
    return _LOW_CHILDREN[bitmap & 0xFF] + _HIGH_CHILDREN[bitmap >> 8]


def encode_compact(value: int) -> bytes:
    """SCALE Compact of a length below 2^30."""
    if value < 1 << 6:
        return _COMPACT[value]
    if value < 1 << 14:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 1 << 30:
        return (value << 2 | 2).to_bytes(4, "little")
    raise NodeFormatError(f"length {value} is not below 2^30")


def encode_node(node: TrieNode) -> bytes:
    """The node's encoding: what is hashed, inlined and put into proofs."""
    frame = node.frame
    if frame is None:
        frame = node.frame = _encode_frame(node)
    if node.refs is not None:
        return frame + b"".join(node.refs)
    # As `_encode_value`: half of all nodes that a block changes are leaves.
    value_hash, value = node.value_hash, node.value
    if value_hash is not None:
        return frame + value_hash
    if value is None:
        return frame
    length = len(value)
    return frame + (_COMPACT[length] if length < _COMPACTS else encode_compact(length)) + value


def _encode_value(node: TrieNode) -> bytes:
    if node.value_hash is not None:
        return node.value_hash
    return b"" if node.value is None else encode_compact(len(node.value)) + node.value


def _encode_frame(node: TrieNode) -> bytes:
    partial, refs = node.partial, node.refs
    if node.value_hash is not None:
        kind = _LEAF_HASHED if refs is None else _BRANCH_HASHED
    elif node.value is None:
        kind = _BRANCH
    else:
        kind = _LEAF if refs is None else _BRANCH_VALUE
    length = len(partial)
    heads = _HEADS[kind]
    head = heads[length] if length < len(heads) else _encode_head(kind, length)
    packed = bytes.fromhex("0" + partial if length & 1 else partial)
    if refs is None:
        return head + packed
    return b"".join((head, packed, node.bitmap.to_bytes(2, "little"), _encode_value(node)))


def encode_ref(encoded: bytes) -> bytes:
    """How a parent names a child with this encoding: its length and merkle value."""
    length = len(encoded)
    if length < HASH_BYTES:
        return bytes((length << 2,)) + encoded
    return HASH_REF_HEAD + hash_256(encoded)


def is_inline(ref: bytes) -> bool:
    """Whether `ref` holds the child itself and not its hash."""
    return len(ref) <= HASH_BYTES


def decode_node(record: bytes, offset: int = 0) -> tuple[TrieNode, int]:
    """The node encoded at `offset` and the offset behind it; children have no locations yet.

    Raises: NodeFormatError.
    """
    kind, length, offset = _decode_head(record, offset)
    packed = _take(record, offset, (length + 1) // 2)
    offset += len(packed)
    partial = packed.hex()
    if length & 1:
        if partial[:1] != "0":
            raise NodeFormatError("padding nibble of an odd partial key is not zero")
        partial = partial[1:]
    if kind in (_LEAF, _LEAF_HASHED):
        value, value_hash, offset = _decode_value(record, offset, kind)
        return TrieNode(partial, value, value_hash), offset
    bitmap = int.from_bytes(_take(record, offset, 2), "little")
    value, value_hash, offset = _decode_value(record, offset + 2, kind)
    refs = [NO_REF] * 16
    if not bitmap:
        raise NodeFormatError("branch without children")
    for index in children_of(bitmap):
        if record[offset : offset + 1] == HASH_REF_HEAD:
            ref = record[offset : offset + 1 + HASH_BYTES]
        else:
            ref = record[offset : offset + 1 + (_take(record, offset, 1)[0] >> 2)]
        length = len(ref)
        if not 1 < length <= HASH_BYTES + 1 or ref[0] != (length - 1) << 2:
            raise NodeFormatError(f"child {index:x} of a branch is malformed")
        refs[index] = ref
        offset += length
    return TrieNode(partial, value, value_hash, bitmap, refs, [NO_LOCATION] * 16), offset


def decode_inline(ref: bytes) -> TrieNode:
    """The child that `ref` holds inlined, which nobody may change. Raises: NodeFormatError."""
    known = _INLINED.get(ref)
    if known is not None:
        return known
    node, end = decode_node(ref, 1)
    if end != len(ref):
        raise NodeFormatError(f"{len(ref) - end} bytes behind an inlined node")
    remember_inline(ref, node)
    return node


def remember_inline(ref: bytes, node: TrieNode) -> None:
    """What `ref` decodes to; what a block changes is mostly changed by the next one too."""
    if len(_INLINED) >= INLINED_MAX:
        _INLINED.clear()
    _INLINED[ref] = node


def _encode_head(kind: int, length: int) -> bytes:
    bits, cap = _KIND_BITS[kind]
    if length < cap:
        return bytes((bits | length,))
    full, rest = divmod(length - cap, 255)
    return bytes((bits | cap,)) + b"\xff" * full + bytes((rest,))


def _decode_head(record: bytes, offset: int) -> tuple[int, int, int]:
    """The node's kind, the length of its partial key in nibbles and the offset behind both."""
    first = _take(record, offset, 1)[0]
    offset += 1
    kind = _KIND_OF_HEADER[first]
    if kind is None:
        raise NodeFormatError(f"unknown node header {first:#04x}")
    cap = _KIND_BITS[kind][1]
    length = first & cap
    if length == cap:
        more = 255
        while more == 255:
            more = _take(record, offset, 1)[0]
            length += more
            offset += 1
            if length > 2 * KEY_BYTES_MAX:
                raise NodeFormatError(f"partial key above {2 * KEY_BYTES_MAX} nibbles")
    return kind, length, offset


def _decode_value(record: bytes, offset: int, kind: int) -> tuple[bytes | None, bytes | None, int]:
    """The value, the value's hash and the offset behind whichever is there."""
    if kind == _BRANCH:
        return None, None, offset
    if kind in (_LEAF_HASHED, _BRANCH_HASHED):
        return None, _take(record, offset, HASH_BYTES), offset + HASH_BYTES
    width = (1, 2, 4, 0)[_take(record, offset, 1)[0] & 3]
    if not width:
        raise NodeFormatError("value length above 2^30")
    length = int.from_bytes(_take(record, offset, width), "little") >> 2
    if encode_compact(length) != record[offset : offset + width]:
        raise NodeFormatError(f"value length {length} is not written in its shortest form")
    offset += width
    return _take(record, offset, length), None, offset + length


def _take(record: bytes, offset: int, length: int) -> bytes:
    part = record[offset : offset + length]
    if len(part) != length:
        raise NodeFormatError(f"node of {len(record)} bytes is cut off at byte {offset}")
    return part


_COMPACT: Final = tuple(bytes((value << 2,)) for value in range(1 << 6))
_COMPACTS: Final = len(_COMPACT)
_INLINED: Final[dict[bytes, TrieNode]] = {}
_LOW_CHILDREN: Final = tuple(
    tuple(index for index in range(8) if bits >> index & 1) for bits in range(256)
)
_HIGH_CHILDREN: Final = tuple(tuple(index + 8 for index in low) for low in _LOW_CHILDREN)
_KIND_OF_HEADER: Final = tuple(
    next((kind for kind, (bits, cap) in enumerate(_KIND_BITS) if head & ~cap == bits), None)
    for head in range(256)
)
_HEADS: Final = tuple(
    tuple(_encode_head(kind, length) for length in range(2 * KEY_BYTES_MAX + 1))
    for kind in range(5)
)
