"""Changes of rules as people write them: `vesting.rank_ratio=0.9`, `paid_validators_max=none`.

Source: WP VII (parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from flockchain.sdk import AmountError, parse_amount
from runtime.economy.governance import GovernanceParameters, Track
from runtime.economy.market import MarketParameters
from runtime.economy.parameters import ArenaParameters, ParameterOutOfBounds
from runtime.economy.trends import TrendParameters
from runtime.primitives.rational import Rational, RationalError

R = TypeVar("R", ArenaParameters, GovernanceParameters, MarketParameters, TrendParameters)


class RuleError(ValueError):
    """A change names no rule, or a value that the rule cannot have; the message says which."""


def changed_rules(rules: R, changes: Sequence[str]) -> R:
    """The rules with changes, each `name=value`. Raises RuleError."""
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise RuleError(f"{change!r} is not as name=value")
        rules = _changed(rules, name.split("."), text, name)
    try:
        rules.ensure_within_bounds()
    except ParameterOutOfBounds as error:
        raise RuleError(str(error)) from None
    return rules


def _changed(rules: Any, path: Sequence[str], text: str, name: str) -> Any:
    known = {field.name: field.type for field in fields(rules)}
    if path[0] not in known:
        raise RuleError(f"there is no rule {name}; there are {', '.join(sorted(known))}")
    old = getattr(rules, path[0])
    if len(path) > 1 and is_dataclass(old) and not isinstance(old, Rational):
        return replace(rules, **{path[0]: _changed(old, path[1:], text, name)})
    if len(path) > 1 or (is_dataclass(old) and not isinstance(old, Rational)):
        raise RuleError(f"{name} is not one rule")
    return replace(rules, **{path[0]: _value(str(known[path[0]]), text, name)})


def _value(kind: str, text: str, name: str) -> object:
    """A value by the annotation of its field."""
    try:
        if text == "none" and kind.endswith("| None"):
            return None
        if kind.startswith("Rational"):
            return Rational.parse(text)
        if kind.startswith("Balance"):
            return parse_amount(text)
        if "Track" in kind:
            return [Track[each.upper()] for each in text.split(",") if each]
        return int(text)
    except (RationalError, AmountError, KeyError, ValueError) as error:
        raise RuleError(f"{name}: {text!r} is no value of it ({error})") from None
