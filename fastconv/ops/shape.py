"""Flatten, pad, unfold, fold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastconv.core.arrays import as_array
from fastconv.core.errors import shown
from fastconv.core.problems.base import as_name, freeze
from fastconv.core.problems.shape import (
    FoldProblem,
    PadProblem,
    as_value,
    flat_shape,
    fold_problem,
    pad_problem,
    unfold_problem,
)
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, is_planning, remember, submit
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import canonical_result
from fastconv.typing import ArrayLike, Backend, Extents, Number, PadMode, Size


def _submit(
    p: PadProblem | FoldProblem, x: np.ndarray, shape: tuple[int, ...], out: Any, options: Options
) -> np.ndarray:
    return submit(_recipe(p, x.shape, x.dtype, shape, options), x, (), out)


@remember
def _recipe(
    p: PadProblem | FoldProblem, x_shape: tuple[int, ...], x_dtype: np.dtype, shape: tuple[int, ...], options: Options
) -> Recipe:
    dtype, canonical = p.dtype, p.x_shape

    def enter(x: np.ndarray) -> np.ndarray:
        return x.astype(dtype, copy=False).reshape(canonical)  # kernels of this family take any strides

    return Recipe(p, options, x_shape, x_dtype, (shape,), enter, canonical_result(p.y_shape), x_dtype == dtype)


def flatten(
    input: ArrayLike, start_dim: int = 0, end_dim: int = -1, *, out: np.ndarray | None = None,
    backend: Backend | None = None, algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Join axes `start_dim` to `end_dim` into one, as `torch.flatten`.

    What is not described here is as in `pad`.

    Parameters
    ----------
    start_dim, end_dim : int
        First and last of the axes.  IndexError if `input` has no such axis.

    Returns
    -------
    ndarray
        A view of `input` where its memory allows, unless `out` is given.  A scalar gives an array of 1 element.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.flatten(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    x = as_array(input, "input")
    shape = flat_shape(x.shape, start_dim, end_dim)
    options = resolve(backend, algorithm, threads, tol, max_workspace)
    if out is None and not is_planning():
        return x.reshape(shape)
    return _submit(pad_problem(x.shape, x.dtype, (), "constant", None)[0], x, shape, out, options)


def pad(
    input: ArrayLike, pad: Extents | np.ndarray, mode: PadMode = "constant", value: Number | None = None, *,
    out: np.ndarray | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Add elements around the last axes, or crop them, as `torch.nn.functional.pad`.

    Parameters
    ----------
    input : array_like
        Of any dtype.  Modes other than ``"constant"`` take (C, ...) or (N, C, ...) with 1, 2 or 3 spatial axes.
    pad : sequence of int
        A pair (before, after) for the last axis, then one for the axis before it, and so on.  Negative numbers crop.
    mode : {"constant", "reflect", "replicate", "circular", "symmetric"}
        ``"reflect"`` does not repeat the edge, ``"symmetric"`` does.
    value : number, optional
        For ``"constant"``; 0 by default.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype.
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray
        Of the dtype of `input`.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.pad(np.array([[1, 2, 3]]), (2, 1), mode="reflect")
    array([[3, 2, 1, 2, 3, 2]])
    """
    return _pad(input, pad, mode, value, out, resolve(backend, algorithm, threads, tol, max_workspace))


@repeated
def _pad(x: Any, pad: Any, mode: Any, value: Any, out: Any, options: Options) -> Request:
    x = as_array(x, "input")
    widths = freeze(pad, "pad")
    if not isinstance(pad, Iterable):
        raise TypeError(f"pad must be a sequence of ints, got {shown(pad)}")
    p, shape = pad_problem(x.shape, x.dtype, widths, as_name(mode, "mode"), as_value(value))
    return _recipe(p, x.shape, x.dtype, shape, options), x, (), out


def unfold(
    input: ArrayLike, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1, *,
    out: np.ndarray | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Every window of an image as a column, as `torch.nn.functional.unfold` (im2col), for any number of spatial axes.

    What is not described here is as in `pad`.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Floats, complex or bools.  There may be more spatial axes, as in (N, C, D, H, W), if `kernel_size` has an int
        for each of them, or is a single int and there is a batch axis.
    kernel_size, dilation, padding, stride : int or tuple of int, one for each spatial axis
        Padding is with zeros.

    Returns
    -------
    ndarray, shape (N, C * kh * kw, L) or (C * kh * kw, L)
        L windows in row-major order.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.unfold(np.arange(9.0).reshape(1, 3, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    x = as_array(input, "input")
    p, shape = unfold_problem(
        x.shape, x.dtype, freeze(kernel_size, "kernel_size"), freeze(dilation, "dilation"),
        freeze(padding, "padding"), freeze(stride, "stride"),
    )  # fmt: skip
    return _submit(
        p, x, shape, out, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def fold(
    input: ArrayLike, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1, *,
    out: np.ndarray | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Sum windows back into an image, as `torch.nn.functional.fold` (col2im, ONNX's Col2Im); the adjoint of `unfold`.

    What is not described here is as in `unfold`.

    Parameters
    ----------
    input : array_like, shape (N, C * kh * kw, L) or (C * kh * kw, L)
        Floats, complex or bools, which are joined by "or".
    output_size : int or tuple of int
        Height and width of the image; three and more extents give a volume.  A single int is the extent of both axes,
        or of as many axes as `kernel_size` has ints.

    Returns
    -------
    ndarray, shape (N, C, H, W) or (C, H, W)
        Float16 and bfloat16 are summed in float32 and rounded once.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.fold(np.ones((4, 4)), 3, 2)
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    x = as_array(input, "input")
    p, shape = fold_problem(
        x.shape, x.dtype, freeze(output_size, "output_size"), freeze(kernel_size, "kernel_size"),
        freeze(dilation, "dilation"), freeze(padding, "padding"), freeze(stride, "stride"),
    )  # fmt: skip
    return _submit(
        p, x, shape, out, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
