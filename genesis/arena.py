"""The sections `emission` and `tasks`: what is minted a day, and the tasks of block 0.

Invariant: content ids are read in their one text form, or as the bare digest in hexadecimal.
Source: WP III.A (emission), V.A (task creation), V.H (two validation sets).
"""

from __future__ import annotations

from typing import Final

from genesis.reader import Reader
from genesis.values import read_account, read_amount, read_rational
from runtime.economy.parameters import SCORE_MAX
from runtime.economy.tasks import (
    DUPLICATE_DISTANCE_MAX,
    Hardware,
    HardwareClass,
    Metric,
    SealedDataset,
    TaskTerms,
)
from runtime.genesis import GenesisTask
from runtime.pallets.emission import EmissionParameters
from runtime.primitives.content_id import ContentIdError, parse_cid_text
from runtime.primitives.types import Hash

TASKS_MAX: Final = 256
_EMISSION: Final = ("daily", "decay", "stakeExponent", "hostShare", "hostDecay")
_TERMS: Final = (
    *("name", "spec", "metric", "baseline", "days", "validationA", "validationB", "training"),
    *("seats", "finalSeats"),
)
_U8_MAX: Final = 2**8 - 1
_U16_MAX: Final = 2**16 - 1


def read_emission(section: Reader) -> EmissionParameters:
    """The curve of the emission and its division. Raises: SpecError."""
    section.fields(_EMISSION)
    return EmissionParameters(
        daily=read_amount(section.key("daily")),
        decay=read_rational(section.key("decay")),
        stake_exponent=read_rational(section.key("stakeExponent")),
        host_share=read_rational(section.key("hostShare")),
        host_decay=read_rational(section.key("hostDecay")),
    )


def read_tasks(section: Reader, network: int) -> list[GenesisTask]:
    """The verified tasks that exist from block 0 on. Raises: SpecError."""
    section.fields({"verified"})
    return [_read_task(entry, network) for entry in section.key("verified").items(0, TASKS_MAX)]


def _read_task(entry: Reader, network: int) -> GenesisTask:
    entry.fields({"creator", "startDay", "terms"})
    return GenesisTask(
        creator=read_account(entry.key("creator"), network),
        start_day=entry.key("startDay").integer(1, _U16_MAX),
        terms=_read_terms(entry.key("terms")),
    )


def _read_terms(reader: Reader) -> TaskTerms:
    reader.fields(_TERMS, {"parents", "hardware", "duplicateDistance"})
    parents, hardware = reader.find("parents"), reader.find("hardware")
    distance = reader.find("duplicateDistance")
    metrics = {metric.name.lower(): metric for metric in Metric}
    return TaskTerms(
        name=reader.key("name").text(64),
        spec=_read_digest(reader.key("spec")),
        metric=metrics[reader.key("metric").choice(*metrics)],
        baseline=reader.key("baseline").integer(0, SCORE_MAX),
        days=reader.key("days").integer(1, _U16_MAX),
        validation_a=_read_digest(reader.key("validationA")),
        validation_b=_read_sealed(reader.key("validationB")),
        training=[_read_digest(item) for item in reader.key("training").items(0, 16)],
        parents=[] if parents is None else [_read_digest(item) for item in parents.items(0, 8)],
        seats=reader.key("seats").integer(0, _U8_MAX),
        final_seats=reader.key("finalSeats").integer(0, _U8_MAX),
        hardware=Hardware() if hardware is None else _read_hardware(hardware),
        duplicate_distance=(
            None if distance is None else distance.integer(0, DUPLICATE_DISTANCE_MAX)
        ),
    )


def _read_sealed(reader: Reader) -> SealedDataset:
    reader.fields({"plaintext", "ciphertext", "keyHash"})
    return SealedDataset(
        plaintext=_read_digest(reader.key("plaintext")),
        ciphertext=_read_digest(reader.key("ciphertext")),
        key_hash=Hash(reader.key("keyHash").hex(32)),
    )


def _read_hardware(reader: Reader) -> Hardware:
    reader.fields({"kind", "memoryGib"})
    kinds = {kind.name.lower(): kind for kind in HardwareClass}
    kind = kinds[reader.key("kind").choice(*kinds)]
    return Hardware(kind, reader.key("memoryGib").integer(1, _U16_MAX))


def _read_digest(reader: Reader) -> bytes:
    text = reader.text()
    if text.startswith("0x"):
        return reader.hex(32)
    try:
        return parse_cid_text(text)
    except ContentIdError as error:
        reader.fail(str(error))
