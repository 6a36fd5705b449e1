"""The catalogue: names that are known, and the one backdoor that can be measured."""

from __future__ import annotations

import pytest

from ml.attacks.catalogue import ATTACKS, AttackError, find_attack
from ml.attacks.data import Backdoor


def test_names() -> None:
    assert find_attack("sign-flip") is ATTACKS["sign-flip"]
    assert find_attack("backdoor").backdoor == Backdoor()
    assert find_attack("label-flip").backdoor is None
    with pytest.raises(AttackError, match=r"^attack 'magic' is not one of label-flip, "):
        find_attack("magic")
