"""Whoever takes part in the devnet's story: a name, and the key that it acts with.

Source: WP II.D (participants).
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.keys import KeyPair, key_pair_from_uri
from runtime.primitives.types import AccountId


@dataclass(frozen=True)
class Person:
    """A participant and its secret URI."""

    name: str
    uri: str

    @property
    def key(self) -> KeyPair:
        """Its key pair."""
        return key_pair_from_uri(self.uri)

    @property
    def account(self) -> AccountId:
        """Its account."""
        return self.key.account
