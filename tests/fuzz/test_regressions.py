"""What failed once."""

from __future__ import annotations

import numpy as np
import pytest

import fastconv as F

from .cases import Case
from .check import check
from .regressions import regressions


@pytest.mark.parametrize("case", regressions(), ids=lambda case: case.call)
def test_what_failed_once(case: Case) -> None:
    for seed in range(3):  # some checks are made now and then
        failures, _ = check(case, seed)
        assert not failures, failures[0]


def test_parameters_that_an_integer_dtype_cannot_hold() -> None:
    x = np.ones(3, np.uint8)
    for call in (lambda: F.threshold(x, 0, -1), lambda: F.hardtanh(x), lambda: F.hardtanh(x, 0, 256)):
        with pytest.raises(ValueError, match=r"parameter .* uint8 cannot hold"):
            call()
    assert F.hardtanh(x, 0, 255).dtype == np.uint8
