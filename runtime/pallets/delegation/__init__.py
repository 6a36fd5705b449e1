"""The stake ledger: every stake of every operator in a task, own and delegated, in one place.

Source: WP II.D, WP V.G.
"""

from runtime.pallets.delegation.ledger import Config
from runtime.pallets.delegation.pallet import Delegation
from runtime.pallets.delegation.records import (
    Freed,
    Operator,
    OperatorKey,
    Slashed,
    Staked,
    Ties,
    Unbonding,
    UnbondingBegan,
)

__all__ = [
    "Config",
    "Delegation",
    "Freed",
    "Operator",
    "OperatorKey",
    "Slashed",
    "Staked",
    "Ties",
    "Unbonding",
    "UnbondingBegan",
]
