"""A three-day task with delegators, and the states after the blocks that settled each of its days.

One validator stays silent on the second day and is slashed; Reward B and a bounty are paid on the
third.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from flockchain.economics.derivation.state_book import StateBook
from runtime import frame
from runtime.constants import DEVNET, Preset
from runtime.economy.tasks import Hardware, Role, TaskTerms
from runtime.frame.events import encode_records
from runtime.frame.externalities import DictState
from runtime.frame.origin import signed
from runtime.pallets.arena.events import DaySettled, Paid
from runtime.pallets.arena.records import Fingerprinted, GivenScore, WrongData
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId, Hash
from tests.runtime.pallets.alias_world import open_aliases, set_ring_keys, submit_blind
from tests.runtime.pallets.world import (
    KEY_B,
    MODELS,
    SCORES,
    VALIDATORS,
    World,
    account,
    submit,
    terms,
)
from tests.runtime.played_state import top_of

NODE_STAKES = {"n1": 10, "n2": 20, "n3": 10}
VALIDATOR_STAKES = {"v1": 100, "v2": 200, "v3": 300}
DELEGATIONS = {"n1": {"d1": 7, "d2": 3}, "v3": {"d1": 11, "d3": 50}, "creator": {"d2": 5}}
RATIO = Rational(3, 5)
FINGERPRINTS = (0, 2**32 - 1, 0b111)  # by submission
BOUNTY = {"d3": 40 * FML, "creator": 17 * FML + 1}
OTHERS: dict[str, int | None] = {"good": 930_000_000, "fair": 790_000_000, "noise": 120_000_000}
HIDDEN: dict[str, int | None] = {"n2 hidden": 960_000_000, "n3 hidden": 820_000_000}
NAMES = ("creator", *NODE_STAKES, *VALIDATOR_STAKES, "d1", "d2", "d3")


@dataclass
class PlayedTask:
    """`settled`: by day the states after the blocks that paid; `paid`: the day's transfers.

    `numbers`: those states by the number of their block.
    """

    world: World
    settled: dict[int, list[StateBook]] = field(default_factory=dict)
    paid: dict[int, list[Paid]] = field(default_factory=dict)
    numbers: dict[int, DictState] = field(default_factory=dict)
    task: int = 0


def play_delegated(
    preset: Preset = DEVNET,
    *,
    is_verified: bool = True,
    is_data_wrong: bool = False,
    duplicate_distance: int | None = None,
    hidden: dict[str, bool] | None = None,
    days: int = 3,
) -> PlayedTask:
    """Day 0: creation. Days 1 to 3: the task, which ends; the first `days` of them are played.

    `is_data_wrong`: on the third day all validators say that Dataset B does not match. With a
    `duplicate_distance` the third node's model is 3 bits from the first one's, the second's 32.
    `hidden`: nodes that submit under aliases on the second day, and whether they open them on the
    third.
    """
    hidden = hidden or {}
    world = World(preset=preset, checks=False)
    world.endow(*NAMES)
    world.next_block()
    _create(world, terms(duplicate_distance=duplicate_distance), is_verified=is_verified)
    played = PlayedTask(world)
    for name, amount in BOUNTY.items():
        world.tasks.add_bounty(signed(account(name)), 0, amount)
    set_ring_keys(world, hidden)
    submit(world, 1, 0, MODELS)
    for day in range(1, days + 1):
        silent = "v2" if day == 2 else None
        if day > 1:
            world.go_to(day, 5)
        if day == 2:  # stake that comes and goes in the day counts from the next one
            world.ledger.delegate(signed(account("d3")), 0, account("n2"), 9 * FML)
            world.ledger.undelegate(signed(account("d1")), 0, account("n1"), 2 * FML)
            submit_blind(world, 2, 0, {name: f"{name} hidden" for name in hidden}, position=5)
        if day == 3:
            world.tasks.reveal_key(signed(account("creator")), 0, KEY_B)
        _score(world, day, silent, is_data_wrong=is_data_wrong and day == 3)
        if day == 3:
            world.go_to(3, 17)
            for name in [name for name, is_opened in hidden.items() if is_opened]:
                open_aliases(world, name, 0, 2)
        _settle(played, day)
    if hidden and days == 3:
        played.settled[2] += played.settled[3]  # the second day's nodes were paid with the third
    return played


def _create(world: World, task: TaskTerms, *, is_verified: bool) -> None:
    creator = account("creator")
    if is_verified:
        world.tasks.create_verified_task(frame.ROOT, creator, task)
    else:
        world.tasks.create_task(signed(creator), task, 1_000 * FML + 1)
    for stakes, role in (
        (NODE_STAKES, Role.TRAINING_NODE),
        (VALIDATOR_STAKES, Role.TASK_VALIDATOR),
    ):
        for name, stake in stakes.items():
            world.tasks.register(
                signed(account(name)), 0, role, stake * FML, RATIO, Hardware(memory_gib=8)
            )
            if role is Role.TASK_VALIDATOR:
                world.set_sealing_key(name)
    for operator, backers in DELEGATIONS.items():
        for backer, stake in backers.items():
            world.ledger.delegate(signed(account(backer)), 0, account(operator), stake * FML)


def _score(world: World, day: int, silent: str | None, *, is_data_wrong: bool) -> None:
    world.go_to(day, 10)
    sheets = {
        name: world.sheet(name, 0, HIDDEN | (OTHERS if name == "v1" else SCORES))
        for name in VALIDATORS
    }
    drawn = {name: sheet for name, sheet in sheets.items() if sheet and name != silent}
    if world.tasks.get_task(0).terms.duplicate_distance is not None:
        drawn = {name: _with_fingerprints(sheet) for name, sheet in drawn.items()}
    if is_data_wrong:
        drawn = {
            name: [replace(given, verdict=WrongData()) for given in sheet]
            for name, sheet in drawn.items()
        }
    for name, sheet in drawn.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(day, 14)
    for name, sheet in drawn.items():
        world.open_sheet(name, 0, sheet)


def _with_fingerprints(sheet: list[GivenScore]) -> list[GivenScore]:
    return [
        replace(given, verdict=Fingerprinted(given.verdict.value, FINGERPRINTS[given.submission]))
        for given in sheet
        if isinstance(given.verdict, Fingerprinted)
    ]


def _settle(played: PlayedTask, day: int) -> None:
    """Go on block by block until the day is settled; keep the states that paid."""
    world = played.world
    world.go_to(day, world.preset.calendar.alias_end - 1)
    books: list[StateBook] = []
    played.paid[day] = []
    while not _is_settled(world, day):
        world.ext.events.clear()
        world.next_block()
        for _, event in world.ext.events:
            if isinstance(event, Paid):
                played.paid[event.day].append(event)
        state = played.numbers[world.number] = _state_of(world)
        block = Hash(blake2b_256(b"block" + world.number.to_bytes(4, "little")))
        books.append(StateBook(block, state))
    played.settled[day] = books


def _is_settled(world: World, day: int) -> bool:
    return any(isinstance(event, DaySettled) and event.day == day for _, event in world.ext.events)


def _state_of(world: World) -> DictState:
    """The state after the block, with its events as the executive stores them."""
    top = top_of(world)
    top[world.system.events.path()] = encode_records(world.ext.events)
    return DictState(top)


def names_by_account() -> dict[AccountId, str]:
    """Everybody who takes part."""
    return {account(name): name for name in NAMES}
