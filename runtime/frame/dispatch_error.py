"""How a failed call is told in events and results: the wire form of a dispatch error.

Calls raise the exceptions of `errors`; what reaches events, API results and clients is this union.
Both forms have the same bytes: the exception's own encoding is what is decoded here.

Source: Substrate `sp_runtime::{DispatchError, ModuleError, TokenError}`, `sp_arithmetic`.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from runtime.frame.errors import ArithmeticErrorKind, DispatchError, TokenErrorKind
from runtime.frame.result import Err, Ok, Result, declare_result
from runtime.primitives.scale import Codec, ScaleEnum, codec_of, scale_enum, scale_type
from runtime.primitives.types import U8, Bytes4

scale_enum("sp_runtime::TokenError")(TokenErrorKind)
scale_enum("sp_arithmetic::ArithmeticError")(ArithmeticErrorKind)


@scale_type(path="sp_runtime::ModuleError")
class ModuleErrorValue:
    """A pallet's own error: the pallet's index, and the error's in the first of four bytes."""

    index: U8
    error: Bytes4


class DispatchErrorValue(ScaleEnum, path="sp_runtime::DispatchError"):
    """Why a call failed."""


class OtherValue(DispatchErrorValue, index=0, name="Other"):
    """A failure without a case of its own."""


class CannotLookupValue(DispatchErrorValue, index=1, name="CannotLookup"):
    """The address is of a kind that the chain cannot look up."""


class BadOriginValue(DispatchErrorValue, index=2, name="BadOrigin"):
    """The call was made by an origin that it does not accept."""


class ModuleValue(DispatchErrorValue, index=3, flat=True, name="Module"):
    """A pallet's own error."""

    error: ModuleErrorValue


class ConsumerRemainingValue(DispatchErrorValue, index=4, name="ConsumerRemaining"):
    """Something still depends on the account."""


class NoProvidersValue(DispatchErrorValue, index=5, name="NoProviders"):
    """Nothing provides for the account."""


class TooManyConsumersValue(DispatchErrorValue, index=6, name="TooManyConsumers"):
    """Too much depends on the account."""


class TokenValue(DispatchErrorValue, index=7, flat=True, name="Token"):
    """Tokens could not move."""

    kind: TokenErrorKind


class ArithmeticValue(DispatchErrorValue, index=8, flat=True, name="Arithmetic"):
    """A number left its type's range."""

    kind: ArithmeticErrorKind


DISPATCH_ERROR: Final[Codec[DispatchErrorValue]] = codec_of(DispatchErrorValue)


def dispatch_error_value(error: DispatchError) -> DispatchErrorValue:
    """The wire form of an exception."""
    return DISPATCH_ERROR.decode_all(error.encode())


DispatchResult: TypeAlias = Result[None, DispatchErrorValue]
declare_result(DispatchResult)


def dispatch_result(error: DispatchError | None) -> DispatchResult:
    """How a call went, as events tell it."""
    return Ok(None) if error is None else Err(dispatch_error_value(error))
