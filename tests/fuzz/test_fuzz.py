"""A short run of the fuzzer, the same cases each time; `make fuzz` draws others for as long as you like.

FASTCONV_WIDE=1 tries 4,000 cases.
"""

from __future__ import annotations

import pytest

from tests.wide import WIDE

from .check import check
from .generate import generate

CHUNKS, CASES = 40 if WIDE else 6, 100


@pytest.mark.one_isa  # every instruction set of this machine is tried
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_generated_cases(chunk: int) -> None:
    failures = [f for seed in range(chunk * CASES, (chunk + 1) * CASES) for f in check(generate(seed), seed)[0]]
    assert not failures, f"{len(failures)} failures, as\n{failures[0]}"
