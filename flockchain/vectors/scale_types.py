"""SCALE types as vector files spell them, and their values as JSON.

`bool`, `u8` to `u256`, `i8` to `i128`, `Compact<u32>`, `str`, `bytes`, `Vec<T>`, `Option<T>`,
`(A, B)`, `[T; 4]`. Bytes are hexadecimal, None is null, integers may stand in quotes.
Invariant: only types of at most `TYPE_LENGTH_MAX` characters are read, which bounds nesting.
Source: SCALE (Parity); Rust's spelling of types.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from flockchain.vectors.case import VectorError, to_bytes, to_integer
from runtime.primitives.scale import Compact, Fixed, Int

TYPE_LENGTH_MAX: Final = 200
_TOKEN: Final = re.compile(r"\s*([A-Za-z0-9]+|[<>(),;\[\]])")
_WIDTHS: Final = (8, 16, 32, 64, 128, 256)
_PLAIN: Final[dict[str, Any]] = {
    "bool": bool,
    "str": str,
    "bytes": bytes,
    **{f"u{bits}": Annotated[int, Int(bits)] for bits in _WIDTHS},
    **{f"i{bits}": Annotated[int, Int(bits, signed=True)] for bits in _WIDTHS[:-1]},
}
_COMPACT: Final = {f"u{bits}": Annotated[int, Compact(bits)] for bits in _WIDTHS[:-1]}


class TypeReader:
    """Reads one type, and with it values of the type."""

    def __init__(self, text: str) -> None:
        """Raises VectorError."""
        if len(text) > TYPE_LENGTH_MAX:
            raise VectorError(f"a type has at most {TYPE_LENGTH_MAX} characters")
        self._tokens = _TOKEN.findall(text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            raise VectorError(f"{text!r} is no type")
        self._text = text
        self.annotation = self._type()
        if self._tokens:
            raise VectorError(f"{text!r} goes on after the type")

    def _next(self) -> str:
        if not self._tokens:
            raise VectorError(f"{self._text!r} ends too early")
        return str(self._tokens.pop(0))

    def _take(self, wanted: str) -> None:
        found = self._next()
        if found != wanted:
            raise VectorError(f"{self._text!r}: {wanted!r} is needed, not {found!r}")

    def _type(self) -> Any:
        word = self._next()
        if word in _PLAIN:
            return _PLAIN[word]
        if word == "(":
            return self._tuple()
        if word == "[":
            return self._array()
        if word not in ("Vec", "Option", "Compact"):
            raise VectorError(f"{word!r} is no type")
        self._take("<")
        if word == "Compact":
            inner = _COMPACT.get(self._next())
            if inner is None:
                raise VectorError(f"{self._text!r}: compact integers are u8 to u128")
        else:
            inner = self._type()
        self._take(">")
        if word == "Vec":
            return list[inner]  # type: ignore[valid-type]
        return inner | None if word == "Option" else inner

    def _tuple(self) -> Any:
        items = [self._type()]
        while (word := self._next()) == ",":
            items.append(self._type())
        if word != ")":
            raise VectorError(f"{self._text!r}: ')' is needed, not {word!r}")
        return tuple[tuple(items)]  # type: ignore[misc]

    def _array(self) -> Any:
        inner = self._type()
        self._take(";")
        count = self._next()
        if not re.fullmatch("[0-9]{1,4}", count, re.ASCII):
            raise VectorError(f"{self._text!r}: an array has 0 to 9999 items")
        self._take("]")
        base: Any = bytes if inner == _PLAIN["u8"] else list[inner]  # type: ignore[valid-type]
        return Annotated[base, Fixed(int(count))]


def from_json(value: object, like: Any) -> Any:
    """The value that JSON spells; `like` is a decoded value of the same type, or None.

    Raises VectorError.
    """
    if isinstance(like, bool) or like is None:
        return value
    if isinstance(like, int):
        return to_integer(value, "value")
    if isinstance(like, bytes):
        return to_bytes(value, "value")
    if isinstance(like, (list, tuple)):
        if not isinstance(value, list) or len(value) != len(like):
            return value  # not equal to what was decoded: the case fails
        items = [from_json(item, one) for item, one in zip(value, like, strict=True)]
        return tuple(items) if isinstance(like, tuple) else items
    return value
