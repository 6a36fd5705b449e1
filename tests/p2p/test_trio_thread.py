"""The trio thread: calls both ways, errors, and its end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import trio

from p2p.trio_thread import ThreadEnded, TrioThread


async def until_stopped(thread: TrioThread) -> None:
    thread.set_ready()
    await thread.stop_requested.wait()


def test_calls_go_both_ways_in_order() -> None:
    async def main() -> None:
        loop_thread: list[object] = []
        thread = TrioThread(until_stopped)
        await thread.start()
        done: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

        def answer() -> str:
            loop_thread.append(asyncio.get_running_loop())
            return "answer"

        def refuse() -> str:
            raise LookupError("refused")

        async def work() -> None:
            heard = [await thread.ask(answer)]
            try:
                await thread.ask(refuse)
            except LookupError as error:
                heard.append(str(error))
            for number in range(5):
                thread.tell(lambda number=number: heard.append(str(number)))  # type: ignore[misc]
            thread.tell(lambda: done.set_result(heard))

        assert thread.spawn(work, "work")
        async with asyncio.timeout(5):
            assert await done == ["answer", "refused", "0", "1", "2", "3", "4"]
        assert loop_thread == [asyncio.get_running_loop()]
        await thread.stop()
        assert not thread.post(lambda: None)
        assert thread.failed is not None
        assert not thread.failed.done()

    asyncio.run(main())


def test_a_task_that_raises_is_contained(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise RuntimeError("one peer's bug")

    async def main() -> None:
        thread = TrioThread(until_stopped)
        await thread.start()
        thread.spawn(fail, "greet")
        await thread.stop()

    asyncio.run(main())
    assert [record.message for record in caplog.records] == ["network task greet failed"]


@pytest.mark.parametrize("is_ready", [True, False])
def test_the_death_of_the_program_is_told(is_ready: bool) -> None:
    async def die(thread: TrioThread) -> None:
        if is_ready:
            thread.set_ready()
        await trio.lowlevel.checkpoint()
        raise OSError("the disk is gone")

    async def main() -> None:
        thread = TrioThread(die)
        if is_ready:
            await thread.start()
            assert thread.failed is not None
            told: Awaitable[None] = thread.failed
        else:
            told = thread.start()
        with pytest.raises(OSError, match="the disk is gone"):
            await told
        await thread.stop()

    asyncio.run(main())


def test_a_program_that_returns_has_failed() -> None:
    async def leave(thread: TrioThread) -> None:
        thread.set_ready()

    async def run(program: Callable[[TrioThread], Awaitable[None]]) -> None:
        thread = TrioThread(program)
        await thread.start()
        assert thread.failed is not None
        with pytest.raises(ThreadEnded, match="the network program returned"):
            await thread.failed

    asyncio.run(run(leave))
