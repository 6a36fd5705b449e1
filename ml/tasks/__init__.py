"""Task kinds: what a task specification can ask for, and the code that does it.

Owns the specification, the interface of a kind and the registry. Invariant: a kind is one class
with `init_dataset`, `train`, `evaluate` and `aggregate` over bytes; nothing else knows a kind.
Source: WP V.A, V.D, VIII.
"""
