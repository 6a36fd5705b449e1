"""The importer warns its operator when executing a block takes too long."""

from __future__ import annotations

import pytest

from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.consensus.instant import InstantConsensus
from tests.flockchain.rpc.dev_node import build


class StepClock:
    """A clock on which every look takes 300 ms."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        self.ms += 300
        return self.ms


@pytest.mark.parametrize(("execution_ms_max", "is_warned"), [(299, True), (300, False)])
def test_slow_blocks_are_reported(
    caplog: pytest.LogCaptureFixture, execution_ms_max: int, is_warned: bool
) -> None:
    author, follower = build(), build()
    made = author.seal()
    body = author.backend.blocks.body(made.hash)
    assert body is not None
    importer = Importer(
        follower.backend,
        InstantConsensus(),
        SignatureCache(),
        clock=StepClock(),
        execution_ms_max=execution_ms_max,
    )
    assert importer.import_block(made.header, body).hash == made.hash
    assert caplog.messages == is_warned * [
        "executing block 1 took 300 ms, more than the 299 ms of --execution-ms-max: this machine "
        "may be too slow for the chain"
    ]
