"""A short run of the fuzzer, the same cases each time; `make fuzz` draws others for as long as you like."""

from __future__ import annotations

import pytest

from .check import Failure, check
from .generate import generate

CHUNKS, CASES = 40, 100


def awaited(f: Failure) -> bool:
    """What is known, and goes with the next change of the kernels of convolution; nothing else may fail.

    Weights that are not finite meet padding zeros in some kernels and not in others.
    """
    return f.kind == "not finite" and "conv" in f.case.call


@pytest.mark.one_isa  # every instruction set of this machine is tried
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_generated_cases(chunk: int) -> None:
    failures = [f for seed in range(chunk * CASES, (chunk + 1) * CASES) for f in check(generate(seed), seed)[0]]
    failures = [f for f in failures if not awaited(f)]
    assert not failures, f"{len(failures)} failures, as\n{failures[0]}"
