"""Recipes of more than one operation: arrays that are seen in another shape, and images."""

from __future__ import annotations

import numpy as np

from fastconv.core.problems.base import Problem, split_batch
from fastconv.dispatch.options import Options
from fastconv.dispatch.plan import Recipe, remember
from fastconv.ops.views import entering, images, leaving


@remember
def reshaped(
    problem: Problem, dtype: np.dtype, options: Options, x_shape: tuple[int, ...], x_dtype: np.dtype,
    canonical: tuple[int, ...], shape: tuple[int, ...],
) -> Recipe:
    """Of kernels that see x of `x_shape` as `canonical`, in `dtype`; the user gets the result in `shape`."""
    enter, view = entering(canonical, dtype), leaving(problem.results[0][0])
    return Recipe(problem, options, x_shape, x_dtype, (shape,), enter, view, x_dtype == dtype)


@remember
def of_images(
    problem: Problem, dtype: np.dtype, layout: str, options: Options, rank: int, x_shape: tuple[int, ...],
    x_dtype: np.dtype, shape: tuple[int, ...],
) -> Recipe:
    """Of kernels that see images of `rank` spatial axes, in `dtype`; the user gets images of `shape`."""
    batched = split_batch(x_shape, rank, layout)[0]
    views = images(rank, batched, layout, dtype, x_shape, shape)
    results = (shape,) * len(problem.results)
    return Recipe(problem, options, x_shape, x_dtype, results, *views, x_dtype == dtype)
