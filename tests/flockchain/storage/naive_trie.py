"""A second, slow implementation of the trie for the tests to compare with.

Owns a full rebuild by recursion over lists of nibbles. It shares no code with the package.
"""

import hashlib
from collections.abc import Mapping

_HEADERS = {
    ("leaf", False): (0b01000000, 6),
    ("branch", None): (0b10000000, 6),
    ("branch", False): (0b11000000, 6),
    ("leaf", True): (0b00100000, 5),
    ("branch", True): (0b00010000, 4),
}


def blake(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def compact(number: int) -> bytes:
    if number <= 63:
        return bytes([number * 4])
    if number <= 16383:
        return (number * 4 + 1).to_bytes(2, "little")
    return (number * 4 + 2).to_bytes(4, "little")


def naive_root(pairs: Mapping[bytes, bytes], version: int) -> bytes:
    """The root of `pairs`, rebuilt from nothing."""
    split = {tuple(n for byte in k for n in divmod(byte, 16)): v for k, v in pairs.items()}
    return blake(_encode(split, version) if split else b"\x00")


def naive_nodes(pairs: Mapping[bytes, bytes], version: int) -> int:
    """How many nodes are not inlined into their parent, the root included."""
    split = {tuple(n for byte in k for n in divmod(byte, 16)): v for k, v in pairs.items()}
    found: list[bytes] = []
    if split:
        found.append(_encode(split, version, found))
    return len(found)


def _encode(
    pairs: dict[tuple[int, ...], bytes], version: int, found: list[bytes] | None = None
) -> bytes:
    shared = min(pairs, key=len)
    while not all(path[: len(shared)] == shared for path in pairs):
        shared = shared[:-1]
    value = pairs.get(shared)
    children = b""
    bitmap = 0
    for nibble in range(16):
        rest = {
            path[len(shared) + 1 :]: item
            for path, item in pairs.items()
            if path != shared and path[len(shared)] == nibble
        }
        if rest:
            bitmap |= 2**nibble
            child = _encode(rest, version, found)
            if len(child) >= 32:
                if found is not None:
                    found.append(child)
                child = blake(child)
            children += compact(len(child)) + child
    is_hashed = None if value is None else version == 1 and len(value) >= 33
    body = b""
    if value is not None:
        body = blake(value) if is_hashed else compact(len(value)) + value
    if bitmap == 0:
        return _header("leaf", is_hashed, shared) + body
    return _header("branch", is_hashed, shared) + bitmap.to_bytes(2, "little") + body + children


def _header(kind: str, is_hashed: bool | None, path: tuple[int, ...]) -> bytes:
    bits, width = _HEADERS[kind, is_hashed]
    room = 2**width - 1
    if len(path) < room:
        head = [bits + len(path)]
    else:
        head = [bits + room]
        left = len(path) - room
        while left >= 255:
            head.append(255)
            left -= 255
        head.append(left)
    padded = (0, *path) if len(path) % 2 else path
    packed = [padded[i] * 16 + padded[i + 1] for i in range(0, len(padded), 2)]
    return bytes(head + packed)
