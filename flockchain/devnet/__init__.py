"""Several nodes on one machine, and the story that they tell.

Source: WP V.I, VI.G (the worked examples, on real data).
"""

from flockchain.devnet.run import run

__all__ = ["run"]
