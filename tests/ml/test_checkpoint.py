"""The canonical file: one form, the safetensors library's own for float32, and a stable id."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

from ml.artifact import ArtifactDtypeError, ArtifactLimits, ArtifactNotFiniteError
from ml.checkpoint import is_canonical, load_checked, save_canonical
from ml.commit import commit_to_state, compute_model_id

LIMITS = ArtifactLimits()


def state() -> dict[str, torch.Tensor]:
    return {
        "output.bias": torch.tensor([0.5, -1.0]),
        "hidden.weight": torch.arange(6, dtype=torch.float32).reshape(3, 2),
        "scale": torch.tensor(2.0),
    }


def test_round_trip() -> None:
    loaded = load_checked(save_canonical(state()), LIMITS)
    assert list(loaded) == ["hidden.weight", "output.bias", "scale"]
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state().items())


def test_order_layout_and_views_do_not_matter() -> None:
    data = save_canonical(state())
    backwards = dict(reversed(state().items()))
    backwards["hidden.weight"] = state()["hidden.weight"].T.contiguous().T
    backwards["scale"] = torch.tensor([9.0, 2.0])[1].requires_grad_()
    assert save_canonical(backwards) == data
    assert save_canonical(load_checked(data, LIMITS)) == data


def test_float32_files_are_the_library_s() -> None:
    data = save_canonical(state())
    assert safetensors.torch.save(state()) == data
    assert torch.equal(safetensors.torch.load(data)["scale"], torch.tensor(2.0))


def test_pinned_id() -> None:
    data, model_id = commit_to_state(state(), LIMITS)
    assert model_id == compute_model_id(data, LIMITS)
    assert model_id.hex() == "a20cabaa7401ad498f5c9acac3f0a06f0031e8fc70ddd7a6c79164a852dbc30f"


def test_metadata_makes_another_file_which_is_refused() -> None:
    copy = safetensors.torch.save(state(), metadata={"by": "a copier"})
    assert not is_canonical(copy)
    assert is_canonical(save_canonical(state()))


def test_what_cannot_be_read_is_never_written() -> None:
    with pytest.raises(ArtifactNotFiniteError, match=r"^tensor a holds NaN or an infinity$"):
        save_canonical({"a": torch.tensor([float("nan")])})
    with pytest.raises(ArtifactDtypeError, match=r"^tensor a has dtype torch.float64$"):
        save_canonical({"a": torch.zeros(1, dtype=torch.float64)})
    with pytest.raises(ArtifactDtypeError):
        save_canonical({"a": torch.zeros(1, dtype=torch.int64)})
