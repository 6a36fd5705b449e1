"""Windows that are proposed to creators are such as the chain takes, on every network."""

from __future__ import annotations

import pytest

from flockchain.workers.alliance.terms import usual_windows
from runtime.constants import PRESETS
from runtime.pallets.fl_alliance.terms import FINAL_WINDOW_MIN, Mode, RoundWindows


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mode", list(Mode))
def test_the_longest_round_takes_no_longer_than_the_chain_allows(name: str, mode: Mode) -> None:
    preset = PRESETS[name]
    windows = usual_windows(preset, mode)
    assert windows.total() <= preset.alliance_round_days * preset.calendar.day_blocks
    assert (windows.aggregate > 0) is (mode is not Mode.OPEN)
    assert mode is not Mode.ZK_MASKED or min(windows.propose, windows.unmask) >= FINAL_WINDOW_MIN
    assert min(windows.of_participants()) > 2, "there is time before the last call"


def test_an_aggregator_has_as_much_time_as_training() -> None:
    assert usual_windows(PRESETS["mainnet"], Mode.ZK) == RoundWindows(
        150, 600, 150, 600, 600, 600, 150
    )
    assert usual_windows(PRESETS["devnet"], Mode.ZK) == RoundWindows(10, 30, 10, 30, 30, 30, 10)
