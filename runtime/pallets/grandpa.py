"""Grandpa: who finalizes, under which set id.

Source: Substrate `pallet_grandpa`; WP II.A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from runtime import frame
from runtime.primitives.babe_digest import Authority
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U64


@dataclass(frozen=True)
class Config:
    """`max_authorities` bounds the voters."""

    max_authorities: U32 = 1_000


class Grandpa(frame.Pallet[Config], index=3):
    authorities = frame.StorageValue[list[Authority]](
        Annotated[list[Authority], Limit(1_000)], default=[], docs="Who votes, with weights."
    )
    current_set_id = frame.StorageValue[int](U64, default=0)

    def genesis_build(self, authorities: list[Authority]) -> None:
        """Set the first voters. Raises ValueError if there are none."""
        if not authorities:
            raise ValueError("grandpa: no authorities")
        self.authorities.put(authorities)
