"""Proofs of aggregation fit into a block of every network, whatever a task's terms are."""

from __future__ import annotations

import pytest

from runtime.constants import PRESETS
from runtime.pallets.fl_alliance.pallet import COMMITMENT, PROOF
from runtime.pallets.fl_alliance.terms import COMMITMENTS_MAX
from runtime.runtime import commitments_max, weights_of


@pytest.mark.parametrize("name", PRESETS)
def test_the_largest_proof_leaves_room_for_other_calls(name: str) -> None:
    weights = weights_of(PRESETS[name])
    count = commitments_max(weights)
    assert 3 < count <= COMMITMENTS_MAX
    limit = weights.per_class.normal.max_total
    assert limit is not None
    assert (PROOF + COMMITMENT.times(count)).ref_time * 3 <= limit.ref_time * 2


def test_slots_of_six_seconds_have_room_for_all() -> None:
    assert commitments_max(weights_of(PRESETS["mainnet"])) == COMMITMENTS_MAX
