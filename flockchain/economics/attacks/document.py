"""The findings as the page `docs/attacks.md`, with its plots beside it in `images/`.

Source: WP Table I.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from flockchain.economics.attacks.findings import Finding, show_fml
from flockchain.economics.attacks.plots import draw
from flockchain.economics.attacks.stage import REWARD
from runtime.constants import MAINNET

IMAGES: Final = "images"


def write_page(findings: Sequence[Finding], page: Path) -> list[Path]:
    """Write the page and its plots; the files written. Raises OSError."""
    images = page.parent / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    page.write_text(render(findings), encoding="utf-8")
    return [page, *(draw(finding.plot, images) for finding in findings)]


def render(findings: Sequence[Finding]) -> str:
    """The page's text."""
    return "\n".join([*_head(findings), *(line for each in findings for line in _section(each))])


def _head(findings: Sequence[Finding]) -> Iterator[str]:
    yield "# What attacks on the AI Arena earn"
    yield ""
    yield "Written by `flockchain economics attacks --write docs/attacks.md`; do not edit."
    yield ""
    yield (
        "Each row is played twice through the pallets' own calls on a state in memory, once "
        "honestly and once as the attack, and read from the accounts' balances: rewards less "
        "registration fees and slashes. **Gain** is the difference. Minimum stakes, fees, quotas, "
        "slashes, cuts and seats are mainnet's unless the row names another value; the task gets "
        f"{show_fml(REWARD)} FML a day. Transaction fees, the price of computing and what stake "
        "earns elsewhere are not counted."
    )
    yield ""
    yield (
        f"Shipped: fee {show_fml(MAINNET.registration_fee)} FML an identity and task, at least "
        f"{show_fml(MAINNET.node_stake)} FML a node and {show_fml(MAINNET.validator_stake)} FML a "
        f"validator, {MAINNET.seats} seats a submission ({MAINNET.final_seats} on the final day), "
        "q = 0.85, δ = 0.1, γ = 1/2, λ = 10, α = α_v = 1, the outlier rule at 3·MAD or 1 %."
    )
    yield ""
    yield "| | attack | rows with a gain | largest gain, FML | claims of the specification |"
    yield "|---|---|---|---|---|"
    for each in findings:
        positive = [row for row in each.rows if row.gain > 0]
        largest = max(positive, key=lambda row: row.gain, default=None)
        top = f"{show_fml(largest.gain)} ({largest.case})" if largest else "none"
        claims = _summarise(each)
        count = f"{len(positive)} of {len(each.rows)}"
        yield f"| {each.code} | {each.title} | {count} | {top} | {claims} |"
    yield ""


def _summarise(finding: Finding) -> str:
    if finding.failures():
        return "**fail**: " + "; ".join(finding.failures())
    unmet = finding.departures()
    return "**not met**: " + "; ".join(unmet) if unmet else "hold"


def _section(finding: Finding) -> Iterator[str]:
    yield f"## {finding.code}: {finding.title}"
    yield ""
    yield finding.setting
    yield ""
    for text in finding.reading:
        yield text
        yield ""
    for name, holds in finding.checks.items():
        yield f"- {'holds' if holds else '**fails**'}: {name}"
    for name, holds in finding.measured.items():
        yield f"- {'met' if holds else '**not met**'}: {name}"
    if finding.checks or finding.measured:
        yield ""
    yield "| case | honest, FML | attack, FML | gain, FML | claim |"
    yield "|---|---:|---:|---:|---|"
    for row in finding.rows:
        gain = show_fml(row.gain)
        claim = row.claim.replace("<=", "≤")
        shown = f"**{gain}**" if row.gain > 0 else gain
        amounts = f"{show_fml(row.honest)} | {show_fml(row.attack)} | {shown}"
        yield f"| {row.case} | {amounts} | {claim} |"
    yield ""
    yield f"![{finding.plot.title}]({IMAGES}/{finding.plot.name}.png)"
    yield ""
