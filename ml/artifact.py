"""The header of a model file, checked before a byte of any tensor is touched.

Owns the safetensors layout, the limits and one error class a rule. Invariant: a header that passes
describes exactly the bytes that follow it: tensors in the order of their names, each where the
last one ended, none left over, none larger than the limits.
Source: safetensors format; WP V.C, V.D.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ml.strict_json import JsonValue, StrictJsonError, parse_strict_json

DTYPE_BYTES: Final[Mapping[str, int]] = {"F32": 4, "I16": 2, "I32": 4, "I64": 8}
"""The dtypes that any file of ours may hold, with the width of an element in bytes."""

LENGTH_BYTES: Final = 8
HEADER_ALIGNMENT: Final = 8
_HEADER_DEPTH_MAX: Final = 3
_NAME: Final = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*", re.ASCII)
_NAME_CHARACTERS_MAX: Final = 200
_FIELDS: Final = frozenset({"dtype", "shape", "data_offsets"})


class ArtifactError(ValueError):
    """A model or data file that is refused."""


class ArtifactSizeError(ArtifactError):
    """The file is above the size limit."""


class ArtifactTruncatedError(ArtifactError):
    """The file ends before its header or its data does."""


class ArtifactHeaderError(ArtifactError):
    """The header is not the strict JSON that the format asks for."""


class ArtifactNameError(ArtifactError):
    """A tensor's name is outside the allowed pattern, or there are too many names."""


class ArtifactDtypeError(ArtifactError):
    """A tensor's dtype is not on the list."""


class ArtifactShapeError(ArtifactError):
    """A tensor's shape is not positive, or above the limits, or does not fit its bytes."""


class ArtifactOffsetError(ArtifactError):
    """Tensors overlap, leave a gap, stand out of order or leave bytes over."""


class ArtifactNotFiniteError(ArtifactError):
    """A tensor holds NaN or an infinity."""


class ArtifactNotCanonicalError(ArtifactError):
    """The same tensors are written differently in the canonical form."""


class ArtifactMismatchError(ArtifactError):
    """The tensors are well formed, but not those of the model that the task asks for."""


@dataclass(frozen=True, slots=True)
class ArtifactLimits:
    """What a reader accepts at most; the defaults suit a small model."""

    size_bytes_max: int = 64 << 20
    header_bytes_max: int = 1 << 20
    tensors_max: int = 4096
    dimensions_max: int = 8
    elements_max: int = 1 << 34
    dtypes: tuple[str, ...] = ("F32",)


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor as the header describes it; offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_header(data: bytes, limits: ArtifactLimits) -> tuple[list[TensorEntry], int]:
    """The tensors that a file holds, and where their data starts.

    Raises the subclass of `ArtifactError` that names the first rule broken. Allocates no more than
    a small multiple of the header.
    """
    if len(data) > limits.size_bytes_max:
        raise ArtifactSizeError(f"file of {len(data)} bytes is above {limits.size_bytes_max}")
    if len(data) < LENGTH_BYTES:
        raise ArtifactTruncatedError(f"file of {len(data)} bytes has no header length")
    header_bytes = int.from_bytes(data[:LENGTH_BYTES], "little")
    if header_bytes > limits.header_bytes_max:
        raise ArtifactHeaderError(
            f"header length {header_bytes} is above {limits.header_bytes_max}"
        )
    data_start = LENGTH_BYTES + header_bytes
    if data_start > len(data):
        raise ArtifactTruncatedError(f"header of {header_bytes} bytes ends outside the file")
    header = data[LENGTH_BYTES:data_start]
    entries = _read_entries(header, limits)
    _ensure_contiguous(entries, len(data) - data_start)
    if header != encode_header(entries):
        raise ArtifactNotCanonicalError("header is not in the canonical form")
    return entries, data_start


def encode_header(entries: Sequence[TensorEntry]) -> bytes:
    """The canonical header, without its length: compact JSON, spaces up to a multiple of 8 bytes.

    Keys stand in the order in which the safetensors library writes them.
    """
    described = {
        entry.name: {
            "dtype": entry.dtype,
            "shape": entry.shape,
            "data_offsets": (entry.start, entry.end),
        }
        for entry in entries
    }
    header = json.dumps(described, separators=(",", ":")).encode("ascii")
    return header + b" " * (-len(header) % HEADER_ALIGNMENT)


def _read_entries(header: bytes, limits: ArtifactLimits) -> list[TensorEntry]:
    if not header.startswith(b"{"):
        raise ArtifactHeaderError("header does not start with an opening brace")
    try:
        described = parse_strict_json(header, limits.header_bytes_max, _HEADER_DEPTH_MAX)
    except StrictJsonError as error:
        raise ArtifactHeaderError(f"header: {error}") from error
    if not isinstance(described, dict):
        raise ArtifactHeaderError("header is not an object")
    if not 1 <= len(described) <= limits.tensors_max:
        raise ArtifactNameError(f"{len(described)} tensors, expected 1 to {limits.tensors_max}")
    return [_read_entry(name, fields, limits) for name, fields in described.items()]


def _read_entry(name: str, fields: JsonValue, limits: ArtifactLimits) -> TensorEntry:
    if len(name) > _NAME_CHARACTERS_MAX or not _NAME.fullmatch(name) or name == "__metadata__":
        raise ArtifactNameError(f"tensor name {name[:80]!r} is not allowed")
    if not isinstance(fields, dict) or fields.keys() != _FIELDS:
        raise ArtifactHeaderError(f"tensor {name} is not described by dtype, shape, data_offsets")
    dtype = fields["dtype"]
    if not isinstance(dtype, str) or dtype not in limits.dtypes:
        allowed = ", ".join(limits.dtypes)
        raise ArtifactDtypeError(f"tensor {name} has dtype {str(dtype)[:20]!r}, allowed: {allowed}")
    shape = _integers(name, "shape", fields["shape"])
    start, end = _offsets(name, fields["data_offsets"])
    if len(shape) > limits.dimensions_max:
        raise ArtifactShapeError(
            f"tensor {name} has {len(shape)} dimensions, above {limits.dimensions_max}"
        )
    elements = 1
    for dimension in shape:
        if dimension < 1:
            raise ArtifactShapeError(f"tensor {name} has a dimension of {dimension}")
        elements *= dimension
        if elements > limits.elements_max:
            raise ArtifactShapeError(f"tensor {name} is above {limits.elements_max} elements")
    if end - start != elements * DTYPE_BYTES[dtype]:
        raise ArtifactShapeError(
            f"tensor {name} of {elements} {dtype} elements does not fit {end - start} bytes"
        )
    return TensorEntry(name, dtype, shape, start, end)


def _offsets(name: str, field: JsonValue) -> tuple[int, int]:
    offsets = _integers(name, "data_offsets", field)
    if len(offsets) != 2 or not 0 <= offsets[0] <= offsets[1]:
        raise ArtifactOffsetError(f"tensor {name} has offsets {list(offsets[:4])}")
    return offsets[0], offsets[1]


def _integers(name: str, field_name: str, field: JsonValue) -> tuple[int, ...]:
    if not isinstance(field, list) or not all(type(item) is int for item in field):
        raise ArtifactHeaderError(f"tensor {name}: {field_name} is not a list of integers")
    return tuple(field)


def _ensure_contiguous(entries: Sequence[TensorEntry], data_bytes: int) -> None:
    names = [entry.name for entry in entries]
    if names != sorted(names):
        raise ArtifactNotCanonicalError("tensors are not in the order of their names")
    position = 0
    for entry in entries:
        if entry.start != position:
            problem = "overlaps the one before" if entry.start < position else "leaves a gap"
            raise ArtifactOffsetError(f"tensor {entry.name} at byte {entry.start} {problem}")
        position = entry.end
    if position > data_bytes:
        raise ArtifactTruncatedError(f"tensors end at byte {position} of {data_bytes}")
    if position < data_bytes:
        raise ArtifactOffsetError(f"{data_bytes - position} bytes are left after the last tensor")
