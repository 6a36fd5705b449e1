"""The process that computes answers, as the server's event loop sees it.

Owns one process a device: it is started, told which models to open, and started anew when it died;
calls that ran then fail, later ones do not. Invariant: the event loop waits for pipes only.
Source: WP II.C, III.B.2 (several models on one host).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from flockchain.marketplace.catalogue import ServedModel

log = logging.getLogger(__name__)

START_S: Final = 180.0
_LENGTH_BYTES: Final = 8
_ROOT: Final = Path(__file__).resolve().parents[2]
_ENVIRONMENT: Final = {
    "PYTHONPATH": str(_ROOT),
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
Event = dict[str, Any]


class InferenceRefused(Exception):
    """The call cannot be answered as it is asked."""


class InferenceFailed(Exception):
    """The call failed through no fault of its own."""


class Inference:
    """One serving process. `start` before use, `close` in the end."""

    def __init__(self, device: str = "cpu") -> None:
        self._device = device
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Queue[Event]] = {}
        self._open: dict[str, ServedModel] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._is_ready = False  # with all its models open
        self.starts = 0

    async def start(self) -> None:
        """Start the process if none runs, and open its models. Raises InferenceFailed."""
        async with self._turn:
            if self._process is not None and self._process.returncode is None:
                if self._is_ready:
                    return
                self._process.kill()  # it did not open all of its models
            if self._reading is not None:
                await self._reading
            self.starts += 1
            self._is_ready = False
            ready: asyncio.Queue[Event] = asyncio.Queue()
            self._calls[0] = ready
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "ml.serving.child", self._device),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd="/",
                env=_ENVIRONMENT,
            )
            self._reading = asyncio.create_task(self._read(self._process))
            try:
                async with asyncio.timeout(START_S):
                    event = _checked(await ready.get())
            except TimeoutError as error:
                self._process.kill()
                raise InferenceFailed("the serving process does not start") from error
            finally:
                del self._calls[0]
            if event.get("is_network_cut") is not True:
                log.warning("the serving process keeps its network: namespaces not permitted")
            for model in self._open.values():
                try:
                    await self._ask(_opening(model))
                except InferenceRefused as error:
                    raise InferenceFailed(str(error)) from error
            self._is_ready = True

    async def open(self, model: ServedModel) -> None:
        """Load a model, now and whenever the process starts. Raises InferenceRefused,
        InferenceFailed."""
        await self.start()
        await self._ask(_opening(model))
        self._open[model.text] = model

    async def drop(self, model: ServedModel) -> None:
        """Forget a model. Raises InferenceFailed."""
        if self._open.pop(model.text, None) is not None:
            await self.start()
            await self._ask({"op": "close", "model": model.text})

    async def generate(
        self, model: ServedModel, prompt: dict[str, Any], options: dict[str, Any]
    ) -> AsyncGenerator[Event, None]:
        """Pieces as they come, then `done` with `finish` and token counts.

        Raises InferenceRefused, InferenceFailed. A generator that is closed early stops the work.
        """
        await self.start()
        number, queue = self._begin()
        is_running = True
        try:
            await self._send(
                {"op": "generate", "id": number, "model": model.text, "options": options, **prompt}
            )
            while is_running:
                event = await queue.get()
                is_running = event["event"] == "piece"
                yield _checked(event)
        finally:
            del self._calls[number]
            if is_running:
                with suppress(InferenceFailed):
                    await self._send({"op": "cancel", "id": 0, "call": number})

    async def embed(self, model: ServedModel, texts: Sequence[str]) -> Event:
        """`vectors` of length 1, and `prompt_tokens`. Raises InferenceRefused, InferenceFailed."""
        await self.start()
        return await self._ask({"op": "embed", "model": model.text, "texts": list(texts)})

    async def predict(self, model: ServedModel, rows: Sequence[Sequence[float]]) -> Event:
        """`predictions`, one a row. Raises InferenceRefused, InferenceFailed."""
        await self.start()
        return await self._ask({"op": "predict", "model": model.text, "rows": list(rows)})

    async def could_say(
        self, model: ServedModel, prompt: dict[str, Any], options: dict[str, Any], said: str
    ) -> bool | None:
        """Whether a text could be the answer on a machine that rounds otherwise; None if neither
        that nor the contrary was found.

        Raises InferenceRefused, InferenceFailed.
        """
        await self.start()
        request = {"op": "compare", "model": model.text, "options": options, "said": said}
        answered = await self._ask({**request, **prompt})
        found: bool | None = answered["could_say"]
        return found

    async def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._reading is not None:
            await self._reading

    async def abandon(self) -> None:
        """End the process whatever it is doing; the next one opens no model by itself."""
        self._open.clear()
        await self.close()

    @property
    def process_id(self) -> int | None:
        """The process's id, while there is one."""
        return None if self._process is None else self._process.pid

    # -- frames

    def _begin(self) -> tuple[int, asyncio.Queue[Event]]:
        number = next(self._numbers)
        queue: asyncio.Queue[Event] = asyncio.Queue()  # as long as an answer has tokens
        self._calls[number] = queue
        return number, queue

    async def _ask(self, request: dict[str, Any]) -> Event:
        number, queue = self._begin()
        try:
            await self._send({**request, "id": number})
            return _checked(await queue.get())
        finally:
            del self._calls[number]

    async def _send(self, request: dict[str, Any]) -> None:
        process = self._process
        assert process is not None, "start comes first"
        assert process.stdin is not None, "it was asked for"
        payload = json.dumps(request).encode()
        try:
            process.stdin.write(len(payload).to_bytes(_LENGTH_BYTES, "little") + payload)
            await process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise InferenceFailed("the serving process has ended") from error

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "it was asked for"
        with suppress(asyncio.IncompleteReadError):
            while True:
                prefix = await process.stdout.readexactly(_LENGTH_BYTES)
                frame = await process.stdout.readexactly(int.from_bytes(prefix, "little"))
                event = json.loads(frame)
                queue = self._calls.get(event["id"])
                if queue is not None:
                    queue.put_nowait(event)
        status = await process.wait()
        log.warning("the serving process ended with status %d", status)
        for queue in self._calls.values():
            queue.put_nowait({"event": "failed", "message": "the serving process ended"})


def _opening(model: ServedModel) -> dict[str, Any]:
    return {
        "op": "open",
        "model": model.text,
        "kind": model.kind,
        "path": str(model.path),
        "adapter": None if model.adapter is None else str(model.adapter),
        "fraction_bits": model.fraction_bits,
    }


def _checked(event: Event) -> Event:
    if event["event"] == "refused":
        raise InferenceRefused(event["message"])
    if event["event"] == "failed":
        raise InferenceFailed(event["message"])
    return event
