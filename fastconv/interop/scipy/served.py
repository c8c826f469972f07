"""Compiled functions of scipy.ndimage, with their arguments, on fastconv's kernels.

SciPy's Python functions call these with arrays, after they have checked axes, sizes and origins and made the result.
Each function here returns None once the result is there, or why it does not serve the call; then nothing was written.
What depends on shapes, dtypes and numbers is made once and remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.separable import Pass, SeparableProblem
from fastconv.core.problems.window import Join, WindowProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.ndimage.calls import recipe_of
from fastconv.typing import BoundaryMode

# By SciPy's codes.
MODES: tuple[BoundaryMode, ...] = ("nearest", "wrap", "reflect", "mirror", "constant", "wrap", "constant")


class Served(NamedTuple):
    """How a call is served."""

    recipe: Recipe
    constants: tuple[np.ndarray, ...] = ()


Found: TypeAlias = Served | str  # or why not


def _options() -> Options:
    """Those of the caller; in threads other than the main one, one thread: who starts threads has divided the work."""
    options = resolve()
    if options.threads is None and threading.get_ident() != threading.main_thread().ident:
        return resolve(threads=1)
    return options


def _as_made(found: Found, input: np.ndarray, output: np.ndarray) -> str | None:
    """Run what was found; `output` may be `input`."""
    if isinstance(found, str):
        return found
    recipe, constants = found
    run = recipe.bind(constants)
    plain = getattr(run, "plain", None)
    if plain is not None and plain(input, output):
        return None
    if not output.flags.writeable:
        return "the result is read-only"
    if np.may_share_memory(input, output):
        input = input.copy()
    recipe.execute(run, input, output, constants)
    return None


def _why_not(shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, mode: int) -> str | None:
    for given in (dtype, out):
        if given.kind not in "biuf" or given.itemsize > 8 or given == np.float16:
            return f"dtype {given.name}"
        if not given.isnative:
            return "byte order of another machine"
    if 0 in shape or not shape:
        return "an array without elements or axes"
    return None if 0 <= mode < len(MODES) else "a mode that is not known"


def _found(problem: FilterProblem, options: Options, *constants: np.ndarray) -> Served:
    return Served(recipe_of(problem, options), constants)


def _along(shape: tuple[int, ...], axis: int, taps: int, origin: int, mode: int) -> Pass | str:
    before = taps // 2 + origin
    if not 0 <= axis < len(shape) or not 0 <= before < taps:
        return "an axis or an origin that SciPy does not pass"
    return Pass(axis, taps, before, MODES[mode])


def are_arrays(input: Any, output: Any) -> bool:
    """Whether both are arrays of NumPy, of one shape: nothing else comes from SciPy's functions."""
    return type(input) is np.ndarray and type(output) is np.ndarray and input.shape == output.shape


NO_ARRAYS = "arguments that are no arrays of one shape"


def correlate1d(
    input: Any, weights: Any, axis: int, output: Any, mode: int, cval: float, origin: int
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    if type(weights) is not np.ndarray or weights.dtype != np.float64 or weights.ndim != 1:
        return "weights that are no line of float64"
    shape, dtype, out = input.shape, input.dtype, output.dtype
    found = _correlation1d(shape, dtype, out, weights.tobytes(), axis, mode, cval, origin, _options())
    return _as_made(found, input, output)


@remember
def _correlation1d(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, weights: bytes, axis: int, mode: int, cval: Any,
    origin: int, options: Options,
) -> Found:  # fmt: skip
    w = np.frombuffer(weights, np.float64)  # one array for all calls: kernels remember by it what they made of it
    step = _why_not(shape, dtype, out, mode) or _along(shape, axis, w.size, origin, mode)
    if isinstance(step, str):
        return step
    return _found(SeparableProblem(shape, dtype, out, (step,), float(cval)), options, w)


def uniform_filter1d(
    input: Any, size: int, axis: int, output: Any, mode: int, cval: float, origin: int
) -> str | None:  # fmt: skip
    return _window(input, size, axis, output, mode, cval, origin, "mean")


def min_or_max_filter1d(
    input: Any, size: int, axis: int, output: Any, mode: int, cval: float, origin: int, minimum: int
) -> str | None:  # fmt: skip
    return _window(input, size, axis, output, mode, cval, origin, "min" if minimum else "max")


def _window(
    input: Any, size: int, axis: int, output: Any, mode: int, cval: float, origin: int, join: Join
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    found = _window1d(join, input.shape, input.dtype, output.dtype, size, axis, mode, cval, origin, _options())
    return _as_made(found, input, output)


@remember
def _window1d(
    join: Join, shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, size: int, axis: int, mode: int, cval: Any,
    origin: int, options: Options,
) -> Found:  # fmt: skip
    if size < 2:
        return "a window of one element"
    step = _why_not(shape, dtype, out, mode) or _along(shape, axis, size, origin, mode)
    if isinstance(step, str):
        return step
    return _found(WindowProblem(join, shape, dtype, out, (step,), float(cval)), options)


def probes() -> dict[str, Sequence[Any]]:
    """For each function arguments of a small call as SciPy makes it, with None in place of the result."""
    x = np.arange(30.0).reshape(5, 6) ** 2 % 7
    reflect = MODES.index("reflect")
    return {
        "correlate1d": (x, np.array([1.0, 2.0, 4.0]), 1, None, reflect, 0.0, -1),
        "uniform_filter1d": (x, 3, 0, None, reflect, 0.0, 1),
        "min_or_max_filter1d": (x, 3, 1, None, reflect, 0.0, 1, 1),
    }
