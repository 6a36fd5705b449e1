"""What verifiable aggregation takes: clients, aggregator and chain, on random int16 updates.

Source: zkFL (arXiv 2310.02554) 5 (10 to 20 minutes a client for ResNet18's 11.7M parameters);
performance targets; WP VI.H.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

import torch
from nacl.signing import SigningKey

from ml.zk.openings import Opening, add_up, commit, committers, is_opening, opening_of
from ml.zk.prover import prove_aggregation
from runtime.primitives.zk_aggregation import is_statement, verify_aggregation
from runtime.primitives.zk_points import admit
from runtime.primitives.zk_setup import Setup, ethereum_setup
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement, update_message

T = TypeVar("T")


def bench_zk(parameters: int, clients: int, processes: int = 1) -> list[dict[str, Any]]:
    """One row; `commit_s` is of one client with `processes` cores."""
    setup = ethereum_setup()
    warm_up = opening_of(torch.zeros(1, dtype=torch.int16), setup)
    commit(warm_up, setup)
    context = RoundContext(bytes(32), 1, 1, bytes(32), setup.id, parameters, 1 << 14)
    generator = torch.Generator().manual_seed(1)
    openings, entries, commit_s = [], [], 0.0
    with committers(setup, processes) if processes > 1 else nullcontext() as executor:
        if executor is not None:
            list(executor.map(len, [b""] * 8 * processes))  # starts them
        for place in range(clients):
            shape = (parameters,)
            update = torch.randint(-32768, 32768, shape, dtype=torch.int16, generator=generator)
            opening = opening_of(update, setup)
            start = time.perf_counter()
            points = commit(opening, setup, executor)
            commit_s = commit_s or time.perf_counter() - start
            openings.append(opening)
            entries.append(_entry(context, place, points))
    return [_measure(setup, Statement(context, tuple(entries)), openings, commit_s)]


def _entry(context: RoundContext, place: int, points: tuple[bytes, ...]) -> Commitments:
    key, weight = SigningKey(bytes([place]) * 32), 64 + place
    signature = key.sign(update_message(context, weight, points)).signature
    return Commitments(bytes([place]) * 32, bytes(key.verify_key), weight, points, signature)


def _measure(
    setup: Setup, statement: Statement, openings: list[Opening], commit_s: float
) -> dict[str, Any]:
    prove_s, proof = _timed(lambda: prove_aggregation(statement, openings, setup))
    admit.cache_clear()
    admission_s, is_fine = _timed(lambda: is_statement(statement, setup))
    fresh = Statement(statement.context, statement.clients)
    verify_s, is_proved = _timed(lambda: verify_aggregation(fresh, proof, setup))
    assert is_fine, "made here"
    assert is_proved, "made here"
    total = add_up(openings, [client.weight for client in statement.clients])
    recheck_s, is_right = _timed(lambda: is_opening(statement.totals, total, setup))
    assert is_right, "made here"
    return {
        "parameters": statement.context.parameters,
        "clients": len(statement.clients),
        "commit_s": round(commit_s, 2),
        "prove_s": round(prove_s, 2),
        "verify_ms": round(verify_s * 1e3, 1),
        "admission_ms": round(admission_s / len(statement.clients) * 1e3, 1),
        "recheck_s": round(recheck_s, 2),
        "proof_bytes": len(proof),
        "bytes_per_client": sum(map(len, statement.clients[0].points)),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _timed(run: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    made = run()
    return time.perf_counter() - start, made
