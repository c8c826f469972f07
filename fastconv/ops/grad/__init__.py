"""Gradients of every operation, as plain functions: `fastconv.grad`.

``grad.NAME(dy, *arguments of NAME, need=None)`` takes the gradient of a scalar with respect to the result of NAME to
those with respect to its arrays: one result per differentiable array argument, in their order, or a single array
where there is one such argument.  They equal those of torch's autograd.
"""

from fastconv.ops.grad.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from fastconv.ops.grad.gemm import gemm, linear, matmul

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "gemm",
    "linear",
    "matmul",
]
