"""What is said of events, and that ten clones are one line."""

from __future__ import annotations

import io

from rich.console import Console

from flockchain.devnet.arena.cast import CLONES, HONEST, SPONSOR
from flockchain.devnet.arena.record import Refusal
from flockchain.devnet.arena.reporter import Reporter, short
from runtime.economy.tasks import Role
from runtime.pallets.arena import events as arena
from runtime.pallets.arena.alias_events import AliasOpened, NodesHeld, RingsDealt
from runtime.pallets.arena.records import Account, Alias
from runtime.pallets.delegation.records import Staked
from runtime.pallets.tasks import BountyAdded, records
from runtime.primitives.types import FML, Bytes32, Hash


def test_clones_are_told_of_once_a_block() -> None:
    out = io.StringIO()
    reporter = Reporter(Console(file=out, width=200))
    node, seal = Role.TRAINING_NODE, Hash(bytes(32))
    for clone in CLONES:
        reporter.on_event(3, records.Registered(0, clone.account, node, 10 * FML))
    for block in (7, 8):
        for number, clone in enumerate(CLONES):
            submitter = Account(clone.account)
            reporter.on_event(block, arena.SubmissionCommitted(0, number, submitter, seal))
    reporter.on_event(9, Staked(0, HONEST.account, HONEST.account, node, FML))
    reporter.on_event(9, Staked(0, HONEST.account, SPONSOR.account, node, FML))
    reporter.on_event(9, BountyAdded(1, SPONSOR.account, FML // 3, FML))
    reporter.on_refusal(10, Refusal(SPONSOR.account, "WrongSeal"))
    assert out.getvalue().splitlines() == [
        "  #3    clone 1, as the other clones, registers for task 0: fee, stake 10 FML",
        "  #7    task 0: clone 1, as the other clones, seals submission 0",
        "  #8    task 0: clone 1, as the other clones, seals submission 0",
        "  #9    sponsor delegates 1 FML to trainer 1 (strong)",
        "  #9    sponsor adds a bounty of 0.33 FML to task 1",
        "  #10   the chain refuses sponsor: WrongSeal",
    ]
    assert len(reporter.record.registered) == len(CLONES)


def test_an_alias_is_nobody_until_it_is_opened() -> None:
    out = io.StringIO()
    reporter = Reporter(Console(file=out, width=200))
    seal, content = Hash(bytes(32)), Bytes32(bytes(32))
    alias = Alias(content)
    reporter.on_event(80, RingsDealt(0, 4, 3))
    reporter.on_event(80, RingsDealt(1, 4, 0))
    reporter.on_event(82, arena.SubmissionCommitted(0, 7, alias, seal))
    reporter.on_event(88, arena.SubmissionRevealed(0, 7, alias, content, content, 100))
    reporter.on_event(91, arena.KeysShared(0, 4, 7, 3))
    assert reporter.record.owner_of(0, 7) is None
    reporter.on_event(97, AliasOpened(0, 4, 7, HONEST.account))
    assert reporter.record.owner_of(0, 7) == HONEST.account
    reporter.on_event(111, arena.KeysShared(0, 5, 7, 2))
    reporter.on_event(118, NodesHeld(0, 5))
    lines = out.getvalue().splitlines()
    assert [*lines[:2], *lines[3:]] == [
        "  #80   task 0, day 4: 3 nodes may hide in rings, dealt by the beacon",
        "  #82   task 0: an alias seals submission 7",
        "  #91   task 0: an alias gives 3 validators the key of its model",
        "  #97   task 0: the alias of submission 7 of day 4 is opened: it was trainer 1 (strong)",
        "  #111  task 0: trainer 1 (strong) gives 2 validators the key of its model",
        "  #118  task 0, day 5: nodes are paid with the final day, still unknown",
    ]


def test_short_amounts_are_cut_off() -> None:
    assert [short(planck) for planck in (0, 1, FML - 1, FML, 12 * FML + FML // 2)] == [
        "0 FML",
        "0 FML",
        "0.99 FML",
        "1 FML",
        "12.50 FML",
    ]
