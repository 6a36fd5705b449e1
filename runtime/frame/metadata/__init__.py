"""Metadata: the description of the runtime by which clients decode everything.

`generate` makes it from a `RuntimeDescription`, `decode_metadata` reads it back; `types` is its
wire form, `registry` the table of types.

Source: FRAME metadata V14 and V15.
"""
