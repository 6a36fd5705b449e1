"""Random blocks: author and importer agree, tokens are conserved, refusals leave nothing."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frame.errors import TransactionValidityError
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.primitives.multi import Address20, Id, MultiAddress
from runtime.primitives.types import FML, AccountId
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, RICH, Chain, key_of

KEYS = [AUTHOR, ALICE, BOB, key_of("late")]
PLACES = [*(key.account for key in KEYS), AccountId(b"\5" * 32)]
AMOUNTS = [0, 1, FML // 1_000, FML, RICH // 2, RICH, 2**128 - 1]


def random_call(draw: Random) -> bytes:
    dest: MultiAddress = Id(draw.choice(PLACES))
    if draw.random() < 0.05:
        dest = Address20(bytes(20))
    amount = draw.choice(AMOUNTS)
    match draw.randrange(5):
        case 0:
            return encode_call(Balances.transfer_allow_death, dest, amount)
        case 1:
            return encode_call(Balances.transfer_keep_alive, dest, amount)
        case 2:
            return encode_call(Balances.transfer_all, dest, draw.random() < 0.5)
        case 3:
            return encode_call(Balances.burn_own, amount)
        case _:
            return encode_call(System.remark_with_event, bytes(draw.randrange(40)))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32))
def test_random_blocks(seed: int) -> None:
    draw, chain = Random(seed), Chain()
    for _ in range(6):
        trial, body = chain.begin(), []
        for _ in range(8):
            key, call = draw.choice(KEYS), random_call(draw)
            nonce = trial.runtime.system.nonce_of(key.account) + draw.choice([0, 0, 0, 0, 1])
            data = chain.sign(key, call, nonce=nonce, tip=draw.choice([0, 0, 7, FML]))
            before = trial.runtime.ext.changes()
            try:
                trial.apply(data)
            except TransactionValidityError:
                assert trial.runtime.ext.changes() == before
                continue
            body.append(data)
            trial.runtime.try_state()
        chain.block(*body)
        balances = chain.runtime.balances
        assert balances.issuance() + balances.total_burned.get() == 3 * RICH
