"""The devnet's digits task: the key of its sealed data set, which everybody may know.

`devnet.json` holds the task's terms; a test makes them anew from the data and compares. The key is
public because the whole devnet is: its creator is //Creator.
Source: WP V.H (Dataset B).
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.hashing import blake2b_256

DATASET_B_KEY: Final = blake2b_256(b"flockchain devnet, digits task, key of validation set B")
START_DAY: Final = 4
"""Three whole days are left to start workers and to register stakes, which count a day later."""
DAYS: Final = 3
SEATS: Final = 7
"""Per submission, on every day: one that scores nothing hardly ever gets most of them."""
