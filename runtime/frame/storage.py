"""Storage items: what a pallet keeps, declared once, bound to the state of each block.

Keys are Substrate's: twox128(pallet) ‖ twox128(item) ‖ hasher(key), with hashers from which clients
can recover the key.

Source: FRAME storage (`StorageValue`, `StorageMap`, `StorageNMap`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from copy import copy
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from runtime.frame.externalities import Externalities
from runtime.frame.naming import pascal_case
from runtime.primitives.hashing import blake2b_128, twox_64, twox_128
from runtime.primitives.scale import Codec, codec_of
from runtime.primitives.scale.shape import (
    Array,
    Composite,
    Custom,
    Option,
    Primitive,
    Sequence,
    Shape,
    TupleShape,
    VariantShape,
    Wrapper,
)

if TYPE_CHECKING:
    from runtime.frame.pallet import Pallet

K = TypeVar("K")
V = TypeVar("V")


class Hasher(enum.Enum):
    """How a map key becomes a path; values are metadata's indices."""

    BLAKE2_128_CONCAT = 2
    TWOX_64_CONCAT = 5
    IDENTITY = 6


_PATHS_MAX: Final = 16_384  # storage keys remembered per map
_PAIR_PATHS_MAX: Final = 2_048  # per double map: its keys are longer, and few are read often
_NUMBERED_PATHS_MAX: Final = 256  # of keys that are numbers: mostly blocks, which never come again

_HASH: Final[dict[Hasher, tuple[Callable[[bytes], bytes], int]]] = {
    Hasher.BLAKE2_128_CONCAT: (blake2b_128, 16),
    Hasher.TWOX_64_CONCAT: (twox_64, 8),
    Hasher.IDENTITY: (lambda _: b"", 0),
}


def _is_frozen(shape: Shape) -> bool:
    """Whether decoded values cannot be changed in place, so that one may be shared."""
    match shape:
        case Sequence(raw=raw) | Array(raw=raw):
            return raw
        case Wrapper():
            return _is_frozen(shape.inner)
        case Option(inner):
            return _is_frozen(inner)
        case TupleShape(items):
            return all(_is_frozen(item) for item in items)
        case Composite():
            return all(_is_frozen(member.shape) for member in shape.fields)
        case VariantShape():
            return all(_is_frozen(f.shape) for case in shape.cases for f in case.fields)
        case Custom():
            return False
        case _:
            return True


def _make_room(paths: dict[Any, bytes], keys: Codec[Any], others_max: int) -> None:
    """Forget the storage keys of a map that remembers enough of them for its kind of keys."""
    most = _NUMBERED_PATHS_MAX if isinstance(keys.shape, Primitive) else others_max
    if len(paths) >= most:
        paths.clear()


class StorageItem:
    """One declared item. Read through a pallet instance it is bound to that pallet's state."""

    name: str
    prefix: bytes
    ext: Externalities
    find_decoded: Callable[[bytes], Any]  # the decoded value under a storage key, if it is kept
    docs: str

    def __set_name__(self, owner: type[Pallet[Any]], name: str) -> None:
        self.name = name
        self._belong_to(owner.__name__)

    def copy_for(self, pallet: str) -> Self:
        """The same item of a subclass, under its name; the one of the base stays where it is."""
        made = copy(self)
        made._belong_to(pallet)
        return made

    def _belong_to(self, pallet: str) -> None:
        """Lie under a pallet's name, where clients look."""
        self.prefix = twox_128(pallet.encode()) + twox_128(pascal_case(self.name).encode())

    def __get__(self, pallet: Pallet[Any] | None, owner: type[Pallet[Any]]) -> Self:
        if pallet is None:
            return self
        bound = object.__new__(type(self))
        bound.__dict__.update(self.__dict__)
        bound.ext = pallet.ext
        bound.find_decoded = pallet.ext.decoded.get
        pallet.__dict__[self.name] = bound  # later reads skip this descriptor
        return bound


class _Item(StorageItem, Generic[V]):
    """What values and maps share: the codec, the default, cached reads."""

    def __init__(self, value: Any, default: V | None, docs: str) -> None:
        self.value_codec: Codec[V] = codec_of(value)
        self.default = default
        self.docs = docs
        self._is_shared: bool | None = None
        self._is_copied = False
        """Whether values are lists of what cannot be changed: each reader gets one of its own."""

    def __get__(self, pallet: Pallet[Any] | None, owner: type[Pallet[Any]]) -> Self:
        if self._is_shared is None:  # not at declaration: types may not be complete then
            shape = self.value_codec.shape
            self._is_shared = _is_frozen(shape)
            if isinstance(shape, Sequence) and not shape.raw:
                self._is_copied = _is_frozen(shape.item)
        return super().__get__(pallet, owner)

    def _read_or_default(self, path: bytes) -> V:
        """Of what is not kept decoded. Raises KeyError if there is neither."""
        raw = self.ext.get(path)
        if raw is not None:
            return self._decode(path, raw)
        if self.default is None:
            raise KeyError(f"{self.name}: no value, and none by default")
        if isinstance(self.default, list):
            # All runtimes of the process have the one declared: the reader gets its own.
            return self.default[:]  # type: ignore[return-value]
        return self.default

    def _read(self, path: bytes) -> V | None:
        kept = self.find_decoded(path)
        if kept is not None:
            return kept[:] if self._is_copied else kept  # type: ignore[no-any-return]
        raw = self.ext.get(path)
        return None if raw is None else self._decode(path, raw)

    def _decode(self, path: bytes, raw: bytes) -> V:
        value = self.value_codec.decode(raw, 0)[0]
        if self._is_shared:
            self.ext.keep_decoded(path, value)
        elif self._is_copied:
            self.ext.keep_decoded(path, value[:])  # type: ignore[index]
        return value

    def _write(self, path: bytes, value: V) -> None:
        raw = self.value_codec.encode(value)
        if self._is_copied:
            self.ext.put(path, raw, list(value))  # type: ignore[call-overload]
        else:
            self.ext.put(path, raw, value if self._is_shared else None)


class StorageValue(_Item[V]):
    """A single value; without a default it is optional: use `find`."""

    def __init__(self, value: Any, *, default: V | None = None, docs: str = "") -> None:
        super().__init__(value, default, docs)

    def get(self) -> V:
        """The value or the default. Raises KeyError if there is neither."""
        value: V | None = self.find_decoded(self.prefix)
        if value is None:
            return self._read_or_default(self.prefix)
        return value[:] if self._is_copied else value  # type: ignore[index]

    def find(self) -> V | None:
        """The value, or None if nothing is stored."""
        return self._read(self.prefix)

    def put(self, value: V) -> None:
        """Store. Raises EncodeError if the type cannot hold it."""
        self._write(self.prefix, value)

    def remove(self) -> None:
        """Store nothing."""
        self.ext.put(self.prefix, None)

    def exists(self) -> bool:
        """Whether something is stored."""
        return self.ext.get(self.prefix) is not None

    def path(self) -> bytes:
        """The storage key."""
        return self.prefix


class StorageMap(_Item[V], Generic[K, V]):
    """Values by key. Iteration is in the order of storage keys, the same on every node."""

    _paths: dict[Any, bytes]  # keys to storage keys, for keys that can be hashed

    def _belong_to(self, pallet: str) -> None:
        super()._belong_to(pallet)
        self._paths = {}

    def __init__(
        self,
        key: Any,
        value: Any,
        *,
        default: V | None = None,
        hasher: Hasher = Hasher.BLAKE2_128_CONCAT,
        docs: str = "",
    ) -> None:
        super().__init__(value, default, docs)
        self.key_codec: Codec[K] = codec_of(key)
        self.hashers: tuple[Hasher, ...] = (hasher,)
        self._hash, self._hash_size = _HASH[hasher]

    def get(self, key: K) -> V:
        """The value or the default. Raises KeyError if there is neither."""
        path = self.path(key)
        value: V | None = self.find_decoded(path)
        if value is None:
            return self._read_or_default(path)
        return value[:] if self._is_copied else value  # type: ignore[index]

    def find(self, key: K) -> V | None:
        """The value, or None if nothing is stored."""
        return self._read(self.path(key))

    def put(self, key: K, value: V) -> None:
        """Store. Raises EncodeError if the types cannot hold them."""
        self._write(self.path(key), value)

    def remove(self, key: K) -> None:
        """Store nothing under `key`."""
        self.ext.put(self.path(key), None)

    def contains(self, key: K) -> bool:
        """Whether something is stored under `key`."""
        return self.ext.get(self.path(key)) is not None

    def items(self) -> Iterator[tuple[K, V]]:
        """Every entry, in storage order. Costs a read each: only where the count is bounded."""
        for path, value in self._pairs(self.prefix):
            yield self.key_of(path), value

    def keys(self) -> Iterator[K]:
        """Every key, in storage order."""
        for path in self.ext.keys(self.prefix):
            yield self.key_of(path)

    def _pairs(self, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, V]]:
        find_decoded = self.find_decoded
        for path, raw in self.ext.pairs(prefix, after):
            kept = find_decoded(path)
            if kept is None:
                kept = self._decode(path, raw)
            elif self._is_copied:
                kept = kept[:]
            yield path, kept

    def path(self, key: K) -> bytes:
        """The storage key."""
        known = self._paths.get(key)
        if known is not None:
            return known
        encoded = self.key_codec.encode(key)
        if len(self._paths) >= _NUMBERED_PATHS_MAX:
            _make_room(self._paths, self.key_codec, _PATHS_MAX)
        path = self._paths[key] = self.prefix + self._hash(encoded) + encoded
        return path

    def key_of(self, path: bytes) -> K:
        """The map key of a storage key."""
        return self.key_codec.decode(path, len(self.prefix) + self._hash_size)[0]


class StorageDoubleMap(StorageMap[tuple[Any, Any], V], Generic[K, V]):
    """Values by a pair; the entries of one first key lie together. `K` is tuple[first, second]."""

    _prefixes: dict[Any, bytes]  # first keys to where their entries begin

    def _belong_to(self, pallet: str) -> None:
        super()._belong_to(pallet)
        self._prefixes = {}

    def __init__(
        self,
        first: Any,
        second: Any,
        value: Any,
        *,
        default: V | None = None,
        hashers: tuple[Hasher, Hasher] = (Hasher.TWOX_64_CONCAT, Hasher.BLAKE2_128_CONCAT),
        docs: str = "",
    ) -> None:
        super().__init__(tuple[first, second], value, default=default, docs=docs)
        self.hashers = hashers
        self._parts = (codec_of(first), codec_of(second))
        self._hashes = (_HASH[hashers[0]], _HASH[hashers[1]])

    def path(self, key: tuple[Any, Any]) -> bytes:
        known = self._paths.get(key)
        if known is not None:
            return known
        second = self._parts[1].encode(key[1])
        path = self.prefix_of(key[0]) + self._hashes[1][0](second) + second
        if len(self._paths) >= _PAIR_PATHS_MAX:
            self._paths.clear()
        self._paths[key] = path
        return path

    def prefix_of(self, first: Any) -> bytes:
        """Where the entries of `first` begin."""
        known = self._prefixes.get(first)
        if known is not None:
            return known
        encoded = self._parts[0].encode(first)
        prefix = self.prefix + self._hashes[0][0](encoded) + encoded
        if len(self._prefixes) >= _NUMBERED_PATHS_MAX:
            _make_room(self._prefixes, self._parts[0], _PAIR_PATHS_MAX)
        self._prefixes[first] = prefix
        return prefix

    def key_of(self, path: bytes) -> tuple[Any, Any]:
        first, offset = self._parts[0].decode(path, len(self.prefix) + self._hashes[0][1])
        return first, self._parts[1].decode(path, offset + self._hashes[1][1])[0]

    def items_of(self, first: Any, after: Any = None) -> Iterator[tuple[Any, V]]:
        """Second key and value of the entries of `first`, in storage order.

        Those that come after the second key `after`, if it is given; there need be no entry of it.
        """
        prefix = self.prefix_of(first)
        codec, start = self._parts[1], len(prefix) + self._hashes[1][1]
        for path, value in self._pairs(
            prefix, None if after is None else self.path((first, after))
        ):
            yield codec.decode(path, start)[0], value

    def remove_all(self, first: Any) -> int:
        """Remove the entries of `first`; their count. Only where the count is bounded."""
        return self._remove(list(self.ext.keys(self.prefix_of(first))))

    def remove_some(self, first: Any, count_max: int) -> int:
        """Remove entries of `first`, at most so many; their count. Less than that: none is left."""
        return self._remove(list(islice(self.ext.keys(self.prefix_of(first)), count_max)))

    def _remove(self, paths: list[bytes]) -> int:
        for path in paths:
            self.ext.put(path, None)
        return len(paths)
