"""Pooling to a given size: adaptive maximum and average of 1-D, 2-D and 3-D inputs, and global pooling of any rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array
from fastconv.core.problems.adaptive import AdaptivePoolProblem, adaptive_problem, global_problem, global_shapes
from fastconv.core.problems.base import as_flag, as_layout, freeze
from fastconv.core.problems.pool import PoolKind, PoolProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import images
from fastconv.ops.pool import request_pool
from fastconv.ops.signatures import Pair, as_adaptive_max_pool
from fastconv.typing import AdaptiveSize, ArrayLike, Backend, Layout


@repeated
def _adaptive(
    kind: PoolKind, rank: int, x: Any, output_size: Any, indices: Any, out: Any, layout: Layout, options: Options
) -> Request:
    x = as_array(x, "input")
    problem = adaptive_problem(
        kind, rank, x.shape, x.dtype, freeze(output_size, "output_size"), as_flag(indices, "return_indices"),
        as_layout(layout),
    )  # fmt: skip
    return request_pool(problem, rank, x, out, options)


@repeated
def _global(kind: PoolKind, x: Any, out: Any, layout: Layout, options: Options) -> Request:
    x = as_array(x, "input")
    layout = as_layout(layout)
    problem = global_problem(kind, x.shape, x.dtype, layout)
    merged, shape, result = global_shapes(problem, x.shape)
    return global_recipe(problem, options, x.shape, x.dtype, merged, shape, result), x, (), out


@remember
def global_recipe(
    problem: PoolProblem | AdaptivePoolProblem, options: Options, x_shape: tuple[int, ...], x_dtype: np.dtype,
    merged: tuple[int, ...], shape: tuple[int, ...], result: tuple[int, ...],
) -> Recipe:  # fmt: skip
    """A recipe in which kernels see three spatial axes: x as `merged`, the user's result of `shape` as `result`."""
    enter, view = images(3, True, problem.layout, problem.dtype, merged, result)
    return Recipe(
        problem, options, x_shape, x_dtype, (shape,),
        lambda x: enter(x.reshape(merged)), lambda y: view(y.reshape(result)), x_dtype == problem.dtype,
    )  # fmt: skip


@as_adaptive_max_pool
def adaptive_max_pool1d(
    input: ArrayLike, output_size: AdaptiveSize, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """1-D max pooling to a given size, as `torch.nn.functional.adaptive_max_pool1d`.

    As `adaptive_max_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 value.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_max_pool1d(np.ones((1, 2, 7), "f"), 3).shape
    (1, 2, 3)
    """
    return _adaptive(
        "max", 1, input, output_size, return_indices, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


@as_adaptive_max_pool
def adaptive_max_pool2d(
    input: ArrayLike, output_size: AdaptiveSize, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """2-D max pooling to a given size, as `torch.nn.functional.adaptive_max_pool2d`.

    Window o of an axis covers ``floor(o * in / out) <= i < ceil((o + 1) * in / out)``.  NaN propagates.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Channels last with ``layout="NHWC"``.
    output_size : int or tuple of 2 (int or None)
        Extents of the result; None keeps that of `input`.
    return_indices : bool
        Whether to return the positions of the maxima, too.
    out : ndarray, or tuple of 2 ndarray with `return_indices`, optional
        Arrays for the results, of exactly their shape and dtype.  They may overlap the input.
    layout : {"NCHW", "NHWC"}
        Whether channels come second or last, in input and result.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    y : ndarray, shape (N, C, oh, ow) or (C, oh, ow)
        Of the dtype of `input`: any float or integer.
    indices : ndarray of int64, shape of y
        With `return_indices`: the position of the first maximum, or of the first NaN, in the flattened spatial axes of
        `input`.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_max_pool2d(np.ones((1, 2, 5, 7), "f"), (2, 3)).shape
    (1, 2, 2, 3)
    """
    return _adaptive(
        "max", 2, input, output_size, return_indices, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


@as_adaptive_max_pool
def adaptive_max_pool3d(
    input: ArrayLike, output_size: AdaptiveSize, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """3-D max pooling to a given size, as `torch.nn.functional.adaptive_max_pool3d`.

    As `adaptive_max_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 values.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_max_pool3d(np.ones((1, 2, 4, 5, 7), "f"), (None, 2, 3)).shape
    (1, 2, 4, 2, 3)
    """
    return _adaptive(
        "max", 3, input, output_size, return_indices, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool1d(
    input: ArrayLike, output_size: AdaptiveSize, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1-D average pooling to a given size, as `torch.nn.functional.adaptive_avg_pool1d`.

    As `adaptive_avg_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 value.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_avg_pool1d(np.ones((1, 2, 7), "f"), 3).shape
    (1, 2, 3)
    """
    return _adaptive(
        "avg", 1, input, output_size, False, out, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool2d(
    input: ArrayLike, output_size: AdaptiveSize, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """2-D average pooling to a given size, as `torch.nn.functional.adaptive_avg_pool2d`.

    Windows, parameters and errors are as in `adaptive_max_pool2d`.

    Returns
    -------
    ndarray, shape (N, C, oh, ow) or (C, oh, ow)
        Of the dtype of `input`: a float, or int64, which is truncated.  Float16 and bfloat16 are summed in float32 and
        rounded once.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_avg_pool2d(np.ones((1, 2, 5, 7), "f"), (2, 3)).shape
    (1, 2, 2, 3)
    """
    return _adaptive(
        "avg", 2, input, output_size, False, out, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool3d(
    input: ArrayLike, output_size: AdaptiveSize, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """3-D average pooling to a given size, as `torch.nn.functional.adaptive_avg_pool3d`.

    As `adaptive_avg_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 values.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.adaptive_avg_pool3d(np.ones((1, 2, 4, 5, 7), "f"), (None, 2, 3)).shape
    (1, 2, 4, 2, 3)
    """
    return _adaptive(
        "avg", 3, input, output_size, False, out, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def global_max_pool(
    input: ArrayLike, *, out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Maximum of every channel, as ONNX's ``GlobalMaxPool``.

    What is not described here is as in `max_pool2d`.

    Parameters
    ----------
    input : array_like, shape (N, C, ...)
        Any number of spatial axes, at least one.  Channels last with ``layout="NHWC"``.

    Returns
    -------
    ndarray, shape (N, C, 1, ...)
        Of the dtype of `input`: any float or integer.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.global_max_pool(np.arange(8).reshape(1, 2, 4))
    array([[[3],
            [7]]])
    """
    return _global("max", input, out, layout, resolve(backend, algorithm, threads, tol, max_workspace))


def global_avg_pool(
    input: ArrayLike, *, out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Average of every channel, as ONNX's ``GlobalAveragePool``.

    Parameters and errors are as in `global_max_pool`.

    Returns
    -------
    ndarray, shape (N, C, 1, ...)
        Of the dtype of `input`: a float, or int64, which is truncated.  Float16 and bfloat16 are rounded once.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.global_avg_pool(np.ones((2, 3, 4, 5), "f")).shape
    (2, 3, 1, 1)
    """
    return _global("avg", input, out, layout, resolve(backend, algorithm, threads, tol, max_workspace))
