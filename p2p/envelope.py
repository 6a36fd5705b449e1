"""Msgpack envelopes that are measured before they are decoded.

It owns the encoding of gossip and request bodies: maps with text keys, lists, integers, bytes,
text, booleans and nil. Invariant: size, depth, lengths and counts are checked on the raw bytes
before any object is built, and every defect becomes a `PeerError`; no floats, no extensions.
Source: WP II.A (peer-to-peer layer); MessagePack specification
"""

from dataclasses import dataclass
from typing import Final

import msgpack

from p2p.interface import RESPONSE_SIZE_MAX, PeerError

Value = None | bool | int | bytes | str | list["Value"] | dict[str, "Value"]

_FIXED_SIZES: Final = {
    0xC0: 0, 0xC2: 0, 0xC3: 0,
    0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8,
    0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
}  # fmt: skip
"""Type byte to payload size of nil, booleans and the wide integers."""
_LENGTH_SIZES: Final = {
    0xC4: 1, 0xC5: 2, 0xC6: 4,
    0xD9: 1, 0xDA: 2, 0xDB: 4,
    0xDC: 2, 0xDD: 4,
    0xDE: 2, 0xDF: 4,
}  # fmt: skip
"""Type byte to the size of the length that follows, for bytes, text, lists and maps."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one envelope may hold."""

    size_max: int = RESPONSE_SIZE_MAX
    """Whole envelope in bytes."""
    depth_max: int = 6
    """Lists and maps within each other."""
    length_max: int = 65_536
    """Entries of one list or map."""
    items_max: int = 131_072
    """Values of the whole envelope, keys included."""
    text_max: int = 4_096
    """Bytes of one text or key."""


DEFAULT_LIMITS: Final = Limits()


def encode(value: Value) -> bytes:
    """Encode canonically: shortest forms, map keys in ascending order."""
    packed: bytes = msgpack.packb(_sorted(value), use_bin_type=True)
    return packed


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS, *, canonical: bool = False) -> Value:
    """Decode one envelope; `canonical` also demands the very bytes `encode` would write.

    Raises: PeerError: too large, too deep, malformed, duplicate keys or not canonical.
    """
    if len(data) > limits.size_max:
        raise PeerError(f"envelope of {len(data)} bytes, at most {limits.size_max} are allowed")
    _Scan(data, limits).run()
    try:
        value: Value = msgpack.unpackb(
            data, raw=False, strict_map_key=True, object_pairs_hook=_map_of
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise PeerError(f"envelope cannot be decoded: {error}") from error
    if canonical and encode(value) != data:
        raise PeerError("envelope is not in canonical form")
    return value


class _Scan:
    """One pass over the raw bytes that builds nothing."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._offset = 0
        self._items = 0
        self._open: list[list[int]] = []
        """Open containers: values still to come, and 1 for a map or 0 for a list."""

    def run(self) -> None:
        """Check the whole envelope. Raises: PeerError."""
        self._value(is_key=False)
        while self._open:
            remaining = self._open[-1]
            if remaining[0] == 0:
                self._open.pop()
                continue
            is_key = remaining[1] == 1 and remaining[0] % 2 == 0
            remaining[0] -= 1
            self._value(is_key=is_key)
        if self._offset != len(self._data):
            raise PeerError(f"{len(self._data) - self._offset} bytes after the envelope")

    def _value(self, *, is_key: bool) -> None:
        self._items += 1
        if self._items > self._limits.items_max:
            raise PeerError(f"envelope holds more than {self._limits.items_max} values")
        kind = self._take(1)[0]
        if kind in (0xD9, 0xDA, 0xDB) or 0xA0 <= kind <= 0xBF:
            return self._text(kind & 0x1F if kind <= 0xBF else self._length(kind))
        if is_key:
            raise PeerError("a map key of the envelope is not text")
        if kind <= 0x7F or kind >= 0xE0:
            return None
        if kind <= 0x8F or kind in (0xDE, 0xDF):
            return self._container(kind & 0x0F if kind <= 0x8F else self._length(kind), 1)
        if kind <= 0x9F or kind in (0xDC, 0xDD):
            return self._container(kind & 0x0F if kind <= 0x9F else self._length(kind), 0)
        if kind in (0xC4, 0xC5, 0xC6):
            self._take(self._length(kind))
        elif kind in _FIXED_SIZES:
            self._take(_FIXED_SIZES[kind])
        else:
            raise PeerError(f"envelope holds the forbidden type 0x{kind:02x}")
        return None

    def _text(self, length: int) -> None:
        if length > self._limits.text_max:
            raise PeerError(f"text of {length} bytes, at most {self._limits.text_max} are allowed")
        self._take(length)

    def _container(self, length: int, is_map: int) -> None:
        if length > self._limits.length_max:
            raise PeerError(f"{length} entries, at most {self._limits.length_max} are allowed")
        if len(self._open) >= self._limits.depth_max:
            raise PeerError(f"envelope is deeper than {self._limits.depth_max} levels")
        self._open.append([length * 2 if is_map else length, is_map])

    def _length(self, kind: int) -> int:
        return int.from_bytes(self._take(_LENGTH_SIZES[kind]), "big")

    def _take(self, count: int) -> bytes:
        end = self._offset + count
        if end > len(self._data):
            raise PeerError("envelope ends too early")
        taken = self._data[self._offset : end] if count <= 8 else b""
        self._offset = end
        return taken


class Fields:
    """Typed access to the map of an envelope; each field is taken once."""

    def __init__(self, value: Value) -> None:
        """Raises: PeerError: `value` is not a map."""
        if not isinstance(value, dict):
            raise PeerError("envelope is not a map")
        self._fields = dict(value)

    def has(self, name: str) -> bool:
        """Whether an optional field is there and not taken yet."""
        return name in self._fields

    def take_int(self, name: str, low: int = 0, high: int = 2**64 - 1) -> int:
        """Take an integer between `low` and `high`, both included. Raises: PeerError."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise PeerError(f"field {name!r} is not an integer from {low} to {high}")
        return value

    def take_bytes(self, name: str, size_max: int, size_min: int = 0) -> bytes:
        """Take `size_min` to `size_max` bytes. Raises: PeerError."""
        value = self._take(name)
        if not isinstance(value, bytes) or not size_min <= len(value) <= size_max:
            raise PeerError(f"field {name!r} is not {size_min} to {size_max} bytes")
        return value

    def take_text(self, name: str, size_max: int) -> str:
        """Take text of at most `size_max` characters. Raises: PeerError."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > size_max:
            raise PeerError(f"field {name!r} is not text of at most {size_max} characters")
        return value

    def take_bool(self, name: str) -> bool:
        """Take a boolean. Raises: PeerError."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise PeerError(f"field {name!r} is not a boolean")
        return value

    def take_list(self, name: str, length_max: int) -> list[Value]:
        """Take a list of at most `length_max` entries. Raises: PeerError."""
        value = self._take(name)
        if not isinstance(value, list) or len(value) > length_max:
            raise PeerError(f"field {name!r} is not a list of at most {length_max} entries")
        return value

    def take_bytes_list(self, name: str, length_max: int, size_max: int) -> list[bytes]:
        """Take a list of byte strings, each of at most `size_max` bytes. Raises: PeerError."""
        entries: list[bytes] = []
        for entry in self.take_list(name, length_max):
            if not isinstance(entry, bytes) or len(entry) > size_max:
                raise PeerError(f"an entry of {name!r} is not at most {size_max} bytes")
            entries.append(entry)
        return entries

    def take_null(self, name: str) -> bool:
        """Take the field if it is null; whether it was. Raises: PeerError: it is missing."""
        if name in self._fields and self._fields[name] is not None:
            return False
        return self._take(name) is None

    def ensure_empty(self) -> None:
        """Raises: PeerError: a field was not asked for."""
        if self._fields:
            raise PeerError(f"unknown field {min(self._fields)!r}")

    def _take(self, name: str) -> Value:
        if name not in self._fields:
            raise PeerError(f"field {name!r} is missing")
        return self._fields.pop(name)


def _map_of(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key occurs twice")
    return fields


def _sorted(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(entry) for entry in value]
    return value
