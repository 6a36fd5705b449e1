"""Ceremonies: a chain of contributions ends in its string, and nothing else passes for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from flockchain.ceremony.contributing import first_setup, multiplied
from runtime.primitives.zk_ceremony import (
    Ceremony,
    CeremonyError,
    Contribution,
    ensure_ceremony,
    ensure_contributions,
    prove_contribution,
)
from runtime.primitives.zk_points import ORDER, compress, compress_second
from runtime.primitives.zk_setup import Setup, SetupError, ensure_structure

CEREMONY = Ceremony("tests", 8)
SECRETS = (3, 5, 7)


def played(secrets: tuple[int, ...] = SECRETS) -> tuple[list[Contribution], list[Setup]]:
    """Contributions of known secrets, and the string after each."""
    setup, before, made, setups = first_setup(8), CEREMONY.root, [], []
    for number, secret in enumerate(secrets):
        setup = multiplied(setup, secret)
        made.append(prove_contribution(before, f"member {number}", setup, secret, 1000 + number))
        before = made[-1].digest(before)
        setups.append(setup)
    return made, setups


def test_a_ceremony_passes_and_its_tau_is_the_product() -> None:
    made, setups = played()
    digests = ensure_ceremony(CEREMONY, made, setups[-1])
    assert len(set(digests)) == 3
    points = [compress(G1Point() * Scalar(pow(105, power, ORDER))) for power in range(8)]
    assert setups[-1].powers == b"".join(points)
    assert setups[-1].tau == compress_second(G2Point() * Scalar(105))


def test_contributions_of_another_ceremony_or_order() -> None:
    made, setups = played()
    for other in (Ceremony("other", 8), Ceremony("tests", 9)):
        with pytest.raises(CeremonyError, match=r"^contribution 1: it does not show that"):
            ensure_contributions(other, made)
    for changed in ([made[1], made[0], made[2]], [made[1], made[2]], [made[0], made[2]]):
        with pytest.raises(CeremonyError):
            ensure_ceremony(CEREMONY, changed, setups[-1])
    with pytest.raises(CeremonyError, match=r"^nobody has contributed$"):
        ensure_ceremony(CEREMONY, [], setups[-1])
    with pytest.raises(CeremonyError, match=r"^the string is not the one of the last"):
        ensure_ceremony(CEREMONY, made[:2], setups[-1])


def test_altered_contributions() -> None:
    made, setups = played()
    point, second = compress(G1Point() * Scalar(9)), compress_second(G2Point() * Scalar(9))
    infinity = b"\xc0" + bytes(47)
    changes: list[dict[str, object]] = [
        {"name": "somebody else"},
        {"name": ""},
        {"tau": point},
        {"tau": infinity},
        {"tau_second": second},
        {"factor": second},
        {"factor": infinity + bytes(48)},
        {"setup": bytes(32)},
        {"challenge": bytes(32)},
        {"challenge": b"\xff" * 32},
        {"response": bytes(32)},
    ]
    for place in range(3):
        for change in changes:
            altered = list(made)
            altered[place] = replace(made[place], **change)  # type: ignore[arg-type]
            with pytest.raises(CeremonyError):
                ensure_ceremony(CEREMONY, altered, setups[-1])


def test_nobody_cancels_another_part_without_knowing_its_secret() -> None:
    """A rogue whose string is of a τ that it knows cannot say by which secret it came there."""
    made, _ = played((3,))
    rogue = multiplied(first_setup(8), 11)  # τ = 11, whatever the first one contributed
    claimed = prove_contribution(made[0].digest(CEREMONY.root), "rogue", rogue, 11, 77)
    with pytest.raises(CeremonyError, match=r"^contribution 2: the new τ is not the former one"):
        ensure_contributions(CEREMONY, [made[0], claimed])


def test_a_tau_that_differs_between_the_groups() -> None:
    _, setups = played((3,))
    forged = replace(setups[0], tau=compress_second(G2Point() * Scalar(4)))
    claimed = prove_contribution(CEREMONY.root, "rogue", forged, 3, 77)
    with pytest.raises(CeremonyError, match=r"^contribution 1: τ is another one in the second"):
        ensure_contributions(CEREMONY, [claimed])


def test_a_last_string_that_is_not_of_powers() -> None:
    _, setups = played((3,))
    powers = setups[0].powers[:96] + compress(G1Point() * Scalar(8)) + setups[0].powers[144:]
    forged = replace(setups[0], basis=powers, powers=powers)
    claimed = prove_contribution(CEREMONY.root, "rogue", forged, 3, 77)
    with pytest.raises(SetupError, match=r"^a point is not τ times the one before it$"):
        ensure_ceremony(CEREMONY, [claimed], forged)
    of_another = replace(setups[0], tau=setups[0].tau)
    swapped = prove_contribution(CEREMONY.root, "rogue", multiplied(first_setup(8), 4), 4, 77)
    with pytest.raises(CeremonyError, match=r"^the string is not the one of the last"):
        ensure_ceremony(CEREMONY, [swapped], of_another)
    ensure_structure(of_another)
