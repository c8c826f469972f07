"""Convolution, pooling and GEMM on a CPU: three backends behind one API. See the README."""

from fastconv.core.arrays import Spec
from fastconv.core.errors import DTypeError, MissingExtraError, ShapeError, UnsupportedError
from fastconv.dispatch.options import options
from fastconv.dispatch.plan import Plan
from fastconv.ops.conv import (
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from fastconv.ops.planning import plan

__version__ = "0.1.0.dev0"

__all__ = [
    "DTypeError",
    "MissingExtraError",
    "Plan",
    "ShapeError",
    "Spec",
    "UnsupportedError",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "options",
    "plan",
]
