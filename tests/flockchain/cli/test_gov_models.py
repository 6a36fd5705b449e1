"""`flockchain gov models` and `vote-models` against a real node, and what RPC says of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import Result

from flockchain.cli import gov
from runtime.primitives.content_id import cid_text
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML
from runtime.runtime import Runtime
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, RUNNER
from tests.flockchain.cli.test_market import genesis_with
from tests.flockchain.fast_chain import fast_chain
from tests.flockchain.rpc.rpc_client import call

FIRST, SECOND = sorted((blake2b_256(b"one"), blake2b_256(b"two")))
CID, OTHER = cid_text(FIRST), cid_text(SECOND)
AS_ALICE = ["--key", "//Alice", "--json"]
SEASON, DAY = 60, 20


def with_payments() -> dict[bytes, bytes]:
    """Block 0 in which Alice and Bob have paid for two models."""

    def record(runtime: Runtime) -> None:
        for task, model in enumerate((FIRST, SECOND)):
            runtime.models.record_model(task, model, 0, BOB.account, (1, 1), [])
            for payer in (ALICE, BOB):
                runtime.trends.note_payment(payer.account, model, (4 - task) * FML)

    return genesis_with(record)


def test_models_are_listed_voted_on_and_boosted(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB], with_payments()) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def invoke(*words: str, status: int = 0) -> Result:
                given = [*words, "--rpc", chain.url]
                result = await asyncio.to_thread(RUNNER.invoke, gov.app, given)
                assert result.exit_code == status, (words, result.output)
                return result

            async def told(*words: str) -> dict[str, object]:
                found: dict[str, object] = json.loads((await invoke(*words)).stdout)
                return found

            await told("lock", "300 FML", *AS_ALICE)
            listed = await told("models", "--json")
            assert [each["model"] for each in listed["top"]] == [CID, OTHER]  # type: ignore[attr-defined]
            assert (listed["season"], listed["vote"]) == (0, None)
            lists = await call(chain.url, "flock_seasonLists")
            assert [each["counted"] for each in lists["top"]] == [str(8 * FML), str(6 * FML)]
            early = await invoke("vote-models", f"{CID}=100", *AS_ALICE, status=1)
            assert "Trends.NoPoll" in early.stderr
            chain.seal(SEASON - chain.backend.best.number)
            voted = await told("vote-models", f"{CID}=60%", f"{OTHER}=20", *AS_ALICE)
            assert (voted["models"], voted["weight"]) == (2, str(300 * FML))
            vote = (await told("models", "--account", "//Alice", "--json"))["vote"]
            assert isinstance(vote, dict)
            assert vote["ballot"]["shares"] == {CID: "60%", OTHER: "20%"}
            assert [each["votes"] for each in vote["candidates"]] == [
                *(str(180 * FML), str(60 * FML)),
            ]
            shown = (await invoke("models", "--account", "//Alice")).stdout
            assert "180 FML" in shown
            poll = await call(chain.url, "flock_modelPoll")
            assert (poll["isOpen"], poll["turnout"]) == (True, str(300 * FML))
            ballot = await call(chain.url, "flock_modelBallot", ALICE.address())
            assert ballot["weight"] == str(300 * FML)
            in_hex = "0x" + ALICE.account.hex()
            assert await call(chain.url, "flock_modelBallot", in_hex) == ballot
            assert await call(chain.url, "flock_modelBallot", BOB.address()) is None
            chain.seal(DAY)
            found = await told("models", "--json")
            assert found["multipliers"] == [
                {"model": CID, "host": "1.6", "royalty": "1.3"},
                {"model": OTHER, "host": "1.2", "royalty": "1.1"},
            ]
            multipliers = await call(chain.url, "flock_modelMultipliers")
            assert [each["host"] for each in multipliers] == ["1600000", "1200000"]
            assert (await call(chain.url, "flock_trendParameters"))["quorum"] == "1/10"
            refused = await call(chain.url, "flock_modelBallot", "nobody")
            assert refused["code"] == -32602
            chain.runtime().try_state()

    asyncio.run(run())


def test_what_is_no_part_of_a_ballot_is_status_2() -> None:
    for text in ("60", f"{CID}=", f"{CID}=0", f"{CID}=101", f"{CID}=0.00001", "x=50"):
        result = RUNNER.invoke(gov.app, ["vote-models", text, "--key", "//Alice"])
        assert result.exit_code == 2, text
