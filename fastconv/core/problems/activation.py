"""Activations: element-wise functions of one array, by name and parameters; and the check for the fused ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from fastconv.core.caches import keep_few
from fastconv.core.errors import DTypeError, not_among, shown
from fastconv.core.problems.base import Direction, Problem, check_dtype, description
from fastconv.typing import Activation, Approximate

Function: TypeAlias = (
    Activation | Literal["threshold", "glu", "prelu", "prelu_weight", "clamp", "clamp_min", "clamp_max"]
)

FUSED: tuple[str, ...] = get_args(Activation)
APPROXIMATIONS: tuple[str, ...] = get_args(Approximate)

DEFAULTS: dict[str, tuple[float, ...]] = {
    "leaky_relu": (0.01,), "elu": (1.0,), "celu": (1.0,), "softplus": (1.0, 20.0), "hardtanh": (-1.0, 1.0),
    "hardshrink": (0.5,), "softshrink": (0.5,), "gelu": (0.0,),
}  # fmt: skip
"""Default parameters of the fused activations that have parameters."""

# selu: Klambauer et al., "Self-Normalizing Neural Networks" (2017)
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

# What each function accepts beyond floats, and what it then returns: torch's rules.
KEEPS_INTEGERS = frozenset({"relu", "relu6", "hardtanh", "threshold"})
INTEGERS_TO_FLOAT = frozenset({"sigmoid", "tanh", "softsign", "tanhshrink"})
COMPLEX = frozenset({"sigmoid", "tanh", "softsign", "tanhshrink", "silu"})

NOMINAL_SIZE = 1 << 14  # elements: a kernel is chosen for this size, whatever the size of the array


@description
class ElementwiseProblem(Problem):
    """One function applied to every element.

    Some take more arrays: ``prelu`` has the slopes of `channels` channels as a constant, and ``clamp`` its bounds, flat
    and as long as the result, where they are not two numbers in `params`; ``glu`` receives x as `rows` rows, each of
    values followed by as many gates.

    Backward, a run receives the gradient of the result and computes that of x; its constants are x and the other
    arrays, all flat and of the result's size (slopes too), except x of ``glu``.  ``clamp_min``, ``clamp_max`` and
    ``prelu_weight`` give the gradients of those arrays, before they are summed to the arrays' shapes.

    Attributes
    ----------
    function : str
    params : tuple of float
        In the order of torch's signature; bounds of integers are ints, which floats cannot all hold.
    size : int
        Elements of the result; backward, of its gradient.
    dtype, out : numpy.dtype
        Of the input and of the result.
    direction : str
        ``forward`` or ``backward``.
    rows : int
        Of x, for ``glu`` and ``prelu``.
    channels : int
        In each row of ``prelu``.
    """

    function: Function
    params: tuple[float, ...]
    size: int
    dtype: np.dtype
    out: np.dtype
    direction: Direction = "forward"
    rows: int = 1
    channels: int = 1

    @property
    def op(self) -> str:
        return "elementwise" if self.direction == "forward" else "elementwise_backward"

    @property
    def length(self) -> int:
        """Length of a row of the result of ``glu``; a row of x is twice as long."""
        return self.size // max(self.rows, 1)

    @property
    def inner(self) -> int:
        """Elements of a channel of ``prelu``."""
        return self.length // max(self.channels, 1)

    @property
    def flops(self) -> float:
        return 10.0 * self.size

    @property
    def bytes(self) -> float:
        inputs = 1 if self.direction == "forward" else 2
        return float(self.size * (inputs * self.dtype.itemsize + self.out.itemsize))

    def any_rows(self) -> ElementwiseProblem:
        return replace(self, size=NOMINAL_SIZE, rows=1, channels=1)

    @property
    def results(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        both = self.function == "glu" and self.direction == "backward"
        return (((self.size * (1 + both),), self.out),)


def check_activation(activation: object, dtype: np.dtype) -> None:
    """ValueError for an unknown name of a fused activation, DTypeError where the function is not defined."""
    if activation is None:
        return
    if activation not in FUSED:
        raise ValueError(not_among("activation", activation, FUSED, "None or one of"))
    if dtype.kind == "c" or (dtype.kind in "iu" and activation not in ("relu", "relu6")):
        raise DTypeError(f"activation {shown(activation)} has no meaning for dtype {dtype}")


@keep_few()
def elementwise_problem(
    function: Function, params: tuple[float, ...], size: int, dtype: np.dtype, rows: int = 1, channels: int = 1
) -> ElementwiseProblem:
    """Check the dtype of an activation's input and describe it."""
    kinds = "fiub" if function == "clamp" else "f"
    if function in KEEPS_INTEGERS:
        kinds += "iu"
    if function in INTEGERS_TO_FLOAT:
        kinds += "iub"
    if function in COMPLEX:
        kinds += "c"
    check_dtype(dtype, "input", kinds)
    out = np.dtype(np.float32) if dtype.kind in "iub" and function in INTEGERS_TO_FLOAT else dtype
    if out.kind in "iu" and any(p != int(p) for p in params if np.isfinite(p)):
        params = tuple(float(int(p)) for p in params)  # torch converts bounds to the tensor's type
    if out.kind in "iu":
        for p in params:
            if not np.iinfo(out).min <= p <= np.iinfo(out).max:  # type: ignore[type-var]
                raise ValueError(f"{function} has the parameter {p}, which {out} cannot hold")
    return ElementwiseProblem(function, params, size, dtype, out, rows=rows, channels=channels)


def check_range(low: float, high: float) -> None:
    """ValueError unless low <= high."""
    if low > high:
        raise ValueError(f"min_val must not exceed max_val, got {low} and {high}")


def as_approximate(value: Any, name: str) -> float:
    """The form of `gelu`: 0 for the function itself, 1 for its approximation by tanh."""
    if not isinstance(value, str) or value not in APPROXIMATIONS:
        raise ValueError(f"{name} must be 'none' or 'tanh', got {shown(value)}")
    return float(value == "tanh")
