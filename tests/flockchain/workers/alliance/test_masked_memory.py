"""What an aggregator ever holds: in masked rounds no client's update, in any form, anywhere.

In the long run ten clients shared the secrets of their masks, and two of them are gone when updates
are handed over.
"""

from __future__ import annotations

import mmap
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from flockchain.workers.alliance.proving import Summed, SumUp
from ml.zk.masks import masked_update, unmask
from ml.zk.opening_files import read_opening
from ml.zk.openings import Opening, commit, fresh_opening, opening_of
from ml.zk.receiving import chunks_of
from ml.zk.sent import Sent
from runtime.primitives import vrf
from runtime.primitives.curve import base_mul, hash_to_scalar
from runtime.primitives.zk_aggregation import OFFSET
from runtime.primitives.zk_delivery import MASKED_NUMBER_BYTES, NUMBER_BYTES, deliver, share
from runtime.primitives.zk_setup import ethereum_setup
from runtime.primitives.zk_shares import mask_secrets
from runtime.primitives.zk_transcript import RoundContext, Statement
from tests.zk_world import client_of

PARAMETERS = 64
WEIGHTS = (3, 10, 700, 1, 64, 65, 2, 1024, 9, 31)
PRESENT = {3: range(3), 10: range(8)}  # who hands its update over, of so many
FEW_OR_TEN = pytest.mark.parametrize("count", [3, pytest.param(10, marks=pytest.mark.long)])
SEED = b"\x2a" * 32  # of the aggregator's key
FEW = 8  # numbers in a row that are looked for


def updates() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    shape = (PARAMETERS,)
    return [
        torch.randint(-32768, 32768, shape, dtype=torch.int16, generator=generator) for _ in WEIGHTS
    ]


def forms(update: torch.Tensor, weight: int) -> set[bytes]:
    """An update as it could lie in memory or travel: a part of it in every width, with and without
    offset and weight."""
    found, whole = set(), update[:FEW].to(torch.int64)
    for numbers in (whole, whole + OFFSET, weight * whole, weight * (whole + OFFSET)):
        kinds = (torch.int16, torch.int32, torch.int64, torch.float32, torch.float64)
        found |= {numbers.to(kind).numpy().tobytes() for kind in kinds}
    return found


def secrets_of(place: int) -> tuple[bytes, bytes]:
    """b and s of a client."""
    return mask_secrets(bytes((place,)) * 32)


def mask_keys(count: int) -> dict[int, bytes]:
    return {place: base_mul(secrets_of(place)[1]) for place in range(count)}


def request_of(count: int, *, is_masked: bool) -> tuple[SumUp, list[Opening]]:
    """What the aggregator gets of those that are there; and what they sent, as the test knows."""
    setup, receiver, context = ethereum_setup(), vrf.public_key(SEED), b"delivery"
    round_ = RoundContext(bytes(32), 1, 2, bytes(32), setup.id, PARAMETERS, 1 << 14)
    openings, clients, sent = [], [], []
    for place in PRESENT[count]:
        update, weight = updates()[place], WEIGHTS[place]
        if is_masked:
            numbers = masked_update(update, weight, secrets_of(place), place, mask_keys(count))
            opening = fresh_opening(numbers, setup)
        else:
            opening = opening_of(update, setup)
        openings.append(opening)
        points = commit(opening, setup)
        clients.append(client_of(place, round_, 1 if is_masked else weight, points))
        size = MASKED_NUMBER_BYTES if is_masked else NUMBER_BYTES
        secret = hash_to_scalar(b"tests", bytes((place,)))
        delivery, pieces = deliver(chunks_of(opening, setup), receiver, context, secret, size)
        shared = share(vrf.secret_scalar(SEED), delivery)
        sent.append(Sent(points, delivery, shared, tuple(pieces), size))
    statement = Statement(round_, tuple(clients))
    return SumUp(statement, tuple(sent), is_masked=is_masked), openings


def found_in_memory(
    request: SumUp, wanted: Mapping[str, set[bytes]], directory: Path
) -> tuple[set[str], Summed]:
    """Which of these a process holds that is handed the request, and nothing else; its answer."""
    given, dump, out = directory / "request", directory / "memory", directory / "out"
    given.write_bytes(pickle.dumps(request))
    child = [sys.executable, "-m", "tests.flockchain.workers.alliance.aggregating_child"]
    subprocess.run([*child, str(given), str(dump), str(out)], check=True, timeout=300)
    with dump.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
        found = {
            name
            for name, patterns in wanted.items()
            if any(memory.find(each) >= 0 for each in patterns)
        }
    dump.unlink()
    answer = pickle.loads(out.read_bytes())  # noqa: S301 - the child wrote it
    assert isinstance(answer, Summed)
    return found, answer


def looked_for(count: int, openings: list[Opening]) -> dict[str, set[bytes]]:
    pairs = list(zip(updates(), WEIGHTS, strict=True))[:count]
    wanted = {f"update {at}": forms(update, weight) for at, (update, weight) in enumerate(pairs)}
    for place, opening in enumerate(openings):
        wanted[f"sent {place}"] = {opening.numbers[:FEW].numpy().tobytes()}
    return wanted


@FEW_OR_TEN
def test_an_aggregators_memory_and_network_never_hold_an_update(tmp_path: Path, count: int) -> None:
    """What it has opened is in its memory, so the search finds what is there."""
    request, openings = request_of(count, is_masked=True)
    found, answer = found_in_memory(request, looked_for(count, openings), tmp_path)
    present = PRESENT[count]
    assert found == {f"sent {place}" for place in present}
    network = pickle.dumps(request) + pickle.dumps(answer)
    for update, weight in zip(updates(), WEIGHTS, strict=True):
        assert not any(form in network for form in forms(update, weight))
    total = read_opening(answer.opening, PARAMETERS, ethereum_setup(), is_masked_sum=True)
    own = {place: secrets_of(place)[0] for place in present}
    pair = {place: secrets_of(place)[1] for place in range(count) if place not in present}
    summed = sum(WEIGHTS[at] * (updates()[at].to(torch.int64) + OFFSET) for at in present)
    assert unmask(total.numbers, mask_keys(count), own, pair).tolist() == summed.tolist()  # type: ignore[union-attr]


def test_without_masks_the_same_search_finds_every_update(tmp_path: Path) -> None:
    request, openings = request_of(3, is_masked=False)
    found, _ = found_in_memory(request, looked_for(3, openings), tmp_path)
    assert found >= {f"update {place}" for place in PRESENT[3]}
