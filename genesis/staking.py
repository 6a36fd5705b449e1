"""`staking` of a spec: the authorities have bonded their weights, and eras elect from then on.

Each authority's account bonds weight · 10^9 planck; entries of `babe` and `grandpa` at one place
are one validator's. Invariant: what is read here, `build_genesis` can build.
Source: Substrate `pallet_staking::GenesisConfig`; WP II.A.
"""

from __future__ import annotations

from typing import Final

from genesis.reader import Reader
from genesis.values import read_account, read_amount
from runtime.constants import Preset
from runtime.economy.authorities import PLANCK_PER_WEIGHT
from runtime.genesis import GenesisStaking
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.staking import StakingParameters
from runtime.primitives.babe_digest import Authority
from runtime.primitives.per_things import Perbill
from runtime.primitives.types import AccountId, Balance

_OPTIONAL: Final = (
    *("minimumCount", "nominatorBondMin", "treasuryPercent", "finalizerPercent"),
    *("slashBurnPercent", "slashTreasuryPercent", "slashDeferEras", "commissions"),
)
_PARTS: Final = 10**9


def read_staking(
    reader: Reader,
    network: int,
    preset: Preset,
    balances: dict[AccountId, Balance],
    authorities: list[EpochAuthority],
    grandpa: list[Authority],
) -> GenesisStaking:
    """The rules of staking, and what each authority takes for itself. Raises: SpecError."""
    reader.fields({"validatorCount"}, _OPTIONAL)
    if [each.weight for each in authorities] != [each.weight for each in grandpa]:
        reader.fail("the weights of babe and grandpa differ: entries at one place are one's own")
    accounts = [each.account for each in authorities]
    if len({*accounts}) != len(accounts):
        reader.fail("an account is two authorities in babe")
    parameters = _read_parameters(reader, preset)
    for each in authorities:
        stake = each.weight * PLANCK_PER_WEIGHT
        shown = f"the authority 0x{each.account.hex()}"
        if stake < parameters.validator_bond_min:
            reader.fail(f"{shown} bonds {stake} planck, less than {parameters.validator_bond_min}")
        if balances.get(each.account, 0) < stake + preset.existential_deposit:
            reader.fail(f"{shown} cannot bond the {stake} planck that it weighs")
    return GenesisStaking(parameters, _read_commissions(reader, network, accounts))


def _read_parameters(reader: Reader, preset: Preset) -> StakingParameters:
    def number(name: str, usual: int, low: int, high: int) -> int:
        found = reader.find(name)
        return usual if found is None else found.integer(low, high)

    usual = StakingParameters()
    nominator = reader.find("nominatorBondMin")
    parameters = StakingParameters(
        validator_count=reader.key("validatorCount").integer(1, preset.authorities_max),
        minimum_count=number("minimumCount", usual.minimum_count, 1, preset.authorities_max),
        validator_bond_min=preset.chain_stake,
        nominator_bond_min=(
            usual.nominator_bond_min if nominator is None else read_amount(nominator)
        ),
        treasury_percent=number("treasuryPercent", usual.treasury_percent, 0, 100),
        finalizer_percent=number("finalizerPercent", usual.finalizer_percent, 0, 100),
        slash_burn_percent=number("slashBurnPercent", usual.slash_burn_percent, 0, 100),
        slash_treasury_percent=number("slashTreasuryPercent", usual.slash_treasury_percent, 0, 100),
        slash_defer_eras=number("slashDeferEras", 0, 0, preset.bonding_eras - 1),
    )
    if not parameters.is_sound(preset.authorities_max, preset.bonding_eras):
        reader.fail("shares of slashes exceed 100 percent, or the minima of bonds do not fit")
    return parameters


def _read_commissions(
    reader: Reader, network: int, accounts: list[AccountId]
) -> dict[AccountId, Perbill]:
    """Parts of 10^9 by account."""
    listed = reader.find("commissions")
    found: dict[AccountId, Perbill] = {}
    for entry in [] if listed is None else listed.items(0, len(accounts)):
        address, parts = entry.entries("address", "parts")
        account = read_account(address, network)
        if account not in accounts:
            address.fail("the account is no authority")
        found[account] = Perbill(parts.integer(0, _PARTS))
    return found
