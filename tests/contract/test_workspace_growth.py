"""Scratch levels off: an array several times as long needs no more of it."""

from __future__ import annotations

import pytest

from tests.contract import calls
from tests.contract.calls import OTHERS, POOLS, Call, requests
from tests.contract.test_workspace import cases, measured
from tests.wide import WIDE

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

MORE = 2 << 20  # blocks fit an axis better or worse, and those of narrow types are not full at the smaller extent
# Under adaptive windows a channel is not split: scratch grows with it, up to `widened.LARGEST` elements, and larger
# ones are refused.
# Iterations of binary filters have whole arrays between them, and sums of filters their parts, but for native ones.
WHOLE = {
    "adaptive_pool cython.separable_widened", "binary numpy.taps", "binary cython.runs", "separable_sum numpy.lines",
    "separable_sum numba.lines", "binary numba.bytes",
}  # fmt: skip
# What takes seconds each; `test_workspace` has all of them.
LEFT_OUT = ("matmul", "linear", "global", "grad_adaptive")


def scratch(call: Call, n: int) -> dict[str, int]:
    """Bytes that each kernel uses, of one instruction set: the others differ in the lanes of a block alone."""
    found: dict[str, int] = {}
    for request in requests(call, n):
        for kernel in request.kernels()[:-1]:
            name = f"{request.problem.op} {kernel.name.partition('@')[0]}"
            if name not in found and request.rejects(kernel) is None:
                found[name] = measured(calls.prepared(request, kernel))
    return found


def level(calls: dict[str, Call], n: int) -> list[object]:
    """Calls at an extent where most blocks are full."""
    tried = cases({name: call for name, call in calls.items() if not name.startswith(LEFT_OUT)}, n)
    return tried if WIDE else tried[::2]


@pytest.mark.parametrize(
    ("call", "n", "times"),
    [pytest.param(*p.values, times, id=p.id) for calls, n, times in  # type: ignore[attr-defined]
     ((POOLS, 6000, 4), (OTHERS, 40_000, 4)) for p in level(calls, n)],
)  # fmt: skip
def test_scratch_does_not_grow(call: Call, n: int, times: int) -> None:
    small, large = scratch(call, n), scratch(call, n * times)
    assert small.keys() & large.keys()
    grown = {
        name: (small[name], used)
        for name, used in large.items()
        if name in small and used > small[name] + MORE and name not in WHOLE
    }
    assert not grown
