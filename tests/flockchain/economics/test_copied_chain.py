"""A copied chain goes on as the executive would, and leaves what it was copied from as it was."""

from __future__ import annotations

from flockchain.economics.copied_chain import CopiedChain
from flockchain.economics.habits import Habits, Orders
from runtime.api import BlockExecution, inherent_extrinsics, runtime_at
from runtime.frame.externalities import DictState
from runtime.genesis import build_genesis
from runtime.pallets.arena import Arena
from runtime.pallets.arena.events import DaySettled, Paid
from runtime.pallets.arena.records import DayKey
from runtime.pallets.delegation import Delegation
from runtime.pallets.delegation.records import Slashed
from runtime.pallets.fl_alliance import FlAlliance
from runtime.primitives.babe_digest import SlotClaim, SlotKind, claim_log, instant_log
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.runtime import PALLETS
from tests.flockchain.economics.live_world import begin
from tests.runtime.block_chain import State, genesis_config
from tests.runtime.played_state import play, top_of

BLOCKS = 45  # two days of the devnet and more
BLOCK_SYSTEM = {"System", "Timestamp", "TransactionPayment", "Babe"}  # weights, times, hashes
MADE_UP = {  # they follow from the hashes of blocks
    *(Arena.vrf_outputs.prefix, Arena.rosters.prefix),
    FlAlliance.turn.prefix,
}


def execute(state: State, count: int) -> State:
    """Empty blocks through the executive, as a node executes them."""
    for _ in range(count):
        runtime = runtime_at(state)
        number = runtime.system.block_number() + 1
        execution = BlockExecution(state, ZERO_HASH, number, [instant_log(0)])
        now_ms = runtime.timestamp.now_ms() + runtime.preset.slot_ms
        assert execution.apply(inherent_extrinsics(now_ms)[0]) is None
        state = state.after(execution.finish())
    return state


def economics_of(top: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The storage of all pallets that neither time nor hashes of blocks decide."""
    prefixes = tuple(
        item.prefix
        for pallet in PALLETS
        for item in pallet.storage_items
        if pallet.__name__ not in BLOCK_SYSTEM and item.prefix not in MADE_UP
    )
    return {key: value for key, value in top.items() if key.startswith(prefixes)}


def test_empty_blocks_are_those_of_the_executive() -> None:
    state = State(top_of(begin()))
    executed = execute(state, BLOCKS)
    chain = CopiedChain(state, ZERO_HASH)
    for _ in range(BLOCKS):
        chain.advance()
    # The copy has opened one block more than was executed; nothing is due in it.
    changed = {**state.top, **chain.ext.changes()}
    copied = {key: value for key, value in changed.items() if value is not None}
    assert economics_of(copied) == economics_of(execute(executed, 1).top)
    chain.try_state()


def test_the_state_it_was_copied_from_stays_as_it_was() -> None:
    top = top_of(begin())
    before = dict(top)
    chain = CopiedChain(DictState(top), ZERO_HASH)
    chain.advance_to(0)
    assert top == before
    assert chain.arena.today() == 3


def test_pallets_may_stand_still() -> None:
    state = State(build_genesis(genesis_config()))
    moving, still = (CopiedChain(state, ZERO_HASH, still=kinds) for kinds in ([], [FlAlliance]))
    turns = []
    for chain in (moving, still):
        for _ in range(chain.runtime.preset.epoch_slots + 1):
            chain.advance()
        turns.append(chain.runtime.alliance.turn.find())
    assert turns[0] is not None
    assert turns[1] is None


def test_slots_epochs_and_time_go_on() -> None:
    state, parent = State(build_genesis(genesis_config())), ZERO_HASH
    for number, slot in ((1, 700), (2, 703)):
        claim = SlotClaim(SlotKind.PRIMARY, 0, slot, bytes([number]) * 64, bytes(80))
        execution = BlockExecution(state, parent, number, [claim_log(claim)])
        assert execution.apply(inherent_extrinsics(slot * 1_000)[0]) is None
        state, parent = state.after(execution.finish()), Hash(bytes([number]) * 32)
    chain = CopiedChain(state, parent)
    assert chain.system.parent() == parent
    assert (chain.runtime.babe.current_slot.get(), chain.runtime.timestamp.now_ms()) == (
        704,
        704_000,
    )
    for _ in range(20):
        chain.advance()
    assert (chain.system.block_number(), chain.runtime.babe.current_slot.get()) == (23, 724)
    assert chain.runtime.babe.current_epoch.get() == 2  # of ten slots each
    assert chain.runtime.babe.author_vrf_output() is not None
    chain.try_state()


def test_committees_score_as_they_did_and_nobody_is_slashed() -> None:
    state = DictState(top_of(play(days=1)))
    chain = CopiedChain(state, ZERO_HASH)
    habits = Habits(chain, Orders(0))
    events: list[object] = []
    while not any(isinstance(event, DaySettled) for event in events):
        habits.act()
        events += chain.advance()
    report, before = (
        runtime.arena.views.day_report(0, day)
        for runtime, day in ((chain.runtime, 2), (runtime_at(state), 1))
    )
    assert report is not None
    assert before is not None
    # Everybody gave the same scores on day 1, so whoever is drawn gives them again.
    assert report.result.ranking == before.result.ranking
    assert not [event for event in events if isinstance(event, Slashed)]
    paid = sum(event.amount for event in events if isinstance(event, Paid))
    assert paid + report.result.vested == report.result.reward
    chain.try_state()


def test_a_model_without_history_gets_what_its_node_had_or_the_baseline() -> None:
    world = begin()
    arena = world.arena
    for number in (0, 2):  # as if the first and the third model were new
        arena.results.remove((DayKey(0, 1), number))
        arena.ballots.remove((DayKey(0, 1), number))
    chain = CopiedChain(DictState(top_of(world)), ZERO_HASH)
    habits = Habits(chain, Orders(0))
    while chain.arena.today() == 2:
        habits.act()
        chain.advance()
    first, third = (chain.arena.results.get((DayKey(0, 2), number)) for number in (0, 2))
    ranked = arena.views.leaderboard(0, 1)[0]
    assert first.numerator // first.denominator == ranked.numerator // ranked.denominator
    assert third.numerator // third.denominator == 100_000_000  # the baseline


def test_every_item_that_is_left_out_exists() -> None:
    items = {item.prefix for pallet in PALLETS for item in pallet.storage_items}
    assert items >= MADE_UP
    assert Delegation.operators.prefix in items
    assert {pallet.__name__ for pallet in PALLETS} >= BLOCK_SYSTEM
