"""Micro-kernels against plain loops in C, on an instruction set that no CPU has: bodies depend on traits only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wide import WIDE

ROOT = Path(__file__).resolve().parents[3]
RUN = ROOT / "tests" / "micro" / "run.sh"

pytestmark = [
    pytest.mark.one_isa,
    pytest.mark.skipif(shutil.which("gcc") is None or sys.platform != "linux", reason="needs gcc on Linux"),
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the sources"),
]


@pytest.mark.timeout(600)
def test_micro_kernels_of_an_invented_instruction_set() -> None:
    env = os.environ | {"PYTHON": sys.executable, "TYPES": "" if WIDE else "f32"}  # `make micro`: all
    done = subprocess.run(["sh", str(RUN), "invented"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
