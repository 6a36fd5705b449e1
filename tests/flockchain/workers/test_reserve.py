"""The process in reserve: loaded ahead, given away once, replaced when it died."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field

import pytest

from flockchain.workers.evaluating import Bench
from flockchain.workers.reserve import PAUSE_S, Reserve
from ml.evaluate import Verdict
from ml.sandbox import Evaluator
from ml.sandbox_process import SandboxProcess
from ml.tasks.digits import create_digits_task


@dataclass
class Spawner:
    """Starts real processes and remembers them."""

    started: list[SandboxProcess] = field(default_factory=list)
    now_s: float = 0.0

    def __call__(self) -> SandboxProcess:
        process = SandboxProcess("cpu")
        self.started.append(process)
        return process

    def clock(self) -> float:
        return self.now_s

    def running(self) -> int:
        return sum(process.is_running() for process in self.started)


def end(process: SandboxProcess) -> None:
    os.kill(process.process_id, signal.SIGKILL)
    os.waitid(os.P_PID, process.process_id, os.WEXITED | os.WNOWAIT)


def test_a_process_is_given_away_once_and_the_next_is_a_new_one() -> None:
    spawner = Spawner()

    async def run() -> None:
        reserve = Reserve(spawner, spawner.clock)
        assert reserve.is_due()
        await reserve.fill()
        assert not reserve.is_due()
        await reserve.fill()
        (waiting,) = spawner.started
        assert reserve.take() is waiting
        other = reserve.take()
        assert spawner.started == [waiting, other]
        assert reserve.is_due()
        waiting.end()
        other.kill()
        other.end()
        await reserve.close()
        assert not reserve.is_due()

    asyncio.run(run())
    assert spawner.running() == 0


def test_a_process_that_died_is_never_given_away_and_is_replaced_after_a_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spawner = Spawner()

    async def run() -> None:
        reserve = Reserve(spawner, spawner.clock)
        await reserve.fill()
        end(spawner.started[0])
        assert not reserve.is_due()
        spawner.now_s += PAUSE_S
        assert reserve.is_due()
        await reserve.fill()
        end(spawner.started[1])
        taken = reserve.take()
        assert taken is spawner.started[2]
        assert reserve.is_due()
        taken.kill()
        taken.end()
        await reserve.close()

    asyncio.run(run())
    assert caplog.messages == ["the sandbox in reserve ended by itself (status -9)"]


def test_what_does_not_load_is_tried_again_after_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    spawner = Spawner()

    def spawn() -> SandboxProcess:
        process = spawner()
        end(process)
        return process

    async def run() -> None:
        reserve = Reserve(spawn, spawner.clock)
        await reserve.fill()
        assert not reserve.is_due()
        spawner.now_s += PAUSE_S
        assert reserve.is_due()
        await reserve.close()

    asyncio.run(run())
    assert caplog.messages == [
        "no sandbox in reserve: sandbox did not start: the other process closed its end (status -9)"
    ]


def test_the_bench_keeps_one_takes_it_for_a_data_set_and_leaves_nothing_running() -> None:
    digits, spawner = create_digits_task(seed=2), Spawner()
    spec = digits.spec.to_bytes()

    async def run() -> None:
        bench = Bench("cpu", spawner)
        bench.keep_reserve()
        bench.keep_reserve()
        await asyncio.sleep(0)  # the reserve's start has its turn first
        await bench.prepare(spec, digits.validation_a)
        (first,) = spawner.started
        (seat,) = bench._seats.values()
        assert seat.evaluator.process_id == first.process_id
        verdict = await bench.evaluate(spec, digits.validation_a, b"no model")
        assert verdict.verdict is Verdict.INVALID
        assert spawner.started == [first]
        bench.keep_reserve()
        await asyncio.sleep(0)  # its start is under way as the bench closes
        await bench.close()

    asyncio.run(run())
    assert len(spawner.started) == 2
    assert spawner.running() == 0


def test_a_taken_process_is_as_confined_as_one_of_its_own() -> None:
    """It gave up network and privileges before it waited, and the rest once it has its task."""
    digits, process = create_digits_task(seed=2), SandboxProcess("cpu")
    process.load()
    status = f"/proc/{process.process_id}/status"
    with open(status) as file:
        assert "NoNewPrivs:\t1" in file.read()
    with Evaluator(digits.spec.to_bytes(), digits.validation_a, spawn=lambda: process) as opened:
        assert opened.process_id == process.process_id
        with open(f"/proc/{process.process_id}/limits") as file:
            limits = {line[:26].strip(): line[26:].split()[0] for line in file}
        assert (limits["Max open files"], limits["Max processes"]) == ("0", "0")
        assert limits["Max address space"].isdigit()
    assert not process.is_running()


def test_a_process_serves_one_task_only() -> None:
    digits, process = create_digits_task(seed=2), SandboxProcess("cpu")
    process.open_task(digits.spec.to_bytes(), digits.validation_a)
    with pytest.raises(AssertionError, match=r"^a process serves one task in its life"):
        process.open_task(digits.spec.to_bytes(), digits.validation_b)
    process.close()
    assert not process.is_running()
