"""Activation functions, softmax, log_softmax and softmin, with torch's names and parameters."""

from __future__ import annotations

from math import prod
from typing import Any, get_args

import numpy as np
from numpy.typing import DTypeLike

from fastconv.core.arrays import Spec, as_array, clean, dtype_called, stand_in
from fastconv.core.errors import DTypeError, ShapeError, shown
from fastconv.core.problems.activation import ElementwiseProblem, check_range, elementwise_problem
from fastconv.core.problems.base import as_flag, as_int, as_number, check_dtype, is_bfloat16, joint_shape, promote
from fastconv.core.problems.softmax import SoftmaxKind, as_axis, softmax_problem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember, submit
from fastconv.ops.recipes import reshaped
from fastconv.ops.views import canonical_result
from fastconv.typing import Approximate, ArrayLike, Backend

APPROXIMATIONS: tuple[str, ...] = get_args(Approximate)


def refuse_inplace(inplace: Any) -> None:
    if as_flag(inplace, "inplace"):
        raise ValueError("inplace must be False: inputs are never written; pass out=x to overwrite x")


def _elementwise(
    function: str, x: Any, params: tuple[float, ...], out: Any, backend: str | None, threads: int | None
) -> np.ndarray:
    x = as_array(x, "input")
    return submit(_recipe(function, params, x.shape, x.dtype, resolve(backend, None, threads)), x, (), out)


@remember
def _recipe(
    function: str, params: tuple[float, ...], shape: tuple[int, ...], dtype: np.dtype, options: Options
) -> Recipe:
    return _flat(elementwise_problem(function, params, prod(shape), dtype), options, shape, dtype)


def _flat(problem: ElementwiseProblem, options: Options, shape: tuple[int, ...], dtype: np.dtype) -> Recipe:
    """A recipe for x of `shape`, and a result of the same shape."""
    return reshaped(problem, options, shape, dtype, (problem.size,), shape)


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
        Of the shape and dtype of `input`.

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
    refuse_inplace(inplace)
    return _elementwise("relu", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("relu6", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("leaky_relu", input, (as_number(negative_slope, "negative_slope"),), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("elu", input, (as_number(alpha, "alpha"),), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("selu", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    if as_number(alpha, "alpha") == 0:
        raise ValueError("alpha must not be 0")
    return _elementwise("celu", input, (as_number(alpha, "alpha"),), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("silu", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("mish", input, (), out, backend, threads)


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
    return _elementwise("sigmoid", input, (), out, backend, threads)


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
    return _elementwise("logsigmoid", input, (), out, backend, threads)


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
    return _elementwise("tanh", input, (), out, backend, threads)


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
    return _elementwise("softplus", input, params, out, backend, threads)


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
    return _elementwise("softsign", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    check_range(as_number(min_val, "min_val"), as_number(max_val, "max_val"))
    return _elementwise("hardtanh", input, (float(min_val), float(max_val)), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("hardswish", input, (), out, backend, threads)


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
    refuse_inplace(inplace)
    return _elementwise("hardsigmoid", input, (), out, backend, threads)


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
    return _elementwise("hardshrink", input, (as_number(lambd, "lambd"),), out, backend, threads)


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
    return _elementwise("softshrink", input, (as_number(lambd, "lambd"),), out, backend, threads)


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
    return _elementwise("tanhshrink", input, (), out, backend, threads)


def as_approximate(value: Any, name: str) -> float:
    """The form of `gelu`: 0 for the function itself, 1 for its approximation by tanh."""
    if not isinstance(value, str) or value not in APPROXIMATIONS:
        raise ValueError(f"{name} must be 'none' or 'tanh', got {shown(value)}")
    return float(value == "tanh")


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
    return _elementwise("gelu", input, (as_approximate(approximate, "approximate"),), out, backend, threads)


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
    refuse_inplace(inplace)
    params = (as_number(threshold, "threshold"), as_number(value, "value"))
    return _elementwise("threshold", input, params, out, backend, threads)


def are_plain(*bounds: Any) -> bool:
    """Whether the bounds of `clamp` are None or Python numbers, so that a recipe can be looked up by them; not NaN."""
    return all(b is None or (type(b) in (int, float) and b == b) for b in bounds)


@remember
def _clamp_recipe(shape: tuple[int, ...], dtype: np.dtype, low: Any, high: Any, options: Options) -> Recipe:
    lower, upper, _, to = clamp_bounds(stand_in(Spec(shape, dtype), "input"), low, high)
    params = clamp_params(lower, upper, to)
    return _flat(elementwise_problem("clamp", params, prod(shape), to), options, shape, dtype)


def clamp_params(low: np.ndarray | None, high: np.ndarray | None, dtype: np.dtype) -> tuple[float, float]:
    """Bounds that are numbers, converted to `dtype`; a missing one is the end of the dtype's range."""
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return (info.min if low is None else int(low), info.max if high is None else int(high))
    return (-np.inf if low is None else float(clean(low, dtype)), np.inf if high is None else float(clean(high, dtype)))


def is_number(value: Any) -> bool:
    """Whether a bound of `clamp` is a Python number, which NumPy does not promote as it does an array."""
    return isinstance(value, (int, float, complex)) and not isinstance(value, np.generic)


def clamp_bounds(
    x: np.ndarray, min: Any, max: Any
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[int, ...], np.dtype]:
    """Check the arguments of `clamp`: both bounds as arrays, the result's shape and dtype."""
    check_dtype(x.dtype, "input", "fiub")
    if min is None and max is None:
        raise ValueError("at least one of min and max must be given")
    bounds: list[np.ndarray | None] = []
    dtype, shape = x.dtype, x.shape
    for bound, name in ((min, "min"), (max, "max")):
        if bound is None:
            bounds.append(None)
            continue
        if is_number(bound):
            as_number(bound, name)
            bound = _whole(bound, name) if isinstance(bound, int) else np.asarray(bound)
        array = as_array(bound, name)
        check_dtype(array.dtype, name, "fiub")
        dtype = _clamp_dtype(dtype, array)
        joint = joint_shape(shape, array.shape)
        if joint is None:
            raise ShapeError(f"{name} has shape {array.shape}, which does not broadcast with {shape}")
        shape = joint
        bounds.append(array)
    if dtype.kind in "iu":
        bounds = [_in_range(b, name, dtype) for b, name in zip(bounds, ("min", "max"), strict=True)]
    return bounds[0], bounds[1], shape, dtype


def _whole(bound: int, name: str) -> np.ndarray:
    """A Python integer as an array of one 64-bit integer."""
    if not -(2**63) <= bound < 2**64:
        raise ValueError(f"{name} must fit 64 bits, got {bound}")
    return np.asarray(bound)


def _clamp_dtype(dtype: np.dtype, bound: np.ndarray) -> np.dtype:
    """The result's dtype: as in torch, numbers and arrays without axes matter only if they are of a higher kind."""
    order = {"b": 0, "u": 1, "i": 1}  # anything else is a float
    own, other = order.get(dtype.kind, 2), order.get(bound.dtype.kind, 2)
    if other <= own and (bound.ndim == 0 or (is_bfloat16(dtype) and other < own)):
        return dtype
    if bound.ndim == 0 and is_bfloat16(bound.dtype):
        return bound.dtype  # NumPy has no common type for bfloat16 and integers
    return promote(dtype, bound.dtype)


def _in_range(bound: np.ndarray | None, name: str, dtype: np.dtype) -> np.ndarray | None:
    """A bound of integers, in `dtype`: one beyond the dtype's range becomes the end of it, and so limits nothing."""
    if bound is None or not bound.size or bound.dtype == dtype:
        return bound
    info = np.iinfo(dtype)
    lowest, highest = int(bound.min()), int(bound.max())
    if (name == "max" and lowest < info.min) or (name == "min" and highest > info.max):
        raise OverflowError(f"{name} is {lowest if name == 'max' else highest}, which {dtype} cannot hold")
    if info.min <= lowest and highest <= info.max:
        return bound
    own = np.iinfo(bound.dtype)
    return np.clip(bound, max(info.min, own.min), min(info.max, own.max)).astype(dtype)


def clamp(
    input: ArrayLike, min: ArrayLike | None = None, max: ArrayLike | None = None, *, out: np.ndarray | None = None,
    backend: Backend | None = None, threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x limited to [min, max], as `torch.clamp`; where min exceeds max, the result is max.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point or integer.
    min, max : number or array_like, optional
        At least one.  Arrays broadcast with `input`, and their dtypes promote as NumPy's do.  Numbers and arrays
        without axes take part in the promotion only where they are of a higher kind, such as a float for integers.

    Returns
    -------
    ndarray
        Of the broadcast shape.

    Examples
    --------
    >>> import fastconv as F
    >>> F.clamp([-2.0, 0.5, 3.0], 0, 1)
    array([0. , 0.5, 1. ])
    """
    x = as_array(input, "input")
    if are_plain(min, max):
        return submit(_clamp_recipe(x.shape, x.dtype, min, max, resolve(backend, None, threads)), x, (), out)
    low, high, shape, dtype = clamp_bounds(x, min, max)
    size = int(np.prod(shape))

    def limit(b: np.ndarray | None) -> np.ndarray | None:
        if b is not None and b.size == 1:
            return np.broadcast_to(clean(b, dtype).reshape(1), (size,))
        return None if b is None else clean(np.broadcast_to(b, shape), dtype).reshape(-1)

    recipe = _between_arrays(x.shape, x.dtype, shape, dtype, resolve(backend, None, threads))
    return submit(recipe, x, (limit(low), limit(high)), out)


@remember
def _between_arrays(
    x_shape: tuple[int, ...], x_dtype: np.dtype, shape: tuple[int, ...], dtype: np.dtype, options: Options
) -> Recipe:
    problem = elementwise_problem("clamp", (), prod(shape), dtype)

    def enter(x: np.ndarray) -> np.ndarray:
        return clean(np.broadcast_to(x, shape), dtype).reshape(-1)

    return Recipe(problem, options, x_shape, x_dtype, (shape,), enter, canonical_result((problem.size,)))


def prelu_slopes(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Check the arguments of `prelu`; the weights in a shape that broadcasts with `x`."""
    check_dtype(x.dtype, "input", "f")
    if w.dtype != x.dtype:
        raise DTypeError(f"weight has dtype {w.dtype}; it must be that of input, {x.dtype}")
    if w.ndim > 1:
        raise ShapeError(f"weight must have shape (), (1,) or (C,), got {w.shape}")
    channels = x.shape[1] if x.ndim > 1 else 1
    if w.size not in (1, channels):
        raise ShapeError(f"weight has {w.size} values, input of shape {x.shape} has {channels} channels")
    return w.reshape(()) if w.size == 1 else w.reshape(-1, *(1,) * (x.ndim - 2))


def prelu(
    input: ArrayLike, weight: ArrayLike, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """x where positive, else `weight` times x, with one weight for all or one per channel.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like, shape (N, C, ...) or any
        Floating point.
    weight : array_like, shape (1,), () or (C,)
        Of the dtype of `input`.

    Examples
    --------
    >>> import fastconv as F, numpy as np
    >>> F.prelu(np.array([[-1.0, -1.0]]), np.array([0.1, 0.5]))
    array([[-0.1, -0.5]])
    """
    x, w = as_array(input, "input"), as_array(weight, "weight")
    slopes = np.ascontiguousarray(np.broadcast_to(prelu_slopes(x, w), x.shape)).reshape(-1)
    recipe = _recipe("prelu", (), x.shape, x.dtype, resolve(backend, None, threads))
    return submit(recipe, x, (slopes,), out)


def glu_halves(shape: tuple[int, ...], dtype: np.dtype, dim: Any) -> tuple[int, tuple[int, ...]]:
    """Check the arguments of `glu`: the axis, and the result's shape."""
    check_dtype(dtype, "input", "f")
    if not shape:
        raise ShapeError("input must have at least 1 axis, got a scalar")
    axis = as_axis(dim, len(shape))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ShapeError(f"input has extent {shape[axis]} along dim {dim}; it must be even")
    return axis, (*shape[:axis], half, *shape[axis + 1 :])


def glu(
    input: ArrayLike, dim: int = -1, *, out: np.ndarray | None = None, backend: Backend | None = None,
    threads: int | None = None,
) -> np.ndarray:  # fmt: skip
    """Gated linear unit: the first half of `input` along `dim`, times the sigmoid of the second.

    What is not described here is as in `relu`.

    Parameters
    ----------
    input : array_like
        Floating point; its extent along `dim` must be even.
    dim : int
        IndexError if there is no such axis.

    Returns
    -------
    ndarray
        Half as long as `input` along `dim`.

    Examples
    --------
    >>> import fastconv as F
    >>> F.glu([1.0, 2.0, 0.0, 0.0])
    array([0.5, 1. ])
    """
    x = as_array(input, "input")
    return submit(_glu_recipe(x.shape, x.dtype, as_int(dim, "dim"), resolve(backend, None, threads)), x, (), out)


@remember
def _glu_recipe(shape: tuple[int, ...], dtype: np.dtype, dim: int, options: Options) -> Recipe:
    axis, result = glu_halves(shape, dtype, dim)
    problem = elementwise_problem("glu", (), prod(result), dtype, prod(shape[:axis]))
    return reshaped(problem, options, shape, dtype, (2 * problem.size,), result)


def _softmax(
    kind: SoftmaxKind, x: Any, dim: Any, dtype: Any, out: Any, backend: str | None, threads: int | None
) -> np.ndarray:
    x = as_array(x, "input")
    to = None if dtype is None else dtype_called(dtype, "dtype")
    return submit(
        _softmax_recipe(kind, x.shape, x.dtype, as_int(dim, "dim"), to, resolve(backend, None, threads)), x, (), out
    )


@remember
def _softmax_recipe(
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
    return _softmax("softmax", input, dim, dtype, out, backend, threads)


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
    return _softmax("log_softmax", input, dim, dtype, out, backend, threads)


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
    return _softmax("softmin", input, dim, dtype, out, backend, threads)
