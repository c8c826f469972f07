"""What a right result is: the oracle's in double precision, and how far rounding may take each element from it.

Rounding scales with the sum of magnitudes that an element is made of (rule 15 of the numeric policy), so the oracle is
run twice: for the result, and for the same call on magnitudes.  Integers, maxima and copies must be equal.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastconv as F
from fastconv.backends.reference.activation_backward import SLOPES
from fastconv.core.problems.base import is_half

from .arrays import limits
from .cases import Case

LINEAR = ("conv", "gemm", "matmul", "linear", "avg_pool", "adaptive_avg", "global_avg", "fold")
EQUAL = ("max_pool", "adaptive_max", "global_max", "max_unpool", "pad", "unfold", "flatten")
STEEPEST = 2.0  # no activation's slope is larger, but of those with a parameter
FEW = 64.0  # units of rounding, or smallest normal numbers, within which a slope may be 0 or not
OUTLIER = 2.0**9  # what exceeds the root mean square that much may not reach other windows


@dataclass(frozen=True)
class Expected:
    """The right results, and the scale of the rounding of each: the sum of magnitudes in its window.

    Attributes
    ----------
    results : tuple of ndarray or None
    scales : tuple of ndarray or None
        None where only the very same value is right.
    mixed : tuple of ndarray or None
        The scale without outliers and as if all taps were as large as the largest: what algorithms that compute several
        outputs together may mix with their neighbours.
    factor : float
        Rounding errors of functions, in units of the scale.
    doubtful : tuple of ndarray or None
        Where infinity and NaN are both right, see `_doubtful`.
    denormal : tuple of ndarray or None
        What denormal numbers contribute to the scale: they may count as zero if a kernel says so.
    """

    case: Case
    results: tuple[Any, ...]
    scales: tuple[Any, ...]
    mixed: tuple[Any, ...]
    factor: float
    doubtful: tuple[Any, ...]
    denormal: tuple[Any, ...]

    def scale(self, i: int, reach: tuple[int, ...]) -> Any:
        """The scale of result `i` for a kernel that mixes what is no further apart than `reach`."""
        if self.scales[i] is None or not any(reach):
            return self.scales[i]
        return np.maximum(self.scales[i], _spread(self.mixed[i], self.case, i, reach))


def oracle(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The results of a call as the definition gives them."""
    with F.options(backend="reference"), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = function(*args, **kwargs)
    return found if isinstance(found, tuple) else (found,)


def widen(value: Any) -> Any:
    """Floating arrays in double precision, anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "c":
        return value.astype(np.complex128)
    return value.astype(np.float64) if value.dtype.kind == "f" or is_half(value.dtype) else value


def magnitude(value: Any) -> Any:
    """Magnitudes of an array in double precision, those that are not finite left out."""
    if not isinstance(value, np.ndarray) or value.dtype.kind == "b":
        return value
    found = np.abs(widen(value) if value.dtype.kind not in "iu" else value.astype(np.float64))
    return np.where(np.isfinite(found), found, 0.0)


def normal_magnitude(value: Any) -> Any:
    """Magnitudes, of which those that are denormal in their dtype are zero."""
    found = magnitude(value)
    if not isinstance(value, np.ndarray) or value.dtype.kind in "biu":
        return found
    return np.where(found < limits(value.dtype)[2], 0.0, found)


def without_outliers(value: Any) -> Any:
    """Magnitudes, limited to those that a fast algorithm may mix into its other outputs."""
    found = magnitude(value)
    if not isinstance(found, np.ndarray) or found.dtype.kind != "f" or found.size < 2:
        return found
    top = found.max()
    rest = np.sqrt(max((np.square(found / top).sum() - 1) / (found.size - 1), 0.0)) * top if top else 0.0
    return np.minimum(found, OUTLIER * rest) if rest else found


def results_of(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """The right results of a call."""
    wide = {k: widen(v) for k, v in kwargs.items()}
    if "dtype" in wide:
        wide["dtype"] = np.float64
    return oracle(case.function, tuple(map(widen, args)), wide)


def expect(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any], results: tuple[Any, ...]) -> Expected:
    """The right results of a call with the scales of their rounding."""
    if all(r is None or r.dtype.kind in "biu" for r in results) or (
        case.name.startswith(EQUAL) and not case.is_gradient
    ):
        nothing = (None,) * len(results)
        return Expected(case, results, nothing, nothing, 0.0, nothing, nothing)
    doubtful = _doubtful(case, args, kwargs, results)
    if case.name.startswith(LINEAR) or (case.is_gradient and case.name.startswith(EQUAL)):
        scales = _linear(case, args, kwargs, magnitude)
        mixed = scales
        if case.name.startswith("conv"):
            mixed = _linear(case, _every_tap(case, args), kwargs, without_outliers)
        denormal = tuple(
            None if all_of_them is None else all_of_them - normal
            for all_of_them, normal in zip(scales, _linear(case, args, kwargs, normal_magnitude), strict=True)
        )
        return Expected(case, results, scales, mixed, 0.0, doubtful, denormal)
    scales = tuple(
        None if r is None else _function_scale(case, args, kwargs, r, i) for i, r in enumerate(results)
    )
    return Expected(case, results, scales, scales, 16.0, doubtful, (None,) * len(results))


def _doubtful(
    case: Case, args: tuple[Any, ...], kwargs: dict[str, Any], results: tuple[Any, ...]
) -> tuple[np.ndarray | None, ...]:
    """Which results an infinite gradient reaches through a slope of which rounding decides whether it is 0.

    Such a slope is hardly a normal number of its dtype, or taken at a sum that is mostly rounding.
    """
    activation = kwargs.get("activation")
    if not case.is_gradient or not (activation or case.name in SLOPES) or not np.isinf(args[0]).any():
        return (None,) * len(results)
    eps, _, smallest = limits(args[0].dtype)
    dy, *others = map(widen, args)
    if activation:
        plain = {k: widen(v) for k, v in kwargs.items() if k not in ("need", "activation")}
        sums, magnitudes = (
            oracle(getattr(F, case.name), values, plain)[0] for values in (others, tuple(map(magnitude, others)))
        )
        slopes = oracle(getattr(F.grad, activation), (np.ones_like(dy), sums), {})[0]
        doubt = magnitudes * eps * FEW > 1
    else:
        slopes = oracle(case.function, (np.ones_like(dy), *others), kwargs)[0]
        if case.name == "glu":
            slopes = np.minimum(*np.abs(np.split(slopes, 2, kwargs["dim"])))
        doubt = np.zeros(dy.shape, bool)
    doubt |= np.abs(slopes) < FEW * smallest
    spread = results_of(case, (np.where(np.isinf(dy) & doubt, np.nan, dy), *args[1:]), kwargs)
    return tuple(None if r is None else np.isnan(r) for r in spread)


def _linear(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any], size: Callable[[Any], Any]) -> tuple[Any, ...]:
    """The sums of magnitudes of a call that is linear in each of its floating arrays."""
    plain = {k: v if k == "indices" else size(v) for k, v in kwargs.items() if k != "activation"}
    for name in ("alpha", "beta"):
        if name in plain:
            plain[name] = abs(plain[name])
    if plain.get("divisor_override"):
        plain["divisor_override"] = abs(plain["divisor_override"])
    values = tuple(map(size, args))
    if case.is_gradient and case.name.startswith(EQUAL):
        values = (values[0], *map(widen, args[1:]))  # magnitudes would move the maxima
    if case.is_gradient and kwargs.get("activation"):
        # The derivative is taken at sums that are rounded, too.
        forward = {k: v for k, v in plain.items() if k != "need"}
        sums = oracle(getattr(F, case.name), values[1:], forward)[0]
        values = (values[0] * (STEEPEST + sums), *values[1:])
    return oracle(case.function, values, plain)


def _every_tap(case: Case, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same arrays, all taps of a kernel as large as its largest: a tile mixes each pixel with each tap."""
    at = 2 if case.is_gradient else 1
    w = magnitude(args[at])
    top = w.max(axis=tuple(range(2, w.ndim)), keepdims=True, initial=0) if isinstance(w, np.ndarray) else w
    return (*args[:at], np.broadcast_to(top, w.shape), *args[at + 1 :])


def _spread(scale: np.ndarray, case: Case, i: int, reach: tuple[int, ...]) -> np.ndarray:
    """The largest value within reach of each; weight gradients mix all taps, so there it is the largest of all."""
    if not scale.size or not case.name.startswith("conv"):
        return np.full_like(scale, scale.max(initial=0))
    if i:  # a gradient of weights or of a bias
        return np.full_like(scale, scale.max())
    rank = int(case.name[-2])
    last = case.options.get("layout") == "NHWC"
    steps, spans = (case.options.get(k, 1) for k in ("stride", "dilation"))
    farthest = max(np.ravel(steps)) + 4 * max(np.ravel(spans))  # neighbours in the result may be steps apart in it
    for axis, far in zip(range(scale.ndim - rank - last, scale.ndim - last), reach[3 - rank :], strict=True):
        far = min(int(far * farthest), scale.shape[axis])
        padded = np.pad(scale, [(far, far) if a == axis else (0, 0) for a in range(scale.ndim)])
        scale = np.lib.stride_tricks.sliding_window_view(padded, 2 * far + 1, axis).max(-1)
    return scale


def _function_scale(case: Case, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, index: int) -> Any:
    """Of results that are no sums of products: what the largest of their intermediate values is made of."""
    x = magnitude(args[0])
    largest = float(x.max(initial=0))
    size = np.abs(np.where(np.isfinite(result), result, 0))
    if case.name in ("softmax", "softmin", "log_softmax"):
        dim = kwargs["dim"]
        if case.is_gradient:
            total = x.sum(dim, keepdims=True) if x.ndim else x
            return np.broadcast_to(total * 8 + size, result.shape)
        logs = case.name == "log_softmax"
        values = magnitude(args[0])
        top = values.max(dim, keepdims=True, initial=0) if values.ndim else values
        if logs:
            return size + np.broadcast_to(top, result.shape) + 1
        return size * (1 + (2 * top if result.dtype.kind == "c" else np.minimum(2 * top, 110)))  # a phase has no limit
    if case.name in ("cross_entropy", "nll_loss"):
        logits = magnitude(args[1] if case.is_gradient else args[0])
        classes = logits.shape[0] if logits.ndim == 1 else logits.shape[1]
        terms = 1.0 if kwargs.get("reduction") != "sum" else logits.size / max(classes, 1)
        row = (1 + float(logits.max(initial=0)) + np.log(classes)) * classes
        if case.is_gradient:
            return np.full(result.shape, largest * (classes * 4 if index == 0 else row))  # of probabilities: logarithms
        return np.full(result.shape, row * terms)
    if case.name.startswith("lp_pool"):
        if _powers_leave(args, kwargs):
            return np.full(result.shape, np.inf)
        return size * 16 + (np.abs(oracle(case.function, (x, *map(magnitude, args[1:])), kwargs)[0]) * 16
                            if case.is_gradient else 0)  # fmt: skip
    if case.call.startswith("filters"):
        return np.full(result.shape, 32 * largest)
    if case.is_gradient and index == 1:  # slopes of prelu: sums over everything
        return np.full(result.shape, (x * magnitude(args[1])).sum())
    if case.name == "glu" and case.is_gradient:
        return np.full(result.shape, largest * (1 + magnitude(args[1]).max(initial=0)))
    if case.name == "glu":
        return size * 2
    if case.is_gradient:
        return x * 8 + size
    return size + 2 * np.minimum(x, 1.0)


def _powers_leave(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether powers of an lp pooling leave the range of its dtype, as they do in torch."""
    norm = abs(float(kwargs["norm_type"]))
    for a in args:
        _, largest, smallest = limits(a.dtype if a.dtype.itemsize > 2 and a.dtype.name != "bfloat16" else np.dtype("f"))
        values = magnitude(a)
        values = values[values > 0]
        if np.isfinite(norm) and values.size:
            logs = norm * np.log10(values)
            if logs.max() > np.log10(largest) - 4 or logs.min() < np.log10(smallest) + 4:
                return True
    return False


def wrong(
    got: np.ndarray,
    want: np.ndarray,
    scale: np.ndarray | None,
    units: float,
    acc: np.dtype,
    activation: bool,
    doubtful: np.ndarray | None = None,
    flushed: Any = 0.0,
) -> str | None:
    """What is wrong with a result; None if it is right within `units` of rounding in `acc` and what is `flushed`."""
    if got.shape != want.shape:
        return f"shape {got.shape}, {want.shape} expected"
    if not got.size:
        return None
    if scale is None:
        same = (got == want) | ((got != got) & (want != want))
        return None if same.all() else _worst("differs", got, want, ~same)
    eps, largest, smallest = limits(acc)
    out_eps, out_largest, out_smallest = limits(got.dtype) if got.dtype.kind not in "iu" else (0.0, 1e300, 0.0)
    with np.errstate(all="ignore"):
        value = got.astype(want.dtype)
        allowed = units * eps * scale + units * smallest * eps + smallest + flushed
        if activation:
            allowed = STEEPEST * allowed + 16 * eps * (np.abs(want) + np.minimum(scale, 1))
        if is_half(got.dtype):  # a function in a pass of its own sees what is rounded already
            allowed = allowed + 0.51 * out_eps * (np.abs(want) + 2 * activation * scale) + out_smallest * out_eps
        elif got.dtype.kind in "iu":  # an image in whole numbers: as near as rounding comes
            allowed = allowed + 0.51
        over = scale * STEEPEST * 2 > min(largest / 4, out_largest)
        finite = np.isfinite(want)
        close = np.abs(value - want) <= allowed
        kept = (value == want) | ((value != value) & (want != want))
        if want.dtype.kind == "c":
            kept = kept | ~finite
        if doubtful is not None:
            kept = kept | (doubtful & ~np.isfinite(value))
        right = np.where(finite, close, kept) | (over & finite)
    if right.all():
        return None
    with np.errstate(all="ignore"):
        apart = ~right & finite & np.isfinite(value)
    return _worst("off", got, want, apart, allowed) if apart.any() else _worst("not finite", got, want, ~right)


def _worst(word: str, got: np.ndarray, want: np.ndarray, bad: np.ndarray, allowed: Any = None) -> str:
    """The element that is furthest off, in words."""
    with np.errstate(all="ignore"):
        off = np.where(bad, np.nan_to_num(np.abs(got.astype(want.dtype) - want), nan=np.inf, posinf=np.inf), -1)
    at = np.unravel_index(int(np.argmax(off)), off.shape)
    limit = "" if allowed is None else f", {float(np.broadcast_to(allowed, off.shape)[at]):.2g} allowed"
    place = tuple(int(i) for i in at)
    return f"{word} at {int(bad.sum())} of {bad.size}, as at {place}: {got[at]}, {want[at]} expected{limit}"


__all__ = ["Expected", "expect", "oracle", "results_of", "wrong"]
