"""Options of the benchmarks, seeded numbers, and their list: every case with every kernel that can do it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from problems import contenders_of, problems_of

from fastconv.bench.suites import SUITES

QUICK_FLOPS = 2e7


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fastconv")
    group.addoption("--suite", action="append", choices=list(SUITES), help="only this suite; may be repeated")
    group.addoption("--quick", action="store_true", help=f"only problems of at most {QUICK_FLOPS:.0e} operations")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pairs of a problem and a kernel, with readable ids."""
    if not {"problem", "kernel"} <= set(metafunc.fixturenames):
        return
    pairs = [
        pytest.param(str(problem), kernel, id=f"{problem}-{kernel}")  # text: reports and saved runs hold it
        for suite in metafunc.config.getoption("--suite") or SUITES
        for problem in problems_of(suite)
        if not metafunc.config.getoption("--quick") or problem.described().flops <= QUICK_FLOPS
        for kernel in contenders_of(problem)
    ]
    metafunc.parametrize(("problem", "kernel"), pairs)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2024)
