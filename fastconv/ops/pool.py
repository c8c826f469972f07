"""Pooling over windows of a fixed shape: maximum, average and Lp norm, of 1-D, 2-D and 3-D inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import as_flag, as_int, as_layout, as_number, freeze, join_batch, split_batch
from fastconv.core.problems.condensed import condensed
from fastconv.core.problems.pool import PoolKind, PoolProblem, pool_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember, submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import images
from fastconv.ops.signatures import Pair, as_max_pool
from fastconv.typing import ArrayLike, Backend, Layout, Padding, Size


def submit_pool(
    problem: PoolProblem | AdaptivePoolProblem, rank: int, x: np.ndarray, out: Any, options: Options
) -> Any:
    """Run a pooling of `x` with `rank` spatial axes, adaptive or not."""
    return submit(*request_pool(problem, rank, x, out, options))


def request_pool(
    problem: PoolProblem | AdaptivePoolProblem, rank: int, x: np.ndarray, out: Any, options: Options
) -> Request:
    """The arguments of `submit` for it."""
    return _recipe(problem, rank, x.shape, x.dtype, options), x, (), out


@remember
def _recipe(
    problem: PoolProblem | AdaptivePoolProblem, rank: int, shape: tuple[int, ...], dtype: np.dtype, options: Options
) -> Recipe:
    layout = problem.layout
    batched = split_batch(shape, rank, layout)[0]
    result = join_batch(batched, problem.n, problem.c, problem.output[3 - rank :], layout)
    short = condensed(problem) if isinstance(problem, PoolProblem) else None
    seen, gather = (problem, None) if short is None else short
    views = images(rank, batched, layout, problem.dtype, shape, result, gather)
    results = (result,) * len(problem.results)
    return Recipe(seen, options, shape, dtype, results, *views, gather is None and dtype == problem.dtype)


def describe_pool(
    kind: PoolKind, rank: int, x: np.ndarray, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
    ceil_mode: Any, layout: Layout, *, include_pad: Any = True, divisor: Any = None, norm: Any = 1.0,
    indices: Any = False,
) -> PoolProblem:  # fmt: skip
    """The problem that the arguments of a pooling, or of its gradient, describe."""
    if divisor is not None:
        divisor = as_int(divisor, "divisor_override")
    return pool_problem(
        kind, rank, x.shape, x.dtype, freeze(kernel_size, "kernel_size"), freeze(stride, "stride"),
        freeze(padding, "padding"), freeze(dilation, "dilation"), as_flag(ceil_mode, "ceil_mode"),
        as_flag(include_pad, "count_include_pad"), divisor, as_number(norm, "norm_type"),
        as_flag(indices, "return_indices"), as_layout(layout),
    )  # fmt: skip


@repeated
def _pool(
    kind: PoolKind, rank: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any,
    out: Any, layout: Layout, options: Options, include_pad: Any = True, divisor: Any = None, norm: Any = 1.0,
    indices: Any = False,
) -> Request:  # fmt: skip
    x = as_array(x, "input")
    problem = describe_pool(
        kind, rank, x, kernel_size, stride, padding, dilation, ceil_mode, layout, include_pad=include_pad,
        divisor=divisor, norm=norm, indices=indices,
    )  # fmt: skip
    return request_pool(problem, rank, x, out, options)


@as_max_pool
def max_pool1d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """1-D max pooling, as `torch.nn.functional.max_pool1d`.

    As `max_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.max_pool1d(np.array([[1.0, 3.0, 2.0, 5.0, 4.0]]), 2, ceil_mode=True)
    array([[3., 5., 4.]])
    """
    return _pool(
        "max", 1, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, 1.0, return_indices,
    )  # fmt: skip


@as_max_pool
def max_pool2d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """2-D max pooling, as `torch.nn.functional.max_pool2d`.

    NaN propagates.  Padding is never the maximum; a window of padding alone gives -inf, or the least integer.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Channels last with ``layout="NHWC"``.
    kernel_size : int or tuple of 2 int
    stride : int or tuple of 2 int, optional
        `kernel_size` by default.
    padding : int, tuple of 2 int, list of 2 (lo, hi) pairs, "valid", "same", "same_upper" or "same_lower"
        At most half of the kernel's size; in pairs, less than the kernel's size.
    dilation : int or tuple of 2 int
    ceil_mode : bool
        Whether a last, partial window counts.  It must start inside the input or the padding before it.
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
        `input`; -1 for a window of padding alone.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> y, where = F.max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2, return_indices=True)
    >>> where
    array([[[ 5,  7],
            [13, 15]]])
    """
    return _pool(
        "max", 2, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, 1.0, return_indices,
    )  # fmt: skip


@as_max_pool
def max_pool3d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, dilation: Size = 1,
    ceil_mode: bool = False, return_indices: bool = False, *, out: np.ndarray | Pair | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray | Pair:  # fmt: skip
    """3-D max pooling, as `torch.nn.functional.max_pool3d`.

    As `max_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.max_pool3d(np.ones((1, 2, 4, 6, 6), "f"), (2, 3, 3)).shape
    (1, 2, 2, 2, 2)
    """
    return _pool(
        "max", 3, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, 1.0, return_indices,
    )  # fmt: skip


def avg_pool1d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1-D average pooling, as `torch.nn.functional.avg_pool1d`, with dilation.

    As `avg_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.avg_pool1d(np.ones((1, 6)), 3, stride=2, padding=1, ceil_mode=True)
    array([[0.66666667, 1.        , 1.        , 0.5       ]])
    """
    return _pool(
        "avg", 1, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), count_include_pad, divisor_override,
    )  # fmt: skip


def avg_pool2d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """2-D average pooling, as `torch.nn.functional.avg_pool2d`, with dilation.

    What is not described here is as in `max_pool2d`.

    Parameters
    ----------
    count_include_pad : bool
        Whether zeros of the padding count in the divisor.  What lies beyond the padding never does.
    divisor_override : int, optional
        Divisor of every sum, in place of the number of elements; not 0.

    Returns
    -------
    ndarray, shape (N, C, oh, ow) or (C, oh, ow)
        Of the dtype of `input`: float32, float64, float16 or bfloat16 (summed in float32 and rounded once), or int64
        (truncated, as in torch).  A window without an element that counts gives 0.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.
    OverflowError
        If an int64 result does not fit.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    return _pool(
        "avg", 2, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), count_include_pad, divisor_override,
    )  # fmt: skip


def avg_pool3d(
    input: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """3-D average pooling, as `torch.nn.functional.avg_pool3d`, with dilation.

    As `avg_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.avg_pool3d(np.ones((1, 2, 4, 6, 6), "f"), 2, stride=(1, 2, 2)).shape
    (1, 2, 3, 3, 3)
    """
    return _pool(
        "avg", 3, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), count_include_pad, divisor_override,
    )  # fmt: skip


def lp_pool1d(
    input: ArrayLike, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False,
    padding: Padding = 0, dilation: Size = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1-D power-average pooling, as `torch.nn.functional.lp_pool1d`, with padding and dilation.

    As `lp_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.lp_pool1d(np.array([[3.0, 4.0, 6.0, 8.0]]), 2, 2)
    array([[ 5., 10.]])
    """
    return _pool(
        "lp", 1, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, norm_type,
    )  # fmt: skip


def lp_pool2d(
    input: ArrayLike, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False,
    padding: Padding = 0, dilation: Size = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """2-D power-average pooling, as `torch.nn.functional.lp_pool2d`, with padding and dilation.

    Each result is ``sum(x ** norm_type) ** (1 / norm_type)`` over its window.  As in torch, powers keep the sign of
    `input`, so that odd norms of negative sums are NaN, and with `ceil_mode` the sum of a partial window is scaled up
    to that of a whole one.  What is not described here is as in `max_pool2d`.

    Parameters
    ----------
    norm_type : float
        Not 0.  ``inf`` gives the largest magnitude, ``-inf`` the smallest.
    padding : int, tuple of 2 int, list of 2 (lo, hi) pairs, "valid", "same", "same_upper" or "same_lower"
        Limited as in `max_pool2d`; it adds nothing to a sum.

    Returns
    -------
    ndarray, shape (N, C, oh, ow) or (C, oh, ow)
        Of the dtype of `input`, a float; powers and sums are computed in float64.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.lp_pool2d(np.ones((1, 4, 4)), 2, 2)
    array([[[2., 2.],
            [2., 2.]]])
    """
    return _pool(
        "lp", 2, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, norm_type,
    )  # fmt: skip


def lp_pool3d(
    input: ArrayLike, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False,
    padding: Padding = 0, dilation: Size = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """3-D power-average pooling, as `torch.nn.functional.lp_pool3d`, with padding and dilation.

    As `lp_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.lp_pool3d(np.ones((1, 2, 4, 6, 6), "f"), 2, 2).shape
    (1, 2, 2, 3, 3)
    """
    return _pool(
        "lp", 3, input, kernel_size, stride, padding, dilation, ceil_mode, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace), True, None, norm_type,
    )  # fmt: skip
