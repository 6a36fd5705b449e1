"""Whether a text could be a model's answer on a machine that rounds otherwise.

Devices compute in other orders and widths (float32 on CPUs, bfloat16 on GPUs), so that near ties
fall otherwise and honest texts part ways. The text is followed token by token: each must be one
that the model would have chosen from the same seed, had its logits been off by `MARGIN` at most.
Invariant: what the model itself says here could always be said.
Source: WP III.B.2 (hosts are held to their answers); Micikevicius et al., Mixed Precision Training.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch

from ml.language.sampling import GenerationError, GenerationOptions, choose_token, seeded

if TYPE_CHECKING:  # seconds: it loads transformers
    from ml.language.language_model import LanguageModel

MARGIN: Final = 0.5  # nats
CANDIDATES_MAX: Final = 512
WALKS_MAX: Final = 32
ANSWERS_MAX: Final = 16  # as many tokens are computed as so many answers may have
FORKS_MAX: Final = 1024
_BROKEN: Final = "�"  # what a decoder writes for the first bytes of a character
_Way = list[int]
T = TypeVar("T")


def could_say(
    model: LanguageModel,
    prompt: Sequence[int],
    options: GenerationOptions,
    said: str,
    adapter: str | None = None,
) -> bool | None:
    """None if more ways lead through the text than can be followed, and those that were do not
    reach its end.

    Raises `GenerationError` if the prompt is empty or too long, or logits are no numbers.
    """
    room = model.context_tokens - len(prompt)
    if not prompt or room <= 0:
        raise GenerationError(f"a prompt of {len(prompt)} tokens has no answer")
    search = _Search(model, prompt, options, said, adapter, min(options.tokens_max, room))
    for _ in range(WALKS_MAX):
        way = search.next_fork()
        if way is None:
            break
        if search.follow(way):
            return True
    is_all = search.next_fork() is None and not search.is_cut
    return False if is_all else None


class _Search:
    """Ways through a text, token by token; the same text may be cut into tokens in several."""

    def __init__(
        self,
        model: LanguageModel,
        prompt: Sequence[int],
        options: GenerationOptions,
        said: str,
        adapter: str | None,
        tokens_max: int,
    ) -> None:
        self.is_cut = False  # something plausible was left out
        self._model = model
        self._prompt = prompt
        self._options = options
        self._said = said
        self._adapter = adapter
        self._tokens_max = tokens_max
        self._steps_left = ANSWERS_MAX * tokens_max
        self._seen: set[tuple[int, int]] = set()  # how many tokens give how many characters
        self._forks: deque[tuple[_Way, int]] = deque([([], 0)])  # and how many characters it gives
        self._again: deque[_Way] = deque()  # to where another way was already: these come last

    def next_fork(self) -> _Way | None:
        """The beginning of a way that was not followed, the oldest first."""
        while self._forks:
            way, length = self._forks.popleft()
            if self._is_new(way, length):
                return way
            self._keep(self._again, way)
        return self._again.popleft() if self._again else None

    def follow(self, tokens: _Way) -> bool:
        """Whether the likeliest way on reaches the end; forks on it are kept."""
        generator = seeded(self._options.seed)
        for _ in tokens if self._options.temperature else ():
            torch.rand((), generator=generator, dtype=torch.float64)
        following: Sequence[int] = [*self._prompt, *tokens]
        past: Any = None
        while len(tokens) < self._tokens_max:
            if self._steps_left == 0:
                self.is_cut = True
                return False
            self._steps_left -= 1
            logits, past = self._model.forward(following, past, self._adapter)
            plausible = plausible_tokens(logits, self._options, generator)
            self.is_cut |= len(plausible) > CANDIDATES_MAX
            ways: list[tuple[_Way, int]] = []
            for token in plausible[:CANDIDATES_MAX]:
                way = [*tokens, token]
                length, is_end = self._fits(way)
                if is_end:
                    return True
                if length is not None:
                    ways.append((way, length))
            place = next((at for at, way in enumerate(ways) if self._is_new(*way)), None)
            ahead = None if place is None else ways.pop(place)[0]
            for fork in ways:
                self._keep(self._forks, fork)
            if ahead is None:
                return False
            tokens, following = ahead, ahead[-1:]
        return False

    def _is_new(self, way: _Way, length: int) -> bool:
        """Whether no way came to where this one is: those that did may go on otherwise."""
        place = (len(way), length)
        is_new = place not in self._seen
        self._seen.add(place)
        return is_new

    def _keep(self, forks: deque[T], way: T) -> None:
        if len(forks) < FORKS_MAX:
            forks.append(way)
        else:
            self.is_cut = True

    def _fits(self, tokens: _Way) -> tuple[int | None, bool]:
        """To how many characters of the text tokens lead, and whether they are all of it."""
        if tokens[-1] in self._model.end_tokens:
            return None, self._model.decode(tokens[:-1]) == self._said
        text = self._model.decode(tokens)
        stops = [place for place in map(text.find, self._options.stops) if place >= 0]
        if stops:
            return None, text[: min(stops)] == self._said
        if len(tokens) == self._tokens_max:
            return None, text == self._said
        text = text.rstrip(_BROKEN)
        if self._said.startswith(text):
            return len(text), False
        beyond = text.removeprefix(self._said)  # perhaps the beginning of a stop string
        is_stopping = any(stop.startswith(beyond) for stop in self._options.stops)
        return (len(text) if text.startswith(self._said) and is_stopping else None), False


def plausible_tokens(
    logits: torch.Tensor, options: GenerationOptions, generator: torch.Generator
) -> list[int]:
    """The tokens that logits: (vocabulary,), each off by up to `MARGIN` / 2, could give.

    First the one that they do give, then those of the nearest likelihood. Takes as many draws of
    the generator as a choice. Raises `GenerationError` if no logit is finite.
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
    drawn = float(torch.rand((), generator=again, dtype=torch.float64))
    rising = ordered.flip(0)  # what is likelier than each whatever is off, and what may be
    surely = len(ordered) - torch.searchsorted(rising, ordered * ratio, right=True)
    perhaps = len(ordered) - torch.searchsorted(rising, ordered / ratio, right=False)
    masses = torch.cat([torch.zeros(1, dtype=torch.float64), ends])
    low, high = _shifted(masses[surely], 1 / ratio), _shifted(masses[perhaps], ratio)
    # Where the nucleus ends may shift as well, and with it all points of a draw.
    is_in = low < options.top_p
    widest = torch.minimum(high, options.top_p + _shifted(ordered, ratio))[is_in].max()
    most, least = max(kept, min(float(widest), 1.0)), min(kept, options.top_p)
    found = ((low <= drawn * most) & (drawn * least <= high) & is_in).nonzero()[:, 0]
    ours = int((tokens == chosen).nonzero()[0])
    nearest = torch.argsort((found - ours).abs(), stable=True)
    return _first(chosen, tokens[found[nearest]])


def _shifted(mass: torch.Tensor, ratio: float) -> torch.Tensor:
    """The share of something whose odds are `ratio` times as high."""
    return mass * ratio / (mass * ratio + (1 - mass).clamp_min(0))


def _first(chosen: int, tokens: torch.Tensor) -> list[int]:
    return [chosen, *(token for token in tokens.tolist() if token != chosen)]
