"""The behaviour fingerprint: pinned, and close for predictions that are close."""

from __future__ import annotations

from ml.fingerprint import compute_fingerprint, hamming_distance


def test_pinned() -> None:
    assert compute_fingerprint([]) == 0
    assert compute_fingerprint([3]) == 0x71E2C439A21699BF
    assert compute_fingerprint([n % 10 for n in range(300)]) == 0x86F6968BA02508E6


def test_one_changed_prediction_moves_few_bits() -> None:
    predictions = [n % 10 for n in range(300)]
    nearly = [9, *predictions[1:]]
    other = [(n * 7 + 1) % 10 for n in range(300)]
    base = compute_fingerprint(predictions)
    assert hamming_distance(base, compute_fingerprint(nearly)) <= 6
    assert 16 <= hamming_distance(base, compute_fingerprint(other)) <= 48


def test_distance() -> None:
    assert hamming_distance(0b1010, 0b0110) == 2
    assert hamming_distance(0, 2**64 - 1) == 64
