"""How a refused extrinsic is told in API results: the wire form of a validity error.

The executive raises the exceptions of `errors`; both forms have the same bytes.

Source: Substrate `sp_runtime::transaction_validity`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from runtime.frame.errors import InvalidKind, TransactionValidityError, UnknownKind
from runtime.primitives.scale import (
    Codec,
    DecodeError,
    EncodeError,
    ScaleEnum,
    codec_of,
    set_shape,
    shape_of,
)
from runtime.primitives.scale.shape import U8_SHAPE, Custom, Field, VariantCase, VariantShape


@dataclass(frozen=True, slots=True)
class InvalidReason:
    """Why an extrinsic is invalid; `code` only with CUSTOM."""

    kind: InvalidKind
    code: int = 0


@dataclass(frozen=True, slots=True)
class UnknownReason:
    """Why validity cannot be told; `code` only with CUSTOM."""

    kind: UnknownKind
    code: int = 0


def _reason(kinds: type[enum.Enum], build: Callable[..., Any]) -> Custom:
    """The kind's index, then one byte of code behind CUSTOM."""
    plain = shape_of(kinds)
    assert isinstance(plain, VariantShape)

    def encode(reason: Any, out: bytearray) -> None:
        out.append(reason.kind.value)
        if reason.kind.name == "CUSTOM":
            out.append(reason.code)
        elif reason.code:
            raise EncodeError(f"code {reason.code} with {reason.kind.name}, only CUSTOM has one")

    def decode(data: bytes, offset: int) -> tuple[Any, int]:
        try:
            kind = kinds(data[offset])
        except ValueError as error:
            raise DecodeError(str(error)) from error
        if kind.name == "CUSTOM":
            return build(kind, data[offset + 1]), offset + 2
        return build(kind), offset + 1

    cases = [
        VariantCase(
            case.name,
            case.index,
            (Field(None, U8_SHAPE),) if case.name == "CUSTOM" else (),
            case.build,
            single=True,
        )
        for case in plain.cases
    ]
    described = VariantShape(plain.path, cases, docs=plain.docs)
    return Custom(encode, decode, lambda: described)


set_shape(InvalidReason, _reason(InvalidKind, InvalidReason))
set_shape(UnknownReason, _reason(UnknownKind, UnknownReason))


class ValidityErrorValue(
    ScaleEnum, path="sp_runtime::transaction_validity::TransactionValidityError"
):
    """Why an extrinsic is refused."""


class InvalidValue(ValidityErrorValue, index=0, flat=True, name="Invalid"):
    """It breaks a rule."""

    reason: InvalidReason


class UnknownValue(ValidityErrorValue, index=1, flat=True, name="Unknown"):
    """Nothing says whether it is valid."""

    reason: UnknownReason


VALIDITY_ERROR: Final[Codec[ValidityErrorValue]] = codec_of(ValidityErrorValue)


def validity_error_value(error: TransactionValidityError) -> ValidityErrorValue:
    """The wire form of an exception."""
    return VALIDITY_ERROR.decode_all(error.encode())
