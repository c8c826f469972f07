"""Gradients of poolings over windows of a fixed shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, as_array, as_shaped, clean_volume
from fastconv.core.errors import DTypeError, ShapeError
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import join_batch, split_batch, to_canonical
from fastconv.core.problems.pool import PoolProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import immediately, is_planning, submit
from fastconv.ops.grad.common import as_incoming, check_differentiable, gradients, variant, wanted
from fastconv.ops.pool import describe_pool, submit_pool
from fastconv.ops.recipes import of_images
from fastconv.typing import ArrayLike, Backend, Gradient, Layout, Padding, Size

AnyPool = PoolProblem | AdaptivePoolProblem


def gradient(
    problem: AnyPool, rank: int, name: str, dy: ArrayLike, x: np.ndarray, need: Any, options: Options,
    prepare: Callable[[], tuple[AnyPool, tuple[np.ndarray, ...]]],
) -> Gradient:  # fmt: skip
    """The gradient of the pooling `problem` of `x`, adaptive or not.

    `prepare` returns the problem of the gradient and its constants, canonical views of any memory order.  It is called
    only if `need` picks the gradient.
    """
    check_differentiable(x.dtype, "input")
    layout = problem.layout
    batched = split_batch(x.shape, rank, layout)[0]
    incoming = as_incoming(dy, join_batch(batched, problem.n, problem.c, problem.output[3 - rank :], layout), name)

    def run() -> Any:
        backward, constants = prepare()
        recipe = of_images(backward, options, rank, incoming.shape, incoming.dtype, x.shape)
        return submit(recipe, incoming, tuple(clean_volume(c, c.dtype, layout) for c in constants))

    return gradients(wanted(need, ("input",)), run)


def gradient_by_indices(
    problem: AnyPool, rank: int, name: str, dy: Any, x: Any, indices: Any, need: Any, options: Options
) -> Any:
    """The gradient of a max pooling, from the `indices` of the forward call, or from new ones if they are None."""
    array = as_shaped(x, "input")
    batched = split_batch(array.shape, rank, problem.layout)[0]

    def prepare() -> tuple[AnyPool, tuple[np.ndarray, ...]]:
        if indices is None:
            at = find_indices(problem, rank, as_array(x, "input"), options)
        else:
            at = check_indices(indices, problem, rank, batched)
        return variant(problem, indices=True, direction="backward"), (to_canonical(at, rank, batched, problem.layout),)

    return gradient(problem, rank, name, dy, array, need, options, prepare)


def find_indices(problem: AnyPool, rank: int, x: np.ndarray, options: Options) -> np.ndarray:
    """The indices of a max pooling, computed at once, even while planning."""
    with immediately():
        return submit_pool(variant(problem, indices=True), rank, x, None, options.of_another())[1]


def check_indices(indices: Any, problem: AnyPool, rank: int, batched: bool) -> np.ndarray:
    """The user's indices, checked: they must be positions in the input, in the shape of the result."""
    at = as_array(indices, "indices")
    shape = join_batch(batched, problem.n, problem.c, problem.output[3 - rank :], problem.layout)
    if at.dtype != np.int64:
        raise DTypeError(f"indices must have dtype int64, as max pooling returns them, got {at.dtype}")
    if at.shape != shape:
        raise ShapeError(f"indices must have the shape of the result, {shape}, got {at.shape}")
    if is_planning():  # a plan keeps them: they must not change after they were checked
        at = at.copy()
    elements = math.prod(problem.input)
    if at.size and (at.min() < -1 or at.max() >= elements):
        outside = at[(at < -1) | (at >= elements)][0]
        raise ValueError(f"indices must be positions 0 to {elements - 1} of input, or -1, got {outside}")
    return at


def _max(
    rank: int, dy: Any, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any,
    return_indices: Any, need: Any, indices: Any, layout: Layout, options: Options,
) -> Any:  # fmt: skip
    problem = describe_pool(
        "max", rank, as_shaped(x, "input"), kernel_size, stride, padding, dilation, ceil_mode, layout,
        indices=return_indices,
    )  # fmt: skip
    return gradient_by_indices(problem, rank, f"max_pool{rank}d", dy, x, indices, need, options)


def _average(
    rank: int, dy: Any, x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: Any, include_pad: Any,
    divisor: Any, dilation: Any, need: Any, layout: Layout, options: Options,
) -> Any:  # fmt: skip
    x = as_shaped(x, "input")
    problem = describe_pool(
        "avg", rank, x, kernel_size, stride, padding, dilation, ceil_mode, layout, include_pad=include_pad,
        divisor=divisor,
    )  # fmt: skip
    backward = variant(problem, direction="backward")
    return gradient(problem, rank, f"avg_pool{rank}d", dy, x, need, options, lambda: (backward, ()))


def _norm(
    rank: int, dy: Any, x: Any, norm_type: Any, kernel_size: Any, stride: Any, ceil_mode: Any, padding: Any,
    dilation: Any, need: Any, layout: Layout, options: Options,
) -> Any:  # fmt: skip
    array = as_array(x, "input")
    problem = describe_pool(
        "lp", rank, array, kernel_size, stride, padding, dilation, ceil_mode, layout, norm=norm_type
    )
    batched = split_batch(array.shape, rank, layout)[0]

    def prepare() -> tuple[AnyPool, tuple[np.ndarray, ...]]:
        volume = to_canonical(array, rank, batched, layout)
        backward = variant(problem, direction="backward")
        if not np.isinf(problem.norm):
            return backward, (volume,)
        magnitudes = np.abs(array)
        if problem.norm < 0:
            np.negative(magnitudes, out=magnitudes)
        maximum = variant(problem, kind="max", norm=1.0)
        at = to_canonical(find_indices(maximum, rank, magnitudes, options), rank, batched, layout)
        values = volume.reshape(problem.n, problem.c, math.prod(problem.input))
        found = np.take_along_axis(values, np.maximum(at, 0).reshape(problem.n, problem.c, problem.pixels), 2)
        found[np.isnan(found)] = 0  # torch's sign of NaN is 0
        return variant(backward, indices=True), (at, np.sign(found).reshape(at.shape))

    return gradient(problem, rank, f"lp_pool{rank}d", dy, array, need, options, prepare)


def max_pool1d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    dilation: Size = 1, ceil_mode: bool = False, return_indices: bool = False, *, need: tuple[bool] | None = None,
    indices: ArrayLike | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_pool1d`.

    As `fastconv.grad.max_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_pool1d(np.ones((1, 2)), np.array([[1.0, 3.0, 2.0, 5.0]]), 2)
    array([[0., 1., 0., 1.]])
    """
    return _max(
        1, dy, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_pool2d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    dilation: Size = 1, ceil_mode: bool = False, return_indices: bool = False, *, need: tuple[bool] | None = None,
    indices: ArrayLike | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_pool2d`.

    It goes to the first of equal maxima, or to the first NaN (in torch to the last), and adds up where windows overlap.

    Parameters
    ----------
    dy : array_like
        Gradient of the result, of its shape; float32 or float64.
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Float32 or float64; channels last with ``layout="NHWC"``.
    kernel_size, stride, padding, dilation, ceil_mode, return_indices, layout
        The arguments of the forward call.
    indices : array_like of int64, of the shape of the result, optional
        Those that the forward call returned, so that it is not computed again; elements of -1 are left out.  Then only
        the shape and dtype of `input` are read, which may be a `fastconv.Spec`.
    need : tuple of 1 bool, optional
        See `fastconv.grad`.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray
        dx, of the shape and dtype of `input`.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_pool2d(np.ones((1, 1, 1)), np.array([[[1.0, 3.0], [2.0, 5.0]]]), 2)
    array([[[0., 0.],
            [0., 1.]]])
    """
    return _max(
        2, dy, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_pool3d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    dilation: Size = 1, ceil_mode: bool = False, return_indices: bool = False, *, need: tuple[bool] | None = None,
    indices: ArrayLike | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_pool3d`.

    As `fastconv.grad.max_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_pool3d(np.ones((1, 1, 1, 1)), np.arange(8.0).reshape(1, 2, 2, 2), 2).sum()
    np.float64(1.0)
    """
    return _max(
        3, dy, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def avg_pool1d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    need: tuple[bool] | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.avg_pool1d`.

    As `fastconv.grad.avg_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.avg_pool1d(np.ones((1, 2)), np.zeros((1, 4)), 2)
    array([[0.5, 0.5, 0.5, 0.5]])
    """
    return _average(
        1, dy, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation, need,
        layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def avg_pool2d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    need: tuple[bool] | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.avg_pool2d`.

    Only the shape and dtype of `input` are read: it may be a `fastconv.Spec`.  What is not described here is as in
    `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    count_include_pad, divisor_override
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.avg_pool2d(np.ones((1, 1, 1)), np.zeros((1, 2, 2)), 2)
    array([[[0.25, 0.25],
            [0.25, 0.25]]])
    """
    return _average(
        2, dy, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation, need,
        layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def avg_pool3d(
    dy: ArrayLike, input: ArrayLike | Spec, kernel_size: Size, stride: Size | None = None, padding: Padding = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None, dilation: Size = 1, *,
    need: tuple[bool] | None = None, layout: Layout = "NCHW", backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.avg_pool3d`.

    As `fastconv.grad.avg_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.avg_pool3d(np.ones((1, 1, 1, 1)), np.zeros((1, 2, 2, 2)), 2).sum()
    np.float64(1.0)
    """
    return _average(
        3, dy, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, dilation, need,
        layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def lp_pool1d(
    dy: ArrayLike, input: ArrayLike | Spec, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False, padding: Padding = 0, dilation: Size = 1, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.lp_pool1d`.

    As `fastconv.grad.lp_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.lp_pool1d(np.ones((1, 1)), np.array([[3.0, 4.0]]), 2, 2)
    array([[0.6, 0.8]])
    """
    return _norm(
        1, dy, input, norm_type, kernel_size, stride, ceil_mode, padding, dilation, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def lp_pool2d(
    dy: ArrayLike, input: ArrayLike | Spec, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False, padding: Padding = 0, dilation: Size = 1, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.lp_pool2d`, computed in float64.

    As in torch, windows whose sum is 0 give 0, times ``x ** (norm_type - 1)``: with norms below 1, zeros of x are NaN
    there. For infinite norms all goes to the first of equal magnitudes, with the sign of x: 0 where x is 0 or NaN.
    What is not described here is as in `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    norm_type
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.lp_pool2d(np.ones((1, 1, 1)), np.ones((1, 2, 2)), 2, 2)
    array([[[0.5, 0.5],
            [0.5, 0.5]]])
    """
    return _norm(
        2, dy, input, norm_type, kernel_size, stride, ceil_mode, padding, dilation, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def lp_pool3d(
    dy: ArrayLike, input: ArrayLike | Spec, norm_type: float, kernel_size: Size, stride: Size | None = None,
    ceil_mode: bool = False, padding: Padding = 0, dilation: Size = 1, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.lp_pool3d`.

    As `fastconv.grad.lp_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.lp_pool3d(np.ones((1, 1, 1, 1)), np.ones((1, 2, 2, 2)), 3, 2).round(3).max()
    np.float64(0.25)
    """
    return _norm(
        3, dy, input, norm_type, kernel_size, stride, ceil_mode, padding, dilation, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
