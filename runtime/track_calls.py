"""Which calls a proposal of the DAO may make, by its track.

A call that is not listed is on no track, so a new pallet gives the DAO nothing. A batch that holds
together is on the track of all its calls.

Source: WP VII.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from runtime.economy.governance import Track
from runtime.frame.call import RuntimeCall
from runtime.frame.pallet import entry_of
from runtime.pallets.emission import Emission
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.governance import Governance
from runtime.pallets.grandpa import Grandpa
from runtime.pallets.marketplace import Marketplace
from runtime.pallets.session import Session
from runtime.pallets.staking import Staking
from runtime.pallets.tasks import Tasks
from runtime.pallets.treasury import Treasury
from runtime.pallets.trends import Trends
from runtime.pallets.upgrades import Upgrades
from runtime.pallets.utility import Utility

_CALLS: Final[dict[Track, tuple[Callable[..., None], ...]]] = {
    Track.PARAMETERS: (
        *(Tasks.set_parameters, FlAlliance.set_parameters, Emission.set_parameters),
        *(Staking.set_parameters, Governance.set_parameters, Marketplace.set_parameters),
        Trends.set_parameters,
    ),
    Track.TASKS: (
        *(Tasks.create_verified_task, Tasks.verify_task, Tasks.unverify_task),
        *(FlAlliance.create_verified_task, FlAlliance.verify_task, FlAlliance.unverify_task),
    ),
    Track.ATTESTATION: (Tasks.attest_creator, Governance.attest_account),
    Track.TREASURY: (Treasury.spend,),
    Track.VALIDATORS: (Session.disable, Grandpa.note_stalled),
    Track.SLASHES: (Staking.cancel_slash,),
    Track.UPGRADES: (Upgrades.schedule, Upgrades.cancel),
}


ON_TRACK: Final = {
    track: frozenset(entry_of(function).indices for function in functions)
    for track, functions in _CALLS.items()
}
"""Pallet and call indices by track."""
_BATCH: Final = entry_of(Utility.batch_all)


def allows(track: Track, call: RuntimeCall) -> bool:
    """Whether proposals on a track may make the call."""
    if call.entry is _BATCH:
        inner: list[RuntimeCall] = call.arguments[0]
        return bool(inner) and all(each.entry.indices in ON_TRACK[track] for each in inner)
    return call.entry.indices in ON_TRACK[track]
