"""Why the FL Alliance refuses what proves, accuses and masks in rounds with an aggregator.

Source: WP VI.H.
"""

from __future__ import annotations

from runtime import frame


class BadCommitments(frame.ModuleError, index=55):
    """The commitments are not the caller's own, valid, as many as the model needs and signed."""


class NotTheAggregator(frame.ModuleError, index=56):
    """The account does not aggregate in this round, or no longer."""


class BadDelivery(frame.ModuleError, index=57):
    """The client does not show that it knows the secret of the point that it sends with."""


class BadAccusation(frame.ModuleError, index=58):
    """The piece is not the client's, or the point is not the one shared with it."""


class ChunkIsFine(frame.ModuleError, index=59):
    """The piece holds what the client committed to."""


class AlreadyProved(frame.ModuleError, index=60):
    """The aggregator has proved the round's sum."""


class TooManyCommitments(frame.ModuleError, index=61):
    """The sum is of more commitments than the call declares."""


class AlreadyShared(frame.ModuleError, index=64):
    """The proposer shared the secrets of its masks before."""


class BadDeal(frame.ModuleError, index=65):
    """The shares are not of two polynomials of the right degree, one for each proposer."""


class NotADealer(frame.ModuleError, index=66):
    """Who did not share the secrets of its masks in time cannot propose in this round."""


class BadShares(frame.ModuleError, index=67):
    """A share is not the caller's own, or there is not one of each dealer."""


class ShareIsFine(frame.ModuleError, index=68):
    """The dealer sent the share that it should have."""
