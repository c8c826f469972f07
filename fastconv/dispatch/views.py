"""Functions from a user's arrays to the canonical views that kernels take, made once for each recipe."""

from __future__ import annotations

import numpy as np

from fastconv.core.arrays import clean, clean_volume
from fastconv.core.problems.base import to_canonical
from fastconv.dispatch.plan import View
from fastconv.typing import Layout


def canonical_input(shape: tuple[int, ...], dtype: np.dtype, otherwise: View | None = None) -> View:
    """To C-contiguous arrays of `shape` and `dtype`; others are copied, or passed to `otherwise`."""

    def enter(a: np.ndarray) -> np.ndarray:
        flags = a.flags
        if flags.c_contiguous and flags.aligned and a.dtype == dtype:
            return a.reshape(shape)
        return clean(a, dtype).reshape(shape) if otherwise is None else otherwise(a)

    return enter


def canonical_result(shape: tuple[int, ...]) -> View:
    """To views, of `shape`, of contiguous results."""
    return lambda y: y.reshape(shape)


def images(
    rank: int, batched: bool, layout: Layout, dtype: np.dtype, x_shape: tuple[int, ...], y_shape: tuple[int, ...],
    gather: View | None = None,
) -> tuple[View, View]:
    """To images (N, C, D, H, W) that satisfy the contract of `core.kernel`, and to the results of kernels on them.

    `gather` picks a part of the images, if kernels see no more than that.
    """

    def enter(a: np.ndarray) -> np.ndarray:
        volume = to_canonical(a, rank, batched, layout)
        return clean_volume(volume if gather is None else gather(volume), dtype, layout)

    if layout == "NHWC" or gather is not None:
        return enter, lambda y: to_canonical(y, rank, batched, layout)

    def canonical(shape: tuple[int, ...]) -> tuple[int, ...]:
        n, rest = (shape[:1], shape[1:]) if batched else ((1,), shape)
        return (*n, rest[0], *(1,) * (3 - rank), *rest[1:])

    return canonical_input(canonical(x_shape), dtype, enter), canonical_result(canonical(y_shape))
