"""The torch door: fastconv's kernels as torch operators, and `accelerate` for trained models.

The functions are those of `torch.nn.functional` on CPU tensors; the operators behind them are ``torch.ops.fastconv``.
Needs the extra ``fastconv[torch]``.
"""

from fastconv.core.errors import missing_extra

try:
    import torch as _torch  # noqa: F401
except ModuleNotFoundError as e:
    raise missing_extra("torch", "torch", "fastconv.interop.torch") from e

from fastconv.interop.torch.accelerate import Report, Row, accelerate, restore
from fastconv.interop.torch.functional import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    linear,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)

__all__ = [
    "Report",
    "Row",
    "accelerate",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "linear",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "restore",
]
