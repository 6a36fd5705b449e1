"""Behaviours by name: those that come with the simulator, and plug-ins from files.

Source: interfaces (`simulate network --behaviour`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Final

from flockchain.simulation.network.behaviours import blocks, messages, votes
from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.plan import PlanError


def behaviours_of(module: ModuleType) -> dict[str, type[Behaviour]]:
    """The named behaviours that a module defines."""
    found = {
        kind.name: kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Behaviour) and kind.name and kind.__module__ == module.__name__
    }
    return dict(sorted(found.items()))


BEHAVIOURS: Final[dict[str, type[Behaviour]]] = {
    **behaviours_of(blocks),
    **behaviours_of(votes),
    **behaviours_of(messages),
}


def find_behaviour(name: str) -> type[Behaviour]:
    """A behaviour by its name, by `module:Class`, or by `FILE.py` with one class, or
    `FILE.py:Class`. Raises PlanError."""
    known = BEHAVIOURS.get(name)
    if known is not None:
        return known
    place, _, wanted = name.partition(":")
    if not wanted and not place.endswith(".py"):
        raise PlanError(f"no behaviour {name!r}: one of {', '.join(BEHAVIOURS)}, or a file")
    module = _load(place)
    classes = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Behaviour)
        and kind.__module__ == module.__name__
        and wanted in ("", kind.__name__, kind.name)
    ]
    if len(classes) != 1:
        raise PlanError(f"{name} names {len(classes)} behaviours, one is needed: FILE.py:Class")
    return classes[0]


def _load(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        spec = importlib.util.spec_from_file_location(Path(place).stem, place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (ImportError, OSError, SyntaxError) as error:
        raise PlanError(f"behaviour {place} cannot be loaded: {error}") from error
    return module
