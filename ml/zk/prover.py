"""The prover of zkAgg-v1: one opening of one combination of all commitments, at one point.

Owns the quotient (p(X) − p(z)) / (X − z), of values at roots of unity or of coefficients.
Invariant: a proof that is returned verifies, if the openings open the statement's commitments.
Source: zkFL (arXiv 2310.02554) 4; Kate, Zaverucha and Goldberg (2010); WP VI.H.
"""

from __future__ import annotations

from collections.abc import Sequence

from ml.zk.openings import Opening, fold
from runtime.primitives.zk_points import ORDER, SCALAR_BYTES, combine, compress
from runtime.primitives.zk_setup import Setup
from runtime.primitives.zk_transcript import Statement


def prove_aggregation(statement: Statement, openings: Sequence[Opening], setup: Setup) -> bytes:
    """The proof, 80 bytes. `openings`: of the statement's clients, in their order."""
    polynomial = fold(openings, statement.factors(), setup)
    at = statement.point(setup)
    divide = _divide_values if setup.is_lagrange else _divide_coefficients
    value, quotient = divide(polynomial, at, setup)
    witness = compress(combine(setup.generators[: len(quotient)], quotient))
    return witness + value.to_bytes(SCALAR_BYTES, "big")


def _divide_values(values: list[int], at: int, setup: Setup) -> tuple[int, list[int]]:
    """p(z) and the quotient's values, from values at the roots of unity; z is none of them."""
    count, domain = len(values), setup.domain
    inverses = _inverses([(root - at) % ORDER for root in domain])
    terms = zip(values, domain, inverses, strict=True)
    total = sum(value * root % ORDER * inverse for value, root, inverse in terms) % ORDER
    scale = (1 - pow(at, count, ORDER)) * pow(count, -1, ORDER)
    value = total * scale % ORDER
    pairs = zip(values, inverses, strict=True)
    return value, [(each - value) * inverse % ORDER for each, inverse in pairs]


def _divide_coefficients(coefficients: list[int], at: int, _: Setup) -> tuple[int, list[int]]:
    """p(z) and the quotient's coefficients, by Horner's rule."""
    carry, quotient = 0, []
    for coefficient in reversed(coefficients):
        quotient.append(carry)
        carry = (carry * at + coefficient) % ORDER
    return carry, quotient[:0:-1]


def _inverses(numbers: Sequence[int]) -> list[int]:
    """1/x of each number, with one inversion of their product."""
    products = [1]
    for number in numbers:
        products.append(products[-1] * number % ORDER)
    inverse, found = pow(products[-1], -1, ORDER), [0] * len(numbers)
    for place in range(len(numbers) - 1, -1, -1):
        found[place] = inverse * products[place] % ORDER
        inverse = inverse * numbers[place] % ORDER
    return found
