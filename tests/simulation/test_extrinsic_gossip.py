"""Users' extrinsics leave a node at once while it is quiet, and together while it is busy."""

from __future__ import annotations

import itertools

import pytest

from flockchain.pool.outbox import EVERY_MS
from flockchain.sync.messages import decode_extrinsics
from tests.simulation.world import keys_of, make_cluster, transfer

pytestmark = pytest.mark.usefixtures("sharing")


def test_the_first_goes_at_once_and_the_next_ones_together(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = make_cluster(1, seed=5, watching=1)
    cluster.run(1_500)
    _, node = cluster.nodes()
    alice, dest = keys_of(1)[0], keys_of(2)[1].account
    sent: list[tuple[int, int]] = []
    start_ms = cluster.hub.now_ms

    def publish(topic: str, data: bytes) -> None:
        if topic == "transactions":
            sent.append((cluster.hub.now_ms - start_ms, len(decode_extrinsics(data))))

    monkeypatch.setattr(node.network, "publish", publish)
    for nonce in range(30):
        node.submit(transfer(alice, dest, 10**18, nonce, node.backend.genesis))
        node.on_time()
        cluster.run(20)
    cluster.run(EVERY_MS)
    assert sum(count for _, count in sent) == 30
    assert sent[0] == (0, 1)
    assert len(sent) == 3
    assert all(later - earlier >= EVERY_MS for (earlier, _), (later, _) in itertools.pairwise(sent))
