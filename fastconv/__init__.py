"""Convolution, pooling and GEMM on a CPU: three backends behind one API. See the README."""

import importlib as _importlib
import typing as _typing

from fastconv.bench.api import backends, compare
from fastconv.core.arrays import Spec
from fastconv.core.errors import DTypeError, FastconvWarning, MissingExtraError, ShapeError, UnsupportedError
from fastconv.dispatch.extensions import register, unregister
from fastconv.dispatch.options import options, set_options
from fastconv.dispatch.plan import Plan
from fastconv.ops import grad
from fastconv.ops.activation import (
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
from fastconv.ops.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    global_avg_pool,
    global_max_pool,
)
from fastconv.ops.clamp import clamp
from fastconv.ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from fastconv.ops.gated import glu, prelu
from fastconv.ops.gemm import gemm, linear, matmul
from fastconv.ops.loss import cross_entropy, nll_loss
from fastconv.ops.planning import plan
from fastconv.ops.pool import (
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
from fastconv.ops.shape import flatten, fold, pad, unfold
from fastconv.ops.softmax import log_softmax, softmax, softmin
from fastconv.ops.unpool import (
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from fastconv.version import __version__

if _typing.TYPE_CHECKING:
    from fastconv import filters as filters
else:  # type checkers would take any name for an attribute

    def __getattr__(name):
        """`fastconv.filters`, imported when it is first used."""
        if name == "filters":
            return _importlib.import_module("fastconv.filters")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DTypeError",
    "FastconvWarning",
    "MissingExtraError",
    "Plan",
    "ShapeError",
    "Spec",
    "UnsupportedError",
    "__version__",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "backends",
    "celu",
    "clamp",
    "compare",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cross_entropy",
    "elu",
    "flatten",
    "fold",
    "gelu",
    "gemm",
    "global_avg_pool",
    "global_max_pool",
    "glu",
    "grad",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "matmul",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "nll_loss",
    "options",
    "pad",
    "plan",
    "prelu",
    "register",
    "relu",
    "relu6",
    "selu",
    "set_options",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "unfold",
    "unregister",
]
