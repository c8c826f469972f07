"""What `Kernel.bound` promises: exact results, sums of magnitudes, and data on which sums lose digits."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np

from fastconv.backends.reference import conv as reference
from fastconv.core.kernel import Kernel, accumulator, epsilon
from fastconv.core.problems.base import source_of
from fastconv.core.problems.conv import ConvProblem, weight_operands

WIDE = np.longdouble  # sums of float64 values are exact enough in it


def exact(p: ConvProblem, changing: np.ndarray, fixed: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
    """The result by its definition, before any activation: in float64, or wider if the problem is in float64."""
    wide = WIDE if p.acc.itemsize >= 8 else np.float64
    taps: Any = itertools.product(*map(range, p.kernel))
    if p.weights_wanted:
        x, y = (a.astype(wide) for a in weight_operands(p, changing, fixed))
        result = np.zeros(p.w_shape, wide)
        for tap in taps:
            for g in range(p.groups):
                xs = reference.gather(
                    x[:, g * p.icg : (g + 1) * p.icg], reference._sources(p, tap, p.input, p.output), p.fill
                )
                ys = y[:, g * p.ocg : (g + 1) * p.ocg]
                result[g * p.ocg : (g + 1) * p.ocg, :, *tap] = np.einsum("ncdhw,nkdhw->kc", xs, ys)
        return result
    add = reference._reversed_tap if p.direction == "transposed" else reference._gather_tap
    result = np.zeros(p.y_shape, wide)
    for tap in taps:
        add(p, result, changing.astype(wide), fixed.astype(wide), tap)
    return result if bias is None else result + bias.astype(wide)[:, None, None, None]


def largest_near(x: np.ndarray, reach: tuple[int, int, int]) -> np.ndarray:
    """For each element of (N, C, D, H, W) the largest magnitude no further than `reach`."""
    x = np.abs(x)
    for axis, far in enumerate(reach, start=2):
        padded = np.pad(x, [(far, far) if a == axis else (0, 0) for a in range(5)])
        x = np.lib.stride_tricks.sliding_window_view(padded, 2 * far + 1, axis).max(-1)
    return x


def magnitudes(
    p: ConvProblem, reach: tuple[int, int, int], changing: np.ndarray, fixed: np.ndarray, bias: np.ndarray | None = None
) -> np.ndarray:
    """The sums of magnitudes that `Kernel.bound` is relative to, for each result; `reach` is the kernel's."""
    if p.direction == "transposed":  # zeros next to the image are mixed, too
        wide = np.pad(changing, [(0, 0), (0, 0), *((far, far) for far in reach)])
        pads = tuple((lo + far * s, hi) for (lo, hi), far, s in zip(p.pads, reach, p.stride, strict=True))
        q = replace(p, input=wide.shape[2:], pads=pads)
        return exact(q, largest_near(wide, reach), np.abs(fixed), None if bias is None else np.abs(bias))
    # Kernels mix values of the padding like all others: the padding is made explicit.
    sources = tuple(source_of(np.arange(-lo, e + hi), e, p.mode) for e, (lo, hi) in zip(p.input, p.pads, strict=True))
    q = replace(p, input=tuple(len(s) for s in sources), pads=((0, 0),) * 3, mode="zeros", fill=0.0)
    if p.direction == "weight":
        x = largest_near(reference.gather(fixed, sources, p.fill), reach)
        return exact(q, np.abs(changing), x)
    x = largest_near(reference.gather(changing, sources, p.fill), reach)
    return exact(q, x, np.abs(fixed), None if bias is None else np.abs(bias))


def normal(a: np.ndarray) -> np.ndarray:
    """The same values, those that are denormal as zero."""
    return np.where(np.abs(a) < ml_dtypes.finfo(a.dtype).smallest_normal, a.dtype.type(0), a)


def allowed(kernel: Kernel[Any], p: Any, sums: np.ndarray, normal_sums: np.ndarray | None = None) -> np.ndarray:
    """The largest error that `kernel` may have on results whose magnitudes add up to `sums`.

    `normal_sums` are those of numbers that are not denormal, where the data have others.
    """
    smallest = sums.dtype.type(ml_dtypes.finfo(p.results[0][1]).smallest_subnormal)
    most = kernel.bound(p) * (epsilon(accumulator(p)) * sums + smallest)
    if kernel.flushes:
        lost = 0 if normal_sums is None else sums - normal_sums
        most = most + lost + p.terms * float(np.finfo(accumulator(p)).smallest_normal)
    return most


KINDS = (
    "normal", "constant", "alternating", "alternating both", "bright", "zero-sum", "zero-sum bright", "scaled", "relu",
    "denormal", "tiny weights", "tiny both", "huge", "huge and tiny",
)  # fmt: skip


def data(kind: str, x: tuple[int, ...], w: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> tuple[Any, Any]:
    """Images (N, C, D, H, W) and weights (K, C, D, H, W), or the gradient of a result, of one kind."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal(x), rng.standard_normal(w)
    single = dtype.itemsize <= 4
    sign = (-1.0) ** np.indices(x)[2:].sum(0)
    if kind == "constant":
        a, b = np.full(x, 1 / 3), np.full(w, 1 / 7)
    elif kind.startswith("alternating"):
        a, b = sign * 1.1, (-1.0) ** np.indices(w)[2:].sum(0) if kind.endswith("both") else np.full(w, 0.7)
    elif kind == "relu":
        a = np.maximum(a, 0)
    elif kind == "scaled":
        a *= 10.0 ** rng.uniform(-6, 6, (1, x[1], 1, 1, 1))
        b *= 10.0 ** rng.uniform(-2, 2, (w[0], 1, 1, 1, 1))
    elif kind == "denormal":
        a *= 1e-40 if single else 1e-310
    elif kind == "tiny weights":
        b *= 1e-38 if single else 1e-308
    elif kind == "tiny both":
        a, b = a * (1e-20 if single else 1e-160), b * (1e-18 if single else 1e-150)
    elif kind.startswith("huge"):
        a *= 1e30 if single else 1e250
        b *= (1e-30 if single else 1e-250) if kind.endswith("tiny") else 1
    if kind.startswith("zero-sum"):
        b -= b.mean((2, 3, 4), keepdims=True)
    if kind.endswith("bright"):
        a = 1000 + 0.01 * a
    return a.astype(dtype), b.astype(dtype)
