"""Powers of the NumPy backend against those of C, special values included."""

from __future__ import annotations

import numpy as np
import pytest

from fastconv.backends.numpy.pool.powers import power

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets

VALUES = np.array([0.0, -0.0, 1.0, -1.0, 0.3, -0.3, 7.5, -7.5, 1e-30, 3e38, -3e38, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("exponent", [1, 2, 3, 5, 8, 9, 10, 0, -1, -2, -3, 0.5, 1 / 3, 2.5, -0.5, -2 / 3, 1e3])
def test_powers_are_those_of_c(exponent: float, dtype: str) -> None:
    with np.errstate(all="ignore"):
        v = VALUES.astype(dtype)
        wanted = np.power(v.astype(np.float64), float(exponent))
        found = power(v, float(exponent))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-15 * max(4, abs(exponent)))
    whole = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[whole]), np.signbit(wanted[whole]))
