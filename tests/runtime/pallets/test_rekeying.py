"""swap_key moves all that an account owns, is refused while that would disturb a day, and is a
bijection on the state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.keys import KeyPair, key_pair_from_uri
from runtime import frame
from runtime.constants import DEVNET, MAINNET
from runtime.frame.account import AccountInfo
from runtime.frame.dispatch import Dispatcher
from runtime.frame.errors import TransactionValidityError
from runtime.frame.origin import signed
from runtime.frame.pallet import encode_call
from runtime.frame.traits import HoldReason
from runtime.pallets import multisig, preimage, rekeying, system
from runtime.pallets.arena import events
from runtime.pallets.arena.records import Account
from runtime.pallets.arena.seals import seal_submission
from runtime.pallets.delegation.records import NotRegistered
from runtime.pallets.fl_alliance.stages import EndReason
from runtime.primitives.hashing import twox_128
from runtime.primitives.multi import Ed25519
from runtime.primitives.types import FML, U32, AccountId
from runtime.runtime import PALLETS, weights_of
from tests.runtime.block_chain import ALICE, AUTHOR, RICH, Chain, free_of, remark
from tests.runtime.pallets import test_random_operations as plays
from tests.runtime.pallets.fl_alliance.alliance_world import new_alliance
from tests.runtime.pallets.world import (
    MODELS,
    SCORES,
    VALIDATORS,
    World,
    account,
    new_world,
    score,
    submit,
    submitted,
    terms,
    with_participants,
)

ONE, TWO = (key_pair_from_uri(f"//rekeying//{n}", "ed25519") for n in (1, 2))
SAME = dict.fromkeys(VALIDATORS, SCORES)


@dataclass
class Bonded:
    """Who has bonded for the chain's proof of stake; mostly nobody."""

    who: AccountId | None = None

    def is_bonded(self, who: AccountId) -> bool:
        return who == self.who


@dataclass
class Engaged:
    """Who has locked tokens to vote; mostly nobody."""

    who: AccountId | None = None

    def is_engaged(self, who: AccountId) -> bool:
        return who == self.who


def rekeying_of(world: World, **config: int) -> rekeying.Rekeying:
    return rekeying.Rekeying(
        world.ext,
        rekeying.Config(world.preset.calendar, **config),
        block=world.system,
        accounts=world.system,
        bonds=Bonded(),
        votes=Engaged(),
        market=Engaged(),
        pallets=(*world.pallets, *depositing(world)),
    )


def depositing(world: World) -> tuple[frame.Pallet[Any], ...]:
    """Pallets whose entries are reached by who has deposited for them."""
    by_type = {type(pallet): pallet for pallet in world.pallets}
    dispatcher = Dispatcher(world.ext, by_type.__getitem__, system.CallFiltered)
    return (
        multisig.Multisig(
            world.ext,
            multisig.Config(),
            dispatcher=dispatcher,
            currency=world.balances,
            block=world.system,
        ),
        preimage.Preimage(world.ext, preimage.Config(), currency=world.balances),
    )


def consent(world: World, old: AccountId, new: KeyPair) -> Ed25519:
    count = rekeying_of(world).consents.get(new.account)
    message = rekeying.consent_message(world.system.genesis_hash(), old, new.account, count)
    return Ed25519(new.sign(message))


def swap(world: World, old: AccountId, new: KeyPair) -> None:
    pallet = rekeying_of(world)
    with world.ext.transaction():
        pallet.swap_key(signed(old), new.account, consent(world, old, new))


def state_of(world: World) -> dict[bytes, bytes]:
    """All but the count of consents."""
    counts = twox_128(b"Rekeying")
    top = {**world.state.top, **world.ext.changes()}
    return {k: v for k, v in top.items() if v is not None and not k.startswith(counts)}


def running_world(days: int = 3) -> World:
    """Day 2, submit window: day 1 was played; idle backs n1 and n2, and three pay a bounty."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=days))
    with_participants(world, 0)
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 40 * FML)
    world.ledger.delegate(signed(account("idle")), 0, account("n2"), 20 * FML)
    for name in ("n3", "idle", "v1"):
        world.tasks.add_bounty(signed(account(name)), 0, 7 * FML)
    submit(world, 1, 0, MODELS)
    score(world, 1, 0, SAME)
    world.go_to(2, 2)
    return world


def test_every_item_with_accounts_is_handled_and_no_rule_is_stale() -> None:
    rekeying.ensure_all_handled(PALLETS)
    stored = {
        f"{pallet.__name__}.{item.name}" for pallet in PALLETS for item in pallet.storage_items
    }
    listed = (*rekeying.BY_TASK, *rekeying.BY_OPERATOR, *rekeying.OF_TASK, *rekeying.IN_TASK)
    listed = (*listed, *rekeying.BY_DEPOSITOR, *rekeying.BY_DEPOSITOR.values())
    assert stored >= {*listed, *rekeying.STAYS}
    assert not {*listed} & {*rekeying.STAYS}


def test_an_item_without_a_rule_is_found() -> None:
    class Stranger(frame.Pallet[object], index=250):
        friends = frame.StorageMap[int, AccountId](U32, AccountId)
        plain = frame.StorageMap[int, int](U32, U32)
        chief = frame.StorageValue[AccountId](AccountId)

    assert rekeying.unhandled_items([Stranger]) == ["Stranger.friends"]
    with pytest.raises(TypeError, match=r"Stranger\.friends"):
        rekeying.ensure_all_handled([Stranger])


@pytest.mark.parametrize("name", ["creator", "idle", "n1", "v1"])
def test_swapping_there_and_back_restores_every_byte(name: str) -> None:
    world = running_world()
    swap(world, account(name), ONE)
    first, issued = state_of(world), world.balances.issuance()
    swap(world, ONE.account, TWO)
    assert state_of(world) != first
    world.check()
    swap(world, TWO.account, ONE)
    assert state_of(world) == first
    assert world.balances.issuance() == issued
    world.check()


def test_a_nodes_new_key_does_all_and_the_old_one_nothing() -> None:
    world = running_world()
    old, owned = account("n1"), world.owned("n1")
    swap(world, old, ONE)
    world.check()
    assert world.owned("n1") == 0
    assert world.balances.free(ONE.account) < owned
    new, salt = ONE.account, bytes(32)
    seal = seal_submission(world.system.genesis_hash(), 0, Account(new), submitted("good"), salt)
    with pytest.raises(events.NotANode):
        world.arena.commit_submission(signed(old), 0, seal)
    world.arena.commit_submission(signed(new), 0, seal)
    world.go_to(2, 8)
    made = submitted("good")
    world.arena.reveal_submission(
        signed(new), 0, made.content, made.ciphertext, made.size_bytes, salt
    )
    stands = world.arena.standing.get((0, new))
    assert world.arena.submissions.get((0, stands)).submitter == Account(new)
    with pytest.raises(NotRegistered):
        world.ledger.unbond(signed(old), 0, 10 * FML)
    world.ledger.unbond(signed(new), 0, 10 * FML)
    world.check()


def test_a_delegator_and_a_creator_keep_their_rights() -> None:
    world = running_world()
    swap(world, account("idle"), ONE)
    swap(world, account("creator"), TWO)
    world.ledger.undelegate(signed(ONE.account), 0, account("n1"), 39 * FML)
    with pytest.raises(frame.DispatchError):
        world.ledger.undelegate(signed(account("idle")), 0, account("n2"), 20 * FML)
    assert world.tasks.get_task(0).creator == TWO.account
    free = world.balances.free(ONE.account)
    world.go_to(4, 2)  # the task has ended: all stakes are free
    assert world.balances.held(HoldReason.STAKE, ONE.account) == 0
    assert world.balances.free(ONE.account) >= free + 60 * FML
    assert world.balances.free(TWO.account) > 0 == world.owned("creator")
    world.check()


def test_a_bounty_returns_to_the_new_key() -> None:
    world = running_world()
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    for name in ("idle", "n1", "n2"):
        world.tasks.add_bounty(signed(account(name)), 1, 5 * FML)
    world.tasks.config = replace(world.tasks.config, returns_per_block=1)
    world.tasks.cancel_task(signed(account("creator")), 1)
    world.next_block()  # all stakes are free, two payers still wait
    swap(world, account("n2"), ONE)
    free = world.balances.free(ONE.account)
    world.go_to(2, 6)
    assert world.balances.free(ONE.account) == free + 5 * FML
    world.check()


def test_who_has_anything_at_stake_in_the_alliance_keeps_its_key() -> None:
    made = new_alliance(*"abcde")
    for name in ("a", "creator"):
        with pytest.raises(rekeying.AllianceStake):
            swap(made.world, account(name), ONE)
    made.pallet.playing.ending.end(made.task, EndReason.LIFETIME)
    swap(made.world, account("creator"), ONE)
    with pytest.raises(rekeying.AllianceStake):
        swap(made.world, account("a"), TWO)
    made.pallet.claim(signed(account("a")), made.task)
    swap(made.world, account("a"), TWO)
    made.world.check()


def test_a_key_that_has_anything_at_stake_in_the_alliance_is_in_use() -> None:
    made = new_alliance()
    made.pallet.memberships.put(ONE.account, 1)  # all of it slashed, and its account reaped
    with pytest.raises(rekeying.NewKeyInUse):
        swap(made.world, account("idle"), ONE)


def test_who_has_bonded_for_the_chain_keeps_its_key() -> None:
    world = running_world()
    pallet, old = rekeying_of(world), account("idle")
    pallet.bonds = Bonded(old)
    with pytest.raises(rekeying.ChainStake):
        pallet.swap_key(signed(old), ONE.account, consent(world, old, ONE))


def test_who_votes_keeps_its_key() -> None:
    world = running_world()
    pallet, old = rekeying_of(world), account("idle")
    pallet.votes = Engaged(old)
    with pytest.raises(rekeying.VoteLock):
        pallet.swap_key(signed(old), ONE.account, consent(world, old, ONE))


def test_who_is_in_the_market_keeps_its_key() -> None:
    world = running_world()
    pallet, old = rekeying_of(world), account("idle")
    pallet.market = Engaged(old)
    with pytest.raises(rekeying.MarketStake):
        pallet.swap_key(signed(old), ONE.account, consent(world, old, ONE))


def test_nonces_stay_with_their_keys() -> None:
    world = running_world()
    world.system.increment_nonce(account("n1"))
    swap(world, account("n1"), ONE)
    assert world.system.account.get(account("n1")) == AccountInfo(nonce=1)
    assert world.system.nonce_of(ONE.account) == 0


def test_nobody_swaps_without_the_new_keys_consent() -> None:
    world = running_world()
    pallet, old = rekeying_of(world), account("n1")
    for_another = consent(world, account("n2"), ONE)
    with pytest.raises(rekeying.NoConsent):
        pallet.swap_key(signed(old), ONE.account, for_another)
    used = consent(world, old, ONE)
    pallet.swap_key(signed(old), ONE.account, used)
    swap(world, ONE.account, TWO)
    with pytest.raises(rekeying.NoConsent):  # a consent counts once
        pallet.swap_key(signed(TWO.account), ONE.account, used)


def test_the_new_key_owns_nothing_and_is_another() -> None:
    world = running_world()
    pallet, anything = rekeying_of(world), Ed25519(bytes(64))
    for taken in (account("n1"), account("v1"), AccountId(b"modl".ljust(32, b"x"))):
        with pytest.raises(rekeying.NewKeyInUse):
            pallet.swap_key(signed(account("n1")), taken, anything)


def test_an_operator_waits_for_a_submit_window_without_seals() -> None:
    world = running_world()
    world.commit("n1", 0, "good")
    with pytest.raises(rekeying.RoleInPlay):
        swap(world, account("n1"), ONE)
    swap(world, account("v1"), ONE)  # sealed nothing
    world.go_to(2, world.preset.calendar.reveal_end + 1)
    with pytest.raises(rekeying.RoleInPlay):
        swap(world, account("v2"), TWO)
    swap(world, account("idle"), TWO)  # no operator


def test_nobody_swaps_while_the_arena_works() -> None:
    world = running_world()
    world.arena.config = replace(world.arena.config, steps_per_block=1)
    world.go_to(2, world.preset.calendar.alias_end)
    assert world.arena.cursor.exists()
    with pytest.raises(rekeying.ArenaAtWork):
        swap(world, account("idle"), ONE)


def test_nobody_swaps_while_rings_are_dealt() -> None:
    world = running_world(days=4)
    world.arena.config = replace(world.arena.config, steps_per_block=1)
    world.go_to(3, 1)
    assert world.arena.roll_work.exists()
    with pytest.raises(rekeying.ArenaAtWork):  # it could be on a roll twice, or not at all
        swap(world, account("n1"), ONE)
    world.arena.config = replace(world.arena.config, steps_per_block=400)
    world.next_block()
    swap(world, account("n1"), ONE)


def test_a_backer_of_few_may_swap_in_a_full_task() -> None:
    world = running_world()
    ledger, task = world.ledger, 0
    pattern = ledger.operators.get((task, account("n1")))
    for index in range(1_000):
        ledger.operators.put((task, account(f"x{index}")), pattern)
    pallet = rekeying_of(world, lookups_max=200)
    pallet.swap_key(signed(account("idle")), ONE.account, consent(world, account("idle"), ONE))
    backed = [key for key, _ in ledger.delegations.items() if key[1] == ONE.account]
    assert sorted(key.operator for key, _ in backed) == [account("n1"), account("n2")]


def test_work_is_bounded() -> None:
    world = running_world()
    pallet, before = rekeying_of(world, lookups_max=5), state_of(world)
    with pytest.raises(rekeying.TooMuchToMove):
        pallet.swap_key(signed(account("n1")), ONE.account, consent(world, account("n1"), ONE))
    assert state_of(world) == before


def test_a_swap_fits_into_every_presets_block() -> None:
    info = frame.entry_of(rekeying.Rekeying.swap_key).fixed_info
    assert info is not None
    for preset in (DEVNET, MAINNET):
        most = weights_of(preset).per_class.normal.max_extrinsic
        assert most is not None
        assert info.weight.ref_time < most.ref_time


@settings(max_examples=12, deadline=None)
@given(plays.operations, st.sampled_from(plays.NAMES))
def test_after_any_play_a_swap_is_a_bijection(sequence: list[plays.Operation], name: str) -> None:
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    with_participants(world, 0)
    for operation in sequence:
        plays.attempt(world, partial(plays.act, world, operation))
        for _ in range(operation[3]):
            world.next_block()
            plays.play_honestly(world)
    position = world.preset.calendar.position_of(world.number)
    world.go_to(world.preset.calendar.day_of(world.number) + (position > 0), 0)
    while world.arena.cursor.exists() or world.arena.jobs.get():
        world.next_block()
    sealed = state_of(world)
    try:
        swap(world, account(name), ONE)
    except rekeying.RoleInPlay:
        assert state_of(world) == sealed
        return
    first, total = state_of(world), world.balances.issuance()
    assert sorted(map(len, first.values())) == sorted(map(len, sealed.values()))
    swap(world, ONE.account, TWO)
    world.check()
    swap(world, TWO.account, ONE)
    assert (state_of(world), world.balances.issuance()) == (first, total)
    world.go_to(world.preset.calendar.day_of(world.number) + 2)
    world.check()


def swap_call(chain: Chain, old: KeyPair, new: KeyPair) -> bytes:
    message = rekeying.consent_message(chain.hashes[0], old.account, new.account, 0)
    consented = Ed25519(new.sign(message))
    return chain.sign(old, encode_call(rekeying.Rekeying.swap_key, new.account, consented))


def test_in_a_block_the_old_key_pays_and_is_left_with_nothing() -> None:
    chain = Chain()
    assert chain.block(swap_call(chain, ALICE, ONE)) == [None]
    assert RICH - FML // 1_000 > free_of(chain, ONE.account) > 0 == free_of(chain, ALICE.account)
    assert chain.runtime.system.nonce_of(ALICE.account) == 1
    with pytest.raises(TransactionValidityError):  # it cannot pay
        chain.validate(chain.sign(ALICE, remark()))
    assert chain.block(chain.sign(ONE, remark())) == [None]


def test_a_block_author_is_paid_under_its_new_key() -> None:
    chain = Chain()
    assert chain.block(swap_call(chain, AUTHOR, ONE)) == [None]
    assert [item.account for item in chain.runtime.babe.authorities.get()] == [ONE.account]
    paid = free_of(chain, ONE.account)
    assert chain.block(chain.sign(ALICE, remark())) == [None]
    assert free_of(chain, ONE.account) > paid
    assert free_of(chain, AUTHOR.account) == 0
