"""One answer in the making: a step is a token, so that many can take turns on a device.

Owns the tokens and the cache of one answer. Invariant: the same model, prompt and options give the
same pieces, whatever else the device does in between.
Source: WP III.B.2 (answers that others can compute again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ml.language.sampling import GenerationError, GenerationOptions, choose_token, seeded
from ml.language.text_stream import TextStream

if TYPE_CHECKING:  # seconds: it loads transformers
    from ml.language.language_model import LanguageModel

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Usage:
    """How many tokens were read and written."""

    prompt_tokens: int
    completion_tokens: int


class Generation:
    """An answer to a prompt; `step` until `finish` says why there is no more."""

    def __init__(
        self,
        model: LanguageModel,
        prompt: Sequence[int],
        options: GenerationOptions,
        adapter: str | None = None,
    ) -> None:
        """Raises `GenerationError` if the prompt is empty or leaves no room for an answer."""
        if not prompt:
            raise GenerationError("the prompt is empty")
        if len(prompt) >= model.context_tokens:
            raise GenerationError(
                f"the prompt's {len(prompt)} tokens leave no room in the model's "
                f"{model.context_tokens}"
            )
        self._model = model
        self._adapter = adapter
        self._options = options
        self._tokens_max = min(options.tokens_max, model.context_tokens - len(prompt))
        self._next: Sequence[int] = prompt
        self._past: Any = None
        self._prompt_tokens = len(prompt)
        self._written = 0
        self._generator = seeded(options.seed)
        self._text = TextStream(model.decode, options.stops)
        self.finish: Finish | None = None

    @property
    def usage(self) -> Usage:
        """What has been read and written so far."""
        return Usage(self._prompt_tokens, self._written)

    def step(self) -> str:
        """One token further; what it adds to the text. Raises `GenerationError`."""
        assert self.finish is None, "the answer is whole"
        logits, self._past = self._model.forward(self._next, self._past, self._adapter)
        token = choose_token(logits, self._options, self._generator)
        self._written += 1
        if token in self._model.end_tokens:
            self.finish = "stop"
            return self._text.finish()
        self._next = [token]
        piece = self._text.add(token)
        if self._text.is_stopped:
            self.finish = "stop"
        elif self._written >= self._tokens_max:
            self.finish = "length"
            piece += self._text.finish()
        return piece
