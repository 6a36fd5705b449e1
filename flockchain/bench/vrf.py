"""What verifiable randomness takes: a slot claimed, a slot that is not won, a claim checked.

Source: RFC 9381; WP VI.B.
"""

from __future__ import annotations

from typing import Any

from flockchain.bench.timing import microseconds
from runtime.primitives import vrf


def bench_vrf(rounds: int = 200) -> list[dict[str, Any]]:
    """Rows: prove, evaluate, verify. The best of three runs over `rounds` inputs each."""
    seed = bytes(32)
    public = vrf.public_key(seed)
    inputs = [index.to_bytes(8, "little") for index in range(rounds)]
    proofs = [vrf.prove(seed, alpha) for alpha in inputs]
    pairs = list(zip(proofs, inputs, strict=True))
    runs = {
        "prove": lambda: [vrf.prove(seed, alpha) for alpha in inputs],
        "evaluate": lambda: [vrf.evaluate(seed, alpha) for alpha in inputs],
        "verify": lambda: [vrf.verify(public, proof, alpha) for proof, alpha in pairs],
    }
    return [
        {
            "name": f"ECVRF {name}",
            "us": round(min(microseconds(run, 1) for _ in range(3)) / rounds, 1),
        }
        for name, run in runs.items()
    ]
