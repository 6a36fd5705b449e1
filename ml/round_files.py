"""The files of a federated round: the global model in int32, an update of it in int16.

Owns their canonical bytes, whose content ids stand on chain. Invariant: one vector has one file and
one content id; a file of another model, dtype or form is refused.
Source: WP VI.C, VI.D (updates that are shared, the model that is voted on).
"""

from __future__ import annotations

import torch

from ml.artifact import ArtifactLimits
from ml.checkpoint import load_expected, save_canonical
from ml.fixed_point import Layout
from runtime.primitives.content_id import ContentId, content_id

_HEADER_BYTES_MAX = 1 << 20


def encode_model(model: torch.Tensor, layout: Layout) -> tuple[bytes, ContentId]:
    """The file of a global model, (parameters,) int32, and its content id."""
    return _encode(model, layout, torch.int32)


def encode_update(update: torch.Tensor, layout: Layout) -> tuple[bytes, ContentId]:
    """The file of an update, (parameters,) int16, and its content id."""
    return _encode(update, layout, torch.int16)


def read_model(data: bytes, layout: Layout) -> torch.Tensor:
    """(parameters,) int32. Raises `ArtifactError`."""
    return _read(data, layout, torch.int32)


def read_update(data: bytes, layout: Layout) -> torch.Tensor:
    """(parameters,) int16. Raises `ArtifactError`."""
    return _read(data, layout, torch.int16)


def _encode(vector: torch.Tensor, layout: Layout, dtype: torch.dtype) -> tuple[bytes, ContentId]:
    assert vector.dtype == dtype, f"{vector.dtype} is not {dtype}"
    data = save_canonical(layout.unflatten(vector), _limits(layout, dtype))
    return data, content_id(data)


def _read(data: bytes, layout: Layout, dtype: torch.dtype) -> torch.Tensor:
    return layout.flatten(load_expected(data, _limits(layout, dtype), dict(layout.shapes)))


def _limits(layout: Layout, dtype: torch.dtype) -> ArtifactLimits:
    name = {torch.int32: "I32", torch.int16: "I16"}[dtype]
    size = layout.parameters * dtype.itemsize + _HEADER_BYTES_MAX
    return ArtifactLimits(size_bytes_max=size, dtypes=(name,))
