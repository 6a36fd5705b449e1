"""A devnet from one genesis file: start, tell the story if asked, stay up or leave.

Source: WP II; interfaces (`make devnet`, `make demo`).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from flockchain.devnet.arena import ArenaChapter
from flockchain.devnet.arena.reporter import Reporter
from flockchain.devnet.dao import DaoChapter
from flockchain.devnet.fl import FlChapter
from flockchain.devnet.market import MarketChapter
from flockchain.devnet.masked import MaskedChapter
from flockchain.devnet.processes import Devnet, DevnetError, within
from flockchain.devnet.together import together
from flockchain.devnet.zk import ZkChapter
from flockchain.sdk.client import Client
from flockchain.sdk.errors import SdkError
from flockchain.story import Story

_UP_S: Final = 60


def run(chain: str, nodes: int, base_path: Path | None, story: Story, leave: bool) -> int:
    """Run `nodes` nodes of a chain spec. The exit code: 1 if the story failed."""
    console = Console(stderr=False, soft_wrap=True)
    directory = base_path or Path(tempfile.mkdtemp(prefix="flockchain-devnet-"))
    devnet = Devnet(directory.resolve(), chain)
    is_told = False
    try:
        asyncio.run(_run(devnet, Reporter(console), nodes, story, leave))
        is_told = True
    except (DevnetError, SdkError) as error:
        console.print(f"The devnet stops: {error}", style="bold red", highlight=False)
        console.print(f"Logs: {devnet.directory / 'logs'}", highlight=False)
    except (KeyboardInterrupt, asyncio.CancelledError):
        is_told = True
    finally:
        devnet.stop()
        if base_path is None and is_told:
            shutil.rmtree(directory, ignore_errors=True)
    return 0 if is_told else 1


async def _run(devnet: Devnet, reporter: Reporter, nodes: int, story: Story, leave: bool) -> None:
    loop, main = asyncio.get_running_loop(), asyncio.current_task()
    assert main is not None, "asyncio.run makes a task"
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, main.cancel)
    chapter = ArenaChapter(devnet, reporter)
    if story is not Story.NONE:
        chapter.prepare()
    devnet.start_nodes(nodes)
    reporter.say(f"{nodes} validator nodes are starting, data and logs in {devnet.directory}")
    async with within(_UP_S, "the nodes' start"):
        await _until_up(devnet, nodes)
    for place, child in enumerate(devnet.nodes):
        reporter.say(f"  {child.name}: {devnet.url(place)}")
    if story is not Story.NONE:
        await chapter.run()
        devnet.stop_workers(devnet.workers)
        tell = _tell_the_rest if story is Story.WHOLE else _tell_of_masks
        await tell(devnet, reporter.say)
        reporter.say("\nThe story is told.")
    if not leave:
        reporter.say("The devnet stays up until Ctrl-C.")
        await asyncio.Event().wait()


async def _tell_the_rest(devnet: Devnet, say: Callable[[str], None]) -> None:
    """Chapters beside each other that mostly wait for blocks: what is served in the end was trained
    meanwhile."""
    alliance, dao = FlChapter(devnet, say), DaoChapter(devnet, say)
    market = MarketChapter(devnet, say)
    await together(alliance.run(), dao.run(), market.prepare())
    zk = ZkChapter(devnet, say, alliance.start)
    await together(zk.run(), market.run(alliance.task, alliance.start))


async def _tell_of_masks(devnet: Devnet, say: Callable[[str], None]) -> None:
    await MaskedChapter(devnet, say).run()


async def _until_up(devnet: Devnet, nodes: int) -> None:
    for place in range(nodes):
        while True:
            devnet.ensure_alive()
            with contextlib.suppress(SdkError, OSError):
                async with await Client.connect(devnet.url(place)) as client:
                    await client.chain.best()
                    break
            await asyncio.sleep(0.2)
