"""What all gradients have in common: which of them `need` picks, and the checks of the incoming gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from fastconv.core.arrays import as_array, as_shaped
from fastconv.core.errors import DTypeError, ShapeError, UnsupportedError, shown
from fastconv.core.problems.base import Problem, as_flag
from fastconv.dispatch.plan import Plan, is_planning, remember

P = TypeVar("P", bound=Problem)

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def wanted(need: Any, names: Sequence[str], present: Sequence[bool] | None = None) -> tuple[bool, ...]:
    """`need` as one flag for each of the differentiable arguments `names`; None is all that are `present`.

    TypeError or ValueError if `need` is not such a sequence, if it names an absent argument, or, while planning, if it
    picks more or less than one gradient: a plan is one kernel.
    """
    given = (True,) * len(names) if present is None else tuple(present)
    flags = given
    if need is not None:
        if not isinstance(need, (tuple, list)):
            raise TypeError(
                f"need must be None or a tuple of {len(names)} bools ({', '.join(names)}), got {shown(need)}"
            )
        flags = tuple(as_flag(n, "need") for n in need)
        if len(flags) != len(names):
            raise ValueError(f"need must hold {len(names)} bools ({', '.join(names)}), got {len(flags)}")
        for flag, there, name in zip(flags, given, names, strict=True):
            if flag and not there:
                raise ValueError(f"need asks for the gradient of {name}, which is None")
    if is_planning() and sum(flags) != 1:
        one = tuple(i == 0 for i in range(len(names)))
        raise ValueError(f"a plan is one gradient: pick it, as in need={one}; the arguments are {', '.join(names)}")
    return flags


def layer_arrays(
    need: Any, input: Any, weight: Any, bias: Any, activation: Any
) -> tuple[tuple[bool, ...], np.ndarray, np.ndarray, Any]:
    """What `need` picks of the gradients of a convolution or a linear layer, and its arrays.

    The gradient of input or weight reads the other one, and that through an activation reads all; of those that are
    not read, only shape and dtype are known.
    """
    names = ("input", "weight", "bias")
    flags = wanted(need, names, (True, True, bias is not None))
    fused = activation is not None

    def array(value: Any, name: str, read: bool) -> np.ndarray:
        return as_array(value, name) if read else as_shaped(value, name)

    x, w = array(input, "input", fused or flags[1]), array(weight, "weight", fused or flags[0])
    b = None if bias is None else array(bias, "bias", fused)
    check_picked(flags, (x, w, b), names)
    return flags, x, w, b


def check_picked(flags: Sequence[bool], arrays: Sequence[np.ndarray | None], names: Sequence[str]) -> None:
    """DTypeError unless gradients are defined for the dtypes of the arrays whose flag is set."""
    for flag, array, name in zip(flags, arrays, names, strict=True):
        if flag and array is not None:
            check_differentiable(array.dtype, name)


@remember
def variant(problem: P, **changes: Any) -> P:
    """`problem` with other attributes: `replace`, remembered."""
    return replace(problem, **changes)


def gradients(flags: Sequence[bool], *compute: Callable[[], Any]) -> Any:
    """The results of the computations whose flag is set, None for the others; no tuple if there is only one."""
    results = tuple(c() if flag else None for flag, c in zip(flags, compute, strict=True))
    if is_planning():
        return next(r for r in results if r is not None)
    return results[0] if len(results) == 1 else results


def as_incoming(dy: Any, shape: tuple[int, ...], of: str) -> np.ndarray:
    """`dy`, the gradient of a result of `shape`, as an array; ShapeError or DTypeError if it cannot be one."""
    array = as_array(dy, "dy")
    if array.shape != shape:
        raise ShapeError(f"dy has shape {array.shape}; it must be {shape}, that of the result of {of}")
    check_differentiable(array.dtype, "dy")
    return array


def check_differentiable(dtype: np.dtype, name: str) -> None:
    """DTypeError unless gradients are defined for `dtype`."""
    if dtype not in DTYPES:
        raise DTypeError(f"{name} has dtype {dtype}; gradients are defined for float32 and float64")


def as_dtype(result: Any, dtype: np.dtype) -> Any:
    """A gradient in the dtype of its argument, where promotion widened it; a plan as it is."""
    if isinstance(result, Plan):
        return result
    with np.errstate(all="ignore"):
        return result.astype(dtype, copy=False)


def refuse_plan(what: str) -> None:
    """UnsupportedError while planning, for a gradient that no single kernel computes from dy as its first argument."""
    if is_planning():
        raise UnsupportedError(f"the gradient of {what} cannot be planned: it is not one kernel that takes dy")


def sum_to(y: Any, shape: tuple[int, ...], what: str) -> Any:
    """`y` summed over the axes along which an argument of `shape` was broadcast."""
    if isinstance(y, Plan):
        if y.result_shapes[0] != shape:
            refuse_plan(f"{what}, a sum over broadcast axes,")
        return y
    extra = y.ndim - len(shape)
    with np.errstate(all="ignore"):
        y = y.sum(axis=tuple(range(extra))) if extra else y
        kept = tuple(i for i, (e, s) in enumerate(zip(y.shape, shape, strict=True)) if e != s)
        return y.sum(axis=kept, keepdims=True) if kept else y
