"""Validators change their session keys while they run; a disabled one gains nothing by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.keys import KeyPair
from flockchain.node import Node
from flockchain.simulation.cluster import Cluster, Member
from flockchain.simulation.staked import key_of
from runtime.economy.authorities import SessionKeys, SessionKeysProof, ownership_message
from runtime.frame.pallet import encode_call
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking, ValidatorPrefs
from runtime.primitives.babe_digest import find_claim
from runtime.primitives.header import Header
from runtime.primitives.per_things import Perbill
from runtime.primitives.slot_seal import BadSeal, check_seal
from tests.simulation.stake_world import STAKE, runtime_of, signed_call, staked_cluster
from tests.simulation.test_reports import OnEveryFork
from tests.simulation.test_set_changes import HALF_SLOT_MS, ensure_agreement, finalized, running
from tests.simulation.world import keys_of

pytestmark = pytest.mark.usefixtures("sharing")

FRESH = key_of("fresh")
SESSION_SLOTS = 10
SESSION_MS = SESSION_SLOTS * 1_000


def register(node: Node, owner: KeyPair, fresh: KeyPair) -> None:
    """Have a fresh key act for the owner, two sessions from now on."""
    keys = SessionKeys(fresh.public, fresh.public)
    signature = fresh.sign(ownership_message(node.backend.genesis, owner.account, keys))
    call = encode_call(Session.set_keys, keys, SessionKeysProof(signature, signature))
    node.submit(signed_call(node, owner, runtime_of(node).system.nonce_of(owner.account), call))


def sealed_with(node: Node, key: KeyPair) -> list[int]:
    """The slots of the best chain whose blocks a key sealed."""
    slots, block = [], node.backend.best.hash
    while (header := node.backend.header(block)) is not None and header.number:
        claim = find_claim(header)
        assert claim is not None
        if is_sealed(header, key):
            slots.append(claim.slot)
        block = header.parent_hash
    return slots[::-1]


def is_sealed(header: Header, key: KeyPair) -> bool:
    try:
        check_seal(header, key.public)
    except BadSeal:
        return False
    return True


def author_key(pair: KeyPair) -> AuthorKey:
    return AuthorKey(VrfKey(pair.public, pair.vrf_prove, pair.vrf_evaluate), pair.sign)


def rotate(member: Member) -> None:
    """What `author_rotateKeys` and `set_keys` do together."""
    node = running(member)
    assert isinstance(node.author, SlotAuthor)
    assert node.finality is not None
    assert member.key is not None
    member.spare_keys.append(FRESH)
    node.author.add_key(replace(author_key(FRESH), is_new=True))
    node.finality.add_signer(Signer(FRESH.public, FRESH.sign, is_new=True))
    register(node, member.key, FRESH)


def test_a_validator_rotates_its_keys_and_goes_on() -> None:
    cluster = staked_cluster(3, seed=71)
    cluster.run(2_000)
    member = cluster.members[0]
    rotate(member)
    cluster.run(4 * SESSION_MS + HALF_SLOT_MS)
    ensure_agreement(cluster)  # three of three are needed: the fresh key votes
    node = running(cluster.members[1])
    (old, *_) = keys_of(3)
    voters = {each.key for each in runtime_of(node).grandpa.authorities.get()}
    assert (FRESH.public in voters, old.public in voters) == (True, False)
    before, after = sealed_with(node, old), sealed_with(node, FRESH)
    assert before
    assert after
    assert max(before) < min(after)
    # What the keystore holds is enough to come back with.
    cluster.kill(member)
    cluster.run(3_000)
    cluster.start(member)
    height = finalized(node)
    cluster.run(2 * SESSION_MS)
    assert finalized(node) > height + SESSION_SLOTS
    ensure_agreement(cluster)
    assert max(sealed_with(node, FRESH)) > max(after)


def test_fresh_keys_do_not_let_a_disabled_author_act() -> None:
    cluster = staked_cluster(4, seed=41)
    culprit, witness = cluster.members[0], running(cluster.members[1])
    old = keys_of(1)[0]
    node = running(culprit)
    node.author = OnEveryFork(cluster, culprit)
    while not runtime_of(witness).session.disabled.get():
        cluster.run(250)
        assert runtime_of(witness).session.session_index() == 0, "early enough for the first era"
    assert runtime_of(witness).session.disabled.get() == [old.account]
    penitent(cluster, culprit)
    rotate(culprit)
    while runtime_of(witness).session.session_index() < 2:
        cluster.run(1_000)
    members = runtime_of(witness).session.members.get()
    assert FRESH.public in {each.keys.babe for each in members}
    assert runtime_of(witness).staking.active_era.get().index == 0
    voters = runtime_of(witness).grandpa.authorities.get()
    assert FRESH.public not in {each.key for each in voters}
    while runtime_of(witness).session.session_index() == 2:
        cluster.run(1_000)
    assert sealed_with(witness, FRESH) == []
    ensure_agreement(cluster)


def penitent(cluster: Cluster, member: Member) -> None:
    """From now on the member makes blocks as it should."""
    node = running(member)
    assert member.key is not None
    node.author = SlotAuthor(
        node.backend,
        node.importer,
        node.pool,
        [author_key(member.key)],
        cluster.clock,
        cluster.slot_ms,
    )


def test_who_offended_acts_again_with_fresh_keys_once_it_is_elected_anew() -> None:
    cluster = staked_cluster(4, seed=41)
    culprit, witness = cluster.members[0], running(cluster.members[1])
    running(culprit).author = OnEveryFork(cluster, culprit)
    while not runtime_of(witness).session.disabled.get():
        cluster.run(250)
    penitent(cluster, culprit)
    rotate(culprit)
    cluster.run(3_000)
    owner = keys_of(1)[0]
    nonce = runtime_of(witness).system.nonce_of(owner.account)
    candidate = encode_call(Staking.validate, ValidatorPrefs(Perbill(0)))
    for call in (encode_call(Staking.bond_extra, STAKE), candidate):
        running(culprit).submit(signed_call(witness, owner, nonce, call))
        nonce += 1
    cluster.run(6 * SESSION_MS + HALF_SLOT_MS)
    assert runtime_of(witness).session.disabled.get() == []
    assert sealed_with(witness, FRESH)
    ensure_agreement(cluster)
