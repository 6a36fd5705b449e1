"""Staking: who backs the chain's validators, who is elected, what they earn and lose.

Source: WP II.A (proof of stake); Substrate `pallet_staking`.
"""

from runtime.pallets.staking.pallet import Staking
from runtime.pallets.staking.records import StakingParameters, ValidatorPrefs
from runtime.pallets.staking.storage import POT, SLASH_POT, Config

__all__ = ["POT", "SLASH_POT", "Config", "Staking", "StakingParameters", "ValidatorPrefs"]
