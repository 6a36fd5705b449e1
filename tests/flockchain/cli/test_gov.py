"""`flockchain gov` against a real node: from locks to a treasury that paid."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import Result

from flockchain.cli import gov, wallet
from flockchain.cli.gov_rules import RuleError, changed_rules
from runtime.economy.governance import GovernanceParameters, Track
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.pallets.treasury import TREASURY
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.flockchain.cli.test_chain_commands import ALICE, BOB, RUNNER, run_all
from tests.flockchain.fast_chain import fast_chain

AS_ALICE = ["--key", "//Alice", "--json"]
AS_BOB = ["--key", "//Bob", "--json"]
CAROL = "0x" + "c1" * 32


def test_a_treasury_spend_is_proposed_voted_and_paid(tmp_path: Path) -> None:
    text = tmp_path / "why.txt"
    text.write_text("Carol wrote the tutorial.")
    about = ["--about", str(text)]

    async def run() -> None:
        async with fast_chain(tmp_path / "node", [ALICE, BOB]) as chain:
            chain.seal()
            chain.seal_when_asked()

            async def invoke(*words: str) -> Result:
                app = wallet.app if words[0] == "transfer" else gov.app
                result = await asyncio.to_thread(RUNNER.invoke, app, [*words, "--rpc", chain.url])
                assert result.exit_code == 0, result.output
                return result

            async def told(*words: str) -> dict[str, object]:
                found: dict[str, object] = json.loads((await invoke(*words)).stdout)
                return found

            await invoke("transfer", "0x" + TREASURY.hex(), "20 FML", *AS_ALICE)
            locked = await told("lock", "3000 FML", "--days", "365", *AS_ALICE)
            assert locked["locked"] == str(3_000 * FML)
            await told("lock", "10 FML", *AS_BOB)
            lent = await told("delegate", BOB.address(), *AS_ALICE)
            assert lent["votes"] == BOB.address()
            made = await told("propose", "spend", CAROL, "7 FML", *about, *AS_BOB)
            assert (made["proposal"], made["track"]) == (0, "treasury")
            await told("comment", "0", str(text), *AS_ALICE)
            flagged = await told("flag", "0", "--fair", *AS_BOB)
            assert flagged["counted"] == str(3_010 * FML)
            shown = await told("show", "0", "--json")
            assert str(shown["call"]).startswith("Treasury.spend 0x")
            assert len(list(shown["comments"])) == 1  # type: ignore[call-overload]
            chain.seal(10)
            voted = await told("vote", "0", "--aye", *AS_BOB)
            assert voted["weight"] == str(9_040 * FML)
            again = await invoke("vote", "0", "--aye", "--key", "//Bob")
            assert "9040 FML" in again.stdout
            listed = await told("list", "--json")
            (row,) = listed["proposals"]  # type: ignore[misc]
            assert (row["stage"], row["turnout"]) == ("voting", str(3_010 * FML))
            assert "9040 FML" in (await invoke("list")).stdout
            chain.seal(26)
            assert (await told("show", "0", "--json"))["stage"] == "enacted"
            assert chain.runtime().balances.free(bytes.fromhex(CAROL[2:])) == 7 * FML  # type: ignore[arg-type]
            back = await told("delegate", *AS_ALICE)
            assert back["votes"] == ALICE.address()
            leaving = await told("unlock", "10 FML", *AS_BOB)
            chain.seal(int(str(leaving["free_at_block"])) - chain.backend.best.number)
            assert (await told("withdraw", *AS_BOB))["withdrawn"] == str(10 * FML)
            state = await told("status", "//Alice", "--json")
            assert (state["votes"], state["days"]) == (str(9_030 * FML), 365)

    asyncio.run(run())


def test_every_kind_of_proposal_is_made(tmp_path: Path) -> None:
    text = tmp_path / "why.txt"
    text.write_text("Because.")
    about = ["--about", str(text), *AS_ALICE]
    results, chain = run_all(
        tmp_path / "node",
        (gov.app, ["propose", "verify", "0", "--unverified", *about]),
        (gov.app, ["propose", "attest", "//Bob", "--voter", *about]),
        (gov.app, ["propose", "rules", "vesting.rank_ratio=0.9", *about]),
        (gov.app, ["propose", "rules", "--dao", "voting=30", *about]),
        (gov.app, ["propose", "call", "treasury", "0x0b00" + "01" * 32 + "04", *about]),
        (gov.app, ["propose", "call", "tasks", "0x0b00" + "01" * 32 + "04", *about]),
        (gov.app, ["vote", "0", "--aye", *AS_ALICE]),
        (gov.app, ["propose", "rules", "--market", "jury.bond=20 FML", *about]),
        (gov.app, ["propose", "rules", "--models", "host_boost=500000", *about]),
    )
    for result in results[7:]:
        assert result.exit_code == 0, result.output
    for result in results[:5]:
        assert result.exit_code == 0, result.output
    assert "Governance.NotOnTrack" in results[5].stderr
    assert "Governance.NotInVoting" in results[6].stderr
    tracks = [chain.runtime().governance.proposals.get(number).track for number in range(5)]
    assert tracks == [
        *(Track.TASKS, Track.ATTESTATION, Track.PARAMETERS, Track.PARAMETERS, Track.TREASURY),
    ]


def test_wrong_words_are_status_2(tmp_path: Path) -> None:
    text = tmp_path / "why.txt"
    text.write_text("Because.")
    for words in (
        ["propose", "call", "upgrades", "0x00", "--about", str(text), *AS_ALICE],
        ["propose", "call", "treasury", "0xzz", "--about", str(text), *AS_ALICE],
        ["lock", "1 FML", "--days", "366", *AS_ALICE],
        ["vote", "0", *AS_ALICE],
    ):
        assert RUNNER.invoke(gov.app, words).exit_code == 2, words
    missing = RUNNER.invoke(
        gov.app, ["propose", "verify", "0", "--about", str(tmp_path / "none"), *AS_ALICE]
    )
    assert missing.exit_code == 1
    assert "cannot read" in missing.stderr


def test_rules_change_by_name() -> None:
    rules = ArenaParameters()
    vesting = VestingRules(rank_ratio=Rational(9, 10), ranked_max=64)
    changed = changed_rules(rules, ["vesting.rank_ratio=0.9", "vesting.ranked_max=64"])
    assert changed == replace(rules, vesting=vesting)
    assert changed_rules(changed, ["vesting.ranked_max=none"]).vesting.ranked_max is None
    dao = changed_rules(GovernanceParameters(), ["deposit=2 FML", "quadratic=tasks,treasury"])
    assert (dao.deposit, dao.quadratic) == (2 * FML, [Track.TASKS, Track.TREASURY])


@pytest.mark.parametrize(
    "change",
    ["gamma", "no_such=1", "vesting=1", "gamma.numerator=1", "gamma=x", "gamma=2", "gamma=none"],
)
def test_what_is_no_change_of_a_rule(change: str) -> None:
    with pytest.raises(RuleError):
        changed_rules(ArenaParameters(), [change])
