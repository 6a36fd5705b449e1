"""The whole table: every attack's finding, in the order of the list of attacks.

Invariant: the same findings on every run and machine; the seeds are the scenarios' own.
Source: WP Table I.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flockchain.economics.attacks.clones import study_clones
from flockchain.economics.attacks.collusion import study_collusion
from flockchain.economics.attacks.findings import Finding
from flockchain.economics.attacks.free_riding import study_free_riding
from flockchain.economics.attacks.overfitting import study_overfitting
from flockchain.economics.attacks.score_copying import study_score_copying
from flockchain.economics.attacks.stake_splitting import study_stake_splitting

_STUDIES: Final[tuple[Callable[..., Finding], ...]] = (
    study_clones,
    study_stake_splitting,
    study_score_copying,
    study_collusion,
    study_overfitting,
    study_free_riding,
)


def study_attacks(*, is_thin: bool = False) -> list[Finding]:
    """Play all scenarios; `is_thin`: fewer points and shorter tasks, in seconds."""
    return [study(is_thin=is_thin) for study in _STUDIES]
