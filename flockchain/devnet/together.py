"""Parts of the story beside each other; who leaves, leaves nothing running behind.

Invariant: when a call here returns or raises, everything that it started has ended.
Source: the demonstration of the whole system (WP II).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(*parts: Coroutine[Any, Any, object]) -> None:
    """Run parts beside each other to their ends; the first that fails ends the others."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def beside(main: Coroutine[Any, Any, T], other: Coroutine[Any, Any, object]) -> T:
    """Run `main`, and `other` for as long as it takes; a failure of `other` ends `main`."""
    leading, following = asyncio.create_task(main), asyncio.create_task(other)
    try:
        await asyncio.wait([leading, following], return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
        return await leading
    finally:
        await _end([leading, following])


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
