"""Errors on the wire are the bytes that the exceptions encode themselves to.

Source: Substrate `sp_runtime::{DispatchError, transaction_validity}`.
"""

from __future__ import annotations

import pytest

from runtime.frame import errors
from runtime.frame.api_types import OpaqueExtrinsic
from runtime.frame.dispatch_error import (
    DISPATCH_ERROR,
    ArithmeticValue,
    BadOriginValue,
    CannotLookupValue,
    DispatchErrorValue,
    ModuleErrorValue,
    ModuleValue,
    OtherValue,
    TokenValue,
    dispatch_error_value,
)
from runtime.frame.validity_error import (
    VALIDITY_ERROR,
    InvalidReason,
    InvalidValue,
    UnknownReason,
    UnknownValue,
    validity_error_value,
)
from runtime.primitives.scale import DecodeError, EncodeError, codec_of


class Broken(errors.ModuleError, index=6):
    """Something of ours is broken."""


CASES = [
    (errors.OtherError(), OtherValue()),
    (errors.CannotLookup(), CannotLookupValue()),
    (errors.BadOrigin(), BadOriginValue()),
    *((errors.TokenError(kind), TokenValue(kind)) for kind in errors.TokenErrorKind),
    *(
        (errors.ArithmeticFailure(kind), ArithmeticValue(kind))
        for kind in errors.ArithmeticErrorKind
    ),
]


@pytest.mark.parametrize(("error", "value"), CASES)
def test_exceptions_and_values_agree(
    error: errors.DispatchError, value: DispatchErrorValue
) -> None:
    assert dispatch_error_value(error) == value
    assert DISPATCH_ERROR.encode(value) == error.encode()


def test_a_module_error_names_pallet_and_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(errors.PALLET_INDICES, __name__, 210)
    value = dispatch_error_value(Broken())
    assert value == ModuleValue(ModuleErrorValue(210, b"\6\0\0\0"))
    assert DISPATCH_ERROR.encode(value) == b"\3\xd2\6\0\0\0"


def test_unknown_cases_are_refused() -> None:
    with pytest.raises(DecodeError):
        DISPATCH_ERROR.decode_all(b"\x63")


@pytest.mark.parametrize("kind", list(errors.InvalidKind))
def test_invalid_transactions(kind: errors.InvalidKind) -> None:
    code = 7 if kind is errors.InvalidKind.CUSTOM else 0
    error = errors.InvalidTransaction(kind, code=code)
    value = validity_error_value(error)
    assert value == InvalidValue(InvalidReason(kind, code))
    assert VALIDITY_ERROR.encode(value) == error.encode()


@pytest.mark.parametrize("kind", list(errors.UnknownKind))
def test_unknown_transactions(kind: errors.UnknownKind) -> None:
    error = errors.UnknownTransaction(kind)
    value = validity_error_value(error)
    assert value == UnknownValue(UnknownReason(kind))
    assert VALIDITY_ERROR.encode(value) == error.encode()


def test_only_custom_has_a_code() -> None:
    with pytest.raises(EncodeError, match="code 3 with STALE, only CUSTOM has one"):
        VALIDITY_ERROR.encode(InvalidValue(InvalidReason(errors.InvalidKind.STALE, 3)))


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\x0b", b"\0\7", b"\2\0"])
def test_bad_validity_errors(data: bytes) -> None:
    with pytest.raises(DecodeError):
        VALIDITY_ERROR.decode_all(data)


def test_opaque_extrinsics_keep_their_prefix() -> None:
    codec = codec_of(OpaqueExtrinsic)
    assert codec.decode(b"\x08\4\0\xff") == (b"\x08\4\0", 3)
    assert codec.encode(OpaqueExtrinsic(b"\x08\4\0")) == b"\x08\4\0"
    with pytest.raises(DecodeError, match="end of data in an extrinsic of 2 bytes"):
        codec.decode_all(b"\x08\4")
    with pytest.raises(EncodeError, match="extrinsic of 1 bytes says 2"):
        codec.encode(OpaqueExtrinsic(b"\x08\4"))
