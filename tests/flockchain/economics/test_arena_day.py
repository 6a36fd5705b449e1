"""A day of the arena: cuts, ties, baseline, missing scores, other full scales, refusals."""

from typing import Any

import pytest

from flockchain.economics.evaluate import evaluate
from flockchain.economics.fields import ScenarioError
from runtime.primitives.apportion import apportion

FML = 10**18


def day(scores: dict[str, dict[str, int]], **fields: Any) -> dict[str, Any]:
    """100 FML to nodes and 100 to validators; everyone stakes 100 FML unless `fields` say more."""
    names = sorted({name for given in scores.values() for name in given})
    return {
        "kind": "arena_day",
        "reward": str(200 * FML),
        "delta": "1",
        "nodes": [{"id": name, "own": str(100 * FML)} for name in names],
        "validators": [
            {"id": name, "own": str(100 * FML), "scores": given} for name, given in scores.items()
        ],
        **fields,
    }


def ranking_of(scenario: dict[str, Any]) -> object:
    return evaluate(scenario)["ranking"]


def payouts_of(scenario: dict[str, Any]) -> dict[str, int]:
    payouts = evaluate(scenario)["payouts"]
    assert isinstance(payouts, dict)
    return {name: int(amount) for name, amount in payouts.items()}


THREE = {"v1": {"n1": 300, "n2": 900, "n3": 600}, "v2": {"n1": 300, "n2": 900, "n3": 600}}


def test_k1_cuts_the_ranking_before_g_is_renormalised() -> None:
    scenario = day(THREE, k1=2)
    assert ranking_of(scenario) == ["n2", "n3"]
    payouts = payouts_of(scenario)
    assert [payouts["n2"], payouts["n3"]] == apportion(100 * FML, [20, 17])
    assert "n1" not in payouts


def test_k2_keeps_the_largest_shares_with_ties_by_account() -> None:
    payouts = payouts_of(day({**THREE, "v0": THREE["v1"]}, k2=2))
    assert {name: amount for name, amount in payouts.items() if name[0] == "v"} == {
        "v0": 50 * FML,
        "v1": 50 * FML,
    }


def test_ties_go_to_the_earliest_commitment() -> None:
    tied = {"v1": {"n1": 5, "n2": 5, "n3": 5}}
    nodes = [
        {"id": name, "own": str(FML), "committed_at": at}
        for name, at in (("n1", 30), ("n2", 10), ("n3", 20))
    ]
    assert ranking_of(day(tied, nodes=nodes)) == ["n2", "n3", "n1"]


@pytest.mark.parametrize(("baseline", "ranking"), [(299, ["n2", "n3", "n1"]), (300, ["n2", "n3"])])
def test_only_scores_above_the_baseline_are_ranked(baseline: int, ranking: list[str]) -> None:
    assert ranking_of(day(THREE, baseline=baseline)) == ranking


def test_a_day_without_a_ranking_pays_validators_only_and_vests_nothing() -> None:
    answer = evaluate(day(THREE, baseline=900, delta="1/10"))
    assert answer == {
        "payouts": {"v1": str(50 * FML), "v2": str(50 * FML)},
        "vesting": "0",
        "ranking": [],
    }


def test_a_liar_earns_nothing_under_the_outlier_rule() -> None:
    scores = {name: {"n1": 800_000_000} for name in ("v1", "v2", "v3")}
    scores["v4"] = {"n1": 50_000_000}
    assert "v4" not in payouts_of(day(scores))
    assert payouts_of(day(scores, outliers=False))["v4"] > 0


def test_a_submission_is_unranked_if_less_than_half_of_the_stake_scored_it() -> None:
    both, one = {"n1": 500, "n2": 600}, {"n1": 500}
    half = day({"v1": both, "v2": one})
    assert ranking_of(half) == ["n2", "n1"]
    less = day({"v1": both, "v2": one})
    less["validators"][1]["own"] = str(101 * FML)
    assert ranking_of(less) == ["n1"]


def test_full_scale_is_only_a_unit() -> None:
    def scaled(unit: int) -> dict[str, Any]:
        rows = {"v1": (90, 50), "v2": (80, 60), "v3": (70, 60)}
        scores = {name: {"n1": a * unit, "n2": b * unit} for name, (a, b) in rows.items()}
        return evaluate(day(scores, full_scale=100 * unit))

    assert scaled(1) == scaled(10**7) == scaled(12_345)


def test_delegators_of_validators_share_too() -> None:
    scenario = day({"v1": {"n1": 5}})
    scenario["validators"][0] |= {"share": "1/2", "delegations": {"d1": str(300 * FML)}}
    payouts = payouts_of(scenario)
    # d: 1/2 * 300/400 of the validators' 100 FML.
    assert (payouts["v1"], payouts["d1"]) == (62 * FML + FML // 2, 37 * FML + FML // 2)


def test_a_side_without_stake_mints_nothing() -> None:
    scenario = day(THREE)
    for validator in scenario["validators"]:
        validator["own"] = "0"
    assert evaluate(scenario) == {"payouts": {}, "vesting": "0", "ranking": []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q": "6/5"}, "scenario.q: 6/5 is above 1"),
        ({"k1": 0}, "scenario.k1: a cut to the best 0 would pay nobody"),
        ({"alpha_t": "5"}, "scenario.parameters: node_alpha is 5/1, at most 4 in 1/1000ths"),
        ({"full_scale": 0}, "scenario.full_scale: 1 to 1000000000, not 0"),
        ({"full_scale": 500}, "scenario.validators[0].scores.n2: 900 is above 500"),
        ({"baseline": 10**10}, "scenario.baseline: 10000000000 is above full scale"),
        ({"reward": str(2**97)}, "scenario.reward: 158456325028528675187087900672 is above 2^96"),
        ({"nodes": [{"id": "n1", "own": 1}]}, "scenario.validators[0].scores.n2: there is no such"),
        ({"lamda": "2"}, "scenario.lamda: no such field"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        evaluate(day(THREE, **change))
    assert str(refusal.value).startswith(message)


def test_an_account_has_one_role() -> None:
    scenario = day(THREE)
    scenario["validators"][0]["id"] = "n1"
    with pytest.raises(ScenarioError, match=r"^scenario\.n1: an account has one role in a task$"):
        evaluate(scenario)


def test_a_node_may_not_back_its_jury() -> None:
    scenario = day(THREE)
    scenario["validators"][0]["delegations"] = {"n1": "5"}
    with pytest.raises(ScenarioError, match=r"^v1: The account would be a node and back a valid"):
        evaluate(scenario)


def test_stakes_that_no_chain_could_hold_are_refused() -> None:
    scenario = day(THREE)
    scenario["nodes"][0]["own"] = str(2**96)
    with pytest.raises(ScenarioError, match=r"^scenario\.nodes: the stakes sum to more than 2\^96"):
        evaluate(scenario)
