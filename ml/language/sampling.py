"""The next token: the likeliest, or a seeded draw.

Owns the choice and its one source of randomness. Invariant: equal logits, options and seeds give
equal tokens; ties go to the lowest token; all arithmetic is in float64 on the CPU.
Source: Holtzman et al., The Curious Case of Neural Text Degeneration; WP III.B.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch

SEED_LIMIT: Final = 1 << 64
TEMPERATURE_MAX: Final = 2.0
STOPS_MAX: Final = 4
STOP_CHARACTERS_MAX: Final = 256


class GenerationError(ValueError):
    """A call that cannot be answered as it is asked; the message is for who asked."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to generate. Temperature 0 takes the likeliest token and ignores the seed.

    Raises `GenerationError` out of bounds.
    """

    tokens_max: int = 256
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stops: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.tokens_max < 1:
            raise GenerationError(f"{self.tokens_max} tokens are none")
        if not 0 <= self.temperature <= TEMPERATURE_MAX:
            raise GenerationError(f"temperature {self.temperature} is outside 0..2")
        if not 0 < self.top_p <= 1:
            raise GenerationError(f"top_p {self.top_p} is outside (0, 1]")
        if not 0 <= self.seed < SEED_LIMIT:
            raise GenerationError(f"seed {self.seed} is outside 0..2^64")
        if len(self.stops) > STOPS_MAX or not all(
            1 <= len(stop) <= STOP_CHARACTERS_MAX for stop in self.stops
        ):
            raise GenerationError(
                f"stop: at most {STOPS_MAX} of 1 to {STOP_CHARACTERS_MAX} characters"
            )


def seeded(seed: int) -> torch.Generator:
    """The source of one generation's draws, of a seed of 64 bits."""
    signed = seed - SEED_LIMIT if seed >= SEED_LIMIT >> 1 else seed
    return torch.Generator().manual_seed(signed)


def choose_token(
    logits: torch.Tensor, options: GenerationOptions, generator: torch.Generator
) -> int:
    """The next token of logits: (vocabulary,). Raises `GenerationError` if none is finite."""
    wide = logits.detach().to("cpu", torch.float64)
    if bool(torch.isnan(wide).any()) or not bool(torch.isfinite(wide).any()):
        raise GenerationError("the model's prediction is not a number")
    if options.temperature == 0:
        return int((wide == wide.max()).nonzero()[0])
    probabilities = torch.softmax(wide / options.temperature, dim=0)
    # Stable: equal probabilities keep the order of their tokens.
    ordered, tokens = torch.sort(probabilities, descending=True, stable=True)
    before = torch.cumsum(ordered, dim=0) - ordered  # what is likelier than each
    kept = torch.where(before < options.top_p, ordered, 0.0)
    point = torch.rand((), generator=generator, dtype=torch.float64) * kept.sum()
    place = int((torch.cumsum(kept, dim=0) <= point).sum())
    return int(tokens[min(place, int((kept > 0).sum()) - 1)])
