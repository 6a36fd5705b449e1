"""Models that are open on one device, and the answers that take turns on it.

Owns both. Invariant: each turn gives every running answer one token, so none waits for another's
end; an answer that fails ends alone.
Source: WP II.C, III.B.2 (several models on one host).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch

from ml.language.agreement import could_say
from ml.language.generation import Generation
from ml.language.sampling import GenerationError, GenerationOptions
from ml.serving.classifier import Classifier
from ml.tasks.interface import PredictionError

if TYPE_CHECKING:  # seconds: it loads transformers
    from ml.language.language_model import LanguageModel

MODELS_MAX: Final = 64
Event = dict[str, Any]
"""What is told to the other process: an `id`, an `event`, and what belongs to it."""


class ServedLanguageModel:
    """A language model under a name: a base, perhaps shared, and perhaps an adapter on it."""

    def __init__(self, base: LanguageModel, adapter: str | None) -> None:
        self.base = base
        self.adapter = adapter


class Turns:
    """What one process serves."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._bases: dict[str, LanguageModel] = {}
        self._models: dict[str, ServedLanguageModel | Classifier] = {}
        self._running: dict[int, Generation] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no answer is in the making."""
        return not self._running

    def handle(self, request: Mapping[str, Any]) -> Event | None:
        """Do what a request asks for; None if its answer comes in turns.

        Raises `GenerationError` for the caller's faults, and what opening a model raises.
        """
        operation, number = request["op"], request["id"]
        if operation == "open":
            self._open(request)
            return {"id": number, "event": "done"}
        if operation == "close":
            self._close(request["model"])
            return {"id": number, "event": "done"}
        if operation == "cancel":
            self._running.pop(request["call"], None)
            return {"id": number, "event": "done"}
        if operation == "predict":
            rows = self._classifier(request["model"]).predict(request["rows"])
            return {"id": number, "event": "done", "predictions": [asdict(row) for row in rows]}
        served = self._language(request["model"])
        if operation == "embed":
            prompts = [served.base.encode(text) for text in request["texts"]]
            for prompt in prompts:  # all of them first: what is refused costs no work
                served.base.ensure_fits(prompt)
            vectors = [served.base.embed(prompt, served.adapter) for prompt in prompts]
            used = sum(map(len, prompts))
            return {"id": number, "event": "done", "vectors": vectors, "prompt_tokens": used}
        if operation == "compare":
            prompt, options = self._asked(served, request)
            is_so = could_say(served.base, prompt, options, request["said"], served.adapter)
            return {"id": number, "event": "done", "could_say": is_so}
        assert operation == "generate", f"unknown operation {operation}"
        self._running[number] = self._begin(served, request)
        return None

    def turn(self) -> Iterator[Event]:
        """One token for every running answer."""
        for number, generation in list(self._running.items()):
            try:
                piece = generation.step()
            except (GenerationError, RuntimeError) as error:
                del self._running[number]
                yield failure(number, error)
                continue
            if piece:
                yield {"id": number, "event": "piece", "text": piece}
            if generation.finish is not None:
                del self._running[number]
                usage = asdict(generation.usage)
                yield {"id": number, "event": "done", "finish": generation.finish, **usage}

    # -- models

    def _open(self, request: Mapping[str, Any]) -> None:
        name = request["model"]
        if name in self._models:
            return
        if len(self._models) >= MODELS_MAX:
            raise GenerationError(f"{MODELS_MAX} models are open already")
        path = Path(request["path"])
        if request["kind"] == "classifier":
            weights = (path / "model.safetensors").read_bytes()
            spec = (path / "task.json").read_bytes()
            bits = request.get("fraction_bits")
            self._models[name] = Classifier(spec, weights, self._device, bits)
            return
        base = self._bases.get(str(path))
        if base is None:
            from ml.language.language_model import LanguageModel  # classifiers do without

            base = self._bases[str(path)] = LanguageModel(path, self._device)
        adapter = request.get("adapter")
        if adapter is not None:
            base.load_adapter(name, Path(adapter))
        self._models[name] = ServedLanguageModel(base, None if adapter is None else name)

    def _close(self, name: str) -> None:
        """Forget a model; answers that it is giving are finished by the weights they began with."""
        served = self._models.pop(name, None)
        if not isinstance(served, ServedLanguageModel):
            return
        if served.adapter is not None and not self._running:
            served.base.drop_adapter(served.adapter)
        bases = [each.base for each in self._models.values() if not isinstance(each, Classifier)]
        self._bases = {path: base for path, base in self._bases.items() if base in bases}

    def _language(self, name: str) -> ServedLanguageModel:
        served = self._models.get(name)
        if not isinstance(served, ServedLanguageModel):
            raise GenerationError(f"{name} is no language model that is open here")
        return served

    def _classifier(self, name: str) -> Classifier:
        served = self._models.get(name)
        if not isinstance(served, Classifier):
            raise GenerationError(f"{name} is no classifier that is open here")
        return served

    @staticmethod
    def _asked(
        served: ServedLanguageModel, request: Mapping[str, Any]
    ) -> tuple[list[int], GenerationOptions]:
        """The prompt in tokens, and how to go on."""
        messages = request.get("messages")
        prompt = (
            served.base.encode(request["prompt"])
            if messages is None
            else served.base.encode_chat(messages)
        )
        options = request["options"]
        return prompt, GenerationOptions(**{**options, "stops": tuple(options["stops"])})

    def _begin(self, served: ServedLanguageModel, request: Mapping[str, Any]) -> Generation:
        prompt, options = self._asked(served, request)
        return Generation(served.base, prompt, options, served.adapter)


def failure(number: int, error: Exception) -> Event:
    """How an error is told: `refused` if it is the caller's, `failed` if it is ours."""
    is_theirs = isinstance(error, GenerationError | PredictionError)
    text = str(error) if is_theirs else f"{type(error).__name__}: {error}"
    kind = "refused" if is_theirs else "failed"
    return {"id": number, "event": kind, "message": text[:500]}
