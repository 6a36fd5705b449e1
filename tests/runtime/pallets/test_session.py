"""Session: keys with proofs, that act two sessions later, and proofs of whose they were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.economy.authorities import SessionKeysProof
from runtime.frame.errors import BadOrigin, InvalidBlock
from runtime.frame.origin import ROOT, signed
from runtime.pallets.grandpa import (
    DELAY_BLOCKS_MAX,
    DelayTooLong,
    FinalityStalled,
    NotMadeYet,
)
from runtime.pallets.session import (
    DuplicatedKey,
    FalseProof,
    KeysNotOwned,
    MemberDisabled,
    NewSession,
    NobodyLeft,
    NoKeys,
    NotBonded,
    NotMember,
    StaleProof,
    StillValidating,
)
from runtime.pallets.staking import ValidatorPrefs
from runtime.primitives.babe_digest import Authority
from runtime.primitives.grandpa_votes import CONSENSUS_LOG, ForcedChange
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import FML
from tests.runtime.pallets.staking.stake_world import (
    RULES,
    STAKE,
    VALIDATORS,
    StakeWorld,
    account,
    keys_of,
)


def new_world() -> StakeWorld:
    world = StakeWorld()
    world.block()
    return world


def test_keys_act_two_sessions_after_they_were_set() -> None:
    world = new_world()
    world.to_session(1)
    world.set_keys("v1", "new")
    old, new = keys_of("v1"), keys_of("new")
    for index, keys in ((1, old), (2, old), (3, new)):
        world.to_session(index)
        assert world.session.members.get()[0].keys == keys
        assert world.babe.authorities.get()[0].key == keys.babe
        assert world.grandpa.authorities.get()[0].key == keys.grandpa
    assert world.grandpa.current_set_id.get() == 1
    assert world.grandpa.sessions_of_set(1) == (3, None)


def test_keys_are_set_by_who_owns_them_and_has_stake() -> None:
    world = new_world()
    with pytest.raises(NotBonded):
        world.set_keys("c1")
    world.staking.bond(signed(account("c1")), STAKE)
    keys, proof = keys_of("c1"), world.own("c1", "c1")
    for wrong in (
        world.own("c2", "c1"),
        replace(proof, babe=bytes(64)),
        replace(proof, grandpa=bytes(64)),
        SessionKeysProof(proof.grandpa, proof.babe),
    ):
        with pytest.raises(KeysNotOwned):
            world.session.set_keys(signed(account("c1")), keys, wrong)
    with pytest.raises(DuplicatedKey):
        world.set_keys("c1", "v1")
    world.set_keys("c1")
    world.set_keys("c1", "other")
    world.staking.bond(signed(account("c2")), STAKE)
    world.set_keys("c2", "c1")  # given up, so free


def test_keys_in_use_are_not_purged() -> None:
    world = new_world()
    with pytest.raises(NoKeys):
        world.session.purge_keys(signed(account("c1")))
    with pytest.raises(StillValidating):
        world.session.purge_keys(signed(account("v1")))
    world.staking.bond(signed(account("c1")), STAKE)
    world.set_keys("c1")
    world.session.purge_keys(signed(account("c1")))
    assert not world.session.has_keys(account("c1"))
    world.check()


def test_sessions_pass_over_empty_epochs() -> None:
    world = new_world()
    world.block(slot=147)
    assert world.events(NewSession) == [NewSession(4)]
    record = world.session.records.get(4)
    assert (record.previous, record.era, record.members) == (0, 0, 4)
    assert record.total_weight == 4 * STAKE // 10**9


def test_a_proof_shows_whose_a_key_was_until_the_session_is_forgotten() -> None:
    world = new_world()
    proof = world.proof("v3")
    assert world.session.check_owner(proof) == world.session.records.get(0)
    for false in (
        replace(proof, place=1),
        replace(proof, member=replace(proof.member, weight=1)),
        replace(proof, path=proof.path[:1]),
        replace(proof, path=[*proof.path, proof.path[0]]),
    ):
        with pytest.raises(FalseProof):
            world.session.check_owner(false)
    with pytest.raises(StaleProof):
        world.session.check_owner(replace(proof, session=1))
    world.to_session(5)
    world.session.check_owner(proof)
    world.to_session(6)  # era 2: era 0 is over for reports
    with pytest.raises(StaleProof):
        world.session.check_owner(proof)
    assert sorted(index for index, _ in world.session.records.items()) == [3, 4, 5, 6]


def test_who_leaves_altogether_leaves_its_keys() -> None:
    world = new_world()
    world.staking.bond(signed(account("c1")), 20 * FML)
    world.set_keys("c1")
    world.staking.unbond(signed(account("c1")), 20 * FML)
    world.to_session(6)
    world.staking.withdraw_unbonded(signed(account("c1")))
    assert not world.session.has_keys(account("c1"))
    world.check()


# -- who may not act


def test_an_offender_makes_no_blocks_and_votes_no_more_until_it_is_elected_anew() -> None:
    world = new_world()
    world.report("v1")
    assert world.session.disabled.get() == [account("v1")]
    assert world.session.disabled.get() == [account("v1")]
    with pytest.raises(InvalidBlock, match=r"^the author of block 2 is disabled$"):
        world.block("v1")
    world = new_world()
    world.report("v1")
    world.to_session(1)
    voters = [each.key for each in world.grandpa.authorities.get()]
    assert voters == [keys_of(name).grandpa for name in ("v2", "v3", "v4")]
    world.to_session(3)  # it is no candidate, so the era goes on without it
    assert world.acting() == ["v2", "v3", "v4"]
    assert world.session.disabled.get() == []
    world.staking.bond_extra(signed(account("v1")), STAKE)
    world.staking.validate(signed(account("v1")), ValidatorPrefs(Perbill(0)))
    world.to_session(6)
    assert world.acting() == ["v1", "v2", "v3", "v4"]
    world.block("v1")


def test_not_more_than_a_third_of_the_weight_is_kept_from_acting() -> None:
    world = new_world()
    world.report("v1")
    world.report("v2")
    assert world.session.disabled.get() == [account("v1")]
    world.session.disable_offender(account("c1"))  # no member
    assert world.session.disabled.get() == [account("v1")]


def test_a_disabled_member_that_goes_on_for_want_of_others_stays_disabled() -> None:
    world = StakeWorld(rules=replace(RULES, minimum_count=4))
    world.block()
    world.report("v1")
    world.to_session(3)
    assert world.acting() == ["v1", "v2", "v3", "v4"]
    assert world.session.disabled.get() == [account("v1")]


def test_root_disables_whom_it_knows_to_be_gone() -> None:
    world = new_world()
    gone = [account("v1"), account("v2")]
    with pytest.raises(BadOrigin):
        world.session.disable(signed(account("v1")), gone)
    with pytest.raises(NotMember):
        world.session.disable(ROOT, [account("c1")])
    with pytest.raises(NobodyLeft):
        world.session.disable(ROOT, [account(name) for name in VALIDATORS])
    world.session.disable(ROOT, gone)
    assert world.session.disabled.get() == gone
    assert not world.staking.is_candidate(account("v2"))
    assert world.events(MemberDisabled) == [MemberDisabled(who) for who in gone]


def test_the_next_session_is_named_by_force_when_finality_stalled() -> None:
    world = new_world()
    with pytest.raises(BadOrigin):
        world.grandpa.note_stalled(signed(account("v1")), 5, 0)
    with pytest.raises(NotMadeYet):
        world.grandpa.note_stalled(ROOT, 5, world.number)
    with pytest.raises(DelayTooLong):
        world.grandpa.note_stalled(ROOT, DELAY_BLOCKS_MAX + 1, 0)
    world.session.disable(ROOT, [account("v1"), account("v2")])
    world.grandpa.note_stalled(ROOT, 5, 0)
    assert world.events(FinalityStalled) == [FinalityStalled(5, 0)]
    world.to_session(1)
    (log,) = [each for each in world.system.digest.get().logs if each.engine == b"FRNK"]
    rest = [Authority(keys_of(name).grandpa, STAKE // 10**9) for name in ("v3", "v4")]
    assert CONSENSUS_LOG.decode_all(log.data) == ForcedChange(0, rest, 5)
    assert world.grandpa.stalled.find() is None
    assert world.grandpa.current_set_id.get() == 1
