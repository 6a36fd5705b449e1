"""`flock_explainReward` over a node's socket, and `flockchain economics explain` against it."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from flockchain.cli.economics import app
from flockchain.economics.derivation.terms import ExplainError
from flockchain.economics.proven import read_explanation, rebuild
from flockchain.sdk.errors import BadAnswer
from flockchain.storage.errors import ProofError
from runtime.constants import DEVNET
from runtime.frame.externalities import DictState, Externalities
from runtime.pallets.arena.records import DayKey
from runtime.primitives.header import Header
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId, Hash
from runtime.runtime import Runtime
from tests.flockchain.economics.delegated_task import NAMES, PlayedTask, play_delegated
from tests.flockchain.rpc.dev_node import DevNode, dev_node
from tests.flockchain.rpc.played_node import node_of
from tests.flockchain.rpc.rpc_client import call
from tests.runtime.pallets.world import account

T = TypeVar("T")


@pytest.fixture(scope="module")
def played() -> PlayedTask:
    return play_delegated(replace(DEVNET, settlement_steps=240))


def serve(made: DevNode, work: Callable[[DevNode], Awaitable[T]]) -> T:
    async def run() -> T:
        async with dev_node(made=made) as node:
            return await work(node)

    return asyncio.run(run())


def ask(made: DevNode, *params: object) -> Any:
    return serve(made, lambda node: call(node.http_url, "flock_explainReward", *params))


def headers_of(node: DevNode, answer: Any) -> dict[Hash, Header]:
    blocks = [Hash(bytes.fromhex(each["block"][2:])) for each in answer["proofs"]]
    found = {block: node.backend.header(block) for block in blocks}
    return {block: header for block, header in found.items() if header is not None}


def test_every_payout_over_the_socket(played: PlayedTask) -> None:
    async def work(node: DevNode) -> None:
        for day, paid in played.paid.items():
            for name in NAMES:
                who = account(name)
                answer = await call(
                    node.http_url, "flock_explainReward", 0, day, encode_address(who)
                )
                amount = sum(event.amount for event in paid if event.who == who)
                assert answer["tree"]["result"] == str(amount)
                assert answer["proofs"] is None
                assert answer["isFinalized"] is True
                assert len(answer["settlement"]) > 1

    serve(node_of(played), work)


def test_a_held_day_over_the_socket() -> None:
    played = play_delegated(replace(DEVNET, settlement_steps=240), hidden={"n2": True, "n3": False})

    async def work(node: DevNode) -> None:
        for name in NAMES:
            who = account(name)
            answer = await call(node.http_url, "flock_explainReward", 0, 2, encode_address(who))
            amount = sum(event.amount for event in played.paid[2] if event.who == who)
            assert answer["tree"]["result"] == str(amount)
        days = {number // 20 for number in settled_at(node, answer["settlement"])}
        assert days == {2, 3}

    serve(node_of(played), work)


def settled_at(node: DevNode, blocks: list[str]) -> list[int]:
    found = (node.backend.header(Hash(bytes.fromhex(block[2:]))) for block in blocks)
    return [header.number for header in found if header is not None]


def test_the_proofs_alone_make_the_tree(played: PlayedTask) -> None:
    async def work(node: DevNode) -> None:
        for name in ("n1", "d1", "v3", "creator"):
            who = account(name)
            answer = await call(
                node.http_url, "flock_explainReward", 0, 3, encode_address(who), True
            )
            assert answer["block"] == answer["settlement"][-1]
            tree = rebuild(read_explanation(answer), headers_of(node, answer), 0, 3, who)
            assert tree.as_document() == answer["tree"]

    serve(node_of(played), work)


def test_read_proofs_of_the_node_prove_the_same_keys(played: PlayedTask) -> None:
    async def work(node: DevNode) -> None:
        who = encode_address(account("n1"))
        answer = await call(node.http_url, "flock_explainReward", 0, 1, who, True)
        for each in answer["proofs"]:
            proof = await call(node.http_url, "state_getReadProof", each["keys"], each["block"])
            assert proof["proof"] == each["proof"]

    serve(node_of(played), work)


def test_a_node_that_lies_is_found(played: PlayedTask) -> None:
    made, who = node_of(played), account("n1")
    answer = ask(made, 0, 1, encode_address(who), True)
    headers = headers_of(made, answer)

    def check(change: Callable[[Any], object], by: AccountId = who) -> None:
        lie = copy.deepcopy(answer)
        change(lie)
        rebuild(read_explanation(lie), headers, 0, 1, by)

    check(lambda _: None)
    with pytest.raises(ExplainError, match="the node's tree"):
        check(lambda lie: lie["tree"].update(result="1"))
    with pytest.raises(ExplainError, match="the node's tree"):
        check(lambda lie: lie["tree"]["parts"][0].update(formula="R"))
    with pytest.raises(ProofError):
        check(lambda lie: lie["proofs"][0]["proof"].pop())
    with pytest.raises(ProofError, match="nothing is proven of block"):
        check(lambda lie: lie["proofs"].pop())
    with pytest.raises((ProofError, ExplainError)):
        check(lambda _: None, by=account("d1"))
    with pytest.raises(BadAnswer, match="not an explanation"):
        check(lambda lie: lie.update(proofs=None))


def test_refusals(played: PlayedTask) -> None:
    async def work(node: DevNode) -> None:
        who = encode_address(account("n1"))
        refused = await call(node.http_url, "flock_explainReward", 7, 1, who)
        assert refused["code"] == 7002
        assert refused["data"] == "there is no task 7 with a day 1"
        refused = await call(node.http_url, "flock_explainReward", 0, 2**32, who)
        assert refused["code"] == -32602
        early = await call(node.http_url, "chain_getBlockHash", 40)
        refused = await call(node.http_url, "flock_explainReward", 0, 3, who, False, early)
        assert "is not settled" in refused["data"]

    serve(node_of(played), work)


def test_a_changed_record_is_named(played: PlayedTask) -> None:
    number = max(each for each in played.numbers if each < 2 * 20 + 10)
    ext = Externalities(played.numbers[number])
    arena, key = Runtime(ext, DEVNET).arena, DayKey(0, 1)
    result = arena.day_results.get(key)
    arena.day_results.put(key, replace(result, for_nodes=result.for_nodes + 1))
    changes = {each: value for each, value in ext.changes().items() if value is not None}
    changed = {number: DictState({**played.numbers[number].top, **changes})}
    refused = ask(node_of(played, changed), 0, 1, encode_address(account("n1")))
    assert refused["code"] == 7002
    assert refused["data"].startswith("R_nodes: recomputed")


# -- the command


def run_command(made: DevNode, *words: str) -> Result:
    async def work(node: DevNode) -> Result:
        command = ["explain", *words, "--rpc", node.ws_url]
        return await asyncio.to_thread(CliRunner().invoke, app, command)

    return serve(made, work)


def test_the_command_draws_the_tree(played: PlayedTask) -> None:
    who = encode_address(account("d1"))
    shown = run_command(node_of(played), who, "--task", "0", "--day", "3")
    assert shown.exit_code == 0, shown.output
    for text in ("Payout = ", "Delegation split = ", "f_i = ", "C(d) = 100000 FML", "rho = 99/100"):
        assert text in shown.stdout
    assert "Arena.DayResults" in shown.stdout
    assert "storage keys proven under state root 0x" in shown.stdout


def test_the_command_as_one_document(played: PlayedTask) -> None:
    who = account("n1")
    told = run_command(node_of(played), encode_address(who), "--task", "0", "--day", "3", "--json")
    document = json.loads(told.stdout)
    amount = sum(event.amount for event in played.paid[3] if event.who == who)
    assert document["tree"]["result"] == str(amount)
    assert document["keysProven"] > 20


def test_the_command_says_no_in_one_line(played: PlayedTask) -> None:
    who = encode_address(account("n1"))
    refused = run_command(node_of(played), who, "--task", "0", "--day", "9")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "there is no task 0 with a day 9" in refused.stderr
    assert refused.stderr.count("\n") == 1
