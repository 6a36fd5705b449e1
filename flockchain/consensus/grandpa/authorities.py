"""The authorities that may finalize, and the weight that decides for them.

Owns the supermajority rule: `threshold` is total - floor((total - 1) / 3), so large that any two
supermajorities share more than the byzantine third. Invariant: keys are unique, every weight is a
positive u64, so weights summed over distinct authorities never exceed `total`.
Source: GRANDPA paper 2.1; Substrate `finality_grandpa::VoterSet`; WP II.A.
"""

from collections.abc import Iterable
from typing import Final

from runtime.primitives.types import Bytes32

AUTHORITIES_MAX: Final = 1_000
"""A set larger than this is refused: every vote of each member is held in memory."""
WEIGHT_MAX: Final = 2**64 - 1

AuthorityId = Bytes32
"""An ed25519 public key, 32 bytes."""


class InvalidAuthoritySet(ValueError):
    """The list cannot be an authority set; the message says why."""


class AuthoritySet:
    """An immutable list of authorities in their order on chain, with weights (stake / 10^9)."""

    __slots__ = ("_positions", "_weights", "authorities", "set_id", "threshold", "total")

    def __init__(self, set_id: int, authorities: Iterable[tuple[AuthorityId, int]]) -> None:
        """Raises: InvalidAuthoritySet: empty, too long, a double key or a weight out of range."""
        self.set_id = set_id
        self.authorities = tuple(authorities)
        if not 0 < len(self.authorities) <= AUTHORITIES_MAX:
            raise InvalidAuthoritySet(
                f"{len(self.authorities)} authorities, from 1 to {AUTHORITIES_MAX} are allowed"
            )
        self._weights: dict[AuthorityId, int] = {}
        for authority, weight in self.authorities:
            if authority in self._weights:
                raise InvalidAuthoritySet(f"authority 0x{authority.hex()} is listed twice")
            if not 0 < weight <= WEIGHT_MAX:
                raise InvalidAuthoritySet(f"weight {weight} of authority 0x{authority.hex()}")
            self._weights[authority] = weight
        self._positions = {key: place for place, (key, _) in enumerate(self.authorities)}
        self.total = sum(self._weights.values())
        self.threshold = self.total - (self.total - 1) // 3

    def __len__(self) -> int:
        return len(self.authorities)

    def __contains__(self, authority: AuthorityId) -> bool:
        return authority in self._weights

    def weight(self, authority: AuthorityId) -> int:
        """The authority's weight; 0 for a key that is not in the set."""
        return self._weights.get(authority, 0)

    def primary(self, round_number: int) -> AuthorityId:
        """Whose turn it is to hint at a block in this round."""
        return self.authorities[round_number % len(self.authorities)][0]

    def turn(self, authority: AuthorityId, round_number: int) -> int:
        """How many places `authority` stands behind the primary; 0 for the primary itself.

        Raises: KeyError: not in the set.
        """
        return (self._positions[authority] - round_number) % len(self.authorities)
