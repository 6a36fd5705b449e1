"""Multisig: accounts that several keys open together; see `pallet`.

Source: Substrate `pallet_multisig`.
"""

from runtime.pallets.multisig.pallet import Config, Multisig

__all__ = ["Config", "Multisig"]
