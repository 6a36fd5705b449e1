"""The two presets of the chain: every fixed number with its unit and its reason.

What the DAO may change lives in storage; these are the values of genesis and the sizes that only a
release changes. Amounts are planck.
Source: WP III.A (supply), IV.A (stakes), V.D (rate limit); published by FLock are only the 50/50
split, q, p and delta, everything else is this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from runtime.economy.calendar import Calendar
from runtime.economy.governance import GovernanceParameters
from runtime.economy.market import JuryRules, MarketParameters
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.economy.trends import TrendParameters
from runtime.primitives.types import FML

EXISTENTIAL_DEPOSIT: Final = FML // 1_000  # an account costs about 200 bytes of state for ever
CAP: Final = 1_000_000_000 * FML


@dataclass(frozen=True)
class Preset:
    """One network's sizes. Times in ms, slots, blocks or days as the names end."""

    name: str
    slot_ms: int
    epoch_slots: int
    era_epochs: int
    calendar: Calendar
    unbonding_days: int  # also the notice for a cut of the share ratio
    ratio_interval_days: int  # between two changes of a share ratio
    creator_stake: int  # S_c
    node_stake: int
    validator_stake: int  # s_min of the quota curve
    fl_stake: int  # the least quantity that an FL task may ask of each participant
    chain_stake: int
    quota_base: int  # L_0: seats, and submissions, a day at the minimum stake
    quota_max: int  # L_max
    seats: int  # per submission and day, suggested to creators
    final_seats: int
    debate_blocks: int
    voting_blocks: int
    timelock_blocks: int
    proposal_deposit: int
    proposal_reward: int
    arena: ArenaParameters = field(default_factory=ArenaParameters)
    market: MarketParameters = field(default_factory=MarketParameters)
    trends: TrendParameters = field(default_factory=TrendParameters)
    registration_fee: int = 10 * FML  # per identity and task: the price of a Sybil
    existential_deposit: int = EXISTENTIAL_DEPOSIT
    cap: int = CAP
    nodes_max: int = 1_000  # per task: settlement is measured at this size
    validators_max: int = 200  # per task
    delegators_max: int = 1_000  # per operator
    live_tasks_max: int = 256
    settlement_steps: int = 6_000  # per block: 60 ms on the reference machine
    alliance_tasks_max: int = 64  # live tasks of the FL Alliance: each block looks at all of them
    members_max: int = 4_096  # that ever join one of them
    alliance_round_days: int = 7  # the longest round: what a day allots can be minted a day longer
    alliance_steps: int = 1_000  # per block: about 70 ms on the reference machine
    bonding_eras: int = 14  # from unbonding the chain's stake to free, and to report offences
    history_eras: int = 30  # in which an era's pay can be claimed
    authorities_max: int = 100
    candidates_max: int = 300
    nominators_max: int = 1_000  # an election reads all of them: some 100 ms
    kept_days: int = 30  # how long the inputs of a payout can be explained from the state

    def governance(self) -> GovernanceParameters:
        """How the DAO decides at genesis."""
        return GovernanceParameters(
            debate=self.debate_blocks,
            voting=self.voting_blocks,
            timelock=self.timelock_blocks,
            deposit=self.proposal_deposit,
            reward=self.proposal_reward,
        )


_MAINNET_DAY: Final = 14_400  # blocks of 6 s

MAINNET: Final = Preset(
    name="mainnet",
    slot_ms=6_000,
    epoch_slots=2_400,
    era_epochs=6,
    # [0, 50 %) [50, 60) [60, 80) [80, 95) [95, 98) [98, 100)
    calendar=Calendar(_MAINNET_DAY, 7_200, 8_640, 11_520, 13_680, 14_112),
    unbonding_days=14,
    ratio_interval_days=30,
    creator_stake=10_000 * FML,
    node_stake=1_000 * FML,
    validator_stake=3_000 * FML,
    fl_stake=500 * FML,
    chain_stake=50_000 * FML,
    quota_base=4,
    quota_max=100,
    seats=5,
    final_seats=15,
    debate_blocks=3 * _MAINNET_DAY,
    voting_blocks=7 * _MAINNET_DAY,
    timelock_blocks=2 * _MAINNET_DAY,
    proposal_deposit=1_000 * FML,
    proposal_reward=500 * FML,
    arena=ArenaParameters(vesting=VestingRules(ranked_max=64), paid_validators_max=64),
)

DEVNET: Final = Preset(
    name="devnet",
    slot_ms=1_000,
    epoch_slots=10,
    era_epochs=3,
    calendar=Calendar(20, 8, 10, 14, 17, 18),
    unbonding_days=2,
    ratio_interval_days=3,
    creator_stake=100 * FML,
    node_stake=10 * FML,
    validator_stake=30 * FML,
    fl_stake=5 * FML,
    chain_stake=500 * FML,
    market=MarketParameters(
        host_stake=50 * FML,
        free_stake=10 * FML,
        request_blocks=30,
        jury=JuryRules(10 * FML, FML, draw_blocks=3, verdict_blocks=40, opening_blocks=10),
    ),
    trends=TrendParameters(season_days=3, vote_days=1, payers_least=2),
    quota_base=4,
    quota_max=100,
    seats=3,
    final_seats=3,
    debate_blocks=10,
    voting_blocks=20,
    timelock_blocks=5,
    proposal_deposit=100 * FML,
    proposal_reward=50 * FML,
    nodes_max=100,  # a day of 20 blocks settles no more in time
    validators_max=50,
    bonding_eras=2,
    history_eras=10,
    authorities_max=16,
    candidates_max=32,
    nominators_max=100,
    kept_days=1_000,
    alliance_round_days=24,  # of 20 blocks: three aggregators have time on a busy machine
)

PRESETS: Final[dict[str, Preset]] = {preset.name: preset for preset in (MAINNET, DEVNET)}
