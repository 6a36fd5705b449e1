"""Proxies: what they may do, announcements, accounts without keys, deposits, every refusal."""

from __future__ import annotations

import pytest

from flockchain.keys import KeyPair
from runtime.frame.call import RuntimeCall
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.errors import CannotLookup, DispatchError, TokenError
from runtime.frame.pallet import encode_call
from runtime.frame.result import Ok
from runtime.frame.traits import HoldReason
from runtime.pallets import rekeying
from runtime.pallets.arena import Arena
from runtime.pallets.balances import Balances, InsufficientBalance
from runtime.pallets.multisig import Multisig
from runtime.pallets.multisig.records import multi_account
from runtime.pallets.proxy import Proxy, records
from runtime.pallets.proxy.records import ProxyDefinition, ProxyType, pure_account
from runtime.pallets.system import CallFiltered, System
from runtime.pallets.tasks.records import UnknownTask
from runtime.pallets.utility import Utility, derivative_account
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, Id, Index
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.block_chain import ALICE, BOB, RICH, Chain, call_of, free_of, key_of

CAROL = AccountId(blake2b_256(b"carol"))
ANY, TRAINING, SAFE = ProxyType.Any, ProxyType.Training, ProxyType.NonTransfer
PAY = call_of(Balances.transfer_keep_alive, Id(CAROL), 3 * FML)
SEAL = call_of(Arena.commit_submission, 7, Hash(bytes(32)))
MINIMUM = FML // 1_000


def hash_of(call: RuntimeCall) -> Hash:
    arguments = call.arguments
    return Hash(blake2b_256(encode_call(call.entry.function, *arguments)))


def deposit(count: int) -> int:
    return FML // 100 + count * (FML // 1_000)


def held(chain: Chain, who: AccountId) -> int:
    return chain.runtime.balances.held(HoldReason.PROXY, who)


def with_proxy(kind: ProxyType, delay: int = 0) -> Chain:
    """Bob acts for alice."""
    chain = Chain()
    assert chain.run(ALICE, Proxy.add_proxy, Id(BOB.account), kind, delay) is None
    return chain


def act(
    chain: Chain, call: RuntimeCall, kind: ProxyType | None = None, key: KeyPair = BOB
) -> DispatchError | None:
    """The proxy makes a call for alice."""
    return chain.run(key, Proxy.proxy, Id(ALICE.account), kind, call)


def outcome(chain: Chain) -> object:
    """The result that the last event of the kind tells."""
    *_, told = [e for e in chain.told() if isinstance(e, records.ProxyExecuted)]
    return told.result


FILTERED = dispatch_result(CallFiltered())


def test_a_proxy_acts_and_pays_the_fee_itself() -> None:
    chain = with_proxy(ANY)
    before = free_of(chain, ALICE.account), free_of(chain, BOB.account)
    assert act(chain, PAY) is None
    assert chain.told()[0].__class__.__name__ == "Endowed"
    assert outcome(chain) == Ok(None)
    assert free_of(chain, ALICE.account) == before[0] - 3 * FML
    assert before[1] - FML < free_of(chain, BOB.account) < before[1]
    assert free_of(chain, CAROL) == 3 * FML


def test_a_call_that_fails_is_told_and_leaves_nothing() -> None:
    chain = with_proxy(ANY)
    inner = call_of(Utility.batch_all, [PAY, call_of(Balances.burn_own, 2 * RICH)])
    assert act(chain, inner) is None
    assert outcome(chain) == dispatch_result(InsufficientBalance())
    assert free_of(chain, CAROL) == 0


def test_a_stranger_is_no_proxy() -> None:
    chain = with_proxy(ANY)
    assert isinstance(act(chain, PAY, key=key_of("author")), records.NotProxy)
    assert isinstance(act(chain, PAY, SAFE), records.NotProxy)
    assert isinstance(chain.run(ALICE, Proxy.proxy, Id(BOB.account), None, PAY), records.NotProxy)
    assert isinstance(chain.run(BOB, Proxy.proxy, Index(None), None, PAY), CannotLookup)


WRAPPED = {
    "plain": PAY,
    "batch": call_of(Utility.batch_all, [PAY]),
    "deep": call_of(Utility.batch_all, [call_of(Utility.batch_all, [PAY])]),
    "derived": call_of(Utility.as_derivative, 0, PAY),
    "multisig": call_of(Multisig.as_multi_threshold_1, [BOB.account], PAY),
    "proxy": call_of(Proxy.proxy, Id(CAROL), None, PAY),
}


@pytest.mark.parametrize("kind", [kind for kind in ProxyType if kind is not ANY])
@pytest.mark.parametrize("how", WRAPPED)
def test_no_restricted_kind_moves_tokens_however_it_wraps_the_call(
    kind: ProxyType, how: str
) -> None:
    chain = with_proxy(kind)
    pots = (
        derivative_account(ALICE.account, 0),
        multi_account(sorted((ALICE.account, BOB.account)), 1),
    )
    for pot in pots:
        chain.run(ALICE, Balances.transfer_keep_alive, Id(pot), 9 * FML)
    assert act(chain, WRAPPED[how]) is None
    assert free_of(chain, CAROL) == 0
    assert [free_of(chain, pot) for pot in pots] == [9 * FML] * 2


def test_a_filter_is_kept_by_a_proxy_of_a_proxy() -> None:
    chain, carol = with_proxy(SAFE), key_of("carol")
    chain.run(ALICE, Balances.transfer_keep_alive, Id(carol.account), 50 * FML)
    chain.run(carol, Proxy.add_proxy, Id(ALICE.account), ANY, 0)
    before = free_of(chain, carol.account)
    act(chain, call_of(Proxy.proxy, Id(carol.account), None, PAY))
    assert [e.result for e in chain.told() if isinstance(e, records.ProxyExecuted)] == [
        *(FILTERED, Ok(None)),
    ]
    assert free_of(chain, carol.account) == before
    act(chain, call_of(Proxy.proxy, Id(carol.account), None, call_of(System.remark, b"")))
    assert outcome(chain) == Ok(None)


def test_a_training_proxy_trains() -> None:
    chain = with_proxy(TRAINING)
    act(chain, SEAL)
    assert outcome(chain) == dispatch_result(UnknownTask())  # it got there
    for call in (call_of(System.remark, b""), call_of(Arena.commit_scores, 7, Hash(bytes(32)))):
        act(chain, call)
        assert outcome(chain) == FILTERED


def test_a_kind_makes_proxies_of_its_own_kind_only() -> None:
    chain = with_proxy(TRAINING)
    for kind, result in ((TRAINING, Ok(None)), (ANY, FILTERED), (SAFE, FILTERED)):
        act(chain, call_of(Proxy.add_proxy, Id(CAROL), kind, 0))
        assert outcome(chain) == result
    act(chain, call_of(Proxy.remove_proxies))
    assert outcome(chain) == FILTERED
    definitions = chain.runtime.proxy.proxies.get(ALICE.account)[0]
    assert sorted(item.delegate for item in definitions) == sorted((CAROL, BOB.account))


def test_deposits_follow_the_number_of_proxies() -> None:
    chain, free = with_proxy(ANY), []
    for count, kind in ((2, TRAINING), (3, SAFE)):
        chain.run(ALICE, Proxy.add_proxy, Id(BOB.account), kind, 0)
        assert held(chain, ALICE.account) == deposit(count)
        free.append(free_of(chain, ALICE.account))
    assert chain.runtime.proxy.proxies.get(ALICE.account)[1] == deposit(3)
    assert chain.run(ALICE, Proxy.remove_proxy, Id(BOB.account), TRAINING, 0) is None
    assert held(chain, ALICE.account) == deposit(2)
    assert chain.run(ALICE, Proxy.remove_proxies) is None
    assert held(chain, ALICE.account) == 0
    assert not chain.runtime.proxy.proxies.contains(ALICE.account)


def test_changes_of_proxies_are_checked() -> None:
    chain = with_proxy(ANY, 5)
    add, remove, bob = Proxy.add_proxy, Proxy.remove_proxy, Id(BOB.account)
    assert isinstance(chain.run(ALICE, add, Id(ALICE.account), ANY, 0), records.NoSelfProxy)
    assert isinstance(chain.run(ALICE, add, bob, ANY, 5), records.Duplicate)
    assert isinstance(chain.run(ALICE, remove, bob, ANY, 4), records.NotFound)
    poor = key_of("poor")
    chain.run(ALICE, Balances.transfer_keep_alive, Id(poor.account), FML // 100)
    assert isinstance(chain.run(poor, add, bob, ANY, 0), TokenError)
    runtime_max = records.PROXIES_MAX
    calls = [call_of(add, bob, SAFE, delay) for delay in range(runtime_max)]
    assert isinstance(chain.run(ALICE, Utility.batch_all, calls), records.TooMany)
    assert chain.run(ALICE, Utility.batch_all, calls[:-1]) is None
    assert held(chain, ALICE.account) == deposit(runtime_max)


# -- announcements


def test_a_delayed_proxy_announces_and_waits() -> None:
    chain, announced = with_proxy(ANY, 3), hash_of(PAY)
    assert isinstance(act(chain, PAY), records.Unannounced)
    alice, bob, anybody = Id(ALICE.account), Id(BOB.account), key_of("author")
    late = (bob, alice, None, PAY)
    assert isinstance(chain.run(anybody, Proxy.proxy_announced, *late), records.Unannounced)
    assert chain.run(BOB, Proxy.announce, alice, announced) is None
    assert held(chain, BOB.account) == FML // 100 + FML // 500
    assert chain.told_names() == ["Held", "Announced", "ExtrinsicSuccess"]
    for _ in range(2):  # one block and two: too early
        assert isinstance(chain.run(anybody, Proxy.proxy_announced, *late), records.Unannounced)
    assert chain.run(anybody, Proxy.proxy_announced, *late) is None
    assert (free_of(chain, CAROL), held(chain, BOB.account)) == (3 * FML, 0)
    assert isinstance(chain.run(anybody, Proxy.proxy_announced, *late), records.Unannounced)


def test_announcements_are_taken_back_and_refused() -> None:
    chain, announced = with_proxy(ANY, 3), hash_of(PAY)
    alice, bob = Id(ALICE.account), Id(BOB.account)
    for _ in range(2):
        assert chain.run(BOB, Proxy.announce, alice, announced) is None
        assert chain.run(ALICE, Proxy.reject_announcement, bob, announced) is None
        assert held(chain, BOB.account) == 0
    chain.run(BOB, Proxy.announce, alice, announced)
    assert chain.run(BOB, Proxy.remove_announcement, alice, announced) is None
    assert not chain.runtime.proxy.announcements.contains(BOB.account)
    refused = (
        chain.run(BOB, Proxy.remove_announcement, alice, announced),
        chain.run(ALICE, Proxy.reject_announcement, bob, announced),
    )
    assert all(isinstance(error, records.NotFound) for error in refused)
    error = chain.run(key_of("author"), Proxy.announce, alice, announced)
    assert isinstance(error, records.NotProxy)


def test_a_proxy_announces_so_much() -> None:
    chain, alice = with_proxy(ANY, 3), Id(ALICE.account)
    calls = [call_of(Proxy.announce, alice, Hash(bytes((n,)) * 32)) for n in range(33)]
    assert isinstance(chain.run(BOB, Utility.batch_all, calls), records.TooMany)
    assert chain.run(BOB, Utility.batch_all, calls[:-1]) is None
    assert held(chain, BOB.account) == FML // 100 + 32 * (FML // 500)


# -- accounts without keys


def pure_of(chain: Chain, index: int = 0) -> AccountId:
    return pure_account(ALICE.account, ANY, index, chain.number, 1)


def test_the_account_without_a_key_is_made_acts_and_is_given_up() -> None:
    chain = Chain()
    assert chain.run(ALICE, Proxy.create_pure, ANY, 0, 0) is None
    pure, made = pure_of(chain), chain.number
    assert chain.told_names()[-2:] == ["PureCreated", "ExtrinsicSuccess"]
    assert (free_of(chain, pure), held(chain, pure)) == (MINIMUM, deposit(1))
    assert held(chain, ALICE.account) == 0
    chain.run(ALICE, Balances.transfer_keep_alive, Id(pure), 10 * FML)
    assert chain.run(ALICE, Proxy.proxy, Id(pure), None, PAY) is None
    assert free_of(chain, pure) == 7 * FML + MINIMUM
    before = free_of(chain, ALICE.account)
    kill = call_of(Proxy.kill_pure, Id(ALICE.account), ANY, 0, made, 1)
    assert chain.run(ALICE, Proxy.proxy, Id(pure), None, kill) is None
    assert outcome(chain) == Ok(None)
    gained = free_of(chain, ALICE.account) - before
    assert 7 * FML < gained < 7 * FML + deposit(1) + MINIMUM  # less this call's fee
    assert (free_of(chain, pure), held(chain, pure)) == (0, 0)
    assert isinstance(chain.run(ALICE, Proxy.proxy, Id(pure), None, PAY), records.NotProxy)


def test_an_extrinsic_makes_several_and_tells_them_apart() -> None:
    chain = Chain()
    calls = [call_of(Proxy.create_pure, ANY, 0, index) for index in (0, 1, 1)]
    assert isinstance(chain.run(ALICE, Utility.batch_all, calls), records.Duplicate)
    assert chain.run(ALICE, Utility.batch_all, calls[:2]) is None
    assert held(chain, pure_of(chain)) == held(chain, pure_of(chain, 1)) == deposit(1)


def test_only_an_account_without_a_key_is_given_up() -> None:
    chain = Chain()
    kill = (Id(BOB.account), ANY, 0, 1, 1)
    assert isinstance(chain.run(ALICE, Proxy.kill_pure, *kill), records.NoPermission)


def test_an_account_with_deposits_is_not_given_up() -> None:
    chain = Chain()
    chain.run(ALICE, Proxy.create_pure, ANY, 0, 0)
    pure, made = pure_of(chain), chain.number
    chain.run(ALICE, Balances.transfer_keep_alive, Id(pure), FML)
    opened = call_of(
        Multisig.approve_as_multi, 2, [BOB.account], None, bytes(32), PAY.info().weight
    )
    chain.run(ALICE, Proxy.proxy, Id(pure), None, opened)
    assert outcome(chain) == Ok(None)
    kill = call_of(Proxy.kill_pure, Id(ALICE.account), ANY, 0, made, 1)
    chain.run(ALICE, Proxy.proxy, Id(pure), None, kill)
    assert outcome(chain) == dispatch_result(records.FundsHeld())


def test_the_address_is_substrates() -> None:
    made = pure_account(ALICE.account, ANY, 5, 7, 9)
    preimage = b"modlpy/proxy____" + ALICE.account + b"\7\0\0\0\x09\0\0\0\0\x05\0"
    assert made == blake2b_256(preimage)


# -- with swapped keys


def test_proxies_and_deposits_move_with_the_key() -> None:
    chain, new = with_proxy(SAFE), key_of("new")
    message = rekeying.consent_message(chain.hashes[0], ALICE.account, new.account, 0)
    swap = (new.account, Ed25519(new.sign(message)))
    act(chain, call_of(rekeying.Rekeying.swap_key, *swap))
    assert outcome(chain) == FILTERED
    assert chain.run(ALICE, rekeying.Rekeying.swap_key, *swap) is None
    definitions, kept = chain.runtime.proxy.proxies.get(new.account)
    assert (definitions, kept) == ([ProxyDefinition(BOB.account, SAFE, 0)], deposit(1))
    assert held(chain, new.account) == deposit(1)
    assert isinstance(act(chain, call_of(System.remark, b"")), records.NotProxy)
    assert chain.run(new, Proxy.remove_proxies) is None
    assert held(chain, new.account) == 0


def test_announcements_move_with_the_proxys_key_and_its_rights_do_not() -> None:
    chain, new = with_proxy(ANY, 1), key_of("new")
    chain.run(BOB, Proxy.announce, Id(ALICE.account), hash_of(PAY))
    message = rekeying.consent_message(chain.hashes[0], BOB.account, new.account, 0)
    chain.run(BOB, rekeying.Rekeying.swap_key, new.account, Ed25519(new.sign(message)))
    assert held(chain, new.account) == FML // 100 + FML // 500
    late = (Id(new.account), Id(ALICE.account), None, PAY)
    assert isinstance(chain.run(ALICE, Proxy.proxy_announced, *late), records.NotProxy)
    assert chain.run(new, Proxy.remove_announcement, Id(ALICE.account), hash_of(PAY)) is None
    assert held(chain, new.account) == 0
