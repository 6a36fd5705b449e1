"""What must be true at the end of the story; each check says what it compared.

Source: WP III.A (supply), WP V.I (who is paid what), WP V.D (what a score is).
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.devnet.cast import FREE_RIDER
from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.devnet.reporter import Reporter
from flockchain.sdk.amounts import format_amount
from flockchain.sdk.client import Client
from flockchain.workers.sealed_dataset import open_dataset
from ml.sandbox import evaluate_sandboxed
from runtime.economy.tasks import Task
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey, DayResult
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import Hash


class CheckFailed(DevnetError):
    """Something that must be true is not."""


@dataclass(frozen=True)
class Verdict:
    """One check that held, in words."""

    text: str


async def check_conservation(client: Client, block: Hash) -> Verdict:
    """Genesis + minted − burned is the sum of all balances, to the last planck."""
    genesis = await client.query(Balances.genesis_issuance, at=block)
    minted = await client.query(Balances.total_minted, at=block)
    burned = await client.query(Balances.total_burned, at=block)
    total, accounts = 0, 0
    async for _, info in client.query_map(System.account, at=block):
        total += info.data.free + info.data.reserved
        accounts += 1
    if genesis + minted - burned != total:
        raise CheckFailed(
            f"{genesis} + {minted} - {burned} planck is not {total}, the sum of {accounts} accounts"
        )
    return Verdict(
        f"{format_amount(genesis)} at genesis + {format_amount(minted)} minted "
        f"- {format_amount(burned)} burned = {total} planck in {accounts} accounts, exactly"
    )


def check_free_rider(reporter: Reporter) -> Verdict:
    """Noise is paid nothing."""
    paid = reporter.total_paid_to(FREE_RIDER.key.account)
    if paid:
        raise CheckFailed(f"the free rider was paid {format_amount(paid)}")
    return Verdict("the free rider was paid nothing")


async def check_best_model(client: Client, task_id: int) -> Verdict:
    """The best model, fetched where nobody uploaded it, scores what the chain says."""
    task: Task = await client.query(Tasks.tasks, task_id)
    day = task.final_day()
    result: DayResult = await client.query(Arena.day_results, DayKey(task_id, day))
    best = result.ranking[0]
    model = await client.get_blob(best.content)
    spec = await client.get_blob(task.terms.spec)
    sealed = task.terms.validation_b
    if task.key is None:
        raise CheckFailed("the key of validation set B is not on chain")
    dataset = open_dataset(await client.get_blob(sealed.ciphertext), task.key, sealed)
    evaluation = evaluate_sandboxed(spec, dataset, model)
    if evaluation.score * best.denominator != best.numerator:
        raise CheckFailed(
            f"{cid_text(best.content)} scores {evaluation.score} here, "
            f"{best.numerator}/{best.denominator} on chain"
        )
    return Verdict(
        f"{cid_text(best.content)}, fetched from a node that nobody gave it to, "
        f"scores {evaluation.score} here and on chain"
    )


def check_no_equivocation(devnet: Devnet) -> Verdict:
    """Nobody signed twice."""
    for child in devnet.nodes:
        log = child.log_path.read_text(errors="replace")
        if "equivocat" in log or "contradicts the finalized block" in log:
            raise CheckFailed(f"the log of {child.name} tells of an equivocation")
    return Verdict("no node saw an equivocation")


def check_gap(gap_ms: int) -> Verdict:
    """Blocks kept coming."""
    if gap_ms > 10_000:
        raise CheckFailed(f"{gap_ms} ms passed between two blocks, at most 10 s may")
    return Verdict(f"the longest time between two blocks was {gap_ms / 1_000:.1f} s")


def check_paid(reporter: Reporter) -> Verdict:
    """Somebody was paid."""
    total = sum(event.amount for event in reporter.paid)
    if not total:
        raise CheckFailed("nobody was paid anything")
    return Verdict(f"{format_amount(total)} were paid in {len(reporter.paid)} payments")
