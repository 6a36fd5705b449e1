"""What must be true at the end of every story; each check says what it compared.

Source: WP III.A (supply), WP II.A (the chain goes on, nobody signs twice).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flockchain.devnet.processes import Devnet, DevnetError
from flockchain.sdk.amounts import format_amount
from flockchain.sdk.client import Client
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.primitives.types import Hash


class CheckFailed(DevnetError):
    """Something that must be true is not."""


@dataclass(frozen=True)
class Verdict:
    """One check that held, in words."""

    text: str


def tell(say: Callable[[str], None], verdicts: Sequence[Verdict]) -> None:
    """Say what was checked."""
    say("\nChecked")
    for verdict in verdicts:
        say(f"  {verdict.text}")


def ensure(holds: bool, otherwise: str) -> None:
    """Raises CheckFailed, which says what is the case instead."""
    if not holds:
        raise CheckFailed(otherwise)


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
