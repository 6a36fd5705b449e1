"""The caller: OpenAI's own client, pointed to the gateway, or with a key to a host.

Source: OpenAI's API reference; WP III.B.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import orjson
from openai import AsyncOpenAI, OpenAIError

from flockchain.devnet.market.record import Called
from flockchain.devnet.processes import DevnetError

CHARGE_HEADER: Final = "X-Flock-Charge"
HOST_HEADER: Final = "X-Flock-Host"
_TOKENS_MAX: Final = 80
_TIMEOUT_S: Final = 120.0


class Caller:
    """Use it as `async with`."""

    def __init__(self, url: str, api_key: str = "none") -> None:
        self._client = AsyncOpenAI(base_url=url, api_key=api_key, max_retries=0, timeout=_TIMEOUT_S)

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def chat(self, task: int, question: str) -> Called:
        """Ask a language model, and take its answer as it comes. Raises DevnetError."""
        with _calling(task):
            opened = await self._client.chat.completions.with_raw_response.create(
                model=f"task-{task}",
                messages=[{"role": "user", "content": question}],
                temperature=0,
                max_tokens=_TOKENS_MAX,
                stream=True,
            )
            pieces = [
                chunk.choices[0].delta.content or ""
                async for chunk in opened.parse()
                if chunk.choices
            ]
        said = [piece for piece in pieces if piece]
        return Called(task, *_paid(opened.headers), "".join(said), len(said))

    async def predict(self, task: int, rows: list[list[float]]) -> Called:
        """Ask a classifier. Raises DevnetError."""
        body = {"model": f"task-{task}", "inputs": rows}
        with _calling(task):
            response = await self._client.post("/predict", cast_to=httpx.Response, body=body)
        labels = tuple(int(each["class"]) for each in orjson.loads(response.content)["data"])
        return Called(task, *_paid(response.headers), labels=labels)


@contextmanager
def _calling(task: int) -> Iterator[None]:
    """Raises DevnetError for what OpenAI's client, or the connection beneath it, says."""
    try:
        yield
    except (OpenAIError, httpx.HTTPError) as error:
        raise DevnetError(f"a call of task {task}'s model failed: {error}") from error


def _paid(headers: Any) -> tuple[str, int]:
    return headers.get(HOST_HEADER, ""), int(headers[CHARGE_HEADER])
