"""What a simulation may be asked for."""

from __future__ import annotations

import pytest

from flockchain.simulation.fl.settings import DEFENCES, FlSettings, SettingsError
from ml.attacks.catalogue import AttackError


def test_the_share_becomes_a_number() -> None:
    assert FlSettings(clients=50, malicious=0.3).malicious_clients == 15
    assert FlSettings(defence="none").rules is DEFENCES["none"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clients": 4}, "4 clients are outside 5..256"),
        ({"malicious": 1.5}, "a share of 1.5 is outside 0..1"),
        ({"rounds": 0}, "0 rounds are outside 1..1000"),
        ({"defence": "luck"}, f"defence 'luck' is not one of {', '.join(DEFENCES)}"),
    ],
)
def test_refusals(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        FlSettings(**changes)  # type: ignore[arg-type]
    assert str(refusal.value) == message


def test_an_unknown_attack_is_refused() -> None:
    with pytest.raises(AttackError):
        FlSettings(attack="magic")
