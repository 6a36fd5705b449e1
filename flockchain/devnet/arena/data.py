"""The data of both tasks, made once at the very beginning, in a process that may load torch.

Source: WP V.A (task creation), WP V.C (data off the chain).
"""

from __future__ import annotations

import secrets
from typing import Final

from flockchain.workers.built_in import built_in_blobs, digits_package
from flockchain.workers.publishing import TaskPackage
from flockchain.workers.training import TrainingPool
from genesis.devnet_task import DATASET_B_KEY

OWN_DAYS: Final = 2
OWN_SEATS: Final = 3
_SEED: Final = 2  # of the digits: another split than the verified task's
_TITLE: Final = "Handwritten digits, split anew"


async def make_data(verified_spec: bytes) -> tuple[tuple[bytes, ...], TaskPackage]:
    """The blobs of the verified task, none if it is not the shipped one; the participant's task."""
    pool = TrainingPool()
    try:
        blobs = await pool.run(built_in_blobs, (verified_spec, DATASET_B_KEY))
        return blobs, await pool.run(_own_package, secrets.token_bytes(32))
    finally:
        await pool.close()


def _own_package(key: bytes) -> TaskPackage:
    return digits_package(
        key, title=_TITLE, seed=_SEED, days=OWN_DAYS, seats=OWN_SEATS, final_seats=OWN_SEATS
    )
