"""Behaviours are found by name, in modules and in files; what is none is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from flockchain.simulation.network.behaviours.blocks import Censor
from flockchain.simulation.network.behaviours.catalogue import BEHAVIOURS, find_behaviour
from flockchain.simulation.network.plan import PlanError

PLUG_IN = '''
from flockchain.simulation.network.behaviours.behaviour import Behaviour

class Shy(Behaviour):
    """Says nothing about blocks."""

    name = "shy"

    def on_send(self, liar, receiver, topic, data):
        return () if topic == "block-announces" else (data,)
'''


def test_there_are_many_and_each_says_what_it_does() -> None:
    assert len(BEHAVIOURS) >= 20
    assert all(kind.__doc__ for kind in BEHAVIOURS.values())


def test_one_is_found_by_name_by_module_and_in_a_file(tmp_path: Path) -> None:
    assert find_behaviour("censor") is Censor
    assert find_behaviour(f"{Censor.__module__}:Censor") is Censor
    file = tmp_path / "plug_in.py"
    file.write_text(PLUG_IN)
    assert find_behaviour(str(file)).name == "shy"
    assert find_behaviour(f"{file}:Shy").name == "shy"


def test_what_is_no_behaviour_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plug_in.py"
    file.write_text(PLUG_IN)
    for name, message in (
        ("sleepy", "no behaviour 'sleepy': one of censor, "),
        (f"{file}:Bold", "names 0 behaviours, one is needed"),
        (str(tmp_path / "missing.py"), "cannot be loaded"),
        ("no.such.module:Thing", "cannot be loaded"),
    ):
        with pytest.raises(PlanError, match=message):
            find_behaviour(name)
