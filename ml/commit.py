"""The content id of a model: taken over its canonical bytes, and over nothing else.

Owns the step from a model file to the 32 bytes that its owner commits to. Invariant: bytes that
are not canonical have no model id, so one set of weights has one id.
Source: WP V.C, V.E (of equal ids only the earliest commitment ranks).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ml.artifact import ArtifactLimits
from ml.checkpoint import load_checked, save_canonical
from runtime.primitives.content_id import ContentId, content_id


def compute_model_id(data: bytes, limits: ArtifactLimits) -> ContentId:
    """The content id of a canonical model file. Raises `ArtifactError` if it is not one."""
    load_checked(data, limits)
    return content_id(data)


def commit_to_state(
    state: Mapping[str, torch.Tensor], limits: ArtifactLimits
) -> tuple[bytes, ContentId]:
    """The canonical bytes of a model and their content id. Raises `ArtifactError`."""
    data = save_canonical(state, limits)
    return data, content_id(data)
