"""Gradients of adaptive and global pooling."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import Spec, as_array, as_shaped, clean_volume
from fastconv.core.problems.adaptive import adaptive_problem, global_problem, global_shapes
from fastconv.core.problems.base import as_flag, as_layout, freeze, to_canonical
from fastconv.core.problems.pool import PoolKind
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import submit
from fastconv.ops.adaptive import global_recipe
from fastconv.ops.grad.common import as_incoming, check_differentiable, gradients, variant, wanted
from fastconv.ops.grad.pool import gradient, gradient_by_indices
from fastconv.typing import AdaptiveSize, ArrayLike, Backend, Gradient, Layout


def _max(
    rank: int, dy: Any, x: Any, output_size: Any, return_indices: Any, need: Any, indices: Any, layout: Layout,
    options: Options,
) -> Any:  # fmt: skip
    array = as_shaped(x, "input")
    problem = adaptive_problem(
        "max", rank, array.shape, array.dtype, freeze(output_size, "output_size"),
        as_flag(return_indices, "return_indices"), as_layout(layout),
    )  # fmt: skip
    return gradient_by_indices(problem, rank, f"adaptive_max_pool{rank}d", dy, x, indices, need, options)


def _average(rank: int, dy: Any, x: Any, output_size: Any, need: Any, layout: Layout, options: Options) -> Any:
    x = as_shaped(x, "input")
    size = freeze(output_size, "output_size")
    problem = adaptive_problem("avg", rank, x.shape, x.dtype, size, False, as_layout(layout))
    backward = variant(problem, direction="backward")
    return gradient(problem, rank, f"adaptive_avg_pool{rank}d", dy, x, need, options, lambda: (backward, ()))


def _global(kind: PoolKind, dy: Any, x: Any, need: Any, layout: Layout, options: Options) -> Any:
    array = as_array(x, "input") if kind == "max" else as_shaped(x, "input")
    layout = as_layout(layout)
    problem = variant(global_problem(kind, array.shape, array.dtype, layout), direction="backward")
    check_differentiable(array.dtype, "input")
    merged, shape, result = global_shapes(problem, array.shape)
    incoming = as_incoming(dy, shape, f"global_{kind}_pool")

    def run() -> Any:
        constants: tuple[np.ndarray, ...] = ()
        if kind == "max":
            constants = (clean_volume(to_canonical(array.reshape(merged), 3, True, layout), problem.dtype, layout),)
        recipe = global_recipe(problem, options, incoming.shape, incoming.dtype, result, array.shape, merged)
        return submit(recipe, incoming, constants)

    return gradients(wanted(need, ("input",)), run)


def adaptive_max_pool1d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, return_indices: bool = False, *,
    need: tuple[bool] | None = None, indices: ArrayLike | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_max_pool1d`.

    As `fastconv.grad.adaptive_max_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 value.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_max_pool1d(np.ones((2, 3)), np.ones((2, 5)), 3).sum()
    np.float64(6.0)
    """
    return _max(
        1, dy, input, output_size, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_max_pool2d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, return_indices: bool = False, *,
    need: tuple[bool] | None = None, indices: ArrayLike | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_max_pool2d`.

    It goes to the first of equal maxima, or to the first NaN (in torch to the last), and adds up where windows overlap.
    What is not described here is as in `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    output_size
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_max_pool2d(np.ones((2, 2, 3)), np.ones((2, 5, 7)), (2, 3)).sum()
    np.float64(12.0)
    """
    return _max(
        2, dy, input, output_size, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_max_pool3d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, return_indices: bool = False, *,
    need: tuple[bool] | None = None, indices: ArrayLike | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_max_pool3d`.

    As `fastconv.grad.adaptive_max_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 values.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_max_pool3d(np.ones((2, 2, 3, 2)), np.ones((2, 5, 7, 4)), (2, 3, 2)).sum()
    np.float64(24.0)
    """
    return _max(
        3, dy, input, output_size, return_indices, need, indices, layout,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool1d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_avg_pool1d`.

    As `fastconv.grad.adaptive_avg_pool2d`, for `input` of shape (N, C, W) or (C, W); tuples hold 1 value.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_avg_pool1d(np.ones((2, 3)), np.ones((2, 5)), 3).shape
    (2, 5)
    """
    return _average(
        1, dy, input, output_size, need, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool2d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_avg_pool2d`.

    Only the shape and dtype of `input` are read: it may be a `fastconv.Spec`.  What is not described here is as in
    `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    output_size
        The argument of the forward call.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_avg_pool2d(np.ones((2, 2, 3)), np.ones((2, 5, 7)), (2, 3)).shape
    (2, 5, 7)
    """
    return _average(
        2, dy, input, output_size, need, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def adaptive_avg_pool3d(
    dy: ArrayLike, input: ArrayLike | Spec, output_size: AdaptiveSize, *, need: tuple[bool] | None = None,
    layout: Layout = "NCHW", backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None,
    tol: float | None = None, max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.adaptive_avg_pool3d`.

    As `fastconv.grad.adaptive_avg_pool2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W); tuples hold 3 values.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.adaptive_avg_pool3d(np.ones((2, 2, 3, 2)), np.ones((2, 5, 7, 4)), (2, 3, 2)).shape
    (2, 5, 7, 4)
    """
    return _average(
        3, dy, input, output_size, need, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def global_max_pool(
    dy: ArrayLike, input: ArrayLike | Spec, *, need: tuple[bool] | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.global_max_pool`.

    All elements that equal the maximum get equal parts of it, as in `torch.amax`; all are NaN where one element of a
    channel is NaN.  What is not described here is as in `fastconv.grad.max_pool2d`.

    Parameters
    ----------
    input : array_like, shape (N, C, ...)
        Float32 or float64; channels last with ``layout="NHWC"``.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.global_max_pool(np.ones((1, 1, 1)), np.array([[[1.0, 3.0, 3.0, 2.0]]]))
    array([[[0. , 0.5, 0.5, 0. ]]])
    """
    return _global(
        "max", dy, input, need, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def global_avg_pool(
    dy: ArrayLike, input: ArrayLike | Spec, *, need: tuple[bool] | None = None, layout: Layout = "NCHW",
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> Gradient:  # fmt: skip
    """Gradient of `fastconv.global_avg_pool`.

    Only the shape and dtype of `input` are read: it may be a `fastconv.Spec`.  Parameters, result and errors are as in
    `fastconv.grad.global_max_pool`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.grad.global_avg_pool(np.ones((1, 1, 1)), np.ones((1, 1, 4)))
    array([[[0.25, 0.25, 0.25, 0.25]]])
    """
    return _global(
        "avg", dy, input, need, layout, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
