"""scikit-image's filters give the same results under the patch of SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("skimage", reason="pip install scikit-image")
from skimage import feature, filters, morphology

from fastconv.interop.scipy import patch, report

pytestmark = [pytest.mark.one_isa, pytest.mark.filterwarnings("ignore")]

CALLS: dict[str, Callable[[Any], Any]] = {
    "gaussian": lambda x: filters.gaussian(x, 1.5),
    "sobel": filters.sobel,
    "prewitt": filters.prewitt_h,
    "median": lambda x: filters.median(x, morphology.disk(2)),
    "threshold_local": lambda x: filters.threshold_local(x, 11),
    "canny": lambda x: feature.canny(x, 1),
    "corner_harris": feature.corner_harris,
    "peak_local_max": lambda x: feature.peak_local_max(x, min_distance=3),
}


@pytest.mark.parametrize("name", CALLS)
def test_results_are_the_same(name: str) -> None:
    x = np.random.default_rng(0).random((60, 70))
    expected = CALLS[name](x)
    with patch():
        np.testing.assert_allclose(CALLS[name](x), expected, rtol=1e-11, atol=1e-13)
    assert report().calls > 0
