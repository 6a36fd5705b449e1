"""SCALE, strict and canonical: one declaration gives a codec and a metadata type.

`shape` says what a type is, `declare` reads Python annotations into shapes, `source` turns a shape
into generated Python functions, `codec` ties them together, `compact` holds the variable-length
integers. Reflection and generation happen once per type; encoding a signed transfer takes
microseconds.

Source: SCALE (Parity), Substrate's canonical form: a value has exactly one encoding.
"""

from runtime.primitives.scale.codec import Codec, codec_of
from runtime.primitives.scale.compact import decode_compact, encode_compact
from runtime.primitives.scale.declare import (
    Compact,
    Fixed,
    Int,
    Limit,
    ScaleEnum,
    Variant,
    scale_enum,
    scale_type,
    set_shape,
    shape_of,
)
from runtime.primitives.scale.errors import DecodeError, EncodeError, ScaleError

__all__ = [
    "Codec",
    "Compact",
    "DecodeError",
    "EncodeError",
    "Fixed",
    "Int",
    "Limit",
    "ScaleEnum",
    "ScaleError",
    "Variant",
    "codec_of",
    "decode_compact",
    "encode_compact",
    "scale_enum",
    "scale_type",
    "set_shape",
    "shape_of",
]
