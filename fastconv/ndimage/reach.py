"""How far the windows of filters reach: as many elements as a part of an array needs of its neighbors."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import fastconv.ndimage as ndimage
from fastconv.core.errors import UnsupportedError
from fastconv.ndimage.arguments import as_axes, as_axis, as_mode, on_all_axes, per_axis
from fastconv.ndimage.separable import gaussian_radius

Given = Mapping[str, Any]

TWICE = (  # one window after the other along an axis
    "grey_opening", "grey_closing", "white_tophat", "black_tophat", "binary_opening", "binary_closing",
)  # fmt: skip
ALL_AXES = ("gaussian_laplace", "gaussian_gradient_magnitude")  # each derivative filters along all axes, with its mode
RANKS = ("rank_filter", "median_filter", "percentile_filter")
WINDOWS = ("footprint", "structure", "weights")
WITHOUT_WINDOWS = (
    "generic_laplace", "generic_gradient_magnitude", "binary_propagation", "binary_fill_holes",
    "generate_binary_structure", "iterate_structure",
)  # fmt: skip


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, by name, with defaults and without further keywords in a dict of their own."""
    bound = inspect.signature(function).bind(None, *args, **kwargs)
    bound.apply_defaults()
    given = dict(bound.arguments)
    return given | given.pop("kwargs", {})


def reaches(function: Callable[..., Any], ndim: int, given: Given) -> tuple[int, ...]:
    """Elements that a result needs before and behind it along each axis, at most."""
    name = function.__name__
    if getattr(ndimage, name, None) is not function or name not in ndimage.__all__ or name in WITHOUT_WINDOWS:
        raise UnsupportedError(f"{name} is none of the filters of fastconv.ndimage whose windows are known")
    axes = (as_axis(given["axis"], ndim),) if name.endswith("1d") else as_axes(given.get("axes"), ndim)
    if name in ALL_AXES:
        if name == "gaussian_laplace":
            given = {**given, "sigma": on_all_axes(given["sigma"], axes, ndim)}
        axes = tuple(range(ndim))
    found = [0] * ndim
    for axis, reach in zip(axes, _along(name, len(axes), given), strict=True):
        found[axis] = reach * (2 if name in TWICE else 1)
    return tuple(found)


def _along(name: str, count: int, given: Given) -> list[int]:
    if name.startswith("gaussian"):
        sigmas, radii = (per_axis(given.get(key), count) for key in ("sigma", "radius"))
        truncate = given.get("truncate", 4.0)
        return [gaussian_radius(s, truncate) if r is None else int(r) for s, r in zip(sigmas, radii, strict=True)]
    if name in ("sobel", "prewitt", "laplace"):
        return [1] * count
    if name.startswith("binary"):
        return _of_iterations(count, given)
    sizes, shifts = _sizes(count, given), [abs(int(o)) for o in per_axis(given["origin"], count)]
    if name in RANKS or any(given.get(key) is not None for key in WINDOWS):  # in whichever order SciPy has their axes
        sizes, shifts = [max(sizes, default=1)] * count, [max(shifts, default=0)] * count
    # As in SciPy, one more where a window is reversed.
    return [n // 2 + o + 1 for n, o in zip(sizes, shifts, strict=True)]


def _of_iterations(count: int, given: Given) -> list[int]:
    """Of binary morphology; of several structures, the largest."""
    times = operator.index(given.get("iterations", 1))
    if times < 1 or given.get("mask") is not None:
        raise UnsupportedError("chunks need a number of iterations, and know no mask")
    reach = 0
    for number in ("", "1", "2"):
        structure = given.get(f"structure{number}")
        size = 3 if structure is None else max(np.shape(structure), default=1)
        origin = given.get(f"origin{number}")
        shift = max((abs(int(o)) for o in per_axis(0 if origin is None else origin, count)), default=0)
        reach = max(reach, times * (size // 2 + shift + 1))
    return [reach] * count


def _sizes(count: int, given: Given) -> list[int]:
    for key in WINDOWS:
        if given.get(key) is not None:
            return list(np.shape(given[key]))
    return [int(n) for n in per_axis(given["size"], count)]


def wrapped(function: Callable[..., Any], ndim: int, given: Given) -> tuple[bool, ...]:
    """Along which axes the array is continued by its other end."""
    if "mode" not in given:
        return (False,) * ndim
    if function.__name__.endswith("1d"):
        return (as_mode(given["mode"]) == "wrap",) * ndim
    axes = as_axes(given.get("axes"), ndim)
    found, ends = [False] * ndim, [as_mode(mode) == "wrap" for mode in per_axis(given["mode"], len(axes))]
    if function.__name__ in ALL_AXES and any(ends) and not all(ends):
        raise UnsupportedError(
            f"mode 'wrap' for some axes only, {given['mode']!r}: each derivative of {function.__name__} continues "
            "all axes by its own mode, and chunks know one border of an axis; 'wrap' for all axes or for none"
        )
    if function.__name__ in ALL_AXES:
        return (any(ends),) * ndim
    for axis, end in zip(axes, ends, strict=True):
        found[axis] = end
    return tuple(found)
