"""The bits of an image, a row or an element do not depend on the others, in any compiled kernel.

Products of matrices are in `test_bits`: there several kernels share an order of summation.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from fastconv.core.kernel import Kernel
from tests.contract.cases import EVERY, Case, bits, drawn, for_each, small, taken
from tests.problems import lay
from tests.wide import of_two_isas, share

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

# The field that counts what is independent along the first axis of x and of the results, and which constants have it.
FIELDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "conv": ("n", ()),
    "pool": ("n", ()),
    "adaptive_pool": ("n", ()),
    "pool_backward": ("n", (0, 1)),
    "adaptive_pool_backward": ("n", (0,)),
    "max_unpool": ("n", (0,)),
    "max_unpool_backward": ("n", (0,)),
    "elementwise": ("size", (0, 1)),
    "elementwise_backward": ("size", (0, 1, 2)),
    "softmax": ("outer", ()),
    "softmax_backward": ("outer", (0,)),
    "loss": ("n", (0,)),
    "loss_backward": ("n", (0, 1)),
    "pad": ("n", ()),
    "pad_backward": ("n", ()),
    "fold": ("n", ()),
}
IMAGES = [op for op, (field, _) in FIELDS.items() if field == "n" and op not in ("conv", "loss", "loss_backward")]
# Loops of NumPy and BLAS depend on sizes; kernels that only move or compare data, or add in a fixed order, do not.
OURS = [(op, k) for op, k in EVERY if op in FIELDS and (k.backend != "numpy" or op in IMAGES)]
PARTS = ((0, 1), (1, 3), (4, 5))  # fifths


def is_independent(p: Any) -> bool:
    """Whether results along the first axis are computed each from its own part of the arrays."""
    in_rows = getattr(p, "function", None) == "glu" or (p.op, getattr(p, "function", None)) == ("elementwise", "prelu")
    return not getattr(p, "weights_wanted", False) and getattr(p, "reduction", "none") == "none" and not in_rows


@cache
def of_five(case: Case) -> Case:
    """The same problem for five images or rows, unless it has more; flat arrays stay as they are."""
    field, along = FIELDS[case.problem.op]
    if field == "size" or case.x.shape[0] > 5:
        return case

    def five(a: np.ndarray) -> np.ndarray:
        repeated = np.repeat(a[:1], 5, axis=0)
        if case.pictures:
            repeated = lay(repeated, case.problem.layout)
        return drawn(repeated, 1) if a.dtype.kind not in "iub" else repeated

    constants = tuple(five(c) if i in along and c is not None else c for i, c in enumerate(case.constants))
    return Case(replace(case.problem, **{field: 5}), five(case.x), constants)


def part(case: Case, lo: int, hi: int) -> Case:
    field, along = FIELDS[case.problem.op]
    constants = tuple(c[lo:hi] if i in along and c is not None else c for i, c in enumerate(case.constants))
    return Case(replace(case.problem, **{field: hi - lo}), case.x[lo:hi], constants)


@for_each((op, k) for op, k in OURS if of_two_isas(k))
def test_a_batch_does_not_change_the_bits_of_its_parts(op: str, kernel: Kernel[Any]) -> None:
    for case in share(kernel, small()[op]):
        if not is_independent(case.problem) or not case.x.size or not all(a.size for a in case.outs()):
            continue
        for whole in taken([of_five(case)], kernel):
            results = whole.run(kernel)
            unit = whole.x.shape[0] // 5
            for first, last in PARTS:
                lo, hi = first * unit + (unit > 1), last * unit  # not where vectors begin
                one = part(whole, lo, hi)
                assert kernel.reject(one.problem) is None
                assert bits(one.run(kernel)) == bits(tuple(r[lo:hi] for r in results)), f"{lo} to {hi} of {whole}"
