"""Tables of numbers become canonical rows, or are refused by line."""

from __future__ import annotations

import pytest
import torch

from ml.datasets.labelled import LabelledData
from ml.datasets.table import TableError, read_table


@pytest.mark.parametrize("header", ["", "a,b,class\n"])
def test_rows_with_and_without_a_header(header: str) -> None:
    rows = read_table(header + "0.5,1,2\n\n-1,2e3,0\n")
    assert torch.equal(rows.features, torch.tensor([[0.5, 1.0], [-1.0, 2000.0]]))
    assert rows.labels.tolist() == [2, 0]
    again = LabelledData.from_bytes(rows.to_bytes(), inputs=2, classes=3)
    assert torch.equal(again.features, rows.features)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no row"),
        ("a,b\n", "there is no row"),
        ("1,2\n1,2,3\n", "line 2 has 3 columns, not 2"),
        ("1,2\nx,2\n", "line 2: could not convert string to float: 'x'"),
        ("1,2.5\n", "line 1: invalid literal for int() with base 10: '2.5'"),
        ("7\n", "line 1 has no feature beside the class"),
        ("nan,1\n", "line 1 has a feature that is not finite"),
        ("1,-1\n", "line 1: class -1 is outside 0..2147483647"),
    ],
)
def test_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(TableError) as error:
        read_table(text)
    assert str(error.value) == message
