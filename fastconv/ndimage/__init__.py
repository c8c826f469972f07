"""Filters of scipy.ndimage, with its names, parameters and results.

``import fastconv.ndimage as ndi`` takes the place of ``from scipy import ndimage as ndi``: names that are not here are
SciPy's, where that is installed.
"""

from typing import Any as _Any

from fastconv.ndimage.binary import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    binary_hit_or_miss,
    binary_opening,
    binary_propagation,
    generate_binary_structure,
    iterate_structure,
)
from fastconv.ndimage.correlation import convolve, correlate
from fastconv.ndimage.morphology import (
    black_tophat,
    grey_closing,
    grey_dilation,
    grey_erosion,
    grey_opening,
    morphological_gradient,
    morphological_laplace,
    white_tophat,
)
from fastconv.ndimage.rank import median_filter, percentile_filter, rank_filter
from fastconv.ndimage.separable import (
    convolve1d,
    correlate1d,
    gaussian_filter,
    gaussian_filter1d,
    gaussian_gradient_magnitude,
    gaussian_laplace,
    generic_gradient_magnitude,
    generic_laplace,
    laplace,
    prewitt,
    sobel,
)
from fastconv.ndimage.windows import (
    maximum_filter,
    maximum_filter1d,
    minimum_filter,
    minimum_filter1d,
    uniform_filter,
    uniform_filter1d,
)

__all__ = [
    "binary_closing",
    "binary_dilation",
    "binary_erosion",
    "binary_fill_holes",
    "binary_hit_or_miss",
    "binary_opening",
    "binary_propagation",
    "black_tophat",
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_gradient_magnitude",
    "gaussian_laplace",
    "generate_binary_structure",
    "generic_gradient_magnitude",
    "generic_laplace",
    "grey_closing",
    "grey_dilation",
    "grey_erosion",
    "grey_opening",
    "iterate_structure",
    "laplace",
    "maximum_filter",
    "maximum_filter1d",
    "median_filter",
    "minimum_filter",
    "minimum_filter1d",
    "morphological_gradient",
    "morphological_laplace",
    "percentile_filter",
    "prewitt",
    "rank_filter",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
    "white_tophat",
]


def __getattr__(name: str) -> _Any:
    """A name of scipy.ndimage that is not built here."""
    import importlib

    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        scipy = importlib.import_module("scipy.ndimage")
    except ImportError:
        reason = f"{name} is not in fastconv.ndimage, and SciPy is not installed: pip install scipy"
        raise AttributeError(reason) from None
    try:
        return getattr(scipy, name)
    except AttributeError:
        from fastconv.core.errors import did_you_mean

        near = did_you_mean(name, __dir__())
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}, nor has scipy.ndimage{near}") from None


def __dir__() -> list[str]:
    """Names here, and those of scipy.ndimage where that is installed."""
    import importlib

    try:
        theirs = [name for name in dir(importlib.import_module("scipy.ndimage")) if not name.startswith("_")]
    except ImportError:
        theirs = []
    return sorted({*globals(), *theirs})
