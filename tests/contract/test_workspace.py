"""Kernels use the `workspace` that they state: no more, not much less, and it does not grow with images."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from fastconv.core import scratch
from fastconv.dispatch.survey import fusable
from tests.contract import calls
from tests.contract.calls import CONVOLUTIONS, OTHERS, POOLS, Call, requests
from tests.wide import of_two_isas

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

SLACK = 128 << 10  # interpreter objects, buffers of NumPy's loops, and scratch on the stack of compiled kernels
LOOSE = 1 << 20  # that many more bytes than are used may be stated, above all what a plan packs beforehand
FACTOR = 4  # and that many times as many of large ones


def cases(calls: dict[str, Call], n: int) -> list[Any]:
    """Calls, and an extent at which their scratch is more than the slack."""
    return [pytest.param(call, n, id=name) for name, call in calls.items()]


def measured(run: Callable[[], None]) -> int:
    """Peak of what a run allocates, scratch included."""
    run()  # what is made once: compiled loops, tables
    scratch._shelf.free.clear()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def used_and_stated(call: Call, n: int) -> list[tuple[str, int, int]]:
    """(kernel, bytes that a run uses, bytes that it states) of every kernel but the oracle, which states nothing."""
    found = []
    for request in requests(call, n):
        for kernel in request.kernels()[:-1]:
            if of_two_isas(kernel) and request.rejects(kernel) is None:
                stated = kernel.workspace(fusable(kernel, request.problem)[0])
                found.append((kernel.name, measured(calls.prepared(request, kernel)), stated))
    assert found
    return found


@pytest.mark.parametrize(("call", "n"), cases(POOLS, 3000) + cases(CONVOLUTIONS, 60) + cases(OTHERS, 20_000))
def test_workspace_is_what_a_run_uses(call: Call, n: int) -> None:
    wrong = []
    for name, used, stated in used_and_stated(call, n):
        if used > stated + SLACK:
            wrong.append(f"{name} uses {used} bytes and states {stated}")
        if stated > FACTOR * used + LOOSE:
            wrong.append(f"{name} states {stated} bytes and uses {used}")
    assert not wrong, "\n".join(wrong)


def test_scratch_of_softmax_does_not_grow_with_long_vectors_side_by_side() -> None:
    call = OTHERS["softmax_0_f"]
    small, large = (
        {name: (used, stated) for name, used, stated in used_and_stated(call, n) if name.startswith("cython.")}
        for n in (20_000, 80_000)
    )
    for name in small:
        assert large[name][0] < small[name][0] + SLACK and large[name][1] == small[name][1], name
