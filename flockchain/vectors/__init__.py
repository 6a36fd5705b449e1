"""Vectors of the chain's cryptography and formats, from files that anybody can write.

Source: interoperability testing; the formats stand in docs/vectors.md.
"""

from flockchain.vectors.run import Report, run_directory

__all__ = ["Report", "run_directory"]
