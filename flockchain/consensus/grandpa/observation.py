"""From a start until our key may speak: what did it say before, elsewhere or forgotten?

A journal can be lost, restored from a backup, or that of a second node with one key. So a node
that starts listens first, and until a peer of its set has told which votes it knows. Told to
recover, it keeps silent through the next round as well: in no later one can the key have voted
before. If the round does not end without us, it speaks after `RECOVERY_MS`, with all that peers
hold of our votes taken over. Invariant: over once, over for good; a key that enters the voters
later, and never voted here, has a silence of its own; while a later round is proven, whoever has
not got there either is not listened to.
Source: WP II.A; GRANDPA paper 2 (a voter votes once a round and kind).
"""

from typing import Final

RECOVERY_MS: Final = 60_000
"""How long a recovering voter waits for a round to end without it."""
SHOWN_MS: Final = 60_000
"""How long a proven round is waited for: the only peer with its blocks may be gone."""


class Observation:
    """The silence after a start."""

    __slots__ = (
        "_heard_round",
        "_is_recovery",
        "_shown_round",
        "_shown_until_ms",
        "_speak_at_ms",
        "begun_ms",
        "is_over",
        "listen_until_ms",
    )

    def __init__(self, now_ms: int, quiet_ms: int, *, is_recovery: bool) -> None:
        self.begun_ms = now_ms
        self.listen_until_ms = now_ms + quiet_ms
        self.is_over = False
        self._is_recovery = is_recovery
        self._heard_round: int | None = None
        self._speak_at_ms: int | None = None
        self._shown_round = self._shown_until_ms = 0

    @property
    def is_heard(self) -> bool:
        """Whether a peer of our set has answered."""
        return self._heard_round is not None

    @property
    def takes_votes_over(self) -> bool:
        """Whether votes of our key that the journal lacks are to be recorded, not suspected."""
        return self._is_recovery and not self.is_over

    def hear(self, now_ms: int, round_number: int) -> None:
        """A peer of our set answered, or our key voted, in this round."""
        is_past = round_number <= self._shown_round and now_ms < self._shown_until_ms
        if self._speak_at_ms is None and not is_past:
            self._heard_round = max(self._heard_round or 0, round_number)

    def show(self, now_ms: int, round_number: int) -> None:
        """This round was completed, but not here: our key may have voted in it and after it, and
        a peer that lacks it too, say because it syncs as we do, cannot know of that."""
        self._shown_round = round_number
        self._shown_until_ms = now_ms + SHOWN_MS
        if self._speak_at_ms is None and (self._heard_round or 0) <= round_number:
            self._heard_round = None

    def enter_set(self) -> None:
        """Another set votes: what was heard of the one before says nothing about it."""
        if not self.is_over:
            self._heard_round = self._speak_at_ms = None
            self._shown_round = 0

    def update(self, now_ms: int, round_number: int, *, decides_alone: bool) -> None:
        """Time has passed. Who has a supermajority by itself needs nobody's answer."""
        if self.is_over or now_ms < self.listen_until_ms:
            return
        if self._heard_round is None and not decides_alone:
            return
        if not self._is_recovery:
            self.is_over = True
            return
        if self._speak_at_ms is None:
            self._heard_round = max(self._heard_round or 0, round_number)
            self._speak_at_ms = now_ms + RECOVERY_MS
        assert self._heard_round is not None, "it was set with the deadline"
        self.is_over = round_number > self._heard_round + 1 or now_ms >= self._speak_at_ms
