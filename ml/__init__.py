"""Machine learning off the chain: the only package that imports torch.

Owns training, evaluation and the files that carry models and data. Invariant: nothing in here
decides anything on chain; what leaves is bytes with a content id and integers.
Source: WP V.C, V.D, VI.B.
"""
