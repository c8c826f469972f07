"""softmax, log_softmax and softmin, with torch's names and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.arrays import as_array, dtype_called
from fastconv.core.problems.base import as_int
from fastconv.core.problems.softmax import SoftmaxKind, softmax_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import reshaped
from fastconv.typing import ArrayLike, Backend


@repeated
def _softmax(kind: SoftmaxKind, x: Any, dim: Any, dtype: Any, out: Any, options: Options) -> Request:
    x = as_array(x, "input")
    to = None if dtype is None else dtype_called(dtype, "dtype")
    return _recipe(kind, x.shape, x.dtype, as_int(dim, "dim"), to, options), x, (), out


@remember
def _recipe(
    kind: SoftmaxKind, shape: tuple[int, ...], dtype: np.dtype, dim: int, to: np.dtype | None, options: Options
) -> Recipe:
    p = softmax_problem(kind, shape, dtype, dim, to)
    return reshaped(p, options, shape, dtype, (p.outer, p.length, p.inner), shape)


def softmax(
    input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """exp(x) / sum(exp(x)) along `dim`, without overflow.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex, or anything that can be cast to `dtype`.
    dim : int
        The axis whose results add up to 1.  IndexError if there is no such axis.
    dtype : dtype, optional
        `input` is cast to it first.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.softmax(np.log([[1.0, 3.0]]), 1)
    array([[0.25, 0.75]])
    """
    return _softmax("softmax", input, dim, dtype, out, resolve(backend, None, threads))


def log_softmax(
    input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """log(softmax(x)) along `dim`, without overflow or loss of small probabilities.

    For complex numbers it is x minus the logarithm of the sum of exponentials, with an imaginary part between -pi and
    pi. Parameters, result and errors are as in `softmax`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.log_softmax([0.0, 1e4], 0)
    array([-10000.,      0.])
    """
    return _softmax("log_softmax", input, dim, dtype, out, resolve(backend, None, threads))


def softmin(
    input: ArrayLike, dim: int, dtype: DTypeLike | None = None, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """softmax(-x) along `dim`; parameters, result and errors are as in `softmax`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.softmin(np.log([1.0, 3.0]), 0)
    array([0.75, 0.25])
    """
    return _softmax("softmin", input, dim, dtype, out, resolve(backend, None, threads))
