"""CONTRIBUTING's recipe for an algorithm, done: the kernel in tests/recipe is added to a copy of the sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastconv.backends.cython.runtime import native

ROOT = Path(__file__).resolve().parent.parent
RECIPE = Path(__file__).with_name("recipe")
NATIVE = Path("fastconv/backends/cython")
MOST_FILES = 5  # of an algorithm, with its test
LEFT = """
import numpy as np
from fastconv.backends.cython.runtime import native
print(*(native.built("portable", np.dtype(dtype)) != 0 for dtype in "fl"))
"""
SEEN = """
import numpy as np
import fastconv as F
x, w = np.ones((1, 3, 4, 4), "f"), np.ones((3, 1, 1, 1), "f")
plan = F.plan(F.conv2d, x, w, groups=3, algorithm="cython.scale@portable")
print(F.__file__, plan.explain(), sep="\\n")
"""

pytestmark = [
    pytest.mark.one_isa,
    pytest.mark.skipif(native.build_problem() is not None, reason="needs a C compiler"),
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="needs the sources"),
]


def copy_sources(to: Path) -> None:
    """What a build needs, without the modules of other kernels, whose compilation takes minutes."""
    left_out = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "_build_report.json")
    shutil.copytree(ROOT / "fastconv", to / "fastconv", ignore=left_out)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, to)
    for path in (*(to / NATIVE).glob("*/_*.pyx"), *(to / NATIVE).glob("*/_*.c")):
        if path.suffix == ".c" or (path.parent.name != "runtime" and path.stem != "_walk"):  # which links kernels
            path.unlink()


def register(to: Path) -> None:
    """The line of the recipe that is not in a file of its own."""
    registry = to / "fastconv/dispatch/registry.py"
    text = registry.read_text(encoding="utf-8")
    module = "    from fastconv.backends.cython.conv import "
    group = "    one = ("
    assert module in text and group in text
    text = text.replace(module, f"{module}scale\n{module}", 1).replace(group, f"{group}*scale.KERNELS, ", 1)
    registry.write_text(text, encoding="utf-8")


@pytest.mark.timeout(900)
def test_an_algorithm_is_at_most_five_files(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    files = [path for path in RECIPE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    for path in files:
        target = tmp_path / path.relative_to(RECIPE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    register(tmp_path)
    assert len(files) + 1 <= MOST_FILES

    env = os.environ | {"FASTCONV_ISAS": "portable_f32 portable_i64", "FASTCONV_REQUIRE_NATIVE": "1", "CFLAGS": "-O0"}
    env["PYTHONPATH"] = str(tmp_path)
    env.pop("FASTCONV_SANITIZE", None)

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    python("setup.py", "-q", "build_ext", "--inplace")
    where, explained = python("-c", SEEN).split("\n", 1)
    assert where.startswith(str(tmp_path))
    assert "cython.scale@portable" in explained
    python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "float32", "tests/backends/cython/test_scale.py")

    env["FASTCONV_ISAS"] = "portable_f32"  # a build with fewer tables links again
    python("setup.py", "-q", "build_ext", "--inplace")
    assert python("-c", LEFT).split() == ["True", "False"]
