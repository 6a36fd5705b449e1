"""Event records: what happened in a block, in the form that clients decode.

Source: Substrate `frame_system::{EventRecord, Phase}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runtime.frame.call import installed_pallets
from runtime.frame.errors import pallet_index_of
from runtime.frame.naming import snake_case
from runtime.frame.pallet import EVENT_INDEX, Pallet
from runtime.primitives.scale import (
    Codec,
    DecodeError,
    ScaleEnum,
    codec_of,
    scale_type,
    set_shape,
    shape_of,
)
from runtime.primitives.scale.compact import compact_bytes
from runtime.primitives.scale.shape import (
    Composite,
    Custom,
    Field,
    Shape,
    VariantCase,
    VariantShape,
)
from runtime.primitives.types import U32, Hash


class Phase(ScaleEnum, path="frame_system::Phase"):
    """When in the block an event happened."""


class ApplyExtrinsic(Phase, index=0, flat=True):
    """While the extrinsic of this index was applied."""

    extrinsic: U32


class Finalization(Phase, index=1):
    """In the hooks after the extrinsics."""


class Initialization(Phase, index=2):
    """In the hooks before the extrinsics."""


class RuntimeEvent:
    """Any pallet's event; in Python the event's own dataclass."""


_CODECS: dict[type, tuple[bytes, Codec[Any]]] = {}  # event → its two index bytes, its codec


def _encode(event: object, out: bytearray) -> None:
    kind = type(event)
    known = _CODECS.get(kind)
    if known is None:
        head = bytes((pallet_index_of(kind), EVENT_INDEX[kind]))
        known = _CODECS[kind] = head, codec_of(kind)
    out += known[0]
    known[1].encode_into(event, out)


def _decode(data: bytes, offset: int) -> tuple[object, int]:
    for pallet in installed_pallets():
        if pallet.pallet_index == data[offset]:
            kind = pallet.event_types.get(data[offset + 1])
            if kind is not None:
                return codec_of(kind).decode(data, offset + 2)
    raise DecodeError(f"no event {data[offset]}.{data[offset + 1]}")


_described: dict[type, VariantShape] = {}


def describe_events(pallet: type[Pallet[Any]]) -> VariantShape:
    """The pallet's `Event` type for metadata."""
    known = _described.get(pallet)
    if known is not None:
        return known
    shape = VariantShape((f"pallet_{snake_case(pallet.__name__)}", "pallet", "Event"), [])
    _described[pallet] = shape
    for index, kind in sorted(pallet.event_types.items()):
        record = shape_of(kind)
        assert isinstance(record, Composite)
        shape.cases.append(VariantCase(kind.__name__, index, record.fields, kind, docs=record.docs))
    return shape


_outer = VariantShape(("flockchain_runtime", "RuntimeEvent"), [])


def describe_runtime_event() -> Shape:
    """The `RuntimeEvent` type for metadata, with the installed pallets."""
    _outer.cases = [
        VariantCase(
            pallet.__name__, pallet.pallet_index, (Field(None, describe_events(pallet)),), None
        )
        for pallet in installed_pallets()
        if pallet.event_types
    ]
    return _outer


set_shape(RuntimeEvent, Custom(_encode, _decode, describe_runtime_event))


@scale_type(path="frame_system::EventRecord")
class EventRecord:
    """One event; topics are not used."""

    phase: Phase
    event: RuntimeEvent
    topics: list[Hash]


EVENT_RECORDS: Final[Codec[list[EventRecord]]] = codec_of(list[EventRecord])
_PHASE: Final[Codec[Phase]] = codec_of(Phase)
_NO_TOPICS: Final = 0


def encode_records(events: Sequence[tuple[Phase, object]]) -> bytes:
    """What EVENT_RECORDS gives for these events without topics, no record made of each."""
    out = bytearray(compact_bytes(len(events)))
    last: Phase | None = None
    head = b""
    for phase, event in events:
        if phase is not last:  # an extrinsic's events share theirs
            last, head = phase, _PHASE.encode(phase)
        out += head
        _encode(event, out)
        out.append(_NO_TOPICS)
    return bytes(out)
