"""What kinds of proxies may do: nothing moves tokens, and no kind escapes from its filter."""

from __future__ import annotations

import pytest

from runtime.frame.call import RuntimeCall
from runtime.frame.pallet import CallEntry
from runtime.pallets.proxy.records import ProxyType
from runtime.proxy_filters import ALLOWED, allows
from runtime.runtime import PALLETS

ENTRIES = {(p.pallet_index, index): entry for p in PALLETS for index, entry in p.calls.items()}
NEVER = (
    *("Balances.transfer_allow_death", "Balances.transfer_keep_alive", "Balances.transfer_all"),
    *("Balances.burn_own", "Treasury.spend", "Rekeying.swap_key", "Timestamp.set"),
    *("Tasks.create_task", "Tasks.add_bounty", "FlAlliance.create_task"),
    *("Multisig.as_multi", "Multisig.approve_as_multi"),
    *("Marketplace.open_channel", "Marketplace.top_up", "Marketplace.request_inference"),
    *("Proxy.announce", "Proxy.remove_proxies", "Proxy.create_pure", "Proxy.kill_pure"),
)


def name_of(entry: CallEntry) -> str:
    return f"{entry.pallet.__name__}.{entry.name}"


def test_every_kind_but_any_has_a_list_of_calls_that_exist() -> None:
    assert set(ALLOWED) == set(ProxyType) - {ProxyType.Any}
    for calls in ALLOWED.values():
        assert calls <= set(ENTRIES)


@pytest.mark.parametrize("kind", [kind for kind in ProxyType if kind is not ProxyType.Any])
def test_no_restricted_kind_does_what_moves_tokens_or_outlives_its_filter(kind: ProxyType) -> None:
    assert {name_of(entry) for entry in ENTRIES.values()} >= set(NEVER)
    for entry in ENTRIES.values():
        if name_of(entry) in NEVER:
            assert not allows(kind, RuntimeCall(entry, ())), name_of(entry)


def test_a_participants_proxy_does_all_that_a_round_asks_for() -> None:
    """What it could not do would be missed, and cost its principal stake."""
    others = {"create_task", "create_verified_task", "verify_task", "unverify_task"}
    others |= {"set_parameters", "cancel_task", "join", "leave", "claim"}
    alliance = {entry for entry in ENTRIES.values() if entry.pallet.__name__ == "FlAlliance"}
    denied = {one.name for one in alliance if not allows(ProxyType.Alliance, RuntimeCall(one, ()))}
    assert denied == others


def test_a_kind_without_transfers_includes_those_of_workers() -> None:
    for kind in set(ALLOWED) - {ProxyType.NonTransfer}:
        assert ALLOWED[kind] < ALLOWED[ProxyType.NonTransfer]
    shared = ALLOWED[ProxyType.TaskValidation] & ALLOWED[ProxyType.Alliance]
    assert {ENTRIES[one].pallet.__name__ for one in shared} == {"Utility"}


def test_any_does_everything() -> None:
    assert all(allows(ProxyType.Any, RuntimeCall(entry, ())) for entry in ENTRIES.values())


def test_kinds_contain_themselves_and_any_contains_all() -> None:
    for kind in ProxyType:
        assert ProxyType.Any.is_superset(kind)
        assert kind.is_superset(kind)
        assert kind is ProxyType.Any or not kind.is_superset(ProxyType.Any)
