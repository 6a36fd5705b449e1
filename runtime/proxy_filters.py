"""What each kind of proxy may do, call by call.

A call that is not listed is refused, so a new pallet gives no proxy anything. No kind but `Any` may
move tokens or the key of an account, make proxies of another kind, or leave something behind that
others execute later without its filter (announcements, approvals of multisig operations).

Source: Substrate `InstanceFilter`; WP II.B (operators), V, VI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from runtime.frame.call import RuntimeCall
from runtime.frame.pallet import entry_of
from runtime.pallets.arena import Arena
from runtime.pallets.delegation import Delegation
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.governance import Governance
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.multisig import Multisig
from runtime.pallets.preimage import Preimage
from runtime.pallets.proxy import Proxy
from runtime.pallets.proxy.records import ProxyType
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.pallets.trends import Trends
from runtime.pallets.utility import Utility

Call = Callable[..., None]

# Their calls are filtered in turn.
_BATCHES: Final[tuple[Call, ...]] = (
    *(Utility.batch, Utility.batch_all, Utility.force_batch, Utility.as_derivative),
)
_TASK_VALIDATION: Final[tuple[Call, ...]] = (
    *(Arena.set_sealing_key, Arena.commit_scores, Arena.reveal_scores),
)
_TRAINING: Final[tuple[Call, ...]] = (
    *(Arena.set_sealing_key, Arena.set_ring_key, Arena.commit_submission),
    *(Arena.reveal_submission, Arena.share_keys, Arena.open_aliases),
)
_ALLIANCE: Final[tuple[Call, ...]] = (
    *(FlAlliance.pause, FlAlliance.resume, FlAlliance.check_in, FlAlliance.initialise_model),
    *(FlAlliance.commit_proposal, FlAlliance.reveal_proposal, FlAlliance.report),
    *(FlAlliance.reveal_commitments, FlAlliance.hand_over),
    *(FlAlliance.post_proof, FlAlliance.accuse),
    *(FlAlliance.share_secrets, FlAlliance.reveal_shares),
    *(FlAlliance.commit_vote, FlAlliance.reveal_vote),
)
_STAKING: Final[tuple[Call, ...]] = (
    *(Staking.bond, Staking.bond_extra, Staking.unbond, Staking.withdraw_unbonded),
    *(Staking.validate, Staking.nominate, Staking.chill, Staking.payout_stakers),
    *(Session.set_keys, Session.purge_keys),
)
_CANCEL_PROXY: Final[tuple[Call, ...]] = (Proxy.reject_announcement,)
_PREIMAGES: Final[tuple[Call, ...]] = (Preimage.note_preimage, Preimage.unnote_preimage)
_GOVERNANCE: Final[tuple[Call, ...]] = (
    *(Governance.lock, Governance.unlock, Governance.withdraw),
    *(Governance.delegate, Governance.undelegate, Governance.propose, Governance.propose_noted),
    *(Governance.comment, Governance.flag, Governance.vote, Trends.vote),
)
_MARKET: Final[tuple[Call, ...]] = (
    *(Marketplace.register_host, Marketplace.add_host_stake, Marketplace.withdraw_host_stake),
    *(Marketplace.offer, Marketplace.withdraw_offer, Marketplace.update_offer, Marketplace.leave),
    *(Marketplace.settle, Marketplace.settle_many, Marketplace.answer_request),
    *(Marketplace.stake, Marketplace.unstake, Marketplace.withdraw_stake),
    *(Marketplace.seal_rating, Marketplace.open_rating, Marketplace.use_contribution),
    *(Marketplace.enlist, Marketplace.stand_down),
    Marketplace.withdraw_request,
    *(Marketplace.seal_verdict, Marketplace.open_verdict),
    *(Marketplace.close_channel, Marketplace.withdraw_channel, Marketplace.pay_royalties),
)
_NON_TRANSFER: Final[tuple[Call, ...]] = (
    *(*_TASK_VALIDATION, *_TRAINING, *_ALLIANCE, *_STAKING, *_CANCEL_PROXY),
    *(System.remark, System.remark_with_event),
    *(*_PREIMAGES, *_GOVERNANCE, *_MARKET),
    *(Tasks.register, Tasks.reveal_key, Tasks.cancel_task, Tasks.set_share_ratio),
    *(Delegation.bond_extra, Delegation.unbond, Delegation.free_unbonded),
    *(Delegation.delegate, Delegation.undelegate),
    *(FlAlliance.join, FlAlliance.leave, FlAlliance.claim, FlAlliance.cancel_task),
    *(Multisig.as_multi_threshold_1, Multisig.cancel_as_multi),
    *(Proxy.proxy, Proxy.proxy_announced, Proxy.remove_announcement),
)


def _indices(calls: Iterable[Call]) -> frozenset[tuple[int, int]]:
    entries = [entry_of(function) for function in (*_BATCHES, *calls)]
    return frozenset(entry.indices for entry in entries)


ALLOWED: Final[dict[ProxyType, frozenset[tuple[int, int]]]] = {
    ProxyType.NonTransfer: _indices(_NON_TRANSFER),
    ProxyType.Governance: _indices((*_PREIMAGES, *_GOVERNANCE)),
    ProxyType.Staking: _indices(_STAKING),
    ProxyType.TaskValidation: _indices(_TASK_VALIDATION),
    ProxyType.Training: _indices(_TRAINING),
    ProxyType.Alliance: _indices(_ALLIANCE),
    ProxyType.CancelProxy: _indices(_CANCEL_PROXY),
}
"""Pallet and call indices by kind; `Any` may do everything."""

_OF_KIND: Final = (entry_of(Proxy.add_proxy), entry_of(Proxy.remove_proxy))


def allows(kind: ProxyType, call: RuntimeCall) -> bool:
    """Whether a proxy of the kind may make the call."""
    if kind is ProxyType.Any:
        return True
    entry = call.entry
    if entry in _OF_KIND:
        wanted: ProxyType = call.arguments[1]
        return kind.is_superset(wanted)
    return entry.indices in ALLOWED[kind]
