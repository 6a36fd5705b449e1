"""The process that serves models: requests from one pipe, tokens to another, as JSON frames.

Owns the program that a host starts. Invariant: it has no network where the system permits cutting
it, gains no privileges, is the first to go when memory runs out, and ends when its parent does.
Source: WP II.C, III.B.2; Linux unshare(2), prctl(2).
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from typing import Any, BinaryIO, Final

from ml.confinement import cut_network, go_first_without_memory, refuse_new_privileges
from ml.frames import ChannelError, read_frame, write_frame

FRAME_BYTES_MAX: Final = 64 << 20
_LOG = logging.getLogger(__name__)
_Request = dict[str, Any]


def run(requests: BinaryIO, answers: BinaryIO, device_name: str) -> None:
    """Say that it is ready, then serve until the parent closes its end."""
    is_network_cut = cut_network()
    go_first_without_memory()
    refuse_new_privileges()
    # Imported here: torch starts threads, and the network is cut while there is one.
    from ml.devices import choose_device, limit_threads, set_deterministic
    from ml.serving.turns import Turns, failure

    limit_threads()
    set_deterministic()
    turns = Turns(choose_device(device_name))
    _write(answers, {"id": 0, "event": "done", "is_network_cut": is_network_cut})
    arrived: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, arrived), daemon=True).start()
    while True:
        while not arrived.empty() or turns.is_idle:
            request = arrived.get()
            if request is None:
                return
            try:
                event = turns.handle(request)
            except Exception as error:  # noqa: BLE001 - the process's door: a call fails alone
                _LOG.warning("a request failed", exc_info=error)
                event = failure(request["id"], error)
            if event is not None:
                _write(answers, event)
        for event in turns.turn():
            _write(answers, event)


def _read(requests: BinaryIO, arrived: queue.SimpleQueue[_Request | None]) -> None:
    try:
        while (frame := read_frame(requests, FRAME_BYTES_MAX)) is not None:
            arrived.put(json.loads(frame))
    except ChannelError as error:
        _LOG.warning("requests ended: %s", error)
    finally:
        arrived.put(None)


def _write(answers: BinaryIO, event: dict[str, Any]) -> None:
    write_frame(answers, json.dumps(event).encode())


def main() -> None:
    """Talk over the pipes given as standard input and output; prints go to standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    run(requests, answers, device_name=sys.argv[1])


if __name__ == "__main__":
    main()
