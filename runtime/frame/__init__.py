"""The runtime's framework: pallets, storage, calls, events, weights, the executive.

`from runtime import frame` gives a pallet what its declarations need.

Source: FRAME (`frame_support`).
"""

from runtime.frame.call import RuntimeCall
from runtime.frame.errors import (
    ArithmeticErrorKind,
    ArithmeticFailure,
    BadOrigin,
    CannotLookup,
    DispatchError,
    InvalidBlock,
    InvalidKind,
    InvalidTransaction,
    ModuleError,
    OtherError,
    TokenError,
    TokenErrorKind,
    TransactionValidityError,
    UnknownKind,
    UnknownTransaction,
)
from runtime.frame.externalities import DictState, Externalities, StateReader
from runtime.frame.origin import NONE, ROOT, Origin, ensure_none, ensure_root, ensure_signed
from runtime.frame.pallet import CallEntry, Pallet, call, encode_call, entry_of, event
from runtime.frame.storage import Hasher, StorageDoubleMap, StorageMap, StorageValue
from runtime.frame.validity import FOREVER, TransactionSource, ValidTransaction
from runtime.frame.weights import ZERO_WEIGHT, DispatchClass, DispatchInfo, Pays, Weight
from runtime.primitives.scale import ScaleEnum, scale_enum, scale_type

__all__ = [
    "FOREVER",
    "NONE",
    "ROOT",
    "ZERO_WEIGHT",
    "ArithmeticErrorKind",
    "ArithmeticFailure",
    "BadOrigin",
    "CallEntry",
    "CannotLookup",
    "DictState",
    "DispatchClass",
    "DispatchError",
    "DispatchInfo",
    "Externalities",
    "Hasher",
    "InvalidBlock",
    "InvalidKind",
    "InvalidTransaction",
    "ModuleError",
    "Origin",
    "OtherError",
    "Pallet",
    "Pays",
    "RuntimeCall",
    "ScaleEnum",
    "StateReader",
    "StorageDoubleMap",
    "StorageMap",
    "StorageValue",
    "TokenError",
    "TokenErrorKind",
    "TransactionSource",
    "TransactionValidityError",
    "UnknownKind",
    "UnknownTransaction",
    "ValidTransaction",
    "Weight",
    "call",
    "encode_call",
    "ensure_none",
    "ensure_root",
    "ensure_signed",
    "entry_of",
    "event",
    "scale_enum",
    "scale_type",
]
