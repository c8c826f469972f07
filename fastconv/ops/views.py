"""From the arrays of a user to the canonical views that kernels take: functions made once for each recipe."""

from __future__ import annotations

import numpy as np

from fastconv.core.arrays import clean, clean_volume
from fastconv.core.problems.base import to_canonical
from fastconv.dispatch.plan import View


def entering(shape: tuple[int, ...], dtype: np.dtype, otherwise: View | None = None) -> View:
    """To C-contiguous arrays of `shape` and `dtype`; those that lie differently are copied, or left to `otherwise`."""

    def enter(a: np.ndarray) -> np.ndarray:
        flags = a.flags
        if flags.c_contiguous and flags.aligned and a.dtype == dtype:
            return a.reshape(shape)
        return clean(a, dtype).reshape(shape) if otherwise is None else otherwise(a)

    return enter


def leaving(shape: tuple[int, ...]) -> View:
    """To a result of `shape`."""
    return lambda y: y.reshape(shape)


def images(
    rank: int, batched: bool, layout: str, dtype: np.dtype, x_shape: tuple[int, ...], y_shape: tuple[int, ...],
    part: View | None = None,
) -> tuple[View, View]:
    """To images (N, C, D, H, W) that meet the contract of `core.kernel`, and to the results of kernels on them.

    Where kernels shall see a part of the images only, `part` takes it.
    """

    def enter(a: np.ndarray) -> np.ndarray:
        volume = to_canonical(a, rank, batched, layout)
        return clean_volume(volume if part is None else part(volume), dtype, layout)

    if layout == "NHWC" or part is not None:
        return enter, lambda y: to_canonical(y, rank, batched, layout)

    def canonical(shape: tuple[int, ...]) -> tuple[int, ...]:
        n, rest = (shape[:1], shape[1:]) if batched else ((1,), shape)
        return (*n, rest[0], *(1,) * (3 - rank), *rest[1:])

    return entering(canonical(x_shape), dtype, enter), leaving(canonical(y_shape))
