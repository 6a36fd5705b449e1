"""A directory as one content id: a canonical list of its files, each a blob of its own.

Owns the list's format. Invariant: equal directories have equal ids, and a directory made from a
list holds exactly the files that it names.
Source: WP V.C (models by content id); WP VIII.A.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ml.language.directory import ModelDirectoryError, ensure_names, model_files
from ml.strict_json import StrictJsonError, canonical_json, parse_strict_json
from runtime.primitives.content_id import (
    ContentId,
    ContentIdError,
    cid_text,
    content_id,
    parse_cid_text,
)

BUNDLE_BYTES_MAX: Final = 64 << 10
_VERSION: Final = 1
_KIND: Final = "language-model"


def describe_bundle(files: Mapping[str, ContentId]) -> bytes:
    """The canonical list of these files; its content id is the model's. Raises
    `ModelDirectoryError`."""
    ensure_names(sorted(files))
    named = {name: cid_text(files[name]) for name in sorted(files)}
    return canonical_json({"files": named, "kind": _KIND, "version": _VERSION})


def pack_directory(directory: Path) -> tuple[bytes, dict[ContentId, Path]]:
    """The list of a model's directory, and where each blob lies. Raises `ModelDirectoryError`."""
    paths = {name: directory / name for name in model_files(directory)}
    files = {name: content_id(path.read_bytes()) for name, path in paths.items()}
    return describe_bundle(files), {files[name]: paths[name] for name in files}


def read_bundle(data: bytes) -> dict[str, ContentId]:
    """The files that a list names. Raises `ModelDirectoryError` unless it is canonical."""
    try:
        value = parse_strict_json(data, BUNDLE_BYTES_MAX, depth_max=2)
    except StrictJsonError as error:
        raise ModelDirectoryError(f"list of files: {error}") from error
    if not isinstance(value, Mapping) or value.keys() != {"files", "kind", "version"}:
        raise ModelDirectoryError("list of files: not an object of files, kind and version")
    if (value["kind"], value["version"]) != (_KIND, _VERSION):
        raise ModelDirectoryError(f"list of files: not a {_KIND} of version {_VERSION}")
    named = value["files"]
    if not isinstance(named, Mapping):
        raise ModelDirectoryError("list of files: files is not an object")
    files: dict[str, ContentId] = {}
    for name, text in named.items():
        try:
            files[name] = parse_cid_text(text if isinstance(text, str) else "")
        except ContentIdError as error:
            raise ModelDirectoryError(f"list of files: {error}") from error
    if describe_bundle(files) != data:
        raise ModelDirectoryError("list of files: not in canonical form")
    return files


def is_bundle(data: bytes) -> bool:
    """Whether these bytes are a list of files, and not a model in one file."""
    try:
        read_bundle(data)
    except ModelDirectoryError:
        return False
    return True


def unpack_bundle(data: bytes, directory: Path, get: Callable[[ContentId], bytes]) -> None:
    """Make the directory that a list describes; `get` gives verified blobs.

    Raises `ModelDirectoryError`, and what `get` raises.
    """
    files = read_bundle(data)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, blob in files.items():
        body = get(blob)
        if content_id(body) != blob:
            raise ModelDirectoryError(f"{name} is not blob {cid_text(blob)}")
        (directory / name).write_bytes(body)
    for path in directory.iterdir():
        if path.name not in files:
            raise ModelDirectoryError(f"{path} belongs to no file of the list: move it away")
