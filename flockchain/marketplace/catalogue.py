"""Which models a host serves: their names, prices, files and versions.

Owns the table. Invariant: a name leads to one version at a time; whoever began with a version
ends with it.
Source: WP II.C (versions and automated updates); OpenAI's API reference (`/v1/models`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flockchain.marketplace.errors import no_such_model
from runtime.primitives.content_id import cid_text

Kind = Literal["language", "classifier"]


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A version of a model. `offer` is what callers pay for, `digest` what is served: the same
    unless the host cheats. `created`: seconds since 1970. `path` holds the files. `fraction_bits`:
    of an FL Alliance's model, which is in fixed point."""

    name: str
    offer: bytes
    digest: bytes
    kind: Kind
    price: int
    path: Path
    created: int
    adapter: Path | None = None
    fraction_bits: int | None = None

    @property
    def text(self) -> str:
        """The content id of what is served."""
        return cid_text(self.digest)


class Catalogue:
    """The models by name; a version's content id is a name of it too."""

    def __init__(self) -> None:
        self._models: dict[str, ServedModel] = {}

    def put(self, model: ServedModel) -> ServedModel | None:
        """Serve a model; the one that had its name before, if any."""
        before = self._models.get(model.name)
        self._models[model.name] = model
        return before

    def drop(self, name: str) -> None:
        """Serve it no longer."""
        self._models.pop(name, None)

    def all(self) -> list[ServedModel]:
        """What is served."""
        return list(self._models.values())

    def find(self, name: str) -> ServedModel:
        """The model of a name, or of the text of a content id. Raises ApiError."""
        found = self._models.get(name)
        if found is not None:
            return found
        for model in self._models.values():
            if name in (model.text, cid_text(model.offer)):
                return model
        raise no_such_model(name)
