"""`--set key=value`: a scenario with some of its parameters replaced.

A key is a field's name, or a path with dots through objects and lists; an entry of a list is named
by its `id` or its position: `lambda=20`, `nodes.n1.own=500`, `validators.0.share=1/2`.
Invariant: the scenario given is not changed.
Source: the scenario files of `flockchain economics evaluate`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from flockchain.economics.fields import ScenarioError

_WORDS = {"true": True, "false": False, "null": None}


def override(scenario: object, settings: Sequence[str]) -> object:
    """A copy of the scenario with every "key=value" applied, in order.

    A last step that an object lacks is added, so that optional fields can be set; steps before it
    must exist. Values stay text but for true, false and null.
    Raises: ScenarioError for a setting without "=" or with a step that leads nowhere.
    """
    changed = copy.deepcopy(scenario)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path:
            raise ScenarioError(f"--set {setting}: write it as key=value")
        *steps, last = path.split(".")
        holder: Any = changed
        for step in steps:
            holder = holder[_find_step(holder, step, setting)]
        if isinstance(holder, dict):
            holder[last] = _WORDS.get(text, text)
        else:
            holder[_find_step(holder, last, setting)] = _WORDS.get(text, text)
    return changed


def _find_step(holder: Any, step: str, setting: str) -> str | int:
    if isinstance(holder, dict) and step in holder:
        return step
    if isinstance(holder, list):
        for index, entry in enumerate(holder):
            if isinstance(entry, dict) and entry.get("id") == step:
                return index
        if step.isascii() and step.isdigit() and int(step) < len(holder):
            return int(step)
    raise ScenarioError(f"--set {setting}: the scenario has no {step}")
