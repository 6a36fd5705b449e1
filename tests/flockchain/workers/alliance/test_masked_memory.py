"""What an aggregator ever holds: in masked rounds no client's update, in any form, anywhere."""

from __future__ import annotations

import mmap
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from flockchain.workers.alliance.proving import SumUp
from ml.zk.masks import masked_update
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
WEIGHTS = (3, 10, 700)
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


def request_of(*, is_masked: bool) -> tuple[SumUp, list[Opening]]:
    """What an aggregator of three clients gets; and what they sent, which the test knows."""
    setup, receiver, context = ethereum_setup(), vrf.public_key(SEED), b"delivery"
    round_ = RoundContext(bytes(32), 1, 2, bytes(32), setup.id, PARAMETERS, 1 << 14)
    secrets = [mask_secrets(bytes((place,)) * 32) for place in range(len(WEIGHTS))]
    keys = {place: base_mul(pair) for place, (_, pair) in enumerate(secrets)}
    openings, clients, sent = [], [], []
    for place, (update, weight) in enumerate(zip(updates(), WEIGHTS, strict=True)):
        if is_masked:
            numbers = masked_update(update, weight, secrets[place], place, keys)
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


def found_in_memory(request: SumUp, wanted: Mapping[str, set[bytes]], directory: Path) -> set[str]:
    """Which of these a process holds that is handed the request, and nothing else."""
    given, dump = directory / "request", directory / "memory"
    given.write_bytes(pickle.dumps(request))
    child = [sys.executable, "-m", "tests.flockchain.workers.alliance.aggregating_child"]
    subprocess.run([*child, str(given), str(dump)], check=True, timeout=300)
    with dump.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory:
        found = {
            name
            for name, patterns in wanted.items()
            if any(memory.find(each) >= 0 for each in patterns)
        }
    dump.unlink()
    return found


def looked_for(openings: list[Opening]) -> dict[str, set[bytes]]:
    wanted = {
        f"update {place}": forms(update, weight)
        for place, (update, weight) in enumerate(zip(updates(), WEIGHTS, strict=True))
    }
    for place, opening in enumerate(openings):
        wanted[f"sent {place}"] = {opening.numbers[:FEW].numpy().tobytes()}
    return wanted


def test_an_aggregators_memory_and_network_never_hold_an_update(tmp_path: Path) -> None:
    """What it has opened is in its memory, so the search finds what is there."""
    request, openings = request_of(is_masked=True)
    found = found_in_memory(request, looked_for(openings), tmp_path)
    assert found == {"sent 0", "sent 1", "sent 2"}
    received = pickle.dumps(request)
    for update, weight in zip(updates(), WEIGHTS, strict=True):
        assert not any(form in received for form in forms(update, weight))


def test_without_masks_the_same_search_finds_every_update(tmp_path: Path) -> None:
    request, openings = request_of(is_masked=False)
    found = found_in_memory(request, looked_for(openings), tmp_path)
    assert found >= {"update 0", "update 1", "update 2"}
