"""Filters of arrays of three axes, of 1, 2 or 5 elements each: axes of one are joined with others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage as scipy

import fastconv.ndimage as ndi
from tests.ndimage.test_separable import agree, drawn

SHAPES = tuple(itertools.product((1, 2, 5), repeat=3))
WEIGHTS = np.random.default_rng(4).standard_normal((3, 2, 3))
CROSS = scipy.generate_binary_structure(3, 1)
FILTERS: dict[str, Callable[[Any, np.ndarray], Any]] = {
    "gaussian_filter": lambda m, x: m.gaussian_filter(x, 1, mode="constant", cval=2),
    "gaussian of order 1": lambda m, x: m.gaussian_filter(x, (0.5, 1, 0.7), order=(1, 0, 1)),
    "gaussian of two axes": lambda m, x: m.gaussian_filter(x, 0.8, axes=(0, 2), mode="mirror"),
    "gaussian_laplace": lambda m, x: m.gaussian_laplace(x, 1),
    "gaussian_gradient_magnitude": lambda m, x: m.gaussian_gradient_magnitude(x, 1),
    "sobel": lambda m, x: m.sobel(x, 1),
    "prewitt": lambda m, x: m.prewitt(x, 0),
    "laplace": lambda m, x: m.laplace(x, mode="wrap"),
    "uniform_filter": lambda m, x: m.uniform_filter(x, 3),
    "uniform of two axes": lambda m, x: m.uniform_filter(x, 3, axes=(0, 2), mode="nearest"),
    "maximum_filter": lambda m, x: m.maximum_filter(x, (3, 2, 4), mode="constant", cval=1),
    "minimum of a cross": lambda m, x: m.minimum_filter(x, footprint=CROSS),
    "median_filter": lambda m, x: m.median_filter(x, 3),
    "rank of two axes": lambda m, x: m.rank_filter(x, 2, size=3, axes=(0, 2)),
    "correlate": lambda m, x: m.correlate(x, WEIGHTS, mode="mirror"),
    "grey_opening": lambda m, x: m.grey_opening(x, (2, 3, 3)),
    "grey_erosion with heights": lambda m, x: m.grey_erosion(x, structure=CROSS.astype(int)),
    "binary_dilation": lambda m, x: m.binary_dilation(x > 20, CROSS, 2),
    "binary_fill_holes": lambda m, x: m.binary_fill_holes(x > 20, CROSS),
}


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8"])
@pytest.mark.parametrize("name", FILTERS)
def test_as_scipy(name: str, dtype: str) -> None:
    for shape in SHAPES:
        x = drawn(shape, dtype)
        got, want = FILTERS[name](ndi, x), FILTERS[name](scipy, x)
        if name.startswith("uniform") and dtype == "f8":  # SciPy's sums drift
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
        else:
            agree(got, want, x)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (2, 0), (1, 2, 0), ()])
def test_gaussians_along_some_axes(axes: tuple[int, ...]) -> None:
    """The magnitude smooths the other axes, too, Laplace leaves them alone: so it is in SciPy."""
    x = drawn((4, 5, 6), "f8")
    for sigma in (1.0, (0.5, 1.0, 1.5)):
        want = scipy.gaussian_gradient_magnitude(x, sigma, axes=axes)
        np.testing.assert_array_equal(ndi.gaussian_gradient_magnitude(x, sigma, axes=axes), want)
        some = sigma[: len(axes)] if isinstance(sigma, tuple) else sigma
        np.testing.assert_array_equal(
            ndi.gaussian_laplace(x, some, axes=axes), scipy.gaussian_laplace(x, some, axes=axes)
        )


NAMED: dict[str, Callable[[Any, np.ndarray, Any, np.ndarray, Any], Any]] = {
    "correlate": lambda m, x, axes, w, o: m.correlate(x, w, axes=axes, origin=o),
    "convolve": lambda m, x, axes, w, o: m.convolve(x, w, axes=axes, origin=o),
    "rank_filter": lambda m, x, axes, w, o: m.rank_filter(x, 1, footprint=w > 0, axes=axes, origin=o),
    "median_filter": lambda m, x, axes, w, o: m.median_filter(x, w.shape, axes=axes, origin=o),
    "percentile_filter": lambda m, x, axes, w, o: m.percentile_filter(x, 30, w.shape, axes=axes, origin=o),
    "minimum_filter": lambda m, x, axes, w, o: m.minimum_filter(x, footprint=w > 0, axes=axes, origin=o),
    "maximum of boxes": lambda m, x, axes, w, o: m.maximum_filter(x, w.shape, axes=axes, origin=o),
    "uniform_filter": lambda m, x, axes, w, o: m.uniform_filter(x, w.shape, axes=axes, origin=o),
    "grey_dilation": lambda m, x, axes, w, o: m.grey_dilation(x, structure=w, axes=axes, origin=o),
    "grey_closing": lambda m, x, axes, w, o: m.grey_closing(x, footprint=w > 0, axes=axes, origin=o),
    "binary_erosion": lambda m, x, axes, w, o: m.binary_erosion(x > 0, w > 0, axes=axes, origin=o),
    "binary_dilation": lambda m, x, axes, w, o: m.binary_dilation(x > 0, w > 0, axes=axes, origin=o),
}


@pytest.mark.parametrize("axes", [axes for n in (1, 2, 3) for axes in itertools.permutations(range(3), n)])
@pytest.mark.parametrize("name", NAMED)
def test_windows_and_origins_of_axes_in_any_order(name: str, axes: tuple[int, ...]) -> None:
    """In SciPy, origins follow `axes` only where these are not all axes, and windows of any shape never do."""
    x, w = drawn((6, 7, 8), "f8") - 20, np.random.default_rng(5).random((4, 3, 5)[: len(axes)])
    w[w < 0.2] = 0
    for origin in (0, tuple(range(-1, len(axes) - 1))):
        found = []
        for module in (ndi, scipy):
            try:
                found.append(NAMED[name](module, x, axes, w, origin))
            except ValueError as e:
                found.append(type(e))
        got, want = found
        if isinstance(want, type) or isinstance(got, type):
            assert got is want
        elif name == "uniform_filter":  # SciPy's sums drift
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
        else:
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("modes", [("wrap", "reflect"), ("reflect", "wrap"), ("nearest", "mirror")])
def test_bands_of_derivatives_have_the_modes_of_all(modes: tuple[str, str]) -> None:
    """The mode of one derivative holds for all axes, so bands cannot be apart where any of them wraps."""
    x = drawn((3000, 400), "u2")
    for name in ("gaussian_laplace", "gaussian_gradient_magnitude"):
        np.testing.assert_array_equal(
            getattr(ndi, name)(x, 1.0, mode=modes), getattr(scipy, name)(x, 1.0, mode=modes), err_msg=name
        )


@pytest.mark.parametrize(
    "name", ["gaussian_laplace", "gaussian_gradient_magnitude", "laplace", "white_tophat", "black_tophat",
             "morphological_laplace", "morphological_gradient", "grey_opening", "sobel", "uniform_filter"],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["u1", "i4", "f8"])
def test_the_output_may_be_the_input(name: str, dtype: str) -> None:
    arguments = () if name in ("laplace", "sobel") else (1.0,) if name.startswith("gaussian") else (3,)
    x = drawn((9, 7), dtype)
    want = getattr(ndi, name)(x, *arguments)
    getattr(ndi, name)(x, *arguments, output=x)
    np.testing.assert_array_equal(x, want)


def test_scalars() -> None:
    for name, arguments in (("laplace", ()), ("gaussian_laplace", (1.0,)), ("uniform_filter", (3,))):
        assert getattr(ndi, name)(np.float64(3), *arguments) == getattr(scipy, name)(np.float64(3), *arguments)


@pytest.mark.parametrize("dtype", ["f2", "g", "c8", "c16"])
def test_holes_of_whatever_is_true(dtype: str) -> None:
    x = np.zeros((5, 5), dtype)
    x[1:4, 1:4] = 1
    x[2, 2] = 0
    np.testing.assert_array_equal(ndi.binary_fill_holes(x), scipy.binary_fill_holes(x))


@pytest.mark.parametrize("dtype", [">u2", ">f4", ">f8"])
def test_results_have_the_byte_order_that_is_asked_for(dtype: str) -> None:
    x = drawn((6, 7), "u1")
    for name in ("gaussian_filter", "median_filter", "maximum_filter", "grey_erosion"):
        got, want = (getattr(m, name)(x, 3, output=np.dtype(dtype)) for m in (ndi, scipy))
        assert got.dtype == want.dtype == np.dtype(dtype) and not got.dtype.isnative
        np.testing.assert_array_equal(got, want)


def test_ranks_of_large_integers_are_exact() -> None:
    x = np.random.default_rng(8).integers(-(2**63), 2**63, 40)
    for mode in ("reflect", "constant", "wrap"):
        want = scipy.median_filter(x, size=5, mode=mode, cval=7)
        np.testing.assert_array_equal(ndi.median_filter(x, size=5, mode=mode, cval=7), want)
    assert np.isin(ndi.rank_filter(x, 1, size=4), x).all()
