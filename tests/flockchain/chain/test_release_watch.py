"""When a release is over: its nodes linger after the last block, whatever their clocks do."""

import pytest

from flockchain.bench.workload import make_workload, open_chain
from flockchain.chain import release_watch
from flockchain.chain.release_watch import LINGER_MS, ReleaseWatch
from flockchain.storage.kv import MemoryStore
from runtime.frame.executive import verify_signature
from runtime.version import UnknownRuntime
from tests.flockchain.fast_chain import StepClock

WORK = make_workload(1, 1, 2)


def at_an_end(monkeypatch: pytest.MonkeyPatch, clock: StepClock) -> ReleaseWatch:
    """A watch whose chain ends this release with its first block."""

    def refuse(state: object) -> None:
        raise UnknownRuntime("install the next one")

    monkeypatch.setattr(release_watch, "executing_preset", refuse)
    backend, _ = open_chain(WORK.genesis, MemoryStore(), verify_signature)
    return ReleaseWatch(backend, clock)


def test_it_lingers_and_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StepClock()
    watch = at_an_end(monkeypatch, clock)
    assert watch.outdated == "install the next one"
    assert not watch.is_over
    clock.ms += LINGER_MS - 1
    assert not watch.is_over
    clock.ms += 1
    assert watch.is_over


def test_a_clock_that_is_set_back_lets_it_linger_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StepClock()
    watch = at_an_end(monkeypatch, clock)
    clock.ms -= 20_000
    assert not watch.is_over
    clock.ms += LINGER_MS
    assert watch.is_over
