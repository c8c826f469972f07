"""Convolution of 1-D, 2-D and 3-D inputs, and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array, clean
from fastconv.core.problems.base import as_layout, as_name, freeze, join_batch, split_batch
from fastconv.core.problems.condensed import condensed
from fastconv.core.problems.conv import ConvProblem, conv_problem, conv_transpose_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, is_planning, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.dispatch.views import images
from fastconv.typing import (
    Activation,
    ArrayLike,
    Backend,
    Layout,
    Padding,
    PaddingMode,
    Size,
    TransposedPadding,
    TransposedPaddingMode,
)


@repeated
def convolve(
    rank: int, transposed: bool, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any,
    output_padding: Any, out: Any, layout: Layout, padding_mode: PaddingMode, activation: Activation | None,
    options: Options,
) -> Request:  # fmt: skip
    x, w = as_array(x, "input"), as_array(weight, "weight")
    b = None if bias is None else as_array(bias, "bias")
    recipe, w_shape, dtype, acc = _recipe(
        transposed, rank, x.shape, x.dtype, w.shape, w.dtype, None if b is None else b.shape,
        None if b is None else b.dtype, freeze(stride, "stride"), freeze(padding, "padding"),
        freeze(dilation, "dilation"), freeze(groups, "groups"), freeze(output_padding, "output_padding"),
        as_layout(layout), as_name(padding_mode, "padding_mode"), as_name(activation, "activation"), is_planning(),
        options,
    )  # fmt: skip
    weights = clean(w, dtype).reshape(w_shape)
    return recipe, x, (weights, None if b is None else clean(b, acc)), out


@remember
def _recipe(
    transposed: bool, rank: int, x_shape: tuple[int, ...], x_dtype: np.dtype, w_shape: tuple[int, ...],
    w_dtype: np.dtype, b_shape: tuple[int, ...] | None, b_dtype: np.dtype | None, stride: Any, padding: Any,
    dilation: Any, groups: int, output_padding: Any, layout: Layout, padding_mode: PaddingMode | None,
    activation: Activation | None, packed: bool, options: Options,
) -> tuple[Recipe, tuple[int, ...], np.dtype, np.dtype]:  # fmt: skip
    """The recipe, the canonical shape and dtype of its weights, and the dtype of its bias."""
    shared = (rank, x_shape, x_dtype, w_shape, w_dtype, b_shape, b_dtype, stride, padding)
    tail = (layout, padding_mode, activation, packed)
    p: ConvProblem
    if transposed:
        p = conv_transpose_problem(*shared, output_padding, groups, dilation, *tail)
    else:
        p = conv_problem(*shared, dilation, groups, *tail)
    batched = split_batch(x_shape, rank, layout)[0]
    shape = join_batch(batched, p.n, p.oc, p.output[3 - rank :], layout)
    short = None if transposed else condensed(p)
    seen, gather = (p, None) if short is None else short
    views = images(rank, batched, layout, p.dtype, x_shape, shape, gather)
    same_order = gather is None and x_dtype == p.dtype
    return Recipe(seen, options, x_shape, x_dtype, (shape,), *views, same_order), p.w_shape, p.dtype, p.acc


def conv1d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    padding_mode: PaddingMode = "zeros", activation: Activation | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1-D convolution (in the sense of deep learning: cross-correlation), as `torch.nn.functional.conv1d`.

    As `conv2d`, for `input` of shape (N, C, W) or (C, W) and `weight` of shape (K, C / groups, kw); tuples hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.conv1d(np.array([[1, 2, 3, 4, 5]]), np.array([[[1, 10]]]), padding="same")
    array([[21, 32, 43, 54,  5]])
    """
    return convolve(
        1, False, input, weight, bias, stride, padding, dilation, groups, 0, out, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv2d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    padding_mode: PaddingMode = "zeros", activation: Activation | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """2-D convolution (in the sense of deep learning: cross-correlation), as `torch.nn.functional.conv2d`.

    Parameters
    ----------
    input : array_like, shape (N, C, H, W) or (C, H, W)
        Channels last with ``layout="NHWC"``.
    weight : array_like, shape (K, C / groups, kh, kw)
    bias : array_like, shape (K,), optional
    stride, dilation : int or tuple of 2 int
    padding : int, tuple of 2 int, list of 2 (lo, hi) pairs, "valid", "same", "same_upper" or "same_lower"
        ``"same"`` gives ceil(input / stride) outputs; an odd pad goes to the end, with ``"same_lower"`` to the start.
    groups : int
        Number of independent convolutions that the channels are split into.
    out : ndarray, optional
        Array for the result, of exactly its shape and dtype.  It may overlap an input.
    layout : {"NCHW", "NHWC"}
        Whether channels come second or last, in input and result.  Weights keep their order of axes.
    padding_mode : {"zeros", "reflect", "replicate", "circular", "symmetric", "constant"}
        Values of the padding, by torch's names: ``reflect`` does not repeat the edge, ``symmetric`` does; ``constant``
        is another name for ``zeros``.
    activation : str, optional
        Function applied to the result: ``"relu"``, ``"silu"``, ``"gelu"``, ...
    backend, algorithm, threads, tol, max_workspace
        See `fastconv.options`.

    Returns
    -------
    ndarray, shape (N, K, oh, ow) or (K, oh, ow)
        Of the promoted dtype of `input` and `weight`.  8-bit integers give int32, wider ones 64 bits.  Float16 and
        bfloat16 are summed in float32 and rounded once.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> x = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> F.conv2d(x, np.ones((1, 1, 3, 3)), bias=np.array([0.5]))
    array([[[[45.5, 54.5],
             [81.5, 90.5]]]])
    """
    return convolve(
        2, False, input, weight, bias, stride, padding, dilation, groups, 0, out, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv3d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1, padding: Padding = 0,
    dilation: Size = 1, groups: int = 1, *, out: np.ndarray | None = None, layout: Layout = "NCHW",
    padding_mode: PaddingMode = "zeros", activation: Activation | None = None, backend: Backend | None = None,
    algorithm: str | None = None, threads: int | None = None, tol: float | None = None,
    max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """3-D convolution (in the sense of deep learning: cross-correlation), as `torch.nn.functional.conv3d`.

    As `conv2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W) and `weight` of shape (K, C / groups, kd, kh, kw);
    tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.conv3d(np.ones((1, 2, 4, 4, 4), "f"), np.ones((5, 2, 3, 3, 3), "f"), padding=1).shape
    (1, 5, 4, 4, 4)
    """
    return convolve(
        3, False, input, weight, bias, stride, padding, dilation, groups, 0, out, layout, padding_mode, activation,
        resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose1d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1,
    padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1-D transposed convolution, as `torch.nn.functional.conv_transpose1d`.

    As `conv_transpose2d`, for `input` of shape (N, C, W) or (C, W) and `weight` of shape (C, K / groups, kw); tuples
    hold 1 int.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.conv_transpose1d(np.ones((1, 4, 4), "f"), np.ones((4, 2, 3), "f"), stride=2).shape
    (1, 2, 9)
    """
    return convolve(
        1, True, input, weight, bias, stride, padding, dilation, groups, output_padding, out, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose2d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1,
    padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """2-D transposed convolution, as `torch.nn.functional.conv_transpose2d`.

    The linear map whose matrix is the transpose of that of `conv2d`: each input value adds a scaled kernel to the
    output.  What is not described here is as in `conv2d`.

    Parameters
    ----------
    weight : array_like, shape (C, K / groups, kh, kw)
    padding : int, tuple of 2 int, list of 2 (lo, hi) pairs or "valid"
        Padding of the convolution that this one transposes: it shortens the output.
    output_padding : int or tuple of 2 int
        Extra extent at the end of the output; smaller than `stride` or `dilation`.
    padding_mode : {"zeros", "constant"}

    Returns
    -------
    ndarray, shape (N, K, oh, ow) or (K, oh, ow)
        Of extents ``(input - 1) * stride - lo - hi + dilation * (kernel - 1) + 1 + output_padding``.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.conv_transpose2d(np.ones((1, 4, 4, 4), "f"), np.ones((4, 2, 3, 3), "f"), stride=2).shape
    (1, 2, 9, 9)
    """
    return convolve(
        2, True, input, weight, bias, stride, padding, dilation, groups, output_padding, out, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip


def conv_transpose3d(
    input: ArrayLike, weight: ArrayLike, bias: ArrayLike | None = None, stride: Size = 1,
    padding: TransposedPadding = 0, output_padding: Size = 0, groups: int = 1, dilation: Size = 1, *,
    out: np.ndarray | None = None, layout: Layout = "NCHW", padding_mode: TransposedPaddingMode = "zeros",
    activation: Activation | None = None, backend: Backend | None = None, algorithm: str | None = None,
    threads: int | None = None, tol: float | None = None, max_workspace: int | None = None,
) -> np.ndarray:  # fmt: skip
    """3-D transposed convolution, as `torch.nn.functional.conv_transpose3d`.

    As `conv_transpose2d`, for `input` of shape (N, C, D, H, W) or (C, D, H, W) and `weight` of shape
    (C, K / groups, kd, kh, kw); tuples hold 3 ints.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.conv_transpose3d(np.ones((1, 4, 4, 4, 4), "f"), np.ones((4, 2, 3, 3, 3), "f"), stride=2).shape
    (1, 2, 9, 9, 9)
    """
    return convolve(
        3, True, input, weight, bias, stride, padding, dilation, groups, output_padding, out, layout, padding_mode,
        activation, resolve(backend, algorithm, threads, tol, max_workspace),
    )  # fmt: skip
