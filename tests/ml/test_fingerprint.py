"""The behaviour fingerprint: pinned, and close for predictions that are close."""

from __future__ import annotations

from random import Random

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


def test_models_that_nearly_always_agree_are_near() -> None:
    """What `duplicate_distance` is chosen by: 99.5 % alike differ in few bits, 80 % in many."""
    prng = Random(1)
    distances: dict[int, list[int]] = {5: [], 200: []}
    for changed, found in distances.items():
        for _ in range(30):
            predictions = [prng.randrange(10) for _ in range(1000)]
            other = list(predictions)
            for example in prng.sample(range(1000), changed):
                other[example] = (other[example] + prng.randrange(1, 10)) % 10
            found.append(hamming_distance(*map(compute_fingerprint, (predictions, other))))
    assert max(distances[5]) <= 5
    assert min(distances[200]) > 6


def test_distance() -> None:
    assert hamming_distance(0b1010, 0b0110) == 2
    assert hamming_distance(0, 2**64 - 1) == 64
