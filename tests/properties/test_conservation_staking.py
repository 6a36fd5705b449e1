"""Whatever is bonded, elected, reported and paid: no planck appears or disappears.

After every block `try_state` compares all accounts with the issuance, every bond with its hold, and
what is owed with the pot.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.frame.origin import NONE, signed
from runtime.pallets.staking import POT, ValidatorPrefs
from runtime.pallets.treasury import TREASURY
from runtime.primitives.per_things import Perbill
from tests.runtime.pallets.staking.stake_world import (
    OTHERS,
    STAKE,
    VALIDATORS,
    StakeWorld,
    account,
)

NAMES = (*VALIDATORS, *OTHERS)
KINDS = (
    *("bond", "extra", "unbond", "withdraw", "candidate", "nominate", "chill"),
    *("blocks", "votes", "payout", "income", "pass"),
)
OPERATIONS = st.tuples(
    st.sampled_from(KINDS),
    st.integers(0, len(NAMES) - 1),
    st.integers(0, len(NAMES) - 1),
    st.integers(1, 2 * STAKE),
)


def act(world: StakeWorld, kind: str, name: str, other: str, amount: int) -> None:
    who, staking = signed(account(name)), world.staking
    match kind:
        case "bond":
            staking.bond(who, amount)
        case "extra":
            staking.bond_extra(who, amount)
        case "unbond":
            staking.unbond(who, amount)
        case "withdraw":
            staking.withdraw_unbonded(who)
        case "candidate":
            world.set_keys(name)
            staking.validate(who, ValidatorPrefs(Perbill(amount % 10**9)))
        case "nominate":
            staking.nominate(who, [account(other)])
        case "chill":
            staking.chill(who)
        case "blocks" | "votes" if other in world.acting():
            report(world, kind, other, None if amount % 2 else name)
        case "payout":
            era = max(staking.active_era.get().index - 1, 0)
            staking.payout_stakers(who, account(other), era)
        case "income":
            world.balances.transfer(account(name), POT if amount % 2 else TREASURY, amount)


def report(world: StakeWorld, kind: str, name: str, reporter: str | None) -> None:
    proof, offences = world.proof(name), world.offences
    if kind == "blocks":
        blocks = world.two_blocks(name)
        if reporter is None:
            offences.report_blocks_unsigned(NONE, blocks, proof)
        else:
            offences.report_blocks(signed(account(reporter)), blocks, proof)
        return
    votes = world.two_votes(name)
    if reporter is None:
        offences.report_votes_unsigned(NONE, votes, proof)
    else:
        offences.report_votes(signed(account(reporter)), votes, proof)


@settings(max_examples=60)
@given(st.lists(OPERATIONS, min_size=20, max_size=60))
def test_no_planck_appears_or_disappears(operations: list[tuple[str, int, int, int]]) -> None:
    world = StakeWorld()
    world.block()
    total = world.balances.issuance()
    for kind, one, two, amount in operations:
        try:
            with world.ext.transaction():
                act(world, kind, NAMES[one], NAMES[two], amount)
        except frame.DispatchError:
            pass  # the transaction took everything back
        disabled = world.session.disabled.get()
        acting = [name for name in world.acting() if account(name) not in disabled]
        next_slot = world.slot + 1 + amount % 7
        in_session = (next_slot - 100) // 10 == world.session.current_index.get()
        world.block(acting[amount % len(acting)] if in_session else None, slot=next_slot)
        burned = world.balances.total_burned.get()
        assert world.balances.sum_of_balances() == total - burned
    world.to_session(world.session.current_index.get() + 7)
    assert not world.staking.is_slash_pending()
