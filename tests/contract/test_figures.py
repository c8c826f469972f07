"""What kernels state about a problem is a figure that a choice can be based on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fastconv.core.kernel import Kernel
from fastconv.core.problems.base import is_half
from fastconv.machines import host_table
from tests.contract.cases import EVERY, every_kernel, large, small, small_of, taken

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name

LARGEST = 64 << 20  # bytes of scratch


@every_kernel
def test_figures_are_sane(op: str, kernel: Kernel[Any]) -> None:
    for case in (*small_of(op, kernel), *taken(large()[op], kernel)):
        p = case.problem
        seconds = kernel.cost(p, host_table())
        assert 0 <= seconds < 100, str(p)
        assert seconds > 0 or p.flops == 0, str(p)
        if op == "conv":
            assert kernel.cost(replace(p, packed=True), host_table()) <= seconds * 1.0001, str(p)
        assert 0 <= kernel.workspace(p) < LARGEST, str(p)
        assert kernel.total_workspace(p, 3) >= kernel.workspace(p), str(p)
        assert 0 <= kernel.error(p) < (1e-2 if is_half(p.dtype) else 1e-3), str(p)
        assert kernel.bound(p) >= 0, str(p)
        assert all(far >= 0 for far in kernel.reach(p)), str(p)


def of_this_machine(reason: str | None) -> bool:
    """Whether a kernel might take the problem elsewhere, or in a build of all instruction sets."""
    elsewhere = "not available", "this CPU", "does not allow AMX", "without FASTCONV_ISAS"
    return reason is not None and any(words in reason for words in elsewhere)


def test_every_kernel_has_a_case() -> None:
    """Unless this machine is the reason; `test_empty_axes` has the cases of `empty`."""
    left = [(op, k) for op, k in EVERY if not small_of(op, k) and not taken(large()[op], k) and k.algorithm != "empty"]
    lacking = [f"{op} {k.name}" for op, k in left if not any(of_this_machine(k.reject(c.problem)) for c in small()[op])]
    assert lacking == []
