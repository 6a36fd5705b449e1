"""Codecs: the two generated functions of a type, made at first use.

`decode` reads at an offset and says where it stopped; `decode_all` refuses leftovers.

Source: SCALE (Parity).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from runtime.primitives.scale.declare import shape_of
from runtime.primitives.scale.errors import DecodeError, EncodeError, ScaleError
from runtime.primitives.scale.layout import packer_of
from runtime.primitives.scale.shape import Shape
from runtime.primitives.scale.source import Generator

V = TypeVar("V")

_BAD_BYTES = (IndexError, struct.error, UnicodeDecodeError)
_BAD_VALUE = (struct.error, OverflowError, ValueError, TypeError, AttributeError, KeyError)


class Codec(Generic[V]):
    """Encodes and decodes one type."""

    __slots__ = ("_decode", "_encode", "_pack", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._pack = packer_of(shape)
        self._encode: Callable[[V, bytearray], None] | None = None
        self._decode: Callable[[bytes, int, int], tuple[V, int]] | None = None

    def encode(self, value: V) -> bytes:
        """The canonical bytes. Raises EncodeError if the type cannot hold `value`."""
        if self._encode is None:
            self._generate()
        out = bytearray()
        try:
            if self._pack is not None:
                return self._pack(value)  # type: ignore[arg-type]
            self._encode(value, out)  # type: ignore[misc]
        except ScaleError:
            raise
        except _BAD_VALUE as error:
            raise EncodeError(f"cannot encode {value!r}: {error}") from error
        return bytes(out)

    def encode_into(self, value: V, out: bytearray) -> None:
        """Append the canonical bytes to `out`. Raises EncodeError."""
        if self._encode is None:
            self._generate()
        try:
            self._encode(value, out)  # type: ignore[misc]
        except ScaleError:
            raise
        except _BAD_VALUE as error:
            raise EncodeError(f"cannot encode {value!r}: {error}") from error

    def decode(self, data: bytes, offset: int = 0) -> tuple[V, int]:
        """The value at `offset` and the offset behind it. Raises DecodeError."""
        if self._decode is None:
            self._generate()
        try:
            return self._decode(data, offset, len(data))  # type: ignore[misc]
        except _BAD_BYTES as error:
            raise DecodeError(f"end of data: {error}") from None
        except RecursionError:  # only types that hold themselves; calls have a limit of their own
            raise DecodeError("values nested too deep") from None

    def decode_all(self, data: bytes) -> V:
        """The value that fills `data`. Raises DecodeError, also for bytes left over."""
        value, offset = self.decode(data, 0)
        if offset != len(data):
            raise DecodeError(f"{len(data) - offset} bytes left over")
        return value

    def _generate(self) -> None:
        self._encode, self._decode = Generator().functions(self.shape)


_CODECS: dict[Shape, Codec[Any]] = {}


@overload
def codec_of(tp: type[V]) -> Codec[V]: ...
@overload
def codec_of(tp: object) -> Codec[Any]: ...
def codec_of(tp: Any) -> Codec[Any]:
    """The codec of an annotation; one per shape."""
    return codec_of_shape(shape_of(tp))


def codec_of_shape(shape: Shape) -> Codec[Any]:
    """The codec of a shape."""
    found = _CODECS.get(shape)
    if found is None:
        found = _CODECS[shape] = Codec(shape)
    return found
