"""An amount among operators by weights, as the payments of a day.

Source: WP V.E (nodes), WP V.F (validators).
"""

from __future__ import annotations

from runtime.economy.tasks import Role
from runtime.pallets.arena.records import Payment, PaymentKind
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId


def payments_by_weight(
    accounts: list[AccountId], weights: list[int], amount: int, role: Role, kind: PaymentKind
) -> list[Payment]:
    """The amount by weights, without payments of nothing."""
    if not amount:
        return []
    parts = apportion(amount, weights)
    return [
        Payment(account, role, kind, part)
        for account, part in zip(accounts, parts, strict=True)
        if part
    ]
