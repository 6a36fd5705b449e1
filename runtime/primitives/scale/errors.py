"""What goes wrong in SCALE: bytes that are no canonical encoding, values that have none.

Source: SCALE (Parity).
"""


class ScaleError(ValueError):
    """A value or its bytes break the codec's rules."""


class DecodeError(ScaleError):
    """The bytes are not the one canonical encoding of a value of the type."""


class EncodeError(ScaleError):
    """The value is outside what the type can hold."""
