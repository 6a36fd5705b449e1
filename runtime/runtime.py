"""The runtime: which pallets there are, with what constants, and who answers whom.

The only place where pallets meet. A Runtime is built anew over each block's state.

Source: FRAME `construct_runtime!`; WP II.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from runtime import proxy_filters, track_calls
from runtime.constants import Preset
from runtime.frame.call import install_pallets
from runtime.frame.dispatch import Dispatcher
from runtime.frame.externalities import Externalities
from runtime.frame.limits import BlockLength, BlockWeights, block_length, block_weights
from runtime.frame.pallet import Pallet
from runtime.frame.weights import Weight
from runtime.pallets import (
    arena,
    authorship,
    babe,
    balances,
    delegation,
    emission,
    fl_alliance,
    governance,
    grandpa,
    marketplace,
    model_registry,
    multisig,
    offences,
    preimage,
    proxy,
    rekeying,
    scheduler,
    session,
    staking,
    system,
    tasks,
    timestamp,
    transaction_payment,
    treasury,
    trends,
    upgrades,
    utility,
)
from runtime.pallets.fl_alliance.pallet import COMMITMENT, PROOF
from runtime.pallets.fl_alliance.terms import COMMITMENTS_MAX
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION, code_stub

BASE_BLOCK: Final = Weight(2_000_000_000)  # an empty block: hooks, events, header
BASE_EXTRINSIC: Final = Weight(110_000_000)  # decode, one signature check, nonce, fee, events
SCHEDULED_PERCENT: Final = 40  # of a block's weight: extrinsics always have more
BLOCK_BYTES_MAX: Final = 768 * 1024  # a block fits into one response of a peer (1 MiB)

PALLETS: Final[tuple[type[Pallet[Any]], ...]] = (
    system.System,
    timestamp.Timestamp,
    babe.Babe,
    grandpa.Grandpa,
    authorship.Authorship,
    balances.Balances,
    transaction_payment.TransactionPayment,
    preimage.Preimage,
    staking.Staking,
    offences.Offences,
    session.Session,
    treasury.Treasury,
    scheduler.Scheduler,
    utility.Utility,
    multisig.Multisig,
    proxy.Proxy,
    tasks.Tasks,
    delegation.Delegation,
    emission.Emission,
    arena.Arena,
    fl_alliance.FlAlliance,
    model_registry.ModelRegistry,
    marketplace.Marketplace,
    governance.Governance,
    rekeying.Rekeying,
    upgrades.Upgrades,
    trends.Trends,
)
install_pallets(PALLETS)
rekeying.ensure_all_handled(PALLETS)
_HOOKED: Final = {
    hook: tuple(kind for kind in PALLETS if getattr(kind, hook) is not getattr(Pallet, hook))
    for hook in ("on_initialize", "on_idle", "on_finalize")
}
_BLOCK_LENGTH: Final = block_length(BLOCK_BYTES_MAX)


class Runtime:
    """All pallets over one state."""

    spec_version = SPEC_VERSION
    transaction_version = TRANSACTION_VERSION

    def __init__(self, ext: Externalities, preset: Preset) -> None:
        self.ext = ext
        self.preset = preset
        self.weights: BlockWeights = weights_of(preset)
        self.length: BlockLength = _BLOCK_LENGTH
        self.system = system.System(ext, system.Config())
        self.balances = balances.Balances(
            ext, balances.Config(preset.existential_deposit, preset.cap), accounts=self.system
        )
        self._wire_consensus(ext, preset)
        self.timestamp = timestamp.Timestamp(
            ext,
            timestamp.Config(preset.slot_ms // 2),
            on_timestamp_set=self.babe.on_timestamp_set,
        )
        self.treasury = treasury.Treasury(ext, treasury.Config(), currency=self.balances)
        normal_max = self.weights.per_class.normal.max_total
        assert normal_max is not None
        self.fees = transaction_payment.TransactionPayment(
            ext,
            transaction_payment.Config(treasury.TREASURY, normal_max.ref_time),
            sink=self.balances,
            author=self.authorship,
        )
        self._wire_accounts(ext, preset)
        self.governance = governance.Governance(
            ext,
            governance.Config(preset.calendar.day_blocks, treasury.TREASURY),
            currency=self.balances,
            block=self.system,
            preimages=self.preimage,
            agenda=self.scheduler,
            track_filter=track_calls.allows,
        )
        self.trends = trends.Trends(
            ext,
            trends.Config(preset.calendar),
            block=self.system,
            electorate=self.governance,
        )
        self._wire_arena(ext, preset)
        self.upgrades = upgrades.Upgrades(
            ext,
            upgrades.Config(self.spec_version, preset.calendar.day_blocks),
            code=self.system,
            name_of=lambda spec_version: code_stub(preset.name, spec_version),
        )
        self.rekeying = rekeying.Rekeying(
            ext,
            rekeying.Config(preset.calendar),
            block=self.system,
            accounts=self.system,
            bonds=self.staking,
            votes=self.governance,
            market=self.market,
            pallets=[pallet for pallet in vars(self).values() if isinstance(pallet, Pallet)],
        )
        self._by_type: Mapping[type[Pallet[Any]], Pallet[Any]] = {
            type(pallet): pallet for pallet in vars(self).values() if isinstance(pallet, Pallet)
        }
        self.ordered: tuple[Pallet[Any], ...] = tuple(self._by_type[kind] for kind in PALLETS)
        self.hooked: Mapping[str, tuple[Pallet[Any], ...]] = {
            hook: tuple(self._by_type[kind] for kind in kinds) for hook, kinds in _HOOKED.items()
        }

    def _wire_consensus(self, ext: Externalities, preset: Preset) -> None:
        """Stake, sessions, and who makes and finalizes blocks."""
        self.staking = staking.Staking(
            ext,
            staking.Config(
                treasury.TREASURY,
                preset.era_epochs,
                preset.bonding_eras,
                preset.history_eras,
                preset.authorities_max,
                preset.candidates_max,
                preset.nominators_max,
            ),
            currency=self.balances,
            block=self.system,
        )
        self.grandpa = grandpa.Grandpa(ext, grandpa.Config(), block=self.system)
        self.session = session.Session(
            ext,
            session.Config(preset.authorities_max),
            block=self.system,
            stake=self.staking,
            finality=self.grandpa,
        )
        self.staking.connect(self.session)
        self.babe = babe.Babe(
            ext,
            babe.Config(preset.epoch_slots, preset.slot_ms),
            block=self.system,
            sessions=self.session,
        )
        self.authorship = authorship.Authorship(
            ext,
            authorship.Config(),
            block=self.babe,
            rewards=self.staking,
            members=self.session,
        )
        self.offences = offences.Offences(
            ext,
            offences.Config(),
            sessions=self.session,
            slots=self.babe,
            sets=self.grandpa,
            stake=self.staking,
        )

    def _wire_arena(self, ext: Externalities, preset: Preset) -> None:
        """Emission, tasks, stakes and the AI Arena."""
        calendar = preset.calendar
        self.emission = emission.Emission(
            ext, emission.Config(kept_days=preset.kept_days), currency=self.balances
        )
        self.delegation = delegation.Delegation(
            ext,
            delegation.Config(
                calendar,
                preset.unbonding_days,
                nodes_max=preset.nodes_max,
                validators_max=preset.validators_max,
                delegators_max=preset.delegators_max,
                ratio_interval_days=preset.ratio_interval_days,
            ),
            currency=self.balances,
            block=self.system,
            locks=self.governance,
        )
        self.tasks = tasks.Tasks(
            ext,
            tasks.Config(
                calendar,
                treasury.TREASURY,
                preset.creator_stake,
                preset.node_stake,
                preset.validator_stake,
                preset.registration_fee,
                live_tasks_max=preset.live_tasks_max,
            ),
            currency=self.balances,
            ledger=self.delegation,
            block=self.system,
        )
        self.models = model_registry.ModelRegistry(ext, model_registry.Config(), block=self.system)
        self._wire_alliance(ext, preset)
        self.market = marketplace.Marketplace(
            ext,
            marketplace.Config(calendar, preset.unbonding_days, preset.existential_deposit),
            currency=self.balances,
            block=self.system,
            models=self.models,
            randomness=self.babe,
            stakes=self.delegation,
            tasks=self.tasks,
            trends=self.trends,
        )
        self.arena = arena.Arena(
            ext,
            arena.Config(
                calendar,
                treasury.TREASURY,
                preset.node_stake,
                preset.validator_stake,
                preset.quota_base,
                preset.quota_max,
                preset.settlement_steps,
                preset.kept_days,
            ),
            currency=self.balances,
            block=self.system,
            randomness=self.babe,
            tasks=self.tasks,
            stakes=self.delegation,
            emission=self.emission,
            models=self.models,
            alliance=self.alliance,
            hosts=self.market,
        )

    def _wire_alliance(self, ext: Externalities, preset: Preset) -> None:
        """The FL Alliance, which the arena asks for its stakes."""
        self.alliance = fl_alliance.FlAlliance(
            ext,
            fl_alliance.Config(
                preset.calendar,
                treasury.TREASURY,
                preset.epoch_slots,
                preset.creator_stake,
                preset.fl_stake,
                preset.registration_fee,
                unbonding_days=preset.unbonding_days,
                live_tasks_max=preset.alliance_tasks_max,
                members_max=preset.members_max,
                steps_per_block=preset.alliance_steps,
                commitments_max=commitments_max(self.weights),
                round_days=preset.alliance_round_days,
                kept_days=preset.kept_days,
            ),
            currency=self.balances,
            block=self.system,
            randomness=self.babe,
            book=self.tasks,
            emission=self.emission,
            models=self.models,
            locks=self.governance,
        )

    def _wire_accounts(self, ext: Externalities, preset: Preset) -> None:
        """Several calls in one, and acting for others."""
        dispatcher = Dispatcher(ext, self.pallet, system.CallFiltered)
        self.preimage = preimage.Preimage(ext, preimage.Config(), currency=self.balances)
        most = self.weights.max_block.ref_time * SCHEDULED_PERCENT // 100
        self.scheduler = scheduler.Scheduler(
            ext,
            scheduler.Config(Weight(most, self.weights.max_block.proof_size)),
            dispatcher=dispatcher,
            preimages=self.preimage,
            block=self.system,
        )
        self.utility = utility.Utility(ext, utility.Config(), dispatcher=dispatcher)
        self.multisig = multisig.Multisig(
            ext,
            multisig.Config(),
            dispatcher=dispatcher,
            currency=self.balances,
            block=self.system,
        )
        self.proxy = proxy.Proxy(
            ext,
            proxy.Config(preset.existential_deposit),
            dispatcher=dispatcher,
            currency=self.balances,
            accounts=self.system,
            block=self.system,
            kind_filter=proxy_filters.allows,
        )

    def pallet(self, kind: type[Pallet[Any]]) -> Pallet[Any]:
        """The instance of a pallet class."""
        return self._by_type[kind]

    def try_state(self) -> None:
        """Check every pallet's invariants. Raises AssertionError. For tests and the simulator."""
        for pallet in self.ordered:
            pallet.try_state()


def commitments_max(weights: BlockWeights) -> int:
    """How many commitments a proof may be about: the call takes at most two thirds of what normal
    ones may."""
    extrinsic = weights.per_class.normal.max_extrinsic
    assert extrinsic is not None, "normal calls are bounded"
    left = extrinsic.ref_time * 2 // 3 - PROOF.ref_time
    return min(left // COMMITMENT.ref_time, COMMITMENTS_MAX)


def weights_of(preset: Preset) -> BlockWeights:
    """A block may take a third of its slot to execute."""
    return _weights_of_slot(preset.slot_ms)


@cache
def _weights_of_slot(slot_ms: int) -> BlockWeights:
    return block_weights(slot_ms * 10**9 // 3, BASE_BLOCK, BASE_EXTRINSIC)
