"""A validator alone on a virtual clock over a real LevelDB, which kills its process in a write.

Run by `test_power_cut`, which writes `DIRECTORY WRITE WHEN BLOCKS NOW_MS` to stdin: a process is
forked that ends by SIGKILL before or after the given write to LevelDB (0: in none), or after BLOCKS
more. What it tells the world (blocks and votes) goes to stdout at once, a line each: `topic hex`,
between `now ms`. The last line of a process that lives is `writes N`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from flockchain.node import Node
from flockchain.simulation.cluster import Cluster
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.kv import WriteBatch
from flockchain.storage.leveldb import LevelDbStore
from runtime.api import runtime_at
from tests.simulation.world import devnet_genesis, keys_of, transfer

KEYS = keys_of(2)


class DeadlyStore(LevelDbStore):
    """Kills this process in its n-th write."""

    def __init__(self, path: Path, write: int, when: str) -> None:
        super().__init__(path)
        self.left = write
        self.when = when

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        self.left -= 1
        if self.left == 0 and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(batch, sync)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def play(directory: Path, write: int, when: str, blocks: int, now_ms: int) -> None:
    """Be a validator until `blocks` more blocks are there."""
    cluster = Cluster(devnet_genesis(KEYS[:1]), [None], seed=1)
    (member,) = cluster.members
    cluster.kill(member)
    cluster.hub.deliver_until(now_ms)
    member.key = KEYS[0]
    disk = DeadlyStore(directory, write, when)
    member.store = GatheredStore(disk)  # type: ignore[assignment]
    node = cluster.start(member)
    publish = node.network.publish

    def tell(topic: str, data: bytes) -> None:
        say(f"{topic} {data.hex()}")
        publish(topic, data)

    node.network.publish = tell  # type: ignore[method-assign]
    say(f"now {cluster.hub.now_ms}")
    say(f"opened {node.backend.best.number} {node.backend.finalized.number}")
    target = node.backend.best.number + blocks
    while node.backend.best.number < target:
        if not len(node.pool):
            nonce = _nonce(node)
            node.submit(transfer(KEYS[0], KEYS[1].account, 10**18, nonce, node.backend.genesis))
        cluster.run(cluster.slot_ms)
        say(f"now {cluster.hub.now_ms}")
    member.store.close()
    say(f"writes {-disk.left}")


def _nonce(node: Node) -> int:
    runtime = runtime_at(node.backend.state_at(node.backend.best.hash))
    return int(runtime.system.nonce_of(KEYS[0].account))


def serve() -> None:
    """Fork a process for each line of orders on stdin: its output, then `status N`."""
    for line in sys.stdin:
        directory, write, when, blocks, now_ms = line.split()
        child = os.fork()
        if child == 0:
            play(Path(directory), int(write), when, int(blocks), int(now_ms))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say(f"status {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    serve()
