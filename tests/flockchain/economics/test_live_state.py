"""Fetching the state of a live node: whole and bounded, single keys with proofs, and forgeries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from flockchain.economics import live_state
from flockchain.economics.live_rules import RULE_PATHS
from flockchain.economics.live_state import (
    LiveState,
    StateForged,
    StateTooLarge,
    check_root,
    fetch_keys,
    fetch_state,
)
from flockchain.sdk import BadAnswer, Client
from runtime.api import runtime_at
from runtime.frame.externalities import DictState
from runtime.primitives.types import ZERO_HASH
from tests.flockchain.rpc.dev_node import DevNode, build, dev_node
from tests.runtime.played_state import play, top_of

T = TypeVar("T")


@pytest.fixture(scope="module")
def top() -> dict[bytes, bytes]:
    return top_of(play(days=1))


def with_client(top: dict[bytes, bytes], work: Callable[[Client, DevNode], Awaitable[T]]) -> T:
    """Do something with a client of a node that has this state."""

    async def run() -> T:
        async with (
            dev_node(made=build(top)) as node,
            await Client.connect(node.ws_url) as client,
        ):
            return await work(client, node)

    return asyncio.run(run())


def test_the_whole_state_comes_page_by_page_and_is_proven(top: dict[bytes, bytes]) -> None:
    told: list[tuple[int, int]] = []

    async def work(client: Client, node: DevNode) -> LiveState:
        node.seal()
        return await fetch_state(client, lambda *page: told.append(page))

    live = with_client(top, work)
    assert live.head.number == 1
    assert live.state.top.keys() > top.keys()
    checked = check_root(live)
    assert (live.is_proven, checked.is_proven) == (False, True)
    assert checked.state.top == live.state.top
    size = sum(len(key) + len(value) for key, value in live.state.top.items())
    assert told[-1] == (len(live.state.top), size)


def test_single_keys_are_proven(top: dict[bytes, bytes]) -> None:
    async def work(client: Client, node: DevNode) -> LiveState:
        node.seal()
        return await fetch_keys(client, RULE_PATHS)

    live = with_client(top, work)
    assert live.is_proven
    assert live.state.top.keys() <= set(RULE_PATHS)
    runtime, whole = runtime_at(live.state), runtime_at(DictState(top))
    assert runtime.tasks.parameters_on(2) == whole.tasks.parameters_on(2)
    assert runtime.emission.curve.get() == whole.emission.curve.get()


def test_a_state_that_is_not_the_headers_is_refused(top: dict[bytes, bytes]) -> None:
    live = with_client(top, lambda client, _: fetch_state(client))
    key = next(iter(live.state.top))
    for changed in ({**live.state.top, key: b"other"}, {**live.state.top, b"more": b""}):
        with pytest.raises(StateForged, match=r"^the node's state of block #0 has root 0x"):
            check_root(replace(live, state=DictState(changed)))


def test_a_state_too_large_for_its_root_is_left_as_it_came(
    top: dict[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = with_client(top, lambda client, _: fetch_state(client))
    monkeypatch.setattr(live_state, "ROOT_KEYS_MAX", len(live.state.top) - 1)
    assert check_root(live) is live


@pytest.mark.parametrize("limit", ["KEYS_MAX", "BYTES_MAX"])
def test_the_download_is_bounded(
    top: dict[bytes, bytes], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_state, limit, 100)
    with pytest.raises(StateTooLarge, match=r"^the state of block #0 has more than "):
        with_client(top, lambda client, _: fetch_state(client))


def test_a_proof_of_another_state_is_refused(top: dict[bytes, bytes]) -> None:
    async def work(client: Client, _: DevNode) -> LiveState:
        head = await client.chain.finalized()

        async def finalized() -> Any:
            return replace(head, header=replace(head.header, state_root=ZERO_HASH))

        client.chain.finalized = finalized  # type: ignore[method-assign]
        return await fetch_keys(client, RULE_PATHS)

    with pytest.raises(StateForged, match=r"^the node's proof of block #0 does not hold: "):
        with_client(top, work)


def test_pages_are_halved_until_the_node_can_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {bytes([at]) * 8: bytes([at]) * 2_000_000 for at in range(6)}
    state = {**top_of(play(days=1)), **large}

    async def work(client: Client, _: DevNode) -> LiveState:
        return await fetch_state(client)

    assert with_client(state, work).state.top.items() >= large.items()


def test_a_listed_key_without_a_value_is_a_bad_answer(top: dict[bytes, bytes]) -> None:
    async def work(client: Client, _: DevNode) -> LiveState:
        call = client.transport.call

        async def lying(method: str, params: Any = ()) -> Any:
            answer = await call(method, params)
            if method == "state_queryStorageAt":
                answer[0]["changes"][0][1] = None
            return answer

        client.transport.call = lying  # type: ignore[method-assign]
        return await fetch_state(client)

    with pytest.raises(BadAnswer, match="a key that the node listed has no value"):
        with_client(top, work)
