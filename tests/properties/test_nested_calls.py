"""Random calls within calls: tokens are conserved, deposits are where they are said to be, and who
makes a block and who executes it agree.

Three keys act by themselves, in batches, as one another's proxies, as derived accounts and
together, with amounts that are often too large.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frame.call import RuntimeCall
from runtime.frame.errors import ArithmeticFailure, DispatchError
from runtime.frame.pallet import encode_call
from runtime.frame.traits import HoldReason
from runtime.frame.weights import Weight
from runtime.pallets.balances import Balances
from runtime.pallets.multisig import Multisig
from runtime.pallets.multisig.records import Timepoint, multi_account
from runtime.pallets.preimage import Preimage
from runtime.pallets.proxy import Proxy
from runtime.pallets.proxy.records import ProxyType
from runtime.pallets.system import System
from runtime.pallets.utility import Utility, derivative_account
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, Chain, call_of, free_of

KEYS = (ALICE, BOB, AUTHOR)
WHO = sorted(key.account for key in KEYS)
BATCHES = (Utility.batch, Utility.batch_all, Utility.force_batch)
AMOUNTS = (0, 1, FML // 1_000, FML, 40 * FML, 5_000 * FML)
ENOUGH = Weight(5 * 10**9)


class Player:
    """Draws calls; `chain` tells what is open."""

    def __init__(self, prng: Random, chain: Chain) -> None:
        self.prng, self.chain = prng, chain

    def call(self, who: AccountId, depth: int = 0) -> RuntimeCall:
        """A call that `who` may try."""
        draw = self.prng
        nested = (self.batch, self.proxied, self.derived, self.together)
        plain = (self.transfer, self.change_proxies, self.note)
        return draw.choice(plain if depth > 3 else (*plain, *nested))(who, depth)

    def account(self) -> AccountId:
        proxies = self.chain.runtime.proxy.proxies
        known = [*WHO, *proxies.keys(), multi_account(WHO, 2), derivative_account(WHO[0], 1)]
        return self.prng.choice([*known, AccountId(self.prng.randbytes(32))])

    def transfer(self, who: AccountId, depth: int) -> RuntimeCall:
        how = self.prng.choice((Balances.transfer_keep_alive, Balances.transfer_allow_death))
        return call_of(how, Id(self.account()), self.prng.choice(AMOUNTS))

    def change_proxies(self, who: AccountId, depth: int) -> RuntimeCall:
        draw = self.prng
        kind = draw.choice((ProxyType.Any, ProxyType.NonTransfer, ProxyType.Training))
        delegate, delay = Id(draw.choice(WHO)), draw.choice((0, 0, 1))
        pending = self.chain.runtime.proxy.announcements.get(who)[0]
        announced = pending[0] if pending else None
        real = Id(self.account() if announced is None else announced.real)
        found = Hash(bytes(32)) if announced is None else announced.call_hash
        return draw.choice(
            [
                call_of(Proxy.add_proxy, delegate, kind, delay),
                call_of(Proxy.remove_proxy, delegate, kind, delay),
                call_of(Proxy.remove_proxies),
                call_of(Proxy.create_pure, kind, delay, draw.randrange(3)),
                call_of(Proxy.announce, Id(self.account()), Hash(bytes((draw.randrange(3),)) * 32)),
                call_of(Proxy.remove_announcement, real, found),
                call_of(Proxy.reject_announcement, delegate, found),
            ]
        )

    def note(self, who: AccountId, depth: int) -> RuntimeCall:
        data = bytes(self.prng.choice((0, 1, 500)))
        noted = call_of(Preimage.note_preimage, data)
        taken = call_of(Preimage.unnote_preimage, Hash(blake2b_256(data)))
        return self.prng.choice((noted, taken, call_of(System.remark_with_event, data)))

    def batch(self, who: AccountId, depth: int) -> RuntimeCall:
        calls = [self.call(who, depth + 1) for _ in range(self.prng.randrange(5))]
        return call_of(self.prng.choice(BATCHES), calls)

    def proxied(self, who: AccountId, depth: int) -> RuntimeCall:
        proxies = self.chain.runtime.proxy.proxies.items()
        mine = [real for real, (all_, _) in proxies if any(p.delegate == who for p in all_)]
        real = self.prng.choice([*mine, self.account()])
        return call_of(Proxy.proxy, Id(real), None, self.call(real, depth + 1))

    def derived(self, who: AccountId, depth: int) -> RuntimeCall:
        account = derivative_account(who, 1)
        return call_of(Utility.as_derivative, 1, self.call(account, depth + 1))

    def together(self, who: AccountId, depth: int) -> RuntimeCall:
        draw = self.prng
        others = [account for account in WHO if account != who]
        if draw.random() < 0.2:
            inner = self.call(multi_account(WHO, 1), depth + 1)
            return call_of(Multisig.as_multi_threshold_1, others, inner)
        call = call_of(Balances.transfer_allow_death, Id(self.account()), draw.choice(AMOUNTS))
        found = blake2b_256(encode_call(call.entry.function, *call.arguments))
        open_ = dict(self.chain.runtime.multisig.multisigs.items())
        own = {key: value for key, value in open_.items() if key[0] == multi_account(WHO, 2)}
        when: Timepoint | None = None
        if own and draw.random() < 0.7:
            (_, found), operation = draw.choice(sorted(own.items(), key=lambda item: item[0]))
            when = operation.when
            if draw.random() < 0.4:
                return call_of(Multisig.cancel_as_multi, 2, others, when, found)
        elif (multi_account(WHO, 2), found) in own:
            when = own[multi_account(WHO, 2), found].when
            return call_of(Multisig.as_multi, 2, others, when, call, ENOUGH)
        return call_of(Multisig.approve_as_multi, 2, others, when, found, ENOUGH)


def play(seed: int, blocks: int) -> tuple[Chain, list[DispatchError | None]]:
    """Blocks of random calls; `Chain.block` checks every pallet's invariants after each."""
    prng, chain, results = Random(seed), Chain(), list[DispatchError | None]()
    player = Player(prng, chain)
    for pot in (multi_account(WHO, 2), multi_account(WHO, 1), derivative_account(WHO[0], 1)):
        assert chain.run(ALICE, Balances.transfer_keep_alive, Id(pot), 30 * FML) is None
    for _ in range(blocks):
        signers = prng.sample(KEYS, prng.randint(1, len(KEYS)))
        calls = [(key, player.call(key.account)) for key in signers]
        results += chain.block(
            *(chain.sign(key, encode_call(c.entry.function, *c.arguments)) for key, c in calls)
        )
    return chain, results


@settings(max_examples=40)
@given(st.integers(0, 2**64))
def test_tokens_and_deposits_are_conserved(seed: int) -> None:
    chain, results = play(seed, 12)
    assert not any(isinstance(error, ArithmeticFailure) for error in results)
    balances = chain.runtime.balances
    assert balances.total_minted.get() == 0
    assert balances.sum_of_balances() == balances.issuance()


def test_much_of_it_succeeds() -> None:
    chain, results = play(3, 150)
    assert results.count(None) > len(results) // 3
    balances = chain.runtime.balances
    held = [sum(item.amount for item in items) for _, items in balances.holds.items()]
    reasons = {item.reason for _, items in balances.holds.items() for item in items}
    assert len(held) >= 3
    assert reasons >= {HoldReason.PROXY, HoldReason.MULTISIG}
    assert free_of(chain, multi_account(WHO, 2)) != 30 * FML
