"""Language models: opened from a directory of plain files, run token by token, adapted on a base.

Owns nothing of its own. Invariant: no file of a model can run code.
Source: WP VIII.A; Hugging Face's model directories.
"""
