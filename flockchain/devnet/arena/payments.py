"""Who was paid what, and why: the rankings of every day, then each account's sum by kind.

Source: WP V.E to V.H (rewards), WP III.B.1 (bounties).
"""

from __future__ import annotations

from collections.abc import Sequence

from flockchain.devnet.arena.cast import CLONE_ACCOUNTS, name_of
from flockchain.devnet.arena.reporter import Reporter, short
from flockchain.sdk.client import Client
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey
from runtime.pallets.tasks import Tasks
from runtime.primitives.types import AccountId


async def tell_payments(client: Client, reporter: Reporter, tasks: Sequence[int]) -> None:
    """Rankings and sums of the tasks. Raises SdkError."""
    for task in tasks:
        reporter.say(f"\nTask {task}: who was paid what, and why")
        await _tell_rankings(client, reporter, task)
        _tell_sums(reporter, task)


async def _tell_rankings(client: Client, reporter: Reporter, number: int) -> None:
    task = await client.query(Tasks.tasks, number)
    for day in range(task.start_day, task.final_day() + 1):
        result = await client.find(Arena.day_results, DayKey(number, day))
        if result is None:
            continue
        label = "set B" if day == task.final_day() else "set A"
        for place, node in enumerate(result.ranking, start=1):
            share = node.share * 10_000 >> 128
            reporter.say(
                f"  day {day}, {label}, rank {place}: {name_of(node.owner)}, score "
                f"{node.numerator // node.denominator / 10**9:.4f}, stake {short(node.stake)}, "
                f"share of the nodes' reward {share // 100}.{share % 100:02d} %"
            )


def _tell_sums(reporter: Reporter, task: int) -> None:
    sums: dict[str, dict[str, int]] = {}
    for event in reporter.record.paid:
        if event.task == task:
            kinds = sums.setdefault(_payee(event.who), {})
            kind = event.kind.name.lower().replace("_", " ")
            if event.who != event.operator:
                kind += f" of {name_of(event.operator)}"
            kinds[kind] = kinds.get(kind, 0) + event.amount
    for payee, kinds in sorted(sums.items(), key=lambda entry: -sum(entry[1].values())):
        parts = ", ".join(f"{kind} {short(amount)}" for kind, amount in kinds.items())
        reporter.say(f"  {payee}: {short(sum(kinds.values()))} ({parts})")


def _payee(account: AccountId) -> str:
    """The clones are one attacker."""
    return "the ten clones together" if account in CLONE_ACCOUNTS else name_of(account)
