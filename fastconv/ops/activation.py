"""Activations: functions of each element, with torch's names and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastconv.core.arrays import as_array
from fastconv.core.problems.activation import Function, as_approximate, check_range
from fastconv.core.problems.base import as_flag, as_number
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.repeated import Request, repeated
from fastconv.ops.recipes import elementwise
from fastconv.typing import Approximate, ArrayLike, Backend


def refuse_inplace(inplace: Any) -> None:
    if as_flag(inplace, "inplace"):
        raise ValueError("inplace must be False: inputs are never written; pass out=x to overwrite x")


@repeated
def _elementwise(function: Function, params: tuple[float, ...], x: Any, out: Any, options: Options) -> Request:
    x = as_array(x, "input")
    return elementwise(function, params, x.shape, x.dtype, options), x, (), out


def relu(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Rectified linear unit: max(0, x).

    Parameters
    ----------
    input : array_like
        Floating point or integer.  Float16 and bfloat16 are computed in float32.
    inplace : bool
        Must be False, since inputs are never written; torch has this parameter.  Pass ``out=x`` to overwrite x.
    out : ndarray, optional
        Array for the result, of its shape and dtype; it may be `input` itself.
    backend, threads
        See `fastconv.options`.

    Returns
    -------
    ndarray
        Of the shape and dtype of `input`, and in its order of memory, as NumPy's and torch's are: that of a transposed
        view is transposed.

    Raises
    ------
    ShapeError, DTypeError, UnsupportedError, ValueError, TypeError
        The message names the argument, its value and what is allowed.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.relu(np.array([-2.0, 0.5])).round(4)
    array([0. , 0.5])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("relu", (), input, out, resolve(backend, None, threads))


def relu6(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """min(max(0, x), 6).

    Parameters, result and errors are as in `relu`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.relu6(np.array([-2.0, 0.5])).round(4)
    array([0. , 0.5])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("relu6", (), input, out, resolve(backend, None, threads))


def leaky_relu(
    input: ArrayLike, negative_slope: float = 0.01, inplace: bool = False, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x where positive, else `negative_slope` times x.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    negative_slope : float

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.leaky_relu(np.array([-2.0, 0.5])).round(4)
    array([-0.02,  0.5 ])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    params = (as_number(negative_slope, "negative_slope"),)
    return _elementwise("leaky_relu", params, input, out, resolve(backend, None, threads))


def elu(
    input: ArrayLike, alpha: float = 1.0, inplace: bool = False, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Exponential linear unit: x where positive, else alpha * (exp(x) - 1).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    alpha : float

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.elu(np.array([-2.0, 0.5])).round(4)
    array([-0.8647,  0.5   ])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("elu", (as_number(alpha, "alpha"),), input, out, resolve(backend, None, threads))


def selu(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Self-normalising elu of Klambauer et al. (2017).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.selu(np.array([-2.0, 0.5])).round(4)
    array([-1.5202,  0.5254])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("selu", (), input, out, resolve(backend, None, threads))


def celu(
    input: ArrayLike, alpha: float = 1.0, inplace: bool = False, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Continuously differentiable elu: x where positive, else alpha * (exp(x / alpha) - 1).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    alpha : float
        Not 0.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.celu(np.array([-2.0, 0.5])).round(4)
    array([-0.8647,  0.5   ])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    if as_number(alpha, "alpha") == 0:
        raise ValueError("alpha must not be 0")
    return _elementwise("celu", (as_number(alpha, "alpha"),), input, out, resolve(backend, None, threads))


def silu(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Sigmoid linear unit, also called swish: x * sigmoid(x).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.silu(np.array([-2.0, 0.5])).round(4)
    array([-0.2384,  0.3112])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("silu", (), input, out, resolve(backend, None, threads))


def mish(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x * tanh(softplus(x)).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.mish(np.array([-2.0, 0.5])).round(4)
    array([-0.2525,  0.3752])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("mish", (), input, out, resolve(backend, None, threads))


def sigmoid(
    input: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """1 / (1 + exp(-x)), without overflow.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex; integers and bools give float32.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.sigmoid(np.array([-2.0, 0.5])).round(4)
    array([0.1192, 0.6225])
    """
    return _elementwise("sigmoid", (), input, out, resolve(backend, None, threads))


def logsigmoid(
    input: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """log(sigmoid(x)), without overflow.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.logsigmoid(np.array([-2.0, 0.5])).round(4)
    array([-2.1269, -0.4741])
    """
    return _elementwise("logsigmoid", (), input, out, resolve(backend, None, threads))


def tanh(
    input: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Hyperbolic tangent.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex; integers and bools give float32.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.tanh(np.array([-2.0, 0.5])).round(4)
    array([-0.964 ,  0.4621])
    """
    return _elementwise("tanh", (), input, out, resolve(backend, None, threads))


def softplus(
    input: ArrayLike, beta: float = 1.0, threshold: float = 20.0, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """log(1 + exp(beta * x)) / beta; x itself where beta * x exceeds `threshold`.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    beta, threshold : float

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.softplus(np.array([-2.0, 0.5])).round(4)
    array([0.1269, 0.9741])
    """
    params = (as_number(beta, "beta"), as_number(threshold, "threshold"))
    return _elementwise("softplus", params, input, out, resolve(backend, None, threads))


def softsign(
    input: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x / (1 + abs(x)).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex; integers and bools give float32.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.softsign(np.array([-2.0, 0.5])).round(4)
    array([-0.6667,  0.3333])
    """
    return _elementwise("softsign", (), input, out, resolve(backend, None, threads))


def hardtanh(
    input: ArrayLike, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, *,
    out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x clipped to [min_val, max_val].

    What is not described here is as in `relu`.

    Parameters
    ----------
    min_val, max_val : float

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.hardtanh(np.array([-2.0, 0.5])).round(4)
    array([-1. ,  0.5])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    check_range(as_number(min_val, "min_val"), as_number(max_val, "max_val"))
    return _elementwise("hardtanh", (float(min_val), float(max_val)), input, out, resolve(backend, None, threads))


def hardswish(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x * relu6(x + 3) / 6.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.hardswish(np.array([-2.0, 0.5])).round(4)
    array([-0.3333,  0.2917])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("hardswish", (), input, out, resolve(backend, None, threads))


def hardsigmoid(
    input: ArrayLike, inplace: bool = False, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """relu6(x + 3) / 6.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.hardsigmoid(np.array([-2.0, 0.5])).round(4)
    array([0.1667, 0.5833])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    return _elementwise("hardsigmoid", (), input, out, resolve(backend, None, threads))


def hardshrink(
    input: ArrayLike, lambd: float = 0.5, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x where abs(x) exceeds `lambd`, else 0.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    lambd : float

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.hardshrink(np.array([-2.0, 0.5])).round(4)
    array([-2.,  0.])
    """
    return _elementwise("hardshrink", (as_number(lambd, "lambd"),), input, out, resolve(backend, None, threads))


def softshrink(
    input: ArrayLike, lambd: float = 0.5, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x moved towards 0 by `lambd`, and 0 where it would cross.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    lambd : float
        At least 0.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.softshrink(np.array([-2.0, 0.5])).round(4)
    array([-1.5,  0. ])
    """
    if as_number(lambd, "lambd") < 0:
        raise ValueError(f"lambd must be at least 0, got {lambd}")
    return _elementwise("softshrink", (as_number(lambd, "lambd"),), input, out, resolve(backend, None, threads))


def tanhshrink(
    input: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x - tanh(x).

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or complex; integers and bools give float32.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.tanhshrink(np.array([-2.0, 0.5])).round(4)
    array([-1.036 ,  0.0379])
    """
    return _elementwise("tanhshrink", (), input, out, resolve(backend, None, threads))


def gelu(
    input: ArrayLike, approximate: Approximate = "none", *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Gaussian error linear unit: x times the normal distribution function at x.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point.
    approximate : {"none", "tanh"}
        ``"tanh"`` for the approximation of Hendrycks and Gimpel (2016).

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.gelu(np.array([-2.0, 0.5])).round(4)
    array([-0.0455,  0.3457])
    """
    params = (as_approximate(approximate, "approximate"),)
    return _elementwise("gelu", params, input, out, resolve(backend, None, threads))


def threshold(
    input: ArrayLike, threshold: float, value: float, inplace: bool = False, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x where it exceeds `threshold`, else `value`; NaN stays NaN.

    What is not described here is as in `relu`.

    Parameters
    ----------
    threshold, value : float

    Examples
    --------
    >>> import fastconv as F
    >>> F.threshold([1.0, 2.0, 3.0], 2, -1)
    array([-1., -1.,  3.])
    """
    if inplace is not False:
        refuse_inplace(inplace)
    params = (as_number(threshold, "threshold"), as_number(value, "value"))
    return _elementwise("threshold", params, input, out, resolve(backend, None, threads))
