"""Which files a language model's directory may hold: weights as safetensors, JSON, text.

Owns the list of names and the one error class. Invariant: what passes holds no pickle and no
program, and its configuration names none; what it says is checked before a library opens it.
Source: Hugging Face's model directories; safetensors format; WP VIII.A.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

CONFIG: Final = "config.json"
ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
_JSON_BYTES_MAX: Final = 64 << 20  # a tokenizer of a quarter of a million words has 20 MiB
_FILES_MAX: Final = 256
_NAME: Final = re.compile(
    r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.(?:safetensors|json|jsonl|txt|model|jinja|md)", re.ASCII
)
_UNREAD: Final = re.compile(r"LICENSE|NOTICE|\.gitattributes", re.ASCII)
_PROGRAMS: Final = ("auto_map", "custom_pipelines", "custom_generate")
"""Keys by which a configuration asks for Python files from its directory."""


class ModelDirectoryError(ValueError):
    """A directory that is no language model that can be opened safely; the message says why."""


def model_files(directory: Path) -> list[str]:
    """The names of all files that make the model, sorted. Raises `ModelDirectoryError`."""
    try:
        paths = sorted(directory.iterdir())
    except OSError as error:
        raise ModelDirectoryError(f"cannot read {directory}: {error.strerror}") from error
    names = [path.name for path in paths if not _UNREAD.fullmatch(path.name)]
    ensure_names(names)
    for name in names:
        path = directory / name
        # A content-addressed store links to its blobs: what matters is that the file is a file.
        if not path.is_file():
            raise ModelDirectoryError(f"{name} is not a file")
    return names


def ensure_names(names: Sequence[str]) -> None:
    """Raises `ModelDirectoryError` unless a model may consist of files of these names."""
    if len(names) > _FILES_MAX:
        raise ModelDirectoryError(f"{len(names)} files are above {_FILES_MAX}")
    for name in names:
        if len(name) > 128 or not _NAME.fullmatch(name):
            raise ModelDirectoryError(
                f"{name[:80]!r} is not allowed: weights are .safetensors, the rest JSON and text"
            )
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelDirectoryError("no file of weights that ends in .safetensors")


def ensure_model(directory: Path) -> None:
    """Raises `ModelDirectoryError` unless this is a causal language model without programs."""
    names = model_files(directory)
    if CONFIG not in names:
        raise ModelDirectoryError(f"{directory} has no {CONFIG}")
    for name in names:
        if name.endswith(".json"):
            _ensure_no_program(name, _read_json(directory / name))


def ensure_adapter(directory: Path) -> None:
    """Raises `ModelDirectoryError` unless this is a LoRA adapter in PEFT's layout."""
    names = model_files(directory)
    for needed in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        if needed not in names:
            raise ModelDirectoryError(f"{directory} has no {needed}")
    config = _read_json(directory / ADAPTER_CONFIG)
    _ensure_no_program(ADAPTER_CONFIG, config)
    if not isinstance(config, Mapping) or config.get("peft_type") != "LORA":
        raise ModelDirectoryError("the adapter is not of the kind LORA")


def _read_json(path: Path) -> Any:
    if path.stat().st_size > _JSON_BYTES_MAX:
        raise ModelDirectoryError(f"{path.name} is above {_JSON_BYTES_MAX} bytes")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelDirectoryError(f"{path.name} is not JSON: {error}") from error


def _ensure_no_program(name: str, value: object) -> None:
    if isinstance(value, Mapping):
        for key in _PROGRAMS:
            if value.get(key):
                raise ModelDirectoryError(f"{name} names programs ({key}), which are never run")
