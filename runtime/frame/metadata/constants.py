"""Constants of pallets: the fields of their config, and what the runtime as a whole fixes.

Names are PascalCase; a field's docs are the sentence of its config's docstring that names it.

Source: FRAME (`#[pallet::constant]`), the names that Substrate clients read.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any, Final, get_type_hints

from runtime.frame.api_types import RuntimeVersion
from runtime.frame.limits import BlockLength, BlockWeights
from runtime.frame.metadata.registry import Registry
from runtime.frame.metadata.types import PalletConstant
from runtime.frame.naming import pascal_case
from runtime.primitives.scale import scale_type, shape_of
from runtime.primitives.scale.codec import codec_of_shape
from runtime.primitives.types import U64

_NAMES: Final = {"ss58_prefix": "SS58Prefix"}  # acronyms that clients look for


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A constant that no config field holds; `type_` is an annotation."""

    name: str
    type_: Any
    value: Any
    docs: str = ""


@scale_type(path="sp_weights::RuntimeDbWeight")
class DbWeight:
    """What one access to the state costs, in picoseconds."""

    read: U64
    write: U64


def system_constants(
    weights: BlockWeights, length: BlockLength, db_weight: DbWeight, version: RuntimeVersion
) -> tuple[Constant, ...]:
    """What clients look for in System beside its config."""
    return (
        Constant("BlockWeights", BlockWeights, weights, "Weight limits of a block."),
        Constant("BlockLength", BlockLength, length, "Length limits of a block, in bytes."),
        Constant("DbWeight", DbWeight, db_weight, "What one access to the state costs."),
        Constant("Version", RuntimeVersion, version, "Which runtime this is."),
    )


def constants_of(
    registry: Registry, config: Any, extra: tuple[Constant, ...]
) -> list[PalletConstant]:
    """A pallet's constants, config first."""
    found = [
        Constant(name, tp, getattr(config, field), docs)
        for field, name, tp, docs in _config_fields(type(config))
    ]
    made = []
    for item in (*found, *extra):
        shape = shape_of(item.type_)
        value = codec_of_shape(shape).encode(item.value)
        docs = [item.docs] if item.docs else []
        made.append(PalletConstant(item.name, registry.id_of(shape), value, docs))
    return made


_ConfigFields = tuple[tuple[str, str, Any, str], ...]  # field, name, annotation, docs
_fields_of: dict[type, _ConfigFields] = {}


def _config_fields(config: type) -> _ConfigFields:
    """Every field that has a SCALE form."""
    known = _fields_of.get(config)
    if known is None:
        known = _fields_of[config] = _read_fields(config)
    return known


def _read_fields(config: type) -> _ConfigFields:
    if not dataclasses.is_dataclass(config):
        return ()
    hints = get_type_hints(config, include_extras=True)
    sentences = re.split(r"(?<=[.;])\s+", " ".join((inspect.getdoc(config) or "").split()))
    found = []
    for item in dataclasses.fields(config):
        try:
            shape_of(hints[item.name])
        except TypeError:  # a function, say: no constant
            continue
        docs = next((text for text in sentences if f"`{item.name}`" in text), "")
        name = _NAMES.get(item.name, pascal_case(item.name))
        found.append((item.name, name, hints[item.name], docs))
    return tuple(found)
