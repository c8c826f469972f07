"""Functions that scipy.ndimage calls, with their arguments, on fastconv's kernels.

SciPy's public functions call compiled ones with arrays, after they have checked axes, sizes and origins and made the
result; those of binary morphology call one more function in Python, which makes several compiled calls for iterations.
Each function here returns None once the result is there, or why it does not serve the call; then nothing was written.
What depends on shapes, dtypes and numbers is made once and remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from fastconv.core.errors import UnsupportedError
from fastconv.core.problems.filter import FilterProblem
from fastconv.core.problems.neighbors import CorrelationProblem, Neighbors, RankProblem, as_element
from fastconv.core.problems.separable import Pass, SeparableProblem
from fastconv.core.problems.window import Join, WindowProblem
from fastconv.dispatch.options import Options, resolve
from fastconv.dispatch.plan import Recipe, remember
from fastconv.ndimage.binary import element_of
from fastconv.ndimage.calls import recipe_of
from fastconv.ndimage.correlation import weights_of
from fastconv.ndimage.rank import EXACT
from fastconv.ndimage.windows import footprint_problem
from fastconv.typing import BoundaryMode

# By SciPy's codes.
MODES: tuple[BoundaryMode, ...] = ("nearest", "wrap", "reflect", "mirror", "constant", "wrap", "constant")


class Served(NamedTuple):
    """How a call is served."""

    recipe: Recipe
    constants: tuple[np.ndarray, ...] = ()


Extremum: TypeAlias = Literal["min", "max"]
Found: TypeAlias = Served | str  # or why not


def options_here() -> Options:
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
    if not output.flags.writeable:
        return "the result is read-only"
    if np.may_share_memory(input, output):
        input = input.copy()
    run = recipe.bind(constants)
    plain = getattr(run, "plain", None)
    if plain is None or not plain(input, output):
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


def _found(problem: FilterProblem, options: Options, *constants: np.ndarray) -> Found:
    recipe = recipe_of(problem, options)
    if recipe.choice.kernel.backend == "numpy" and options.backend != "numpy":
        return "no compiled kernel for it"  # SciPy's is compiled
    return Served(recipe, constants)


def _along(shape: tuple[int, ...], axis: int, taps: int, origin: int, mode: int) -> Pass | str:
    before = taps // 2 + origin
    if not 0 <= axis < len(shape) or not 0 <= before < taps:
        return "an axis or an origin that SciPy does not pass"
    return Pass(axis, taps, before, MODES[mode])


def are_arrays(input: Any, output: Any) -> bool:
    """Whether both are arrays of NumPy, of one shape: nothing else comes from SciPy's functions."""
    return type(input) is np.ndarray and type(output) is np.ndarray and input.shape == output.shape


NO_ARRAYS = "arguments that are no arrays of one shape"


def _in_bytes(input: np.ndarray, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both, of uint8 in place of bool where that is stored: to SciPy it is bytes, which may be neither 0 nor 1."""
    if output.dtype != np.bool_:
        return input, output
    return input.view(np.uint8) if input.dtype == np.bool_ else input, output.view(np.uint8)


def correlate1d(
    input: Any, weights: Any, axis: int, output: Any, mode: int, cval: float, origin: int
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    if type(weights) is not np.ndarray or weights.dtype != np.float64 or weights.ndim != 1:
        return "weights that are no line of float64"
    input, output = _in_bytes(input, output)
    shape, dtype, out = input.shape, input.dtype, output.dtype
    found = _correlation1d(shape, dtype, out, weights.tobytes(), axis, mode, cval, origin, options_here())
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
    input, output = _in_bytes(input, output)
    found = _window1d(join, input.shape, input.dtype, output.dtype, size, axis, mode, cval, origin, options_here())
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


def _before(sizes: tuple[int, ...], origins: Sequence[int]) -> tuple[int, ...] | None:
    """Elements before a result that its window begins; None if an origin is outside of the window."""
    before = tuple(n // 2 + o for n, o in zip(sizes, origins, strict=True))
    return before if all(0 <= b < n for b, n in zip(before, sizes, strict=True)) else None


def _is_window(window: Any, dtype: type, input: Any, origins: Any) -> bool:
    right = type(window) is np.ndarray and window.dtype == dtype and window.ndim == input.ndim
    return right and len(origins) == window.ndim and 0 not in window.shape


NO_WINDOW = "a window or an origin that SciPy does not pass"


def correlate(
    input: Any, weights: Any, output: Any, mode: int, cval: float, origins: Sequence[int]
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    if not _is_window(weights, np.float64, input, origins):
        return NO_WINDOW
    input, output = _in_bytes(input, output)
    window, shape, shifts = weights.tobytes(), weights.shape, tuple(origins)
    found = _correlation(input.shape, input.dtype, output.dtype, window, shape, mode, cval, shifts, options_here())
    return _as_made(found, input, output)


@remember
def _correlation(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, weights: bytes, sizes: tuple[int, ...], mode: int,
    cval: Any, origins: tuple[int, ...], options: Options,
) -> Found:  # fmt: skip
    why, before = _why_not(shape, dtype, out, mode), _before(sizes, origins)
    if why is not None or before is None:
        return why or NO_WINDOW
    found = weights_of(weights, sizes)
    window = Neighbors(sizes, before, MODES[mode], float(cval), found.taps)
    return _found(CorrelationProblem(shape, dtype, out, window), options, found.counting)


def min_or_max_filter(
    input: Any, footprint: Any, structure: Any, output: Any, mode: int, cval: float, origins: Sequence[int],
    minimum: int,
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    if not _is_window(footprint, np.bool_, input, origins):
        return NO_WINDOW
    heights = None
    if structure is not None:
        if not _is_window(structure, np.float64, input, origins) or structure.shape != footprint.shape:
            return NO_WINDOW
        heights = structure.tobytes()
    input, output = _in_bytes(input, output)
    found = _extremum(
        "min" if minimum else "max", input.shape, input.dtype, output.dtype, footprint.tobytes(), footprint.shape,
        heights, mode, cval, tuple(origins), options_here(),
    )  # fmt: skip
    return _as_made(found, input, output)


@remember
def _extremum(
    join: Extremum, shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, footprint: bytes, sizes: tuple[int, ...],
    heights: bytes | None, mode: int, cval: Any, origins: tuple[int, ...], options: Options,
) -> Found:  # fmt: skip
    why, before = _why_not(shape, dtype, out, mode), _before(sizes, origins)
    chosen = np.flatnonzero(np.frombuffer(footprint, np.bool_))
    if why is not None or before is None or not chosen.size:
        return why or NO_WINDOW
    constants: tuple[np.ndarray, ...] = ()
    if heights is not None and (raised := np.frombuffer(heights, np.float64)[chosen]).any():
        raised.flags.writeable = False  # kernels remember by it what they made of it
        constants = (raised,)
    problem = footprint_problem(
        join, shape, dtype, out, sizes, before, tuple(chosen.tolist()), bool(constants), MODES[mode], float(cval)
    )
    return _found(problem, options, *constants)


def rank_filter(
    input: Any, rank: int, footprint: Any, output: Any, mode: int, cval: float, origins: Sequence[int]
) -> str | None:  # fmt: skip
    if not are_arrays(input, output):
        return NO_ARRAYS
    if not _is_window(footprint, np.bool_, input, origins):
        return NO_WINDOW
    input, output = _in_bytes(input, output)
    taps, sizes = footprint.tobytes(), footprint.shape
    found = _rank(
        input.shape, input.dtype, output.dtype, int(rank), taps, sizes, mode, cval, tuple(origins), options_here()
    )
    return _as_made(found, input, output)


@remember
def _rank(
    shape: tuple[int, ...], dtype: np.dtype, out: np.dtype, rank: int, taps: bytes, sizes: tuple[int, ...], mode: int,
    cval: Any, origins: tuple[int, ...], options: Options,
) -> Found:  # fmt: skip
    why, before = _why_not(shape, dtype, out, mode), _before(sizes, origins)
    if why is not None or before is None or not 0 <= rank < taps.count(1):
        return why or NO_WINDOW
    window = Neighbors(sizes, before, MODES[mode], as_element(float(cval), dtype), taps if 0 in taps else None)
    return _found(RankProblem(shape, dtype, out, window, rank), options)


LONG_BYTES = 96  # of a window of a line: the time of our kernels grows with it, that of SciPy's with its logarithm


def rank_filter_of_line(
    input: Any, rank: int, size: int, output: Any, mode: int, cval: float, origin: int
) -> str | None:  # fmt: skip
    """SciPy has another method for arrays of one axis: exact for integers, and with other results where NaN is."""
    if not are_arrays(input, output):
        return NO_ARRAYS
    if input.ndim != 1 or input.dtype != output.dtype or not input.size:
        return NO_WINDOW
    if size * input.itemsize > LONG_BYTES:
        return "a long window, for which SciPy's method takes less"
    smallest, largest = input.min(), input.max()
    if not abs(cval) <= EXACT or not (input.dtype.kind == "f" or -EXACT <= smallest <= largest <= EXACT):
        return "numbers beyond 2^53"
    if np.isnan(smallest):
        return "a line that has NaN"
    whole = bytes([1]) * size
    found = _rank(
        input.shape, input.dtype, output.dtype, int(rank), whole, (size,), mode, float(cval), (origin,), options_here()
    )
    return _as_made(found, input, output)


def binary_erosion(
    input: Any, structure: Any, iterations: Any, mask: Any, output: Any, border_value: Any, origin: Any, invert: int,
    brute_force: Any, axes: Any,
) -> str | np.ndarray | None:  # fmt: skip
    """A result that SciPy would have made is returned."""
    x, masks = np.asarray(input), None if mask is None else np.asarray(mask)
    if masks is not None and masks.dtype not in (np.bool_, np.int8, np.uint8):
        return "a mask of other numbers than bytes"  # which SciPy takes as bytes from the second iteration on
    if isinstance(output, np.ndarray) and not output.flags.writeable:
        return "the result is read-only"
    if x.dtype.kind == "c" or np.iscomplexobj(output):
        return "complex numbers, which SciPy refuses"
    try:
        element = element_of(x, structure, iterations, masks, border_value, origin, axes, options_here())
        made = element.joined("max" if invert else "min", x, output)
    except UnsupportedError:
        raise
    except (TypeError, ValueError, RuntimeError):
        return "arguments that SciPy refuses"
    return None if isinstance(output, np.ndarray) else made
