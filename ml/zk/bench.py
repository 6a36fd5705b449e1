"""What verifiable aggregation takes: clients, aggregator and chain, on random int16 updates.

Each figure has wall time and CPU time, which tells work from waiting on a machine in use.
Source: zkFL (arXiv 2310.02554) 5 (10 to 20 minutes a client for ResNet18's 11.7M parameters);
performance targets; WP VI.H.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import torch
from nacl.signing import SigningKey
from py_arkworks_bls12381 import G1Point

from ml.zk.openings import Opening, add_up, commit, committers, is_opening, opening_of
from ml.zk.prover import prove_aggregation
from runtime.primitives.zk_aggregation import is_statement, verify_aggregation
from runtime.primitives.zk_points import ORDER, admit, admit_to_keep, compress
from runtime.primitives.zk_setup import Setup, ethereum_setup
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement, update_message

PARAMETERS: Final = (100_000, 1_000_000, 10_000_000)
CLIENTS: Final = (5, 10, 32)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds on the clock and of this process."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Committed:
    """A client's opening, its commitments, and what these took."""

    opening: Opening
    points: tuple[bytes, ...]
    took: Took


def timed(run: Callable[[], T]) -> tuple[Took, T]:
    """What a call takes, and what it gives."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = run()
    return Took(time.perf_counter() - wall, time.process_time() - cpu), made


def seconds(name: str, took: Took) -> dict[str, float]:
    """Two columns."""
    return {f"{name}_s": round(took.wall, 2), f"{name}_cpu_s": round(took.cpu, 2)}


def milliseconds(name: str, took: Took, times: int = 1) -> dict[str, float]:
    """Two columns, of one of so many."""
    wall, cpu = took.wall * 1e3 / times, took.cpu * 1e3 / times
    return {f"{name}_ms": round(wall, 1), f"{name}_cpu_ms": round(cpu, 1)}


def bench_zk(
    parameters: Sequence[int], clients: Sequence[int], processes: int = 1
) -> list[dict[str, Any]]:
    """A row for each pair. One client commits with `processes` cores for each size and is measured;
    the others have its numbers and blinders of their own, so their points follow by an addition."""
    setup = ethereum_setup()
    commit(opening_of(torch.zeros(1, dtype=torch.int16), setup), setup)  # decompresses the string
    rows = []
    for count in parameters:
        first = _commit(setup, count, processes)
        rows += [_row(setup, first, many) for many in clients]
    return rows


def _commit(setup: Setup, parameters: int, processes: int) -> Committed:
    generator = torch.Generator().manual_seed(1)
    shape = (parameters,)
    update = torch.randint(-32768, 32768, shape, dtype=torch.int16, generator=generator)
    opening = opening_of(update, setup)
    with committers(setup, processes) if processes > 1 else nullcontext() as executor:
        if executor is not None:
            list(executor.map(len, [b""] * 8 * processes))  # starts them
        took, points = timed(lambda: commit(opening, setup, executor))
    return Committed(opening, points, took)


def others_of(setup: Setup, first: Committed, count: int) -> list[Committed]:
    """As many clients with the first one's numbers, each with another first blinder."""
    found, step = [first], setup.generators[setup.chunk]
    points = [G1Point.from_compressed_bytes_unchecked(point) for point in first.points]
    while len(found) < count:
        points = [point + step for point in points]
        rows = tuple(((row[0] + 1) % ORDER, *row[1:]) for row in found[-1].opening.blinders)
        opening = replace(first.opening, blinders=rows)
        found.append(Committed(opening, tuple(map(compress, points)), first.took))
    return found


def _entry(context: RoundContext, place: int, points: tuple[bytes, ...]) -> Commitments:
    key, weight = SigningKey(bytes([place]) * 32), 64 + place
    signature = key.sign(update_message(context, weight, points)).signature
    return Commitments(bytes([place]) * 32, bytes(key.verify_key), weight, points, signature)


def _row(setup: Setup, first: Committed, clients: int) -> dict[str, Any]:
    parameters = first.opening.numbers.numel()
    context = RoundContext(bytes(32), 1, 1, bytes(32), setup.id, parameters, 1 << 14)
    committed = others_of(setup, first, clients)
    openings = [each.opening for each in committed]
    entries = [_entry(context, place, each.points) for place, each in enumerate(committed)]
    statement = Statement(context, tuple(entries))
    _forget_points()
    for entry in entries:  # an aggregator has let them in when it checked what it was sent
        list(map(admit, entry.points))
    proving, proof = timed(lambda: prove_aggregation(statement, openings, setup))
    fresh, unseen = Statement(context, statement.clients), Statement(context, statement.clients)
    _forget_points()
    admission, is_fine = timed(lambda: is_statement(fresh, setup))
    verifying, is_proved = timed(lambda: verify_aggregation(fresh, proof, setup))
    _forget_points()
    starting, is_proved_anew = timed(lambda: verify_aggregation(unseen, proof, setup))
    total = add_up(openings, [client.weight for client in entries])
    rechecking, is_right = timed(lambda: is_opening(statement.totals, total, setup))
    assert is_fine, "made here"
    assert is_proved, "made here"
    assert is_proved_anew, "made here"
    assert is_right, "made here"
    return {
        "parameters": parameters,
        "clients": clients,
        **seconds("commit", first.took),
        **seconds("prove", proving),
        **milliseconds("verify", verifying),
        **milliseconds("verify_none_kept", starting),
        **milliseconds("admission", admission, clients),
        **seconds("recheck", rechecking),
        "proof_bytes": len(proof),
        "bytes_per_client": sum(map(len, first.points)),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _forget_points() -> None:
    admit_to_keep.cache_clear()
