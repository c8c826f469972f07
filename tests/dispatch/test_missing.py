"""Where native kernels are missing, the first call that would have used them says so: once, why, and what helps."""

import json
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastconv as F
from fastconv.backends.cython.runtime import native
from fastconv.dispatch import missing
from fastconv.dispatch.plan import clear_cache

pytestmark = pytest.mark.one_isa


@pytest.fixture
def without_native(monkeypatch):
    """As in sources that were not compiled."""
    reason = "not compiled: no working C compiler: 'gcc' was tried"
    monkeypatch.setattr(native, "unavailable", lambda isa, types=None: reason)
    monkeypatch.setattr(native, "build_problem", lambda: reason)
    monkeypatch.setattr(missing, "_warned", False)
    clear_cache()


def test_the_first_call_warns_and_no_other(without_native):
    with pytest.warns(F.FastconvWarning, match="without its fastest native kernels.*'gcc' was tried") as caught:
        y = F.conv2d(np.ones((1, 1, 4, 4), "f"), np.ones((1, 1, 3, 3), "f"))
    assert [w.filename for w in caught] == [__file__]  # the user's line
    np.testing.assert_array_equal(y, np.full((1, 1, 2, 2), 9, "f"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.max_pool2d(np.ones((1, 1, 4, 4), "f"), 2)
        F.conv2d(np.ones((1, 1, 5, 5), "f"), np.ones((1, 1, 3, 3), "f"))


def test_who_names_another_backend_is_not_warned(without_native):
    F.conv2d(np.ones((1, 1, 4, 4), "f"), np.ones((1, 1, 3, 3), "f"), backend="numpy")
    assert not missing._warned


def test_the_reason_names_the_remedy(tmp_path: Path, monkeypatch):
    package = tmp_path / "fastconv" / "backends" / "cython"
    (package / "runtime").mkdir(parents=True)
    (tmp_path / "setup.py").touch()
    monkeypatch.setattr(native, "BACKEND", package)
    monkeypatch.setattr(native, "REPORT", package / "_build_report.json")
    error = ImportError("no module")
    assert f"pip install -e {tmp_path}" in native._build_failure(error)
    (package / "runtime" / "_simd.cpython-39-other.so").touch()
    assert "for another Python, as _simd.cpython-39-other.so" in native._build_failure(error)
    (package / "runtime" / f"_simd{native.EXTENSION_SUFFIXES[0]}").touch()
    assert native._build_failure(error) == "no module"
    (package / "_build_report.json").write_text(json.dumps({"reason": "no compiler"}))
    assert native._build_failure(error).startswith("no compiler (")


def test_settings_of_missing_plugins_are_known():
    """As after ``pip install ".[all]"``, which brings pytest but not its timeouts."""
    root = Path(F.__file__).parents[1]
    if not (root / "pyproject.toml").exists():
        pytest.skip("needs the sources")
    command = ["-m", "pytest", "-p", "no:timeout", "-p", "no:cacheprovider", "-q", "--collect-only"]
    found = subprocess.run([sys.executable, *command, "tests/test_soak.py"], cwd=root, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


def test_an_editable_install_is_a_path():
    """So that Python in the sources, and type checkers anywhere, find the package that was compiled."""
    project = Path(F.__file__).parents[1] / "pyproject.toml"
    if not project.exists():
        pytest.skip("needs the sources")
    assert tomllib.loads(project.read_text())["tool"]["setuptools"]["package-dir"] == {"": "."}
    readme = (project.parent / "README.md").read_text()
    installs = [line for line in readme.splitlines() if line.startswith("    python3 -m venv")]
    assert installs and all("pip install -e " in line for line in installs)
