"""From arguments to results: what all filters do with the problem that they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastconv.core.problems.filter import FilterProblem
from fastconv.dispatch.options import Options
from fastconv.dispatch.plan import Recipe, submit
from fastconv.dispatch.views import canonical_input, canonical_result
from fastconv.ndimage.arguments import array_for, not_planned

BAND = 1 << 20  # floats of an image that are filtered at once: what several steps hand on stays in the cache


def recipe_of(problem: FilterProblem, options: Options) -> Recipe:
    """How calls of a filter are carried out."""
    flat = (problem.size,)
    enter, view = canonical_input(flat, problem.dtype), canonical_result(flat)
    return Recipe(problem, options, problem.shape, problem.dtype, (problem.shape,), enter, view, True)


def filtered(
    recipe: Recipe, input: np.ndarray, weights: tuple[np.ndarray, ...], given: np.ndarray | None
) -> np.ndarray:  # fmt: skip
    """The result of a filter, in `given` unless that is None."""
    if given is None or given.dtype.isnative:
        result: np.ndarray = submit(recipe, input, weights, given)
        return result
    given[...] = submit(recipe, input, weights)
    return given


def is_usual(input: Any, output: Any) -> bool:
    """Whether real numbers become as many of their dtype: such calls may be remembered."""
    return type(input) is np.ndarray and output is None and input.ndim > 0 and input.dtype.kind in "biuf"


def is_summed(input: Any, output: Any) -> bool:
    """The same, of numbers whose sums need not be those of `in_bytes`."""
    return is_usual(input, output) and input.dtype.kind != "b"


def is_box(input: Any, size: Any, output: Any, axes: Any) -> bool:
    """Whether windows of one size along all axes make it such a call."""
    return is_usual(input, output) and type(size) is int and size > 1 and axes is None and input.ndim > 1


def is_banded(x: np.ndarray) -> bool:
    """Whether an image is so large that bands of it gain something."""
    return x.nbytes >= 8 * BAND


def by_bands(
    x: np.ndarray, output: Any, reach: int | None, compute: Callable[[np.ndarray, Any], np.ndarray]
) -> np.ndarray:
    """A filter that is several kernels, for one band of rows after the other: what these hand on stays in the cache.

    Parameters
    ----------
    x : ndarray
    output : ndarray, dtype or None
    reach : int or None
        How many rows before and behind its own a result depends on, at most; None if on others, too.
    compute : callable
        The filter, of an array and `output`, or an array for the result of a band.

    Returns
    -------
    ndarray
        Computed as a whole where bands would gain nothing, or are not possible.
    """
    not_planned()
    if reach is None or x.ndim < 2 or not is_banded(x) or not (output is None or type(output) is np.ndarray):
        return compute(x, output)
    height, made = x.shape[0], output
    rows = max(4 * BAND * height // x.nbytes, 8 * reach, 1)
    if 2 * rows > height or (made is not None and (made.shape != x.shape or np.may_share_memory(made, x))):
        return compute(x, output)
    for low in range(0, height, rows):
        high = min(low + rows, height)
        first = max(low - reach, 0)
        part = x[first : high + reach]
        if made is None:  # the first band shows the dtype
            result = compute(part, None)
            made = np.empty(x.shape, result.dtype)
            made[:high] = result[:high]
            continue
        into = made[first : high + reach]
        kept = into[: low - first].copy()  # which are right already
        result = compute(part, into)
        if result is not into:
            into[...] = result
        into[: low - first] = kept
    assert made is not None  # an array so large has rows
    return made


def in_bytes(compute: Callable[[np.dtype], np.ndarray], given: np.ndarray | None) -> np.ndarray:
    """Numbers that are stored as bools, which are bytes to SciPy.

    They are truncated and wrap at 256 before they become true or false, and one axis hands on to the next what they
    are.  Here, unlike there, what is stored in the end is 0 or 1.
    """
    not_planned()
    return np.not_equal(compute(np.dtype(np.uint8)), 0, given)


def copied(input: np.ndarray, output: Any) -> np.ndarray:
    """The result of a filter without passes."""
    not_planned()
    made = array_for(output, input)
    np.copyto(made, input, casting="unsafe")
    return made


def of_parts(
    of_real: Callable[[np.ndarray, Any, Any], np.ndarray], input: np.ndarray, output: Any, cval: Any
) -> np.ndarray:  # fmt: skip
    """A filter of complex numbers: that of their real parts, and of their imaginary ones.

    `of_real` takes an array, the output and the constant.
    """
    if input.dtype.kind != "c":
        return of_real(input, output, cval)
    not_planned()
    made = array_for(output, input, is_complex=True)
    made.real = of_real(input.real, made.real.dtype, np.real(cval))
    made.imag = of_real(input.imag, made.imag.dtype, np.imag(cval))
    return made
