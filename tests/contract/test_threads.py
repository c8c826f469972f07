"""The number of threads changes no bit, in any kernel."""

from __future__ import annotations

from typing import Any

import pytest

from fastconv.core.kernel import Kernel
from tests.contract.cases import EVERY, bits, for_each, large, small_of, taken
from tests.wide import of_two_isas

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name


@for_each((op, k) for op, k in EVERY if of_two_isas(k))  # items are split alike for all
def test_threads_do_not_change_bits(op: str, kernel: Kernel[Any]) -> None:
    for cases, counts in ((small_of(op, kernel), (3,)), (taken(large()[op], kernel), (2, 7))):
        for case in cases:
            one = bits(case.run(kernel))
            for threads in counts:
                assert bits(case.run(kernel, threads)) == one, f"{threads} threads: {case}"
