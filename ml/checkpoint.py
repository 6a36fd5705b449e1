"""Tensors to the one canonical safetensors file and back.

Owns the canonical bytes of a set of tensors. Invariant: equal tensors give equal bytes, and only
those bytes are read back, so a re-serialised copy of a model has the same content id or is
refused. For float32 tensors the bytes are those that the safetensors library itself writes.
Source: safetensors format; WP V.C.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import torch

from ml.artifact import (
    DTYPE_BYTES,
    LENGTH_BYTES,
    ArtifactDtypeError,
    ArtifactError,
    ArtifactLimits,
    ArtifactMismatchError,
    ArtifactNotFiniteError,
    TensorEntry,
    encode_header,
    read_header,
)

State: TypeAlias = dict[str, torch.Tensor]
"""The tensors of a model or data set by name."""

_TORCH_DTYPES: Final[Mapping[str, torch.dtype]] = {
    "F32": torch.float32,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
}
_NAMES: Final = {dtype: name for name, dtype in _TORCH_DTYPES.items()}

if sys.byteorder != "little":
    raise ImportError("model files are little endian; this machine is not")


def save_canonical(
    state: Mapping[str, torch.Tensor], limits: ArtifactLimits | None = None
) -> bytes:
    """The canonical bytes of these tensors, from any device.

    Raises what `load_checked` would raise on the result: what cannot be read is never written.
    """
    entries: list[TensorEntry] = []
    bodies: list[bytes] = []
    position = 0
    for name in sorted(state):
        tensor = state[name].detach().to("cpu").contiguous()
        dtype = _NAMES.get(tensor.dtype)
        if dtype is None:
            raise ArtifactDtypeError(f"tensor {name} has dtype {tensor.dtype}")
        end = position + tensor.numel() * DTYPE_BYTES[dtype]
        entries.append(TensorEntry(name, dtype, tuple(tensor.shape), position, end))
        bodies.append(tensor.numpy().tobytes())
        position = end
    header = encode_header(entries)
    data = b"".join([len(header).to_bytes(LENGTH_BYTES, "little"), header, *bodies])
    load_checked(data, limits or ArtifactLimits())
    return data


def load_checked(data: bytes, limits: ArtifactLimits) -> State:
    """The tensors of a canonical file, on the CPU, in memory of their own.

    Raises a subclass of `ArtifactError` on anything else, before a tensor is allocated unless the
    only fault is a value that is not finite.
    """
    entries, data_start = read_header(data, limits)
    return _read_tensors(data, entries, data_start)


def load_expected(
    data: bytes, limits: ArtifactLimits, shapes: Mapping[str, Sequence[int | None]]
) -> State:
    """As `load_checked`, of exactly these tensors; a dimension of None may have any size.

    Raises `ArtifactMismatchError` if names or shapes differ, before a tensor is allocated.
    """
    entries, data_start = read_header(data, limits)
    names = [entry.name for entry in entries]
    if names != sorted(shapes):
        raise ArtifactMismatchError(f"tensors {names[:8]} are not those of the task's model")
    for entry in entries:
        if not _fits(entry.shape, shapes[entry.name]):
            raise ArtifactMismatchError(
                f"tensor {entry.name} has shape {list(entry.shape)}, "
                f"the task's model has {list(shapes[entry.name])}"
            )
    return _read_tensors(data, entries, data_start)


def is_canonical(data: bytes, limits: ArtifactLimits | None = None) -> bool:
    """Whether `load_checked` accepts these bytes."""
    try:
        load_checked(data, limits or ArtifactLimits())
    except ArtifactError:
        return False
    return True


def _fits(shape: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(shape) == len(expected) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, expected, strict=True)
    )


def _read_tensors(data: bytes, entries: Sequence[TensorEntry], data_start: int) -> State:
    state: State = {}
    for entry in entries:
        # bytearray: torch wants writable memory, and the copy is aligned for every dtype.
        body = bytearray(data[data_start + entry.start : data_start + entry.end])
        tensor = torch.frombuffer(body, dtype=_TORCH_DTYPES[entry.dtype]).reshape(entry.shape)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise ArtifactNotFiniteError(f"tensor {entry.name} holds NaN or an infinity")
        state[entry.name] = tensor
    return state
