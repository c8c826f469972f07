"""Max unpooling: values of a max pooling are put back to the positions that they came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.base import as_layout, freeze, join_batch, split_batch, to_canonical
from fastconv.core.problems.unpool import UnpoolProblem, check_indices, unpool_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import is_planning
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import of_images
from fastconv.typing import ArrayLike, Backend, Extents, Layout, Size


def describe_unpool(
    rank: int, x: np.ndarray, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any,
    layout: Layout,
) -> tuple[UnpoolProblem, np.ndarray]:
    """The problem that the arguments of an unpooling, or its gradient, describe, and its checked, canonical indices."""
    where = as_array(indices, "indices")
    layout = as_layout(layout)
    problem = unpool_problem(
        rank, x.shape, x.dtype, where.shape, where.dtype, freeze(kernel_size, "kernel_size"), freeze(stride, "stride"),
        freeze(padding, "padding"), freeze(output_size, "output_size"), layout,
    )  # fmt: skip
    flat = to_canonical(where, rank, split_batch(x.shape, rank, layout)[0], layout)
    # A plan keeps the positions, which must not change after they were checked.
    flat = np.array(flat, order="C") if is_planning() else clean(flat, where.dtype)
    check_indices(flat, problem.pixels)
    return problem, flat


@repeated
def _unpool(
    rank: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any, out: Any,
    layout: Layout, options: Options,
) -> Request:  # fmt: skip
    x = as_array(x, "input")
    problem, flat = describe_unpool(rank, x, indices, kernel_size, stride, padding, output_size, layout)
    batched = split_batch(x.shape, rank, layout)[0]
    shape = join_batch(batched, problem.n, problem.c, problem.output[3 - rank :], layout)
    return of_images(problem, options, rank, x.shape, x.dtype, shape), x, (flat,), out


def max_unpool1d(
    input: ArrayLike, indices: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Extents | None = None, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Partial inverse of `max_pool1d`, as `torch.nn.functional.max_unpool1d`.

    As `max_unpool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> y, where = F.max_pool1d(np.array([[1.0, 3.0, 2.0, 5.0]]), 2, return_indices=True)
    >>> F.max_unpool1d(y, where, 2)
    array([[0., 3., 0., 5.]])
    """
    return _unpool(
        1, input, indices, kernel_size, stride, padding, output_size, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_unpool2d(
    input: ArrayLike, indices: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Extents | None = None, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Partial inverse of `max_pool2d`, as `torch.nn.functional.max_unpool2d`.

    Values go to the positions in `indices`; all other elements are zero.  Where a position repeats, the last value
    wins.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Channels last with ``layout="NHWC"``.
    indices : array_like of int64, shape of `input`
        As `max_pool2d` returns them: positions in the flattened spatial axes of the result.
    kernel_size : int or tuple of 2 int
    stride : int or tuple of 2 int, optional
        `kernel_size` by default.
    padding : int or tuple of 2 int
        Padding of the pooling that is inverted; it shortens the result.
    output_size : tuple of 2 int, or the whole shape of the result, optional
        Extents of the result, less than one stride away from ``(in - 1) * stride + kernel_size - 2 * padding``.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype.  It may overlap an input.
    layout : {"NCHW", "NHWC"}
        Whether channels come second or last, in input and result.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray, shape (N, C, oh, ow) or (C, oh, ow)
        Of the dtype of `input`, a float.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> y, where = F.max_pool2d(np.arange(4.0).reshape(1, 2, 2), 2, return_indices=True)
    >>> F.max_unpool2d(y, where, 2)
    array([[[0., 0.],
            [0., 3.]]])
    """
    return _unpool(
        2, input, indices, kernel_size, stride, padding, output_size, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_unpool3d(
    input: ArrayLike, indices: ArrayLike, kernel_size: Size, stride: Size | None = None, padding: Size = 0,
    output_size: Extents | None = None, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Partial inverse of `max_pool3d`, as `torch.nn.functional.max_unpool3d`.

    As `max_unpool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> y, where = F.max_pool3d(np.ones((1, 4, 4, 4)), 2, return_indices=True)
    >>> F.max_unpool3d(y, where, 2).sum()
    np.float64(8.0)
    """
    return _unpool(
        3, input, indices, kernel_size, stride, padding, output_size, out, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
