"""Whether a text could be a model's answer on a machine that rounds otherwise.

Devices compute in other orders and widths (float32 on CPUs, bfloat16 on GPUs), so that near ties
fall otherwise and honest texts part ways. The text is followed token by token: each must be one
that the model would have chosen from the same seed, had its logits been off by `MARGIN` at most.
Invariant: what the model itself says here could always be said.
Source: WP III.B.2 (hosts are held to their answers); Micikevicius et al., Mixed Precision Training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch

from ml.language.language_model import LanguageModel
from ml.language.sampling import GenerationError, GenerationOptions, choose_token, seeded

MARGIN: Final = 0.5  # nats
CANDIDATES_MAX: Final = 64
WALKS_MAX: Final = 16
PENDING_MAX: Final = 64
_BROKEN: Final = "�"  # what a decoder writes for the first bytes of a character


def could_say(
    model: LanguageModel,
    prompt: Sequence[int],
    options: GenerationOptions,
    said: str,
    adapter: str | None = None,
) -> bool:
    """Raises `GenerationError` if the prompt is empty or too long, or logits are no numbers."""
    room = model.context_tokens - len(prompt)
    if not prompt or room <= 0:
        raise GenerationError(f"a prompt of {len(prompt)} tokens has no answer")
    walk = _Walk(model, prompt, options, said, adapter, min(options.tokens_max, room))
    # The same text may be cut into tokens in several plausible ways: the others come later.
    pending: list[list[int]] = [[]]
    for _ in range(WALKS_MAX):
        if not pending:
            break
        if walk.go(pending.pop(), pending):
            return True
        del pending[:-PENDING_MAX]
    return False


@dataclass(frozen=True, slots=True)
class _Walk:
    """Ways through a text, each from a beginning in tokens."""

    model: LanguageModel
    prompt: Sequence[int]
    options: GenerationOptions
    said: str
    adapter: str | None
    tokens_max: int

    def go(self, tokens: list[int], pending: list[list[int]]) -> bool:
        """Whether the likeliest way on reaches the end; forks on it are put into `pending`."""
        generator = seeded(self.options.seed)
        for _ in tokens if self.options.temperature else ():
            torch.rand((), generator=generator, dtype=torch.float64)
        following: Sequence[int] = [*self.prompt, *tokens]
        past: Any = None
        while len(tokens) < self.tokens_max:
            logits, past = self.model.forward(following, past, self.adapter)
            fitting: list[int] = []
            for token in plausible_tokens(logits, self.options, generator):
                is_fit, is_end = self._fits([*tokens, token])
                if is_end:
                    return True
                fitting += [token] if is_fit else []
            if not fitting:
                return False
            pending += [[*tokens, token] for token in reversed(fitting[1:])]
            tokens = [*tokens, fitting[0]]
            following = [fitting[0]]
        return False

    def _fits(self, tokens: list[int]) -> tuple[bool, bool]:
        """Whether tokens lead to the text, and whether they are all of it."""
        if tokens[-1] in self.model.end_tokens:
            return False, self.model.decode(tokens[:-1]) == self.said
        text = self.model.decode(tokens)
        stops = [place for place in map(text.find, self.options.stops) if place >= 0]
        if stops:
            return False, text[: min(stops)] == self.said
        if len(tokens) == self.tokens_max:
            return False, text == self.said
        text = text.rstrip(_BROKEN)
        if self.said.startswith(text):
            return True, False
        beyond = text.removeprefix(self.said)  # perhaps the beginning of a stop string
        is_stopping = any(stop.startswith(beyond) for stop in self.options.stops)
        return text.startswith(self.said) and is_stopping, False


def plausible_tokens(
    logits: torch.Tensor, options: GenerationOptions, generator: torch.Generator
) -> list[int]:
    """The tokens that logits: (vocabulary,), each off by up to `MARGIN` / 2, could give.

    First the one that they do give, then those of the nearest likelihood; 64 at most. Takes as many
    draws of the generator as a choice. Raises `GenerationError` if no logit is finite.
    """
    state = generator.get_state()
    chosen = choose_token(logits, options, generator)
    wide = logits.detach().to("cpu", torch.float64)
    if options.temperature == 0:
        near = (wide >= wide.max() - MARGIN).nonzero()[:, 0]
        order = torch.argsort(wide[near], descending=True, stable=True)
        return _first(chosen, near[order])
    slack = MARGIN / options.temperature
    ratio = math.exp(min(slack, 100.0))
    ordered, tokens = torch.sort(
        torch.softmax(wide / options.temperature, dim=0), descending=True, stable=True
    )
    ends = torch.cumsum(ordered, dim=0)  # (vocabulary,)
    kept = float(ordered[(ends - ordered) < options.top_p].sum())
    again = torch.Generator()
    again.set_state(state)
    point = float(torch.rand((), generator=again, dtype=torch.float64)) * kept
    rising = ordered.flip(0)  # what is likelier than each whatever is off, and what may be
    surely = len(ordered) - torch.searchsorted(rising, ordered * ratio, right=True)
    perhaps = len(ordered) - torch.searchsorted(rising, ordered / ratio, right=False)
    masses = torch.cat([torch.zeros(1, dtype=torch.float64), ends])
    low, high = _shifted(masses[surely], 1 / ratio), _shifted(masses[perhaps], ratio)
    found = ((low <= point) & (point <= high) & (low < options.top_p)).nonzero()[:, 0]
    ours = int((tokens == chosen).nonzero()[0])
    nearest = torch.argsort((found - ours).abs(), stable=True)
    return _first(chosen, tokens[found[nearest]])


def _shifted(mass: torch.Tensor, ratio: float) -> torch.Tensor:
    """The share of something whose odds are `ratio` times as high."""
    return mass * ratio / (mass * ratio + (1 - mass).clamp_min(0))


def _first(chosen: int, tokens: torch.Tensor) -> list[int]:
    others = [int(token) for token in tokens[:CANDIDATES_MAX] if int(token) != chosen]
    return [chosen, *others]
