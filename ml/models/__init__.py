"""Model architectures, one a file, as functions on a state of named tensors.

Owns the shapes that a submission must have and the arithmetic on them. Invariant: no code comes
with a model file, only weights for an architecture that stands here.
Source: WP V.D, VIII.
"""
