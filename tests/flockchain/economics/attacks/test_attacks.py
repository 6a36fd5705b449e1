"""What attacks earn: the sign of every claim on a thinned-out table, the page and its plots."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flockchain.cli.economics import app
from flockchain.economics.attacks.document import render, write_page
from flockchain.economics.attacks.findings import Finding, Plot, Row, show_fml
from flockchain.economics.attacks.stage import Rules, Stage
from flockchain.economics.attacks.table import study_attacks
from runtime.constants import MAINNET
from runtime.pallets.delegation.records import StakeTooLow
from runtime.primitives.types import FML

ROOT = Path(__file__).resolve().parents[4]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def findings() -> dict[str, Finding]:
    return {finding.code: finding for finding in study_attacks(is_thin=True)}


def gains(finding: Finding, part: str) -> list[int]:
    found = [row.gain for row in finding.rows if part in row.case]
    assert found, part
    return found


def test_every_claim_of_the_specification_holds(findings: dict[str, Finding]) -> None:
    assert list(findings) == ["A1", "A2", "A4", "A5", "A6", "A8"]
    assert [finding.failures() for finding in findings.values()] == [[]] * 6


def test_exact_clones_never_gain_and_near_clones_do(findings: dict[str, Finding]) -> None:
    assert max(gains(findings["A1"], "exact clones")) <= -MAINNET.registration_fee
    # At the alphas of the thin table, 0 and 1.
    assert min(gains(findings["A1"], "near clones, α")) > 0


def test_near_clones_that_are_compared_never_gain(findings: dict[str, Finding]) -> None:
    a1 = findings["A1"]
    compared = [row for row in a1.rows if row.case.startswith("near clones compared")]
    assert [row.claim for row in compared] == ["<= 0"] * 6
    assert max(row.gain for row in compared) <= -MAINNET.registration_fee
    # As exact clones do: the first ranks, the others' stake earns nothing.
    assert gains(a1, "near clones compared, α = 1") == gains(a1, "exact clones, α = 1")


def test_exact_clones_without_weight_by_stake_cost_their_fees(
    findings: dict[str, Finding],
) -> None:
    assert gains(findings["A1"], "exact clones, α = 0, n = 20") == [-19 * 10 * FML]


def test_a_split_stake_gains_only_below_alpha_one(findings: dict[str, Finding]) -> None:
    a2 = findings["A2"]
    assert gains(a2, "by stake, α_v = 1, n = 20") == [-19 * 10 * FML]
    assert max(gains(a2, "by stake, α_v = 3/2")) < 0
    assert min(gains(a2, "by stake, α_v = 1/2")) > 0
    assert max(gains(a2, "committees")) < 0
    assert a2.checks["seats are drawn by stake, however it is split and whatever the quotas"]


def test_copied_scores_lose(findings: dict[str, Finding]) -> None:
    a4 = findings["A4"]
    assert a4.checks["a copied commitment cannot be opened"]
    assert [row.attack < 0 for row in a4.rows[:2]] == [True, True]
    assert max(row.gain for row in a4.rows) < 0


def test_collusion_turns_at_half_of_the_stake(findings: dict[str, Finding]) -> None:
    by_stake = gains(findings["A5"], "by stake")
    assert [gain > 0 for gain in by_stake] == [False, False, True]


def test_reward_b_outweighs_reward_a(findings: dict[str, Finding]) -> None:
    lost, second_worst, best = (row.gain for row in findings["A6"].rows)
    assert lost < second_worst < 0 < best


def test_free_riders(findings: dict[str, Finding]) -> None:
    a8 = findings["A8"]
    assert [row.attack for row in a8.rows[:3]] == [-MAINNET.registration_fee] * 3
    assert gains(a8, "without a baseline")[0] > 0


def test_an_identity_below_the_minimum_is_refused() -> None:
    with pytest.raises(StakeTooLow):
        Stage(Rules(), {"node": MAINNET.node_stake - 1}, {})


def test_a_claim_that_fails_is_told() -> None:
    plot = Plot("p", "t", "x", "y", {})
    finding = Finding("X", "x", "", [Row("case", 1, 2, "<= 0")], [], plot, {"check": False})
    assert finding.failures() == ["case: 1 > 0", "check"]
    assert "**fails**: check" in render([finding])


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0.00"), (-1, "0.00"), (1_234_565 * FML // 1000, "1,234.57"), (-FML // 2, "-0.50")],
)
def test_amounts_are_rounded_half_away_from_zero(amount: int, text: str) -> None:
    assert show_fml(amount) == text


def test_the_page_and_its_plots_are_written(tmp_path: Path, findings: dict[str, Finding]) -> None:
    page, *plots = write_page(list(findings.values()), tmp_path / "attacks.md")
    assert page.read_text(encoding="utf-8").startswith("# What attacks on the AI Arena earn\n")
    assert len(plots) == 6
    assert [plot.read_bytes()[:8] for plot in plots] == [PNG] * 6


def test_the_command_prints_the_same_table_on_every_run(findings: dict[str, Finding]) -> None:
    result = CliRunner().invoke(app, ["attacks", "--thin", "--json"])
    assert result.exit_code == 0
    again = json.loads(json.dumps([finding.as_document() for finding in findings.values()]))
    assert json.loads(result.stdout) == again


@pytest.mark.long
def test_the_page_in_the_tree_is_up_to_date() -> None:
    page = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")
    assert page == render(study_attacks()), "run flockchain economics attacks --write"
