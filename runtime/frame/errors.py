"""How calls fail and how transactions are refused, with the indices that clients decode.

A `DispatchError` ends a call: its writes and events are undone, its fee is kept. A
`TransactionValidityError` keeps an extrinsic out of the pool and out of a block.

Source: Substrate `sp_runtime::{DispatchError, transaction_validity}`.
"""

from __future__ import annotations

import enum
from typing import ClassVar

from runtime.frame.naming import pallet_key
from runtime.primitives.scale import scale_enum


class DispatchError(Exception):
    """A call failed; `index` is the case of `sp_runtime::DispatchError`."""

    index: ClassVar[int] = 0

    def encode(self) -> bytes:
        """SCALE bytes of the `DispatchError`."""
        return bytes((self.index,))


class OtherError(DispatchError):
    """A failure without a case of its own."""


class CannotLookup(DispatchError):
    """The address is of a kind that the chain cannot look up."""

    index = 1


class BadOrigin(DispatchError):
    """The call was made by an origin that it does not accept."""

    index = 2


class TokenErrorKind(enum.Enum):
    """Why tokens could not move."""

    FUNDS_UNAVAILABLE = 0
    ONLY_PROVIDER = 1
    BELOW_MINIMUM = 2
    CANNOT_CREATE = 3
    UNKNOWN_ASSET = 4
    FROZEN = 5
    UNSUPPORTED = 6
    CANNOT_CREATE_HOLD = 7
    NOT_EXPENDABLE = 8
    BLOCKED = 9


class TokenError(DispatchError):
    """Tokens could not move."""

    index = 7

    def __init__(self, kind: TokenErrorKind) -> None:
        super().__init__(kind.name)
        self.kind = kind

    def encode(self) -> bytes:
        return bytes((self.index, self.kind.value))


class ArithmeticErrorKind(enum.Enum):
    """Which limit of integers was met."""

    UNDERFLOW = 0
    OVERFLOW = 1
    DIVISION_BY_ZERO = 2


class ArithmeticFailure(DispatchError):
    """A number left its type's range."""

    index = 8

    def __init__(self, kind: ArithmeticErrorKind) -> None:
        super().__init__(kind.name)
        self.kind = kind

    def encode(self) -> bytes:
        return bytes((self.index, self.kind.value))


class ModuleError(DispatchError):
    """A pallet's own error. `error_index` is part of the encoding: never renumber."""

    index = 3
    error_index: ClassVar[int]
    by_pallet: ClassVar[dict[str, dict[int, type[ModuleError]]]] = {}

    def __init_subclass__(cls, *, index: int) -> None:
        errors = ModuleError.by_pallet.setdefault(pallet_key(cls.__module__), {})
        assert index not in errors, f"{cls.__module__}: error index {index} used twice"
        cls.error_index = index
        errors[index] = cls

    def encode(self) -> bytes:
        return bytes((self.index, pallet_index_of(type(self)), self.error_index, 0, 0, 0))


PALLET_INDICES: dict[str, int] = {}  # pallet key → index, filled as pallets are declared


_INDEX_OF: dict[type, int] = {}  # asked for with every event


def pallet_index_of(cls: type) -> int:
    """The index of the pallet whose module declares `cls`."""
    found = _INDEX_OF.get(cls)
    if found is None:
        found = _INDEX_OF[cls] = PALLET_INDICES[pallet_key(cls.__module__)]
    return found


@scale_enum("sp_runtime::transaction_validity::InvalidTransaction")
class InvalidKind(enum.Enum):
    """Why a transaction can never be included as it stands."""

    CALL = 0
    PAYMENT = 1
    FUTURE = 2
    STALE = 3
    BAD_PROOF = 4
    ANCIENT_BIRTH_BLOCK = 5
    EXHAUSTS_RESOURCES = 6
    CUSTOM = 7
    BAD_MANDATORY = 8
    MANDATORY_VALIDATION = 9
    BAD_SIGNER = 10


@scale_enum("sp_runtime::transaction_validity::UnknownTransaction")
class UnknownKind(enum.Enum):
    """Why the validity of a transaction cannot be told."""

    CANNOT_LOOKUP = 0
    NO_UNSIGNED_VALIDATOR = 1
    CUSTOM = 2


class TransactionValidityError(Exception):
    """An extrinsic is refused before dispatch; no state changes. `code` only with CUSTOM."""

    case: ClassVar[int]

    def __init__(self, kind: InvalidKind | UnknownKind, reason: str = "", code: int = 0) -> None:
        super().__init__(reason or kind.name.lower().replace("_", " "))
        self.kind = kind
        self.code = code

    def encode(self) -> bytes:
        """SCALE bytes of the `TransactionValidityError`."""
        tail = bytes((self.code,)) if self.kind.name == "CUSTOM" else b""
        return bytes((self.case, self.kind.value)) + tail


class InvalidTransaction(TransactionValidityError):
    """The extrinsic breaks a rule; `kind` is an InvalidKind."""

    case = 0


class UnknownTransaction(TransactionValidityError):
    """Nothing says whether the extrinsic is valid; `kind` is an UnknownKind."""

    case = 1


class InvalidBlock(Exception):
    """A block breaks a rule; the message says which and with what values."""
