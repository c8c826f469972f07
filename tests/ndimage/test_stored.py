"""Results as SciPy has them: bools are bytes, which wrap at 256, and one axis hands on to the next what it stores."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.ndimage

import fastconv.ndimage as ndi
from fastconv.interop.scipy import patch

CASES: dict[str, dict[str, Any]] = {
    "sobel": {},
    "prewitt": {"axis": 0},
    "laplace": {},
    "gaussian_filter": {"sigma": 0.7, "order": 1},
    "gaussian_filter1d": {"sigma": 0.5, "order": 2},
    "gaussian_laplace": {"sigma": 0.5},
    "correlate": {"weights": np.arange(-4.0, 5).reshape(3, 3) * 40},
    "convolve1d": {"weights": [-100.0, 0.4, 256.0]},
    "uniform_filter": {"size": (3, 2)},
    "uniform_filter1d": {"size": 3},
    "maximum_filter": {"size": 3},
    "minimum_filter1d": {"size": 2},
    "grey_dilation": {"footprint": [[1, 0], [0, 1]]},
    "grey_erosion": {"structure": [[1, 0], [-1, 256]]},
    "median_filter": {"size": 3},
    "rank_filter": {"rank": 1, "size": 4},
    "percentile_filter": {"percentile": 70, "footprint": [[1, 0], [0, 1], [1, 1]]},
}


def images() -> list[np.ndarray]:
    """A mask, and numbers of which many are multiples of 256 or fractions."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.integers(-9, 10, (11, 8)) * 128.0, rng.normal(0, 2, (11, 9))], 1)
    return [rng.random((13, 17)) < 0.5, x.astype(np.int16), x.astype(np.float32), x]


@pytest.mark.one_isa
@pytest.mark.parametrize("name", CASES)
def test_bools_are_those_of_scipys_bytes(name: str) -> None:
    ours, theirs = getattr(ndi, name), getattr(scipy.ndimage, name)
    for x, given in itertools.product(images(), (False, True)):
        want = theirs(x, output=np.empty(x.shape, bool), **CASES[name]).view(np.uint8)
        out = np.zeros(x.shape, bool) if given else bool
        got = ours(x, output=out, **CASES[name])
        assert got.dtype == bool and (got is out or not given)
        if name != "grey_erosion":  # whose bytes are SciPy's
            assert got.view(np.uint8).max() <= 1
        np.testing.assert_array_equal(got.view(np.uint8) != 0, want != 0)
        with patch():
            np.testing.assert_array_equal(theirs(x, output=bool, **CASES[name]).view(np.uint8) != 0, want != 0)
    mask = images()[0]
    np.testing.assert_array_equal(ours(mask, **CASES[name]), theirs(mask, **CASES[name]).view(np.uint8) != 0)


def test_passes_that_scipy_makes_itself_hand_on_bytes() -> None:
    """As those of scikit-image, which calls `correlate1d` for each axis."""
    mask = images()[0]
    made = [np.empty(mask.shape, bool) for _ in range(2)]
    for patched, out in enumerate(made):
        if patched:
            with patch():
                scipy.ndimage.correlate1d(mask, [-1, 0, 1], 0, out)
                scipy.ndimage.correlate1d(out, [1, 2, 1], 1, out)
        else:
            scipy.ndimage.correlate1d(mask, [-1, 0, 1], 0, out)
            scipy.ndimage.correlate1d(out, [1, 2, 1], 1, out)
    np.testing.assert_array_equal(made[1].view(np.uint8), made[0].view(np.uint8))


@pytest.mark.one_isa
def test_masks_without_elements_stay_masks() -> None:
    empty = np.zeros((0, 4), bool)
    assert ndi.grey_erosion(empty, structure=np.ones((3, 3))).dtype == bool


@pytest.mark.one_isa
def test_the_first_and_the_last_of_ranks_are_extrema_of_what_each_axis_stores() -> None:
    """So are SciPy's: one axis hands on to the next what the dtype of the result holds of it."""
    x = np.random.default_rng(5).integers(0, 1 << 16, (17, 19)).astype(np.uint16)
    for rank, size, mode in itertools.product((0, -1), (4, (3, 1)), ("constant", "reflect")):
        given: dict[str, Any] = {"rank": rank, "size": size, "mode": mode, "cval": 1.0, "output": np.int16}
        np.testing.assert_array_equal(ndi.rank_filter(x, **given), scipy.ndimage.rank_filter(x, **given))
