"""Language models by bits per byte: a small Llama that learns conversations.

Owns the model and metric of the kind `language`. What the assistant says counts, its questions do
not. The tokens are bytes and a few marks, by the task and not by the submitter: a tokenizer of
one's own would make any score. Invariant: a model is the weights alone, in one canonical file; the
directory that hosts serve is made from it and the task.
Source: WP VIII.A; WP V.D (metric).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from ml.aggregate import weighted_mean
from ml.artifact import ArtifactLimits
from ml.checkpoint import State, load_expected, save_canonical
from ml.datasets.conversations import Conversations, is_answer
from ml.fingerprint import compute_fingerprint
from ml.fixed_point import FRACTION_BITS, from_fixed_point, to_fixed_point
from ml.language.tiny_llama import FIRST_BYTE, TinyOptions, byte_tokenizer, llama_config
from ml.options import TrainOptions
from ml.strict_json import JsonValue
from ml.tasks.interface import Measurement, PredictionError
from ml.tasks.spec import LANGUAGE, Fields, TaskSpec, TaskSpecError

METRIC: Final = "bits_per_byte"
ROWS_A_STEP: Final = 8  # of evaluation: logits of a row are as large as the vocabulary
EXAMPLES_A_CONVERSATION: Final = 8  # how many of a batch's examples a conversation stands for
PASSES_AN_EPOCH: Final = 2  # sets of conversations are small, and what they hold is learned slowly
FINGERPRINTED_MAX: Final = 1024
WEIGHT_BYTES: Final = 4
_PRECISION: Final = 1 << 20  # in which a sum of floats becomes a fraction
_IGNORED: Final = -100
_TIED: Final = "lm_head.weight"
_EMBEDDING: Final = "model.embed_tokens.weight"


class LanguageTask:
    """The kind's implementation of `ml.tasks.interface.Task`."""

    def __init__(self, spec: TaskSpec, device: torch.device) -> None:
        """Raises `TaskSpecError` if the model or metric is not one of this kind, or too large."""
        if spec.metric != METRIC:
            raise TaskSpecError(f"metric {spec.metric!r} is not one of {LANGUAGE}")
        self.spec = spec
        self._options = read_llama_options(spec.model)
        _ensure_fits(self._options, spec.limits.model_bytes_max)
        self._limits = ArtifactLimits(size_bytes_max=spec.limits.model_bytes_max)
        self._device = device
        self._model = _fresh_model(self._options, seed=0).to(device)
        self._shapes = {name: tuple(each.shape) for name, each in _state_of(self._model).items()}
        self._dataset: Conversations | None = None

    def init_dataset(self, dataset: bytes) -> None:
        """Take the conversations to train or to evaluate on. Raises `ArtifactError`."""
        vocabulary = self._shapes[_EMBEDDING][0]
        self._dataset = Conversations.from_bytes(dataset, vocabulary, self._options.context_tokens)

    def train(
        self,
        parameters: bytes | None,
        options: TrainOptions,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """Train from a model or from a fresh one. Raises `ArtifactError`."""
        model = _fresh_model(self._options, options.seed)
        if parameters is not None:
            _put_state(model, self._read(parameters))
        model = model.to(self._device).train()
        generator = torch.Generator().manual_seed(options.seed)
        rows = self._get_dataset().tokens.to(self._device)
        used = max(1, int(len(rows) * options.data_fraction))
        rows = rows[torch.randperm(len(rows), generator=generator)[:used].to(self._device)]
        batch = max(1, options.batch_size // EXAMPLES_A_CONVERSATION)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=options.learning_rate, weight_decay=0.0
        )
        for _ in range(options.training_epochs):
            passes = [torch.randperm(used, generator=generator) for _ in range(PASSES_AN_EPOCH)]
            for chosen in torch.split(torch.cat(passes), batch):
                _, losses, wanted = _run(model, rows[chosen.to(self._device)])
                optimizer.zero_grad()
                torch.autograd.backward([losses.sum() / (wanted != _IGNORED).sum()])
                optimizer.step()
            if should_stop():
                break
        return save_canonical(_state_of(model), self._limits)

    def evaluate(self, parameters: bytes) -> Measurement:
        """Bits per byte over the data set. Raises `ArtifactError`, `PredictionError`."""
        nats, bytes_read, predicted = 0.0, 0, list[int]()
        for logits, losses, wanted in self._steps(parameters):
            nats += float(losses.sum())
            bytes_read += int((wanted >= FIRST_BYTE).sum())
            chosen = logits.argmax(dim=2)[wanted != _IGNORED]
            predicted += chosen[: FINGERPRINTED_MAX - len(predicted)].tolist()
        bits = nats / float(torch.log(torch.tensor(2.0, dtype=torch.float64)))
        return Measurement(
            metric=Fraction(round(bits * _PRECISION), _PRECISION * bytes_read),
            fingerprint=compute_fingerprint(predicted),
        )

    def losses(self, parameters: bytes) -> Sequence[float]:
        """The mean loss of each conversation's tokens, nats. Raises as `evaluate`."""
        found: list[float] = []
        for _, losses, wanted in self._steps(parameters):
            counts = (wanted != _IGNORED).sum(dim=1)  # (conversations,)
            found += (losses.sum(dim=1) / counts).tolist()
        return found

    def aggregate(self, parameters_list: Sequence[bytes], weights: Sequence[int]) -> bytes:
        """The mean in fixed point. Raises `ArtifactError`, `AggregationError`."""
        states = [to_fixed_point(self._read(each), FRACTION_BITS) for each in parameters_list]
        mean = from_fixed_point(weighted_mean(states, weights), FRACTION_BITS)
        return save_canonical(mean, self._limits)

    # -- running

    def _steps(
        self, parameters: bytes
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """What `_run` gives of some conversations at a time."""
        _put_state(self._model, self._read(parameters))
        wide = self._model.to(torch.float64).eval()
        with torch.inference_mode():
            for rows in torch.split(self._get_dataset().tokens.to(self._device), ROWS_A_STEP):
                logits, losses, wanted = _run(wide, rows)
                if not bool(torch.isfinite(losses).all()):
                    raise PredictionError("a prediction is NaN or infinite")
                yield logits, losses, wanted

    def _read(self, parameters: bytes) -> State:
        return load_expected(parameters, self._limits, self._shapes)

    def _get_dataset(self) -> Conversations:
        assert self._dataset is not None, "init_dataset comes before train and evaluate"
        return self._dataset


def read_llama_options(model: Mapping[str, JsonValue]) -> TinyOptions:
    """The sizes of a specification's model. Raises `TaskSpecError`."""
    keys = frozenset({"type", "tokenizer", "width", "layers", "heads", "context_tokens"})
    fields = Fields("model", model, keys)
    for name, known in (("type", "llama"), ("tokenizer", "bytes")):
        if fields.text(name) != known:
            raise TaskSpecError(f"model: {name} is not {known!r}")
    heads = fields.integer("heads", 1, 64)
    width = fields.integer("width", 2 * heads, 4096)
    if width % (2 * heads):
        raise TaskSpecError("model: width is not an even multiple of heads")
    return TinyOptions(
        width=width,
        layers=fields.integer("layers", 1, 64),
        heads=heads,
        context_tokens=fields.integer("context_tokens", 2, 1 << 16),
    )


def write_directory(spec: bytes, weights: bytes, directory: Path) -> None:
    """Lay a task's model out as a model directory, its file of weights unchanged.

    Raises `TaskSpecError`, OSError.
    """
    options = read_llama_options(TaskSpec.parse(spec).model)
    config = llama_config(options)
    config.architectures = [LlamaForCausalLM.__name__]
    config.save_pretrained(directory)
    byte_tokenizer().save_pretrained(directory)
    (directory / "model.safetensors").write_bytes(weights)


def _ensure_fits(options: TinyOptions, bytes_max: int) -> None:
    """Raises `TaskSpecError` if the weights alone exceed a model's file; nothing is allocated."""
    width, config = options.width, llama_config(options)
    attention, perceptron = 4 * width * width, 3 * width * config.intermediate_size
    layer = attention + perceptron + 2 * width  # two norms
    weights = config.vocab_size * width + options.layers * layer + width
    if weights * WEIGHT_BYTES > bytes_max:
        raise TaskSpecError(
            f"model: {weights} weights of {WEIGHT_BYTES} bytes exceed model_bytes_max, {bytes_max}"
        )


def _fresh_model(options: TinyOptions, seed: int) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(llama_config(options))


def _state_of(model: Any) -> State:
    """All weights but those of the output, which are the embedding's."""
    state = model.state_dict()
    return {name: each.detach().float().cpu() for name, each in state.items() if name != _TIED}


def _put_state(model: Any, state: State) -> None:
    model.load_state_dict({**state, _TIED: state[_EMBEDDING]})


def _run(model: Any, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """rows: (conversations, time) -> logits (conversations, time - 1, vocabulary), the loss of each
    next token of an answer, 0 elsewhere, and what was wanted, both (conversations, time - 1)."""
    inputs = rows[:, :-1].clamp_min(0)  # padding stands at the end, where nobody looks back
    wanted = rows[:, 1:].masked_fill(~is_answer(rows)[:, 1:], _IGNORED)
    logits: torch.Tensor = model(input_ids=inputs, use_cache=False).logits
    losses = cross_entropy(
        logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED, reduction="none"
    )
    return logits, losses.view_as(wanted), wanted
