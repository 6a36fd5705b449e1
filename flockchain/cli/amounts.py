"""What commands about tasks share: the task's number, amounts as people write and read them.

Invariant: JSON has planck as decimal strings, since numbers of JSON readers are too short for them;
people get FML.

Source: WP II.B (everyone may take part with a small program).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from flockchain.sdk import format_amount

TaskArgument = Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="The task's number.")]
AmountArgument = Annotated[str, typer.Argument(help='As "12.5 FML" or "1000 planck".')]


def shown(planck: int, *, as_json: bool) -> str:
    """An amount for the reader."""
    return str(planck) if as_json else format_amount(planck)


def shown_all(amounts: Mapping[str, int], *, as_json: bool) -> dict[str, object]:
    """Amounts by name, for the reader."""
    return {name: shown(planck, as_json=as_json) for name, planck in amounts.items()}
