"""Convolution, pooling and GEMM on a CPU: three backends behind one API. See the README."""

from fastconv.bench.api import backends, compare
from fastconv.core.arrays import Spec
from fastconv.core.errors import DTypeError, MissingExtraError, ShapeError, UnsupportedError
from fastconv.dispatch.options import options
from fastconv.dispatch.plan import Plan
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
from fastconv.ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from fastconv.ops.gemm import gemm, linear, matmul
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
from fastconv.ops.unpool import (
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from fastconv.version import __version__

__all__ = [
    "DTypeError",
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
    "compare",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "gemm",
    "global_avg_pool",
    "global_max_pool",
    "linear",
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
    "options",
    "plan",
]
