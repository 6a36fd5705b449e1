"""Names: from Python's snake_case to the PascalCase of storage and metadata; which pallet is whose.

Source: FRAME's storage prefixes (twox128 of pallet name ‖ twox128 of item name).
"""

from __future__ import annotations


def pascal_case(name: str) -> str:
    """`total_issuance` → `TotalIssuance`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def pallet_key(module: str) -> str:
    """The pallet that a module belongs to: the name behind `pallets`, else the module itself."""
    parts = module.split(".")
    if "pallets" in parts and parts.index("pallets") + 1 < len(parts):
        return parts[parts.index("pallets") + 1]
    return module


def snake_case(name: str) -> str:
    """`TransactionPayment` → `transaction_payment`."""
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and place else letter.lower()
        for place, letter in enumerate(name)
    )
