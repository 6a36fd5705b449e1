"""A perceptron with one hidden layer: enough for small tables and small images.

Owns its configuration, its start and its forward pass. Invariant: a state fits the configuration
if and only if `read_mlp` returned it; the hidden width is the submitter's choice up to a limit.
Source: WP V.D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import relu

from ml.artifact import ArtifactLimits, ArtifactMismatchError
from ml.checkpoint import State, load_expected


@dataclass(frozen=True, slots=True)
class MlpConfig:
    """The fixed sizes of a task's model, and the widest hidden layer that it accepts."""

    inputs: int
    classes: int
    hidden_width_max: int


def init_mlp(config: MlpConfig, hidden_width: int, generator: torch.Generator) -> State:
    """A fresh state: uniform in ±1/sqrt(fan in), drawn in a fixed order on the CPU."""
    if not 1 <= hidden_width <= config.hidden_width_max:
        raise ValueError(f"hidden width {hidden_width} is outside 1..{config.hidden_width_max}")

    def uniform(fan_in: int, *shape: int) -> torch.Tensor:
        bound = 1 / math.sqrt(fan_in)
        return (torch.rand(shape, generator=generator) * 2 - 1) * bound

    return {
        "hidden.weight": uniform(config.inputs, hidden_width, config.inputs),
        "hidden.bias": uniform(config.inputs, hidden_width),
        "output.weight": uniform(hidden_width, config.classes, hidden_width),
        "output.bias": uniform(hidden_width, config.classes),
    }


def read_mlp(data: bytes, config: MlpConfig, limits: ArtifactLimits) -> State:
    """The state of a canonical file. Raises `ArtifactError` unless it fits the configuration."""
    shapes = {
        "hidden.weight": (None, config.inputs),
        "hidden.bias": (None,),
        "output.weight": (config.classes, None),
        "output.bias": (config.classes,),
    }
    state = load_expected(data, limits, shapes)
    widths = {
        state["hidden.weight"].shape[0],
        state["hidden.bias"].shape[0],
        state["output.weight"].shape[1],
    }
    if len(widths) != 1 or max(widths) > config.hidden_width_max:
        raise ArtifactMismatchError(
            f"hidden widths {sorted(widths)} are not one of at most {config.hidden_width_max}"
        )
    return state


def mlp_logits(state: State, features: torch.Tensor) -> torch.Tensor:
    """features: (batch, inputs) -> logits: (batch, classes), in the dtype of the features."""
    hidden = relu(features @ state["hidden.weight"].T + state["hidden.bias"])  # (batch, width)
    return hidden @ state["output.weight"].T + state["output.bias"]  # (batch, classes)
