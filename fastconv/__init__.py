"""Convolution, pooling and matrix products on a CPU: three backends (Cython, Numba, NumPy) behind one API.

Functions have the names and signatures of `torch.nn.functional`, on NumPy arrays:

>>> import numpy as np, fastconv as F
>>> x, w = np.ones((1, 3, 8, 8), "f"), np.ones((4, 3, 3, 3), "f")
>>> F.conv2d(x, w, padding=1, activation="relu").shape
(1, 4, 8, 8)

convolution   conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
pooling       max_pool*, avg_pool*, lp_pool*, adaptive_*, global_*, max_unpool*
products      gemm, matmul, linear
activation    relu, gelu, silu, ..., softmax, log_softmax; losses: cross_entropy, nll_loss
shape         pad, flatten, unfold, fold
gradients     grad.NAME(dy, *arguments of NAME): grad.conv2d, grad.max_pool2d, ...
once for many calls       plan(conv2d, Spec(x.shape, x.dtype), w, padding=1), and its explain()
how fast, and why         compare(conv2d, x, w, padding=1), backends(), and the command `fastconv`
options       options(backend=..., threads=...) for a block, set_options(...) from there on
images        ndimage: the filters of scipy.ndimage; filters.sharpen, blur, edge_detect, ...
elsewhere     fastconv.interop.torch: on torch tensors; fastconv.interop.scipy: under programs that call scipy.ndimage

Every function has its own help: ``help(fastconv.conv2d)``.
"""

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


def __dir__() -> list[str]:
    """The public names."""
    return sorted([*__all__, *_LATER])


_LATER = ("filters", "ndimage")  # modules that are imported when they are first used
if _typing.TYPE_CHECKING:
    from fastconv import filters as filters
    from fastconv import ndimage as ndimage
else:  # type checkers would take any name for an attribute

    def __getattr__(name):
        """`fastconv.filters` and `fastconv.ndimage`."""
        if name in _LATER:
            return _importlib.import_module(f"fastconv.{name}")
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
