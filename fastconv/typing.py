"""Types of the arguments of fastconv's functions, for type checkers and for annotations in other code.

Each set of names is a `Literal`; the tuples that are checked at run time are made from these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, SupportsIndex, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt


class SupportsDLPack(Protocol):
    """An array of another library: its memory is read, not copied."""

    def __dlpack__(self, *, stream: None = ...) -> Any: ...
    def __dlpack_device__(self) -> tuple[Any, Any]: ...


ArrayLike: TypeAlias = npt.ArrayLike | SupportsDLPack
"""Arrays, buffers, nested sequences of numbers, and arrays of other libraries."""

Gradient: TypeAlias = np.ndarray | Any
"""A gradient; None where `need` is False, which code need not check for."""

Extents: TypeAlias = Sequence[SupportsIndex]
"""One int for each axis."""

Size: TypeAlias = SupportsIndex | Extents
"""An int for all axes, or one for each."""

AdaptiveSize: TypeAlias = SupportsIndex | Sequence[SupportsIndex | None]
"""As `Size`; None keeps the extent of the input."""

TransposedPadding: TypeAlias = Size | Sequence[Extents] | Literal["valid"]
"""Padding of transposed convolutions: a size, or a pair (lo, hi) for each axis."""

SamePadding: TypeAlias = Literal["same", "same_upper", "same_lower"]
"""As many results as inputs divided by the stride, rounded up; see `conv2d`."""

Padding: TypeAlias = TransposedPadding | SamePadding
"""Padding of convolutions: what `TransposedPadding` is, or a name."""

Number: TypeAlias = complex | np.number[Any]
"""A scalar, of Python or of NumPy."""

Layout: TypeAlias = Literal["NCHW", "NHWC"]
"""Whether channels come second or last."""

PaddingMode: TypeAlias = Literal["zeros", "constant", "reflect", "replicate", "circular", "symmetric"]
"""Values of the padding of convolutions."""

TransposedPaddingMode: TypeAlias = Literal["zeros", "constant"]
"""Values of the padding of transposed convolutions."""

BoundaryMode: TypeAlias = Literal["reflect", "constant", "nearest", "mirror", "wrap"]
"""What lies beyond the ends of an axis, by the names of scipy.ndimage."""

PadMode: TypeAlias = Literal["constant", "reflect", "replicate", "circular", "symmetric"]
"""Values of what `pad` adds."""

Activation: TypeAlias = Literal[
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "sigmoid", "logsigmoid",
    "tanh", "softplus", "softsign", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink", "tanhshrink",
]  # fmt: skip
"""Functions that convolutions and products can apply to their results."""

Approximate: TypeAlias = Literal["none", "tanh"]
"""The formula of `gelu`."""

Reduction: TypeAlias = Literal["none", "mean", "sum"]
"""What a loss does with the losses of the samples."""

Backend: TypeAlias = Literal["auto", "cython", "numba", "numpy", "reference"]
"""Backends of fastconv itself.  The name of one that was registered needs a `typing.cast` to `Any`."""

Peer: TypeAlias = Literal["numpy", "scipy", "torch", "onnxruntime", "openvino", "ncnn", "opencv", "ipp"]
"""Libraries that `compare` measures."""

Door: TypeAlias = Literal["planned", "called"]
"""Whether `compare` measures plans, or the functions as they are called."""

Data: TypeAlias = Literal["normal", "denormal"]
"""The data that `compare` makes from a `Spec`."""


class Execution(TypedDict, total=False):
    """The keywords of `fastconv.options`, which most operations take: for functions that pass them on."""

    backend: Backend | None
    algorithm: str | None
    threads: int | None
    tol: float | None
    max_workspace: int | None
