"""`genesis.runtimeGenesis.patch`: one section a pallet, read into the runtime's GenesisConfig.

Owns the sections' keys. Invariant: what is read here, `build_genesis` can build; rules that need
several values (a sum, two equal keys) are checked here too, so that the refusal names the entry.
Source: Substrate `sc_chain_spec` (`runtimeGenesis.patch`), FRAME `GenesisConfig`.
"""

from __future__ import annotations

from typing import Final

from genesis.arena import read_emission, read_tasks
from genesis.reader import Reader
from genesis.staking import read_staking
from genesis.values import read_account, read_amount, read_ed25519_key
from runtime.constants import PRESETS, Preset
from runtime.genesis import GenesisConfig
from runtime.pallets.babe import AUTHORITIES_MAX, EpochAuthority
from runtime.primitives.babe_digest import Authority
from runtime.primitives.types import AccountId, Balance, Hash
from runtime.primitives.zk_profile import SETUP_POINTS_MAX, SETUP_POINTS_MIN, ChainSetup

ACCOUNTS_MAX: Final = 1_000_000
WEIGHT_MAX: Final = 2**53  # the sum over all authorities then fits 64 bits
_REQUIRED: Final = ("system", "balances", "babe", "grandpa")
_OPTIONAL: Final = ("emission", "tasks", "staking", "flAlliance")


def read_patch(reader: Reader, network: int) -> GenesisConfig:
    """The configuration of block 0; addresses must be of `network`. Raises: SpecError."""
    reader.fields(_REQUIRED, _OPTIONAL)
    emission, tasks = reader.find("emission"), reader.find("tasks")
    preset = _read_preset(reader.key("system"))
    balances = _read_balances(reader.key("balances"), network, preset)
    authorities = _read_babe(reader.key("babe"), network)
    grandpa = _read_grandpa(reader.key("grandpa"), network)
    staking, alliance = reader.find("staking"), reader.find("flAlliance")
    return GenesisConfig(
        preset=preset.name,
        balances=balances,
        authorities=authorities,
        grandpa=grandpa,
        staking=(
            None
            if staking is None
            else read_staking(staking, network, preset, balances, authorities, grandpa)
        ),
        emission=None if emission is None else read_emission(emission),
        tasks=[] if tasks is None else read_tasks(tasks, network),
        setup=None if alliance is None else _read_setup(alliance),
    )


def _read_preset(section: Reader) -> Preset:
    section.fields({"preset"})
    return PRESETS[section.key("preset").choice(*sorted(PRESETS))]


def _read_balances(section: Reader, network: int, preset: Preset) -> dict[AccountId, Balance]:
    section.fields({"balances"})
    balances: dict[AccountId, Balance] = {}
    total = 0
    for entry in section.key("balances").items(0, ACCOUNTS_MAX):
        address, amount = entry.entries("address", "amount")
        account, planck = read_account(address, network), read_amount(amount)
        if account in balances:
            address.fail("the account is endowed twice")
        if planck < preset.existential_deposit:
            amount.fail(
                f"{planck} planck is below the existential deposit of "
                f"{preset.existential_deposit} planck"
            )
        balances[account] = planck
        total += planck
        if total > preset.cap:
            amount.fail(f"the sum up to here is {total} planck, the cap is {preset.cap}")
    return balances


def _read_setup(section: Reader) -> ChainSetup:
    setup = section.fields({"setup"}).key("setup").fields({"points", "sha256"})
    points = setup.key("points").integer(SETUP_POINTS_MIN, SETUP_POINTS_MAX)
    return ChainSetup(points, Hash(setup.key("sha256").hex(32)))


def _read_babe(section: Reader, network: int) -> list[EpochAuthority]:
    section.fields({"authorities"})
    authorities: list[EpochAuthority] = []
    for entry in section.key("authorities").items(1, AUTHORITIES_MAX):
        entry.fields({"account", "key", "weight"})
        key = read_ed25519_key(entry.key("key"), network)
        if any(known.key == key for known in authorities):
            entry.key("key").fail("the key is listed twice")
        account = read_account(entry.key("account"), network)
        weight = entry.key("weight").integer(1, WEIGHT_MAX)
        authorities.append(EpochAuthority(key, weight, account))
    return authorities


def _read_grandpa(section: Reader, network: int) -> list[Authority]:
    section.fields({"authorities"})
    authorities: list[Authority] = []
    for entry in section.key("authorities").items(1, AUTHORITIES_MAX):
        key_reader, weight = entry.entries("key", "weight")
        key = read_ed25519_key(key_reader, network)
        if any(known.key == key for known in authorities):
            key_reader.fail("the key is listed twice")
        authorities.append(Authority(key, weight.integer(1, WEIGHT_MAX)))
    return authorities
