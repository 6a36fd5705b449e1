"""Putting a task together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.workers.built_in import built_in_blobs, digits_package, questions_package
from flockchain.workers.publishing import PublishingError, package_task
from ml.tasks.digits import create_digits_task
from ml.tasks.spec import LANGUAGE, TaskSpec
from runtime.economy.tasks import Metric
from runtime.pallets.tasks.records import ensure_valid_terms
from runtime.primitives.content_id import content_id

KEY = bytes(range(32))


def test_terms_name_exactly_the_blobs_that_come_with_them() -> None:
    package = digits_package(KEY, title="Ü" * 60, seed=3, days=3, seats=3, final_seats=5)
    ensure_valid_terms(package.terms)
    terms = package.terms
    assert [content_id(blob) for blob in package.blobs] == [
        terms.spec,
        *terms.training,
        terms.validation_a,
        terms.validation_b.ciphertext,
    ]
    assert terms.metric is Metric.ACCURACY
    assert TaskSpec.parse(package.blobs[0]).data.validation_b == terms.validation_b.plaintext
    assert terms.name == "Ü" * 32


def test_the_tiny_llama_s_task_is_one_too() -> None:
    package = questions_package(KEY, title="Talk", seed=3, days=3, seats=3, final_seats=3)
    ensure_valid_terms(package.terms)
    assert package.terms.metric is Metric.BITS_PER_BYTE
    assert TaskSpec.parse(package.blobs[0]).kind == LANGUAGE


def test_data_that_the_specification_does_not_name_are_refused() -> None:
    made = create_digits_task()
    good = (made.spec, (made.train,), made.validation_a, made.validation_b, KEY)
    with pytest.raises(PublishingError, match="validation set A is not the one"):
        package_task(*good[:2], b"other", *good[3:], days=3, seats=3, final_seats=3)
    with pytest.raises(PublishingError, match="2 training sets"):
        package_task(
            made.spec,
            (made.train, made.train),
            *good[2:],
            days=3,
            seats=3,
            final_seats=3,
        )
    odd = replace(made.spec, metric="taste")
    with pytest.raises(PublishingError, match="no metric 'taste'"):
        package_task(odd, *good[1:], days=3, seats=3, final_seats=3)


def test_the_shipped_task_is_made_anew_from_its_name_alone() -> None:
    package = digits_package(
        KEY, title="Handwritten digits", seed=1, days=3, seats=3, final_seats=3
    )
    assert built_in_blobs((package.terms.spec, KEY)) == package.blobs
    assert built_in_blobs((bytes(32), KEY)) == ()
