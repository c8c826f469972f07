"""Gradients of every operation, as plain functions: `fastconv.grad`.

``grad.NAME(dy, *arguments of NAME, need=None)`` takes `dy`, the gradient of a scalar with respect to the result of
NAME, and returns the gradients of that scalar with respect to the arrays that NAME took: one for each differentiable
argument, in their order, or a single array where there is one such argument.  They equal those of torch's autograd.

`need` says which of them to compute, as one bool for each differentiable argument.  The others are None.  By default it
is all that were given.  A plan is one kernel, and so takes a `need` that picks one gradient.
"""

from fastconv.ops.grad.activation import (
    celu,
    elu,
    gelu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    logsigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from fastconv.ops.grad.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    global_avg_pool,
    global_max_pool,
)
from fastconv.ops.grad.clamp import clamp
from fastconv.ops.grad.conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from fastconv.ops.grad.gated import glu, prelu
from fastconv.ops.grad.gemm import gemm, linear, matmul
from fastconv.ops.grad.loss import cross_entropy, nll_loss
from fastconv.ops.grad.pool import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from fastconv.ops.grad.shape import flatten, fold, pad, unfold
from fastconv.ops.grad.softmax import log_softmax, softmax, softmin
from fastconv.ops.grad.unpool import max_unpool1d, max_unpool2d, max_unpool3d

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "celu", "clamp", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cross_entropy", "elu", "flatten", "fold", "gelu",
    "gemm", "global_avg_pool", "global_max_pool", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "leaky_relu", "linear", "log_softmax", "logsigmoid", "lp_pool1d", "lp_pool2d", "lp_pool3d", "matmul", "max_pool1d",
    "max_pool2d", "max_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish", "nll_loss", "pad", "prelu",
    "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh",
    "tanhshrink", "threshold", "unfold",
]  # fmt: skip
