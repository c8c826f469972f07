"""Gradient of max unpooling."""

from __future__ import annotations

from typing import Any

from fastconv.core.arrays import Spec, as_shaped
from fastconv.core.problems.base import join_batch, split_batch
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import submit
from fastconv.ops.grad.common import as_incoming, check_differentiable, gradients, variant, wanted
from fastconv.ops.recipes import of_images
from fastconv.ops.unpool import describe_unpool
from fastconv.typing import ArrayLike, Backend, Extents, Gradient, Layout, Size


def _unpool(
    rank: int, dy: Any, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any, need: Any,
    layout: Layout, options: Options,
) -> Any:  # fmt: skip
    x = as_shaped(x, "input")
    forward, flat = describe_unpool(rank, x, indices, kernel_size, stride, padding, output_size, layout)
    problem = variant(forward, direction="backward")
    check_differentiable(x.dtype, "input")
    batched = split_batch(x.shape, rank, layout)[0]
    shape = join_batch(batched, problem.n, problem.c, problem.output[3 - rank :], layout)
    dy = as_incoming(dy, shape, f"max_unpool{rank}d")
    recipe = of_images(problem, options, rank, dy.shape, dy.dtype, x.shape)
    return gradients(wanted(need, ("input",)), lambda: submit(recipe, dy, (flat,)))


def max_unpool1d(
    dy: ArrayLike, input: ArrayLike | Spec, indices: ArrayLike, kernel_size: Size, stride: Size | None = None,
    padding: Size = 0, output_size: Extents | None = None, *, need: tuple[bool] | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_unpool1d`.

    As `fastconv.grad.max_unpool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_unpool1d(np.arange(4.0)[None], np.ones((1, 2)), np.array([[1, 2]]), 2)
    array([[1., 2.]])
    """
    return _unpool(
        1, dy, input, indices, kernel_size, stride, padding, output_size, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_unpool2d(
    dy: ArrayLike, input: ArrayLike | Spec, indices: ArrayLike, kernel_size: Size, stride: Size | None = None,
    padding: Size = 0, output_size: Extents | None = None, *, need: tuple[bool] | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_unpool2d`.

    As in torch, all values that went to one position get its gradient, also those that were overwritten.  What is not
    described here is as in `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Float32 or float64; channels last with ``layout="NHWC"``.  Only its shape and dtype are read: it may be a
        `fastconv.Spec`.
    indices, output_size
        The arguments of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_unpool2d(np.arange(4.0).reshape(1, 2, 2), np.ones((1, 1, 1)), np.array([[[3]]]), 2)
    array([[[3.]]])
    """
    return _unpool(
        2, dy, input, indices, kernel_size, stride, padding, output_size, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def max_unpool3d(
    dy: ArrayLike, input: ArrayLike | Spec, indices: ArrayLike, kernel_size: Size, stride: Size | None = None,
    padding: Size = 0, output_size: Extents | None = None, *, need: tuple[bool] | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.max_unpool3d`.

    As `fastconv.grad.max_unpool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.max_unpool3d(np.arange(8.0).reshape(1, 2, 2, 2), np.ones((1, 1, 1, 1)), np.array([[[[5]]]]), 2)
    array([[[[5.]]]])
    """
    return _unpool(
        3, dy, input, indices, kernel_size, stride, padding, output_size, need, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
