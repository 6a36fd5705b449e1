"""What anybody pays on top of a task's reward, as tasks and the arena both know it.

Source: WP III.B.1 (bounties raise the demand for tokens).
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime.primitives.scale import Limit, scale_type
from runtime.primitives.types import AccountId, Balance

PAYERS_MAX: Final = 64  # of one task's bounty


@scale_type
class Contribution:
    """What a payer put into a bounty, or gets back of it, planck."""

    payer: AccountId
    amount: Balance


Contributions = Annotated[list[Contribution], Limit(PAYERS_MAX)]  # by first payment
