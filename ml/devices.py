"""Where tensors live, and the switches that make a run repeatable there.

Owns the choice of a device, thread counts and determinism flags of the process. Invariant: after
`set_deterministic` an operation without a deterministic form raises instead of differing.
Source: WP V.D (evaluation that validators agree on).
"""

from __future__ import annotations

import os

import torch


class DeviceError(ValueError):
    """A device name that is unknown or not on this machine."""


def choose_device(name: str = "auto") -> torch.device:
    """The device of `auto`, `cpu` or `cuda`; auto takes CUDA where there is one.

    Raises `DeviceError`.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"device {name!r} is not auto, cpu or cuda")
    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise DeviceError("device cuda was asked for, and this machine has none")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def limit_threads(threads: int = 1) -> None:
    """Set the threads of an operation for this process; small models are fastest with one."""
    torch.set_num_threads(threads)


def set_deterministic() -> None:
    """Make this process choose deterministic kernels, in full float32, from here on."""
    # cuBLAS reads this once, when the first CUDA operation starts it.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    # `use_deterministic_algorithms` would also import the compiler, which takes as long as torch.
    torch.set_deterministic_debug_mode("error")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
