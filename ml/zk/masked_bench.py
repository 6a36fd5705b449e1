"""What masked rounds take beyond commitments and proofs: secrets shared, masks, shares, recovery.

Source: Bonawitz et al. (2017), secure aggregation; performance targets; WP VI.H.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from ml.zk.bench import milliseconds, seconds, timed
from ml.zk.masks import masked_update, unmask
from runtime.primitives import vrf
from runtime.primitives.curve import point_mul
from runtime.primitives.scale import codec_of
from runtime.primitives.zk_aggregation import OFFSET
from runtime.primitives.zk_shares import (
    Deal,
    deal,
    is_deal,
    is_share,
    mask_secrets,
    open_piece,
    recover,
    threshold_of,
)

_CONTEXT: Final = b"bench"
_CHECKED: Final = 1 << 12


def bench_masked(parameters: Sequence[int], clients: Sequence[int]) -> list[dict[str, Any]]:
    """A row for each pair; two of ten and more drop out after they shared, one of fewer."""
    shared = {count: _Shared(count) for count in clients}
    return [_row(shared[many], count) for count in parameters for many in clients]


class _Shared:
    """A round's secrets, and what sharing, checking and recovering them takes."""

    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.absent = range(clients - min(clients - threshold_of(clients), 2), clients)
        self._keys = [bytes((place + 1,)) * 32 for place in range(clients)]  # secrets of VRF keys
        holders = [vrf.public_key(key) for key in self._keys]
        dealing, first = timed(lambda: deal(self._seed(0), holders, _CONTEXT))
        checking, is_fine = timed(lambda: is_deal(first, clients, _CONTEXT))
        assert is_fine, "made here"
        later = range(1, clients)
        deals = [first, *(deal(self._seed(place), holders, _CONTEXT) for place in later)]
        self.keys = {place: dealt.pair_point for place, dealt in enumerate(deals)}
        present = [place for place in range(clients) if place not in self.absent]
        opening, given = timed(lambda: self._opened(deals, present[0]))
        revealed = {present[0]: given, **{at: self._opened(deals, at) for at in present[1:]}}
        points = [dealt.pair if at in self.absent else dealt.own for at, dealt in enumerate(deals)]
        judging, are_right = timed(
            lambda: all(is_share(points[at], present[0], each) for at, each in enumerate(given))
        )
        assert are_right, "made here"
        recovering, secrets = timed(
            lambda: [
                recover({holder: shares[at] for holder, shares in revealed.items()})
                for at in range(clients)
            ]
        )
        self.own = {at: secret for at, secret in enumerate(secrets) if at not in self.absent}
        self.pair = {at: secret for at, secret in enumerate(secrets) if at in self.absent}
        self.figures = {
            **milliseconds("deal", dealing),
            **milliseconds("deal_check", checking),
            **milliseconds("reveal", opening),
            **milliseconds("reveal_check", judging),
            **milliseconds("recover", recovering),
            "deal_bytes": len(codec_of(Deal).encode(first)),
        }

    def secrets(self, place: int) -> tuple[bytes, bytes]:
        """b and s of a client."""
        return mask_secrets(self._seed(place))

    def _seed(self, place: int) -> bytes:
        return bytes((place,)) * 32

    def _opened(self, deals: Sequence[Deal], holder: int) -> list[bytes]:
        """The share of each dealer that is asked for."""
        found, secret = [], vrf.secret_scalar(self._keys[holder])
        for at, dealt in enumerate(deals):
            opened = open_piece(dealt, holder, point_mul(secret, dealt.ephemeral))
            assert opened is not None, "made here"
            found.append(opened.pair if at in self.absent else opened.own)
        return found


def _row(shared: _Shared, parameters: int) -> dict[str, Any]:
    """One client masks for the figure; whether masks cancel is seen on the first numbers, since
    streams of another length begin alike."""
    update = torch.arange(parameters).remainder(1 << 15).to(torch.int16)
    masking, total = timed(
        lambda: masked_update(update, 64, shared.secrets(0), 0, shared.keys),
    )
    head = update[:_CHECKED]
    for place in list(shared.own)[1:]:
        masked = masked_update(head, 64, shared.secrets(place), place, shared.keys)
        total[:_CHECKED] += masked
    stripping, plain = timed(lambda: unmask(total, shared.keys, shared.own, shared.pair))
    expected = (head.to(torch.int64) + OFFSET) * 64 * len(shared.own)
    assert bool((plain[:_CHECKED] == expected).all()), "masks do not cancel"
    return {
        "parameters": parameters,
        "clients": shared.clients,
        "absent": len(shared.absent),
        **seconds("mask", masking),
        **seconds("unmask", stripping),
        **shared.figures,
    }
