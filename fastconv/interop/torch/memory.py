"""Tensors as arrays and arrays as tensors, without a copy.

A tensor in torch's channels-last memory format is an NHWC array seen through permuted axes, so it goes into
fastconv as ``layout="NHWC"``, and the result comes back in the same memory format.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from fastconv.core.arrays import Spec
from fastconv.core.errors import DTypeError, UnsupportedError
from fastconv.core.threads import MAX_THREADS
from fastconv.typing import Layout

DTYPES = (torch.float32, torch.float64)
NUMPY_DTYPES: dict[torch.dtype, np.dtype] = {torch.float32: np.dtype(np.float32), torch.float64: np.dtype(np.float64)}
TO_LAST = {4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}
TO_SECOND = {4: (0, 3, 1, 2), 5: (0, 4, 1, 2, 3)}
FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}


def count_threads() -> int:
    """Torch's number of threads, at most as many as fastconv takes."""
    return min(torch.get_num_threads(), MAX_THREADS)


def is_channels_last(x: Tensor, rank: int) -> bool:
    """Whether a batch with `rank` spatial axes is stored channels last; False where both memory formats fit."""
    return rank > 1 and x.dim() == rank + 2 and not x.is_contiguous() and x.is_contiguous(memory_format=FORMATS[rank])


def layout(last: bool) -> Layout:
    return "NHWC" if last else "NCHW"


def array(x: Tensor, last: bool = False) -> np.ndarray:
    """The memory of `x` as an array; (N, spatial, C) if `last`."""
    a = x.detach().numpy()
    return a.transpose(TO_LAST[a.ndim]) if last else a


def spec(shape: list[int], dtype: torch.dtype, last: bool = False) -> Spec:
    """The `Spec` of what `array` returns for a tensor of `shape`."""
    return Spec((shape[0], *shape[2:], shape[1]) if last else tuple(shape), NUMPY_DTYPES[dtype])


def tensor(a: np.ndarray, last: bool = False) -> Tensor:
    """A new result as a tensor that shares its memory; the inverse of `array`."""
    if a.size == 0:  # NumPy and torch give empty arrays different strides
        return empty([a.shape[0], a.shape[-1], *a.shape[1:-1]] if last else list(a.shape), torch.from_numpy(a), last)
    return torch.from_numpy(a.transpose(TO_SECOND[a.ndim]) if last else a)


def empty(shape: list[Any], like: Tensor, last: bool = False) -> Tensor:
    """An uninitialised tensor like those that `tensor` returns: the result of fake kernels."""
    memory = FORMATS[len(shape) - 2] if last else torch.contiguous_format
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=memory)


def check_dtypes(names: str, *tensors: Tensor | None) -> None:
    """DTypeError unless the tensors are all float32 or all float64; `names` holds one word for each."""
    given = [(name, t.dtype) for name, t in zip(names.split(), tensors, strict=True) if t is not None]
    first, dtype = given[0]
    if dtype not in DTYPES:
        raise DTypeError(f"{first} has dtype {dtype}; fastconv's operators take torch.float32 and torch.float64")
    for name, other in given:
        if other is not dtype:
            raise DTypeError(f"{name} has dtype {other}, but {first} {dtype}: they must be the same")


def check_tensors(names: str, *tensors: Tensor | None) -> None:
    """Refuse tensors that the operators cannot take at all; `names` holds one word for each.

    Raises
    ------
    TypeError, UnsupportedError
        The message names the tensor, what it is and what is allowed.
    """
    for name, t in zip(names.split(), tensors, strict=True):
        if t is None:
            continue
        if not isinstance(t, Tensor):
            raise TypeError(f"{name} must be a torch.Tensor, got {type(t).__name__}; arrays go to fastconv itself")
        if not (t.is_cpu or t.is_meta):
            raise UnsupportedError(f"{name} is on device {t.device}; fastconv's operators are for cpu tensors")
        if t.layout is not torch.strided:
            raise UnsupportedError(f"{name} has layout {t.layout}; fastconv's operators take torch.strided")
        if forward_ad._current_level >= 0 and forward_ad.unpack_dual(t).tangent is not None:
            # torch would drop the tangent silently.
            raise UnsupportedError(f"{name} has a tangent; fastconv's operators have no forward-mode derivatives")
