"""The state of block 0 from a checked configuration.

Source: FRAME `GenesisConfig`; `genesis/spec.py` reads it from JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.constants import PRESETS
from runtime.economy.authorities import PLANCK_PER_WEIGHT, Member, SessionKeys
from runtime.economy.tasks import TaskTerms
from runtime.frame.errors import DispatchError
from runtime.frame.externalities import DictState, Externalities
from runtime.pallets.babe import EpochAuthority
from runtime.pallets.emission import EmissionParameters
from runtime.pallets.staking import StakingParameters, ValidatorPrefs
from runtime.primitives.babe_digest import Authority
from runtime.primitives.per_things import Perbill
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Balance
from runtime.primitives.zk_profile import ChainSetup
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, SPEC_VERSION, code_stub

_EXTRINSIC_INDEX = b":extrinsic_index"


@dataclass(frozen=True)
class GenesisTask:
    """A verified task that exists from block 0; it starts with day `start_day`, at least 1."""

    creator: AccountId
    terms: TaskTerms
    start_day: int


@dataclass(frozen=True)
class GenesisStaking:
    """The authorities have bonded their weights, with these commissions; eras elect from then on.

    The entries of `babe` and `grandpa` at one place are one validator's.
    """

    parameters: StakingParameters
    commissions: dict[AccountId, Perbill] = field(default_factory=dict)  # others take none


@dataclass(frozen=True)
class GenesisConfig:
    """Everything that block 0 is made from. Amounts in planck.

    The rules of the arena are those of the preset.
    """

    preset: str
    balances: dict[AccountId, Balance]
    authorities: list[EpochAuthority]  # who may author, and who is paid
    grandpa: list[Authority]  # who may finalize
    emission: EmissionParameters | None = None  # None: the published defaults
    tasks: list[GenesisTask] = field(default_factory=list)
    staking: GenesisStaking | None = None  # None: the authorities stay those of the spec
    setup: ChainSetup | None = None  # None: proofs of aggregation use Ethereum's string


def build_genesis(config: GenesisConfig) -> dict[bytes, bytes]:
    """The top trie of block 0. Raises ValueError with the key and the rule that it breaks."""
    preset = PRESETS.get(config.preset)
    if preset is None:
        raise ValueError(f"preset: {config.preset!r} is none of {', '.join(sorted(PRESETS))}")
    ext = Externalities(DictState())
    runtime = Runtime(ext, preset)
    runtime.balances.genesis_build(config.balances)
    runtime.babe.genesis_build(config.authorities)
    runtime.grandpa.genesis_build(config.grandpa)
    if config.staking is not None:
        _bond(runtime, config, config.staking)
    runtime.emission.genesis_build(config.emission or EmissionParameters())
    verified = [(task.creator, task.terms, task.start_day) for task in config.tasks]
    try:
        runtime.tasks.genesis_build(preset.arena, verified)
    except DispatchError as error:
        raise ValueError(f"tasks: {type(error).__doc__}") from error
    if config.setup is not None:
        runtime.alliance.setup.put(config.setup)
    runtime.governance.genesis_build(preset.governance())
    runtime.market.genesis_build(preset.market)
    runtime.trends.genesis_build(preset.trends)
    runtime.system.note_upgrade(SPEC_VERSION)
    for pallet in runtime.ordered:
        if pallet.stored_version > 1:
            runtime.system.set_version(pallet.pallet_index, pallet.stored_version)
    ext.put(CODE_KEY, code_stub(config.preset))
    ext.put(_EXTRINSIC_INDEX, codec_of(U32).encode(0))
    return {key: value for key, value in ext.changes().items() if value is not None}


def _bond(runtime: Runtime, config: GenesisConfig, staking: GenesisStaking) -> None:
    """Bond what the authorities weigh, and make them the members of the first sessions."""
    if [each.weight for each in config.authorities] != [each.weight for each in config.grandpa]:
        raise ValueError("staking: the authorities of babe and grandpa do not correspond")
    members = [
        Member(author.account, SessionKeys(author.key, voter.key), author.weight)
        for author, voter in zip(config.authorities, config.grandpa, strict=True)
    ]
    if len({each.account for each in members}) != len(members):
        raise ValueError("staking: an account is two authorities")
    bonds = [
        (
            each.account,
            each.weight * PLANCK_PER_WEIGHT,
            ValidatorPrefs(staking.commissions.get(each.account, Perbill(0))),
        )
        for each in members
    ]
    try:
        runtime.staking.genesis_build(staking.parameters, bonds)
    except DispatchError as error:
        raise ValueError("staking: an authority has less than its weight") from error
    runtime.session.genesis_build(members)
