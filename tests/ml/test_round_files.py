"""Files of a round: there and back, one id a vector, nothing of another kind."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactDtypeError, ArtifactMismatchError
from ml.fixed_point import Layout
from ml.round_files import encode_model, encode_update, read_model, read_update

LAYOUT = Layout((("a", (2, 3)), ("b", (2,))))
MODEL = torch.arange(8, dtype=torch.int32) - 3
UPDATE = MODEL.to(torch.int16)


def test_there_and_back() -> None:
    data, model_id = encode_model(MODEL, LAYOUT)
    assert torch.equal(read_model(data, LAYOUT), MODEL)
    assert encode_model(MODEL.clone(), LAYOUT) == (data, model_id)
    data, update_id = encode_update(UPDATE, LAYOUT)
    assert torch.equal(read_update(data, LAYOUT), UPDATE)
    assert update_id != model_id


def test_the_content_id_is_the_same_on_every_machine() -> None:
    assert encode_model(MODEL, LAYOUT)[1].hex() == (
        "5f0ad5576d919cea3d2ea685a56399f614ee73ea7ca3b29b36a76f1c792ea528"
    )


def test_another_kind_is_refused() -> None:
    with pytest.raises(ArtifactDtypeError):
        read_model(encode_update(UPDATE, LAYOUT)[0], LAYOUT)
    with pytest.raises(ArtifactDtypeError):
        read_update(encode_model(MODEL, LAYOUT)[0], LAYOUT)
    with pytest.raises(ArtifactMismatchError):
        read_model(encode_model(MODEL, LAYOUT)[0], Layout((("a", (8,)),)))
