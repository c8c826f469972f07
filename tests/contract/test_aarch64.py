"""On aarch64: kernels are those of NEON, and each of them can predict its time, workspace and errors.

Run anywhere: fastconv is made to see another architecture. What NEON's micro-kernels compute is tested by `make neon`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import platform
platform.machine = lambda: "aarch64"
from math import isfinite
import fastconv
from fastconv.backends.cython.runtime import native
from fastconv.core import machine
from fastconv.machines import host_table
from tests.contract.calls import CONVOLUTIONS, OTHERS, POOLS, requests

assert list(machine.ISAS) == list(machine.host_isas()) == ["neon"]
with fastconv.options(backend="numpy"):
    asked = [r for call in (*POOLS.values(), *CONVOLUTIONS.values(), *OTHERS.values()) for r in requests(call, 40)]
native.unavailable = lambda isa, types=None: None  # as if it were compiled
seen = set()
for request in asked:
    p = request.problem
    for kernel in request.kernels():
        if kernel.isa and request.rejects(kernel) is None:
            numbers = kernel.cost(p, host_table()), kernel.workspace(p), kernel.error(p), kernel.bound(p)
            assert all(map(isfinite, numbers)), (kernel.name, p)
            seen.add(kernel.name)
print(*seen)
"""

pytestmark = pytest.mark.one_isa


def test_kernels_of_neon() -> None:
    root = Path(__file__).resolve().parents[2]
    env = os.environ | {"FASTCONV_TABLE": "generic"}  # that of this processor says nothing of NEON
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert len([name for name in names if name.startswith("cython")]) > 20
    assert all(name.endswith("@neon") for name in names)
