"""edwards25519 and the ring signature's equation in Python integers: the slow second opinion.

Decoding is lenient, as ours must not be: any y below 2^255, points of any order, any scalar.
"""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]

ZERO: Point = (0, 1)
# The seven points of order 2, 4 or 8.
TORSION = [
    bytes.fromhex(encoded)
    for encoded in (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
]


def decode(data: bytes) -> Point | None:
    """The point, or None if no x belongs to this y."""
    number = int.from_bytes(data, "little")
    y = number % 2**255 % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square:
        return None
    return (P - x if x % 2 != number >> 255 else x) % P, y


def point_of(data: bytes) -> Point:
    """What `decode` gives for data that is known to be a point."""
    point = decode(data)
    assert point is not None, data.hex()
    return point


def encode(point: Point) -> bytes:
    x, y = point
    return (y | x % 2 << 255).to_bytes(32, "little")


def multiply(*terms: tuple[int, Point]) -> Point:
    """The sum of factor * point, in projective coordinates (X : Y : Z)."""
    total = (0, 1, 1)
    for factor, (x, y) in terms:
        power = (x, y, 1)
        while factor:
            if factor % 2:
                total = _add(total, power)
            power = _add(power, power)
            factor //= 2
    inverse = pow(total[2], -1, P)
    return total[0] * inverse % P, total[1] * inverse % P


def _add(left: tuple[int, int, int], right: tuple[int, int, int]) -> tuple[int, int, int]:
    a = left[2] * right[2] % P
    b, c, d = a * a % P, left[0] * right[0] % P, left[1] * right[1] % P
    e = D * c * d % P
    x = a * (b - e) * ((left[0] + left[1]) * (right[0] + right[1]) - c - d) % P
    return x, a * (b + e) * (d + c) % P, (b - e) * (b + e) % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def hash_to_scalar(*parts: bytes) -> int:
    framed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return int.from_bytes(hashlib.blake2b(framed).digest(), "little") % ORDER


def statement_of(ring: list[bytes], base: bytes, tag: bytes, message: bytes) -> bytes:
    parts = (b"flock/ring/statement", bytes((len(ring),)), *ring, base, tag, message)
    framed = b"".join(len(part).to_bytes(8, "little") + part for part in parts)
    return hashlib.blake2b(framed).digest()


def challenge_of(statement: bytes, of_key: Point, of_tag: Point) -> int:
    return hash_to_scalar(b"flock/ring/challenge", statement, encode(of_key), encode(of_tag))


def verify_ring(
    numbers: list[bytes], ring: list[bytes], base: bytes, tag: bytes, message: bytes
) -> bool:
    """`numbers`: the challenge and the responses."""
    first, *responses = (int.from_bytes(number, "little") for number in numbers)
    statement, challenge = statement_of(ring, base, tag, message), first
    base_point, tag_point = decode(base), decode(tag)
    if base_point is None or tag_point is None:
        return False
    for encoded, response in zip(ring, responses, strict=True):
        key = decode(encoded)
        if key is None:
            return False
        of_key = multiply((response, BASE), (challenge, key))
        of_tag = multiply((response, base_point), (challenge, tag_point))
        challenge = challenge_of(statement, of_key, of_tag)
    return challenge == first
