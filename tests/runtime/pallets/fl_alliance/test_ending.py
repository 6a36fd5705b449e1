"""What is kept of rounds and tasks, for how long, and that dropping it takes few steps a block."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.frame.origin import signed
from runtime.pallets.fl_alliance.records import EndedTask, MemberStatus, RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, Stage
from runtime.primitives.rational import Rational
from tests.runtime.pallets.fl_alliance.alliance_world import Alliance, new_alliance, no, yes
from tests.runtime.pallets.world import account


def entries(made: Alliance, round_: int) -> dict[str, int]:
    """How many records there are of a round."""
    pallet, key = made.pallet, RoundKey(1, round_)
    items = {
        "proofs": pallet.check_ins,
        "proposals": pallet.proposals,
        "votes": pallet.votes,
        "payments": pallet.payments,
    }
    counts = {name: sum(1 for _ in item.items_of(key)) for name, item in items.items()}
    counts["rounds"] = pallet.rounds.contains(key) + pallet.results.contains(key)
    return counts


def play_with_proofs(made: Alliance) -> None:
    """A round in which everybody posts a proof and does all it should."""
    made.go_to(Stage.CHECK_IN)
    made.check_in(*"abcde")
    made.go_to(Stage.PROPOSE)
    proposers, voters = made.roles()
    made.propose(*proposers)
    made.report_all(voters)
    made.vote(dict.fromkeys(voters, yes()))


@pytest.mark.parametrize("steps", [1, 1_000])
def test_proofs_stay_for_a_round_and_the_rest_for_as_many_as_are_kept(steps: int) -> None:
    made = new_alliance(*"abcde", rounds=100)
    made.pallet.config = replace(made.pallet.config, kept_rounds=3, steps_per_block=steps)
    whole = {"proofs": 0, "proposals": 1, "votes": 3, "payments": 4, "rounds": 2}
    for _ in range(5):
        play_with_proofs(made)
    made.go_to(Stage.CHECK_IN)
    gone = dict.fromkeys(whole, 0)
    assert [entries(made, round_) for round_ in range(4)] == [gone, gone, whole, whole]
    assert entries(made, 4) == {**whole, "proofs": 5}
    assert made.pallet.runs.get(1).kept_from == 2


@pytest.mark.parametrize("steps", [1, 1_000])
def test_an_ended_task_is_forgotten_but_for_what_is_unclaimed(steps: int) -> None:
    made = new_alliance(*"abcde", rounds=2, slash=Rational(1, 1))
    pallet = made.pallet
    pallet.config = replace(pallet.config, kept_days=3, steps_per_block=1_000, unbonding_days=0)
    made.play("a", {"b": yes(), "c": yes(), "d": no()})
    pallet.claim(signed(account("d")), 1)
    assert made.member("d").status is MemberStatus.GONE
    made.play("a", {"b": yes(), "c": yes()})
    assert pallet.get_task(1).ended is EndReason.ALL_ROUNDS
    day = pallet.today()
    assert pallet.ended.get() == [EndedTask(1, day)]
    pallet.claim(signed(account("a")), 1)
    pallet.config = replace(pallet.config, steps_per_block=steps)
    while pallet.today() < day + 3:
        assert entries(made, 1)["payments"] == 3
        made.world.next_block()
    blocks = 0
    while pallet.ended.get():
        made.world.next_block()
        blocks += 1
    assert (blocks > 10) == (steps == 1)
    assert [sum(entries(made, round_).values()) for round_ in (0, 1)] == [0, 0]
    assert list(pallet.vrf_keys.items_of(1)) == list(pallet.proposed.items_of(1)) == []
    assert sorted(who for who, _ in pallet.members.items_of(1)) == [account(n) for n in "bce"]
    assert sorted(who for _, who in pallet.roster.items_of(1)) == [account(n) for n in "bce"]
    for name in "bce":
        pallet.claim(signed(account(name)), 1)
    assert list(pallet.members.items_of(1)) == list(pallet.roster.items_of(1)) == []
    assert list(pallet.memberships.keys()) == []
    assert pallet.get_task(1).ended is EndReason.ALL_ROUNDS
    made.world.check()


def test_forgetting_waits_for_its_turn() -> None:
    made = new_alliance()
    made.pallet.cancel_task(signed(account("creator")), 1)
    made.pallet.config = replace(made.pallet.config, kept_days=1_000)
    for _ in range(25):
        made.world.next_block()
    assert made.pallet.ended.get() == [EndedTask(1, 0)]
