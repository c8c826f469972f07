"""SciPy's own tests of its filters pass with our functions in their place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_isa
ROOT = Path(__file__).parents[2]


def test_scipys_tests_of_filters(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.ndimage.in_scipys_place", "-p", "no:cacheprovider"]
    command += ["--pyargs", "scipy.ndimage.tests.test_filters", "scipy.ndimage.tests.test_morphology"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # elsewhere: our own settings of pytest are not SciPy's
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) > 2000
