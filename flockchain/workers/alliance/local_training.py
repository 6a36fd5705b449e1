"""A round's update, trained on the private rows.

Source: WP VI.B (local training), Algorithm 1.
"""

from __future__ import annotations

from flockchain.workers.alliance.computing import TrainUpdate, seed_of, train_update
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.round_view import RoundView


async def train_locally(
    desk: AllianceDesk, view: RoundView, base: bytes, attempt: int
) -> bytes | None:
    """The update's file, None if an attacker hands in nothing. `base`: the model's file.

    Raises SdkError, `ArtifactError`, `FlowerError`.
    """
    seed = seed_of(desk.account, view.task, view.number, attempt)
    last = None if desk.attack is None else desk.memory.last_update(view.task)
    request = TrainUpdate(
        await desk.around(view.info), base, seed, desk.attack, last, desk.flower, view.number
    )
    return await desk.training.run(train_update, request)
