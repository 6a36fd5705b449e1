"""Every payout of a three-day task, explained to the unit; a changed record is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from flockchain.economics.derivation.state_book import StateBook
from flockchain.economics.derivation.terms import ExplainError, Term, Unit
from flockchain.economics.explain import explain
from runtime.constants import DEVNET
from runtime.economy.tasks import Role
from runtime.frame.externalities import DictState, Externalities
from runtime.pallets.arena.records import Behaviour, DayKey, PaymentKind
from runtime.primitives.apportion import apportion
from runtime.runtime import Runtime
from tests.flockchain.economics.delegated_task import (
    BOUNTY,
    PlayedTask,
    names_by_account,
    play_delegated,
)
from tests.runtime.pallets.world import account
from tests.runtime.played_state import top_of

SLOW = replace(DEVNET, settlement_steps=80)  # a day's settlement takes several blocks
NAMES = names_by_account()


@pytest.fixture(scope="module")
def played() -> PlayedTask:
    return play_delegated()


def explained(played: PlayedTask, day: int, name: str) -> Term:
    books = played.settled[day]
    return explain(books[-1], played.task, day, account(name), books)


def ensure_all_explained(played: PlayedTask) -> None:
    for day, paid in played.paid.items():
        for who, name in NAMES.items():
            amount = sum(event.amount for event in paid if event.who == who)
            assert explained(played, day, name).result == amount, (day, name)


def test_every_payout_equals_what_was_paid(played: PlayedTask) -> None:
    ensure_all_explained(played)
    kinds = {event.kind for events in played.paid.values() for event in events}
    assert kinds == set(PaymentKind)


def test_settlement_over_several_blocks() -> None:
    played = play_delegated(SLOW)
    assert all(len(books) > 2 for books in played.settled.values())
    ensure_all_explained(played)


def test_self_funded_task() -> None:
    played = play_delegated(is_verified=False)
    ensure_all_explained(played)
    names = {term.name for term in explained(played, 1, "n1").walk()}
    assert "R_d" in names
    assert not names & {"R_i", "C(d)"}


def test_a_final_day_without_a_matching_data_set() -> None:
    played = play_delegated(is_data_wrong=True)
    ensure_all_explained(played)
    tree = explained(played, 3, "n1")
    assert {"Reward B", "Bounty"} <= {term.name for term in tree.walk()}
    assert named(tree, "f_i").note == (
        "9 of 9 seats or stake said that Dataset B is not what the task names"
    )


def test_a_day_that_compares_behaviour() -> None:
    played = play_delegated(duplicate_distance=3)
    ensure_all_explained(played)
    first, second = (named(explained(played, 1, name), "Fingerprint") for name in ("n1", "n2"))
    assert (first.result, first.inputs["nearest"]) == (0, "none")
    assert (second.result, second.inputs["nearest"]) == (2**32 - 1, "32")
    assert [term.inputs["compared with"] for term in (first, second)] == ["0", "1"]

    def hide_copy(runtime: Runtime) -> None:
        place = (DayKey(0, 1), 2)
        copy = runtime.arena.behaviours.get(place)
        assert copy.copy_of == 0
        runtime.arena.behaviours.put(place, replace(copy, copy_of=None))

    def change_fingerprint(runtime: Runtime) -> None:
        runtime.arena.behaviours.put((DayKey(0, 1), 0), Behaviour(1))

    books = played.settled[1]
    for change, term in ((hide_copy, "copies"), (change_fingerprint, "fingerprint")):
        with pytest.raises(ExplainError, match=f"^{term}: recomputed"):
            explain(tampered(books[-1], change), 0, 1, account("n1"), books)


@pytest.mark.parametrize("steps", [160, 6_000])
def test_a_held_day_is_explained_as_it_is_paid_with_the_next(steps: int) -> None:
    preset = replace(DEVNET, settlement_steps=steps)
    played = play_delegated(preset, hidden={"n2": True, "n3": False})
    ensure_all_explained(played)
    tree = explained(played, 2, "n2")
    assert named(tree, "k").result == 1
    assert named(tree, "k").inputs["ranked"] == "2"  # n3 opened nothing
    assert named(tree, "Reward A").note == (
        "the day's nodes were ranked and paid with the next day: they could open aliases until then"
    )
    assert named(tree, "Paid").result == named(tree, "Delegation split").result
    assert explained(played, 2, "n3").result == 0
    assert named(explained(played, 3, "n2"), "R_B").result == sum(
        played.world.arena.day_results.get(DayKey(0, day)).vested for day in (1, 2, 3)
    )


def test_a_day_that_is_held_has_paid_its_validators() -> None:
    played = play_delegated(hidden={"n2": True, "n3": True}, days=2)
    ensure_all_explained(played)
    assert explained(played, 2, "v3").result
    tree = explained(played, 2, "n2")
    assert (tree.result, tree.note) == (
        0,
        "the day's nodes are ranked and paid with the next day, as aliases may be opened yet",
    )


def named(term: Term, name: str) -> Term:
    return next(each for each in term.walk() if each.name == name)


def test_reward_a_goes_down_to_the_curve(played: PlayedTask) -> None:
    tree = explained(played, 1, "d1")
    chain = ["Delegation split", "Paid", "Reward A", "f_i", "g_k", "k", "r_i", "t_i"]
    chain += ["R_A", "R_nodes", "T + S", "R_i", "S_i", "R^AI", "C(d)"]
    assert set(chain) <= {term.name for term in tree.walk()}
    assert named(tree, "C(d)").inputs["rho"] == "99/100"
    assert named(tree, "C(d)").result == 100_000 * 10**18
    assert named(tree, "g_k").unit is Unit.SHARE
    split = named(tree, "Delegation split")
    assert split.inputs["rho"] == "3/5"
    assert split.inputs["t"] == str(7 * 10**18)
    assert isinstance(named(tree, "r_i").result, Fraction)


def test_validation_sums_shares_over_submissions(played: PlayedTask) -> None:
    tree = explained(played, 1, "v3")
    total = named(tree, "Σ f_ij")
    assert total.result == sum(int(part.result) for part in total.parts)
    assert {part.name for part in total.parts} == {"f_ij"}
    assert "Slashed stake" in {term.name for term in explained(played, 2, "v3").walk()}


def test_reward_b_goes_by_the_stakes_of_all_days(played: PlayedTask) -> None:
    tree = explained(played, 3, "n2")
    pool = named(tree, "R_B")
    assert sum(int(amount) for amount in pool.inputs.values()) == pool.result
    days = next(term for term in tree.walk() if term.unit is Unit.PLANCK_DAYS)
    assert days.result == (20 + 20 + 29) * 10**18


def test_a_bounty_goes_down_to_its_payers(played: PlayedTask) -> None:
    tree = explained(played, 3, "d1")  # behind a node and a validator
    bounties = [term for term in tree.walk() if term.name == "Bounty"]
    assert [term.source for term in bounties] == ["WP III.B.1"] * 2
    assert named(tree, "B").result == sum(BOUNTY.values())
    assert named(tree, "B").note is None
    half = apportion(sum(BOUNTY.values()), [1, 1])
    assert [named(tree, name).result for name in ("B_nodes", "B_validators")] == half
    assert named(tree, "B_nodes").inputs["T"] == str((50 + 50 + 57) * 10**18)
    days = named(tree, "Σ_d share")
    assert sum(int(share) for share in days.inputs.values()) == days.result
    assert list(days.inputs) == ["day 1", "day 2", "day 3"]


def test_the_keys_alone_are_enough_to_explain(played: PlayedTask) -> None:
    books = {book.block: book for book in played.settled[3]}
    for name in ("n1", "d1", "v3", "creator"):
        tree = explained(played, 3, name)
        known = []
        for block, keys in tree.keys_by_block().items():
            state = books[block].state
            held = {key: value for key in keys if (value := state.get(key)) is not None}
            known.append(StateBook(block, DictState(held)))
        assert all(len(book.state.top) < 80 for book in known)  # type: ignore[attr-defined]
        main = next(book for book in known if book.block == played.settled[3][-1].block)
        again = explain(main, 0, 3, account(name), known)
        assert again.as_document() == tree.as_document()


def test_who_got_nothing(played: PlayedTask) -> None:
    nobody = explain(played.settled[1][-1], 0, 1, account("idle"))
    assert (nobody.result, nobody.parts) == (0, ())


def test_stakes_that_are_freed_come_from_the_events(played: PlayedTask) -> None:
    later = StateBook(played.settled[3][-1].block, DictState(top_of_later(played)))
    paid = sum(event.amount for event in played.paid[1] if event.who == account("d1"))
    tree = explain(later, 0, 1, account("d1"), played.settled[1])
    assert tree.result == paid
    assert "Paid events" in str(named(tree, "Delegation split").note)
    with pytest.raises(ExplainError, match="are not known after block"):
        explain(later, 0, 1, account("n1"))
    with pytest.raises(ExplainError, match="f_i: the stakes"):
        explain(later, 0, 3, account("n1"), played.settled[3])


def top_of_later(played: PlayedTask) -> dict[bytes, bytes]:
    world = played.world
    if world.number < 100:
        world.go_to(5)
    return top_of(world)


def test_unsettled_days_have_no_explanation(played: PlayedTask) -> None:
    with pytest.raises(ExplainError, match="day 9 of task 0 is not settled"):
        explain(played.settled[3][-1], 0, 9, account("n1"))


# -- a changed record is found


def tampered(book: StateBook, change: Callable[[Runtime], None]) -> StateBook:
    ext = Externalities(book.state)
    change(Runtime(ext, DEVNET))
    top = {**dict(book.state.pairs(b"")), **ext.changes()}
    return StateBook(book.block, DictState({k: v for k, v in top.items() if v is not None}))


def change_result(runtime: Runtime, **changes: Any) -> None:
    key = DayKey(0, 1)
    runtime.arena.day_results.put(key, replace(runtime.arena.day_results.get(key), **changes))


def change_payment(runtime: Runtime) -> None:
    key = DayKey(0, 1)
    first, *rest = runtime.arena.payments.get(key)
    runtime.arena.payments.put(key, [replace(first, amount=first.amount + 1), *rest])


def change_ballot(runtime: Runtime) -> None:
    place = (DayKey(0, 1), 0)
    first, *rest = runtime.arena.ballots.get(place)
    runtime.arena.ballots.put(place, [replace(first, weight=first.weight + 1), *rest])


def drop_ballot(runtime: Runtime) -> None:
    place = (DayKey(0, 1), 0)
    runtime.arena.ballots.put(place, runtime.arena.ballots.get(place)[1:])


def change_task_stake(runtime: Runtime) -> None:
    place = (0, Role.CREATOR)
    total = runtime.delegation.totals.get(place)
    runtime.delegation.totals.put(place, replace(total, snapshot=0, amount=1))


def change_allotment(runtime: Runtime) -> None:
    found = runtime.emission.allotments.get(1)
    runtime.emission.allotments.put(1, replace(found, emission=found.emission + 1))


def change_stake(runtime: Runtime) -> None:
    place = (0, account("n1"))
    found = runtime.delegation.operators.get(place)
    own = replace(found.own, snapshot=found.own.snapshot + 1, amount=found.own.amount + 1)
    runtime.delegation.operators.put(place, found.with_own(own))


def change_share(runtime: Runtime) -> None:
    first, *rest = runtime.arena.day_results.get(DayKey(0, 1)).ranking
    change_result(runtime, ranking=[replace(first, share=first.share + 1), *rest])


def swap_ranks(runtime: Runtime) -> None:
    first, second, *rest = runtime.arena.day_results.get(DayKey(0, 1)).ranking
    ranked = [replace(second, stake=first.stake), replace(first, stake=second.stake)]
    shares = [first.share, second.share]
    ranked = [replace(node, share=share) for node, share in zip(ranked, shares, strict=True)]
    change_result(runtime, ranking=[*ranked, *rest])


@pytest.mark.parametrize(
    ("change", "term"),
    [
        (change_payment, "payments REWARD_A"),
        (change_ballot, "consensus score of submission 0"),
        (drop_ballot, "consensus score of submission 0"),
        (change_task_stake, "S_i"),
        (change_allotment, "R^AI"),
        (change_stake, "t_i"),
        (change_share, "f_i"),
        (swap_ranks, "payments REWARD_A"),
        (lambda runtime: change_result(runtime, reward=1), "R_creator"),
        (lambda runtime: change_result(runtime, node_stake=1), "T and S"),
    ],
)
def test_a_changed_record_is_found(
    played: PlayedTask, change: Callable[[Runtime], None], term: str
) -> None:
    books = played.settled[1]
    book = tampered(books[-1], change)
    with pytest.raises(ExplainError, match=f"^{term.replace('^', '.')}: recomputed"):
        explain(book, 0, 1, account("n1"), books)


def change_bounty(runtime: Runtime, **changes: Any) -> None:
    runtime.arena.bounty_results.put(0, replace(runtime.arena.bounty_results.get(0), **changes))


def change_validator_record(runtime: Runtime) -> None:
    place = (0, account("v3"))
    runtime.arena.validator_records.put(place, runtime.arena.validator_records.get(place) + 1)


def drop_payer(runtime: Runtime) -> None:
    change_bounty(runtime, payers=runtime.arena.bounty_results.get(0).payers[1:])


@pytest.mark.parametrize(
    ("change", "name", "term"),
    [
        (drop_payer, "n1", "B_nodes"),
        (drop_payer, "v3", "B_validators"),
        (lambda runtime: change_bounty(runtime, node_stake=1), "n1", "T and S of all days"),
        (lambda runtime: change_bounty(runtime, for_nodes=1), "n1", "B_nodes"),
        (lambda runtime: change_bounty(runtime, for_validators=1), "v3", "B_validators"),
        (change_validator_record, "v3", "Σ_d share of all"),
        (lambda runtime: runtime.arena.bounty_results.remove(0), "n1", "bounty"),
    ],
)
def test_a_changed_bounty_is_found(
    played: PlayedTask, change: Callable[[Runtime], None], name: str, term: str
) -> None:
    books = played.settled[3]
    book = tampered(books[-1], change)
    with pytest.raises(ExplainError, match=f"^{term}: (recomputed|its record was dropped)"):
        explain(book, 0, 3, account(name), books)


def test_a_ballot_that_is_left_out_is_found_by_its_validator(played: PlayedTask) -> None:
    books = played.settled[1]
    with pytest.raises(
        ExplainError, match=r"^(consensus score of submission 0|Σ f_ij): recomputed"
    ):
        explain(tampered(books[-1], drop_ballot), 0, 1, account("v3"), books)


def test_a_delegator_that_is_left_out_is_found(played: PlayedTask) -> None:
    books = played.settled[1]
    state = books[-1].state
    delegations = books[-1].open().runtime.delegation.delegations
    top = {
        key: raw
        for key, raw in state.pairs(b"")
        if not (key.startswith(delegations.prefix) and key.endswith(account("d2")))
    }
    with pytest.raises(ExplainError, match=r"^T_d: recomputed"):
        explain(StateBook(books[-1].block, DictState(top)), 0, 1, account("n1"), books)
