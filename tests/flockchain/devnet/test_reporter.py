"""What is said of events, and that ten clones are one line."""

from __future__ import annotations

import io

from rich.console import Console

from flockchain.devnet.arena.cast import CLONES, HONEST, SPONSOR
from flockchain.devnet.arena.record import Refusal
from flockchain.devnet.arena.reporter import Reporter, short
from runtime.economy.tasks import Role
from runtime.pallets.arena import events as arena
from runtime.pallets.arena.records import Account
from runtime.pallets.delegation.records import Staked
from runtime.pallets.tasks import BountyAdded, records
from runtime.primitives.types import FML, Hash


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


def test_short_amounts_are_cut_off() -> None:
    assert [short(planck) for planck in (0, 1, FML - 1, FML, 12 * FML + FML // 2)] == [
        "0 FML",
        "0 FML",
        "0.99 FML",
        "1 FML",
        "12.50 FML",
    ]
