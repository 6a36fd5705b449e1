"""Other ways to combine updates that withstand some bad ones, to compare with the vote.

Owns the median, the trimmed mean, Krum and multi-Krum. Nothing on chain uses them. Invariant: each
is a function of the set of updates, in whatever order they come, and gives int32 in fixed point.
Source: Yin et al. 2018 (median, trimmed mean); Blanchard et al. 2017 (Krum); compared in
docs/poisoning.md with the vote of WP VI.E.
"""

from __future__ import annotations

import torch

from ml.aggregate import AggregationError


def coordinate_median(updates: torch.Tensor) -> torch.Tensor:
    """updates: (models, parameters) int16 -> the median of each parameter: (parameters,) int32.

    Of an even number the mean of the two in the middle, rounded half up.
    """
    models = updates.shape[0]
    return trimmed_mean(updates, (models - 1) // 2)


def trimmed_mean(updates: torch.Tensor, trimmed: int) -> torch.Tensor:
    """The mean without the `trimmed` largest and smallest of each parameter: (parameters,) int32.

    Raises `AggregationError` if nothing is left.
    """
    models = updates.shape[0]
    if trimmed < 0 or 2 * trimmed >= models:
        raise AggregationError(f"{models} models, {trimmed} trimmed at each end")
    kept = updates.sort(dim=0).values[trimmed : models - trimmed].to(torch.int64)
    count = kept.shape[0]
    total = kept.sum(dim=0)  # (parameters,)
    return torch.div(2 * total + count, 2 * count, rounding_mode="floor").to(torch.int32)


def krum(updates: torch.Tensor, malicious: int) -> torch.Tensor:
    """The one update that lies closest to its nearest models − malicious − 2 neighbours.

    Raises `AggregationError` if there would be no neighbour.
    """
    return multi_krum(updates, malicious, selected=1)


def multi_krum(updates: torch.Tensor, malicious: int, selected: int) -> torch.Tensor:
    """The mean of the `selected` updates with the best Krum scores: (parameters,) int32.

    Equal scores are told apart by the updates' own numbers. Raises `AggregationError`.
    """
    models = updates.shape[0]
    neighbours = models - malicious - 2
    if malicious < 0 or neighbours < 1 or not 1 <= selected <= models:
        raise AggregationError(f"{models} models, {malicious} malicious, {selected} selected")
    scores = _krum_scores(updates, neighbours).tolist()
    best = sorted(range(models), key=lambda at: (scores[at], updates[at].tolist()))[:selected]
    return trimmed_mean(updates[best], 0)


def _krum_scores(updates: torch.Tensor, neighbours: int) -> torch.Tensor:
    """The sum of each update's squared distances to its nearest neighbours: (models,) int64."""
    wide = updates.double()
    # Whole numbers below 2^53 for models of fewer than 8 million parameters.
    products = wide @ wide.T  # (models, models)
    squares = products.diagonal()
    distances = squares[:, None] + squares[None, :] - 2 * products
    distances.fill_diagonal_(torch.inf)
    return distances.sort(dim=1).values[:, :neighbours].sum(dim=1).to(torch.int64)
