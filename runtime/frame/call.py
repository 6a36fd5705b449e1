"""The runtime's call: a table entry and its arguments; two index bytes and SCALE on the wire.

Source: FRAME's `RuntimeCall` (outer enum by pallet index, inner by call index).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runtime.frame.naming import snake_case
from runtime.frame.pallet import CallEntry, Pallet
from runtime.frame.weights import DispatchInfo
from runtime.primitives.record import record
from runtime.primitives.scale import Codec, DecodeError, codec_of, set_shape
from runtime.primitives.scale.declare import fields_of
from runtime.primitives.scale.shape import Custom, Field, Shape, VariantCase, VariantShape

DEPTH_MAX: Final = 8  # calls within calls (batch, proxy, multisig)
CALLS_MAX: Final = 1_024  # of an extrinsic, those within others included: decoding one takes 2 us


@record
class RuntimeCall:
    """A decoded call."""

    entry: CallEntry
    arguments: tuple[Any, ...]

    def info(self) -> DispatchInfo:
        """What it is weighed and classed as."""
        return self.entry.info(self.arguments)


_TABLE: dict[bytes, CallEntry] = {}  # by both index bytes
_PALLETS: list[type[Pallet[Any]]] = []
_depth = 0
_count = 0  # calls decoded since the outermost one began


def install_pallets(pallets: Sequence[type[Pallet[Any]]]) -> None:
    """The pallets whose calls can be decoded. Done once, where the runtime is put together."""
    _PALLETS[:] = pallets
    _TABLE.clear()
    indices: dict[int, None] = {}
    for pallet in pallets:
        assert pallet.pallet_index not in indices, f"pallet index {pallet.pallet_index} used twice"
        indices[pallet.pallet_index] = None
        for index, entry in pallet.calls.items():
            _TABLE[bytes((pallet.pallet_index, index))] = entry


def installed_pallets() -> tuple[type[Pallet[Any]], ...]:
    """The pallets of the runtime, in order."""
    return tuple(_PALLETS)


def _encode(call: RuntimeCall, out: bytearray) -> None:
    entry = call.entry
    out.append(entry.pallet.pallet_index)
    out.append(entry.index)
    entry.codec.encode_into(call.arguments, out)


def decode_call(data: bytes, offset: int) -> tuple[RuntimeCall, int]:
    """The call at `offset` and the offset behind it. Raises DecodeError."""
    global _count, _depth
    entry = _TABLE.get(data[offset : offset + 2])
    if entry is None:
        if offset + 2 > len(data):
            raise DecodeError("end of data in a call")
        raise DecodeError(f"no call {data[offset]}.{data[offset + 1]}")
    if _depth >= DEPTH_MAX:
        raise DecodeError(f"calls nested deeper than {DEPTH_MAX}")
    _count = _count + 1 if _depth else 1
    if _count > CALLS_MAX:
        raise DecodeError(f"more than {CALLS_MAX} calls in one")
    _depth += 1
    try:
        arguments, end = entry.codec.decode(data, offset + 2)
    finally:
        _depth -= 1
    return RuntimeCall(entry, arguments), end


_described: dict[type, VariantShape] = {}


def describe_calls(pallet: type[Pallet[Any]]) -> VariantShape:
    """The pallet's `Call` type for metadata."""
    known = _described.get(pallet)
    if known is not None:
        return known
    shape = VariantShape((f"pallet_{snake_case(pallet.__name__)}", "pallet", "Call"), [])
    _described[pallet] = shape
    for index, entry in sorted(pallet.calls.items()):
        members = fields_of(dict(entry.parameters))
        shape.cases.append(VariantCase(entry.name, index, members, None, docs=entry.docs))
    return shape


_outer = VariantShape(("flockchain_runtime", "RuntimeCall"), [])


def describe_runtime_call() -> Shape:
    """The `RuntimeCall` type for metadata, with the installed pallets."""
    _outer.cases = [
        VariantCase(
            pallet.__name__, pallet.pallet_index, (Field(None, describe_calls(pallet)),), None
        )
        for pallet in _PALLETS
        if pallet.calls
    ]
    return _outer


set_shape(RuntimeCall, Custom(_encode, decode_call, describe_runtime_call))
RUNTIME_CALL: Final[Codec[RuntimeCall]] = codec_of(RuntimeCall)
