"""What happens in tasks, as JSON, block by block as blocks become final.

Owns the followers and the one listener for all of them: a block's events are decoded once, and
only while somebody follows. Invariant: a follower hears of final blocks in order, none twice.

Source: WP Fig. 3 (the workflow of a task); FRAME events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flockchain.chain.backend import Backend
from flockchain.chain.notifications import Finalized
from flockchain.rpc.typed_json import to_json
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.errors import StateDiscarded
from runtime.api import runtime_at
from runtime.frame.pallet import Pallet
from runtime.pallets.arena import Arena
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.tasks import Tasks
from runtime.primitives.types import Hash

Follower = Callable[[dict[str, Json]], None]

_PALLETS: Final[tuple[type[Pallet[Any]], ...]] = (Tasks, Arena, FlAlliance)
_PALLET_OF: Final = {
    kind: pallet.__name__ for pallet in _PALLETS for kind in pallet.event_types.values()
}


class TaskEventFeed:
    """Hands the events of tasks to those who asked for them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._followers: list[tuple[int | None, Follower]] = []

    def follow(self, task: int | None, follower: Follower) -> Callable[[], None]:
        """Tell `follower` of a task's events, or of all; what is returned ends it."""
        entry = (task, follower)
        if not self._followers:
            self._backend.notifications.on_finalized.append(self._on_finalized)
        self._followers.append(entry)

        def end() -> None:
            if entry in self._followers:
                self._followers.remove(entry)
                if not self._followers:
                    self._backend.notifications.on_finalized.remove(self._on_finalized)

        return end

    def _on_finalized(self, event: Finalized) -> None:
        for block in event.finalized:
            for task, item in task_events(self._backend, block):
                for wanted, follower in list(self._followers):
                    if wanted is None or task is None or wanted == task:
                        follower(item)


def task_events(backend: Backend, block: Hash) -> list[tuple[int | None, dict[str, Json]]]:
    """(task, event as JSON) of a known block; the task is None for what concerns all of them.

    If the block's state is discarded already, one entry says so: events were missed.
    """
    header = backend.header(block)
    assert header is not None, "final blocks are known"
    place: dict[str, Json] = {"block": to_hex(block), "number": header.number}
    try:
        records = runtime_at(backend.state_at(block)).system.events.get()
    except StateDiscarded:
        return [(None, {**place, "isDiscarded": True})]
    found: list[tuple[int | None, dict[str, Json]]] = []
    for index, record in enumerate(records):
        event: object = record.event
        pallet = _PALLET_OF.get(type(event))
        if pallet is not None:
            item = {
                **place,
                "index": index,
                "pallet": pallet,
                "event": type(event).__name__,
                "data": to_json(type(event), event),
            }
            found.append((getattr(event, "task", None), item))
    return found
