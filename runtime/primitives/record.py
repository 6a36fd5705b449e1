"""Records: frozen, slotted dataclasses that are quick to make.

Dozens are made for every extrinsic. A frozen dataclass sets each field by name through
`object.__setattr__`; here the slots' own setters do, in two thirds of the time.

Source: Python's `dataclasses`; the measurement is `flockchain bench transfers`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make the class a frozen, slotted dataclass."""
    made = dataclasses.dataclass(frozen=True, slots=True)(cls)
    members = dataclasses.fields(made)  # type: ignore[arg-type]
    has_factory = any(item.default_factory is not dataclasses.MISSING for item in members)
    if members and not has_factory and not hasattr(made, "__post_init__"):
        _fill_slots_directly(made, [item.name for item in members])
    return made


def _fill_slots_directly(cls: Any, names: list[str]) -> None:
    space: dict[str, Any] = {f"_set_{name}": getattr(cls, name).__set__ for name in names}
    lines = [f"def __init__(self, {', '.join(names)}):"]
    lines += [f" _set_{name}(self, {name})" for name in names]
    exec("\n".join(lines), space)  # noqa: S102 - names of our own fields
    made, usual = space["__init__"], cls.__init__
    made.__defaults__, made.__annotations__ = usual.__defaults__, usual.__annotations__
    made.__qualname__ = usual.__qualname__
    cls.__init__ = made
