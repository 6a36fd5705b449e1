"""Data sets as canonical files, and the public ones that ship with a library.

Owns the bytes that a task names by content id. Invariant: the same source and seed give the same
bytes on any machine.
Source: WP V.C.
"""
