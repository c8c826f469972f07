"""Names of activations that can be fused behind a sum, and the check for the keyword."""

from __future__ import annotations

import numpy as np

from fastconv.core.errors import DTypeError
from fastconv.core.problems.base import is_bfloat16

FUSED = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "logsigmoid",
    "tanh", "softplus", "softsign", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "tanhshrink",
)  # fmt: skip


def check_activation(activation: object, dtype: np.dtype) -> None:
    """ValueError for an unknown name, DTypeError where the function has no meaning."""
    if activation is None:
        return
    if activation not in FUSED:
        raise ValueError(f"activation must be None or one of {', '.join(FUSED)}, got {activation!r}")
    if dtype.kind == "c" or (dtype.kind in "iu" and activation not in ("relu", "relu6")):
        raise DTypeError(f"activation {activation!r} has no meaning for dtype {dtype}")


def is_float(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or is_bfloat16(dtype)
