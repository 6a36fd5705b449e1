"""How the digits are dealt to clients."""

from __future__ import annotations

import pytest
import torch

from ml.datasets.shards import HOLDOUT_EXAMPLES, ShardError, deal_digits

CPU = torch.device("cpu")


def test_shards_are_equal_disjoint_and_leave_the_holdout_alone() -> None:
    dealt = deal_digits(3, 50, 6, CPU)
    assert (dealt.train.clients, dealt.train.examples, dealt.test.examples) == (50, 24, 6)
    assert dealt.holdout.examples == HOLDOUT_EXAMPLES
    both = dealt.test.beside(dealt.train)
    assert torch.equal(both.of(4).features[6:], dealt.train.of(4).features)
    rows = torch.cat([both.features.flatten(0, 1), dealt.holdout.features])
    assert len({tuple(row) for row in rows.tolist()}) == len(rows) == 1_797


def test_a_seed_deals_one_way() -> None:
    first, again, other = (deal_digits(seed, 10, 6, CPU) for seed in (1, 1, 2))
    assert torch.equal(first.train.labels, again.train.labels)
    assert not torch.equal(first.train.labels, other.train.labels)


def test_every_client_needs_an_example_to_train_on() -> None:
    with pytest.raises(ShardError) as refusal:
        deal_digits(1, 250, 6, CPU)
    assert str(refusal.value) == "250 clients have 6 examples each, 6 for tests"
