"""Recipes that several operations use: for arrays that kernels see in another shape, and for images."""

from __future__ import annotations

from math import prod

import numpy as np

from fastconv.core.problems.activation import ElementwiseProblem, Function, elementwise_problem
from fastconv.core.problems.adaptive import AdaptivePoolProblem
from fastconv.core.problems.base import split_batch
from fastconv.core.problems.loss import LossProblem
from fastconv.core.problems.pool import PoolProblem
from fastconv.core.problems.shape import FoldProblem, PadProblem
from fastconv.core.problems.softmax import SoftmaxProblem
from fastconv.core.problems.unpool import UnpoolProblem
from fastconv.dispatch.options import Options
from fastconv.dispatch.plan import Recipe, remember
from fastconv.dispatch.views import canonical_input, canonical_result, images

Reshaped = ElementwiseProblem | SoftmaxProblem | LossProblem | PadProblem | FoldProblem
OfImages = PoolProblem | AdaptivePoolProblem | UnpoolProblem


@remember
def reshaped(
    problem: Reshaped, options: Options, x_shape: tuple[int, ...], x_dtype: np.dtype, canonical: tuple[int, ...],
    shape: tuple[int, ...], any_order: bool = False,
) -> Recipe:  # fmt: skip
    """A recipe in which kernels see x, of `x_shape`, as `canonical`; the user's result has `shape`."""
    enter, view = canonical_input(canonical, problem.dtype), canonical_result(problem.results[0][0])
    same = x_dtype == problem.dtype
    return Recipe(problem, options, x_shape, x_dtype, (shape,), enter, view, same, None, any_order and same)


def flat(
    problem: ElementwiseProblem, options: Options, shape: tuple[int, ...], dtype: np.dtype, any_order: bool = False
) -> Recipe:
    """A recipe for x of `shape`, and a result of the same shape; `any_order` as in `Recipe`."""
    return reshaped(problem, options, shape, dtype, (problem.size,), shape, any_order)


@remember
def elementwise(
    function: Function, params: tuple[float, ...], shape: tuple[int, ...], dtype: np.dtype, options: Options
) -> Recipe:
    """A recipe of one function of each element of x."""
    return flat(elementwise_problem(function, params, prod(shape), dtype), options, shape, dtype, any_order=True)


@remember
def of_images(
    problem: OfImages, options: Options, rank: int, x_shape: tuple[int, ...], x_dtype: np.dtype, shape: tuple[int, ...]
) -> Recipe:
    """A recipe in which kernels see images, x with `rank` spatial axes; the user's result has `shape`."""
    batched = split_batch(x_shape, rank, problem.layout)[0]
    views = images(rank, batched, problem.layout, problem.dtype, x_shape, shape)
    return Recipe(problem, options, x_shape, x_dtype, (shape,), *views, x_dtype == problem.dtype)
