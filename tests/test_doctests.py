"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fastconv

README = Path(__file__).resolve().parent.parent / "README.md"
pytestmark = pytest.mark.one_isa  # says nothing about instruction sets


def _modules() -> list[str]:
    names = [m.name for m in pkgutil.walk_packages(fastconv.__path__, "fastconv.")]
    return [n for n in names if not n.startswith("fastconv.backends.") and "peer" not in n]


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str) -> None:
    for door in ("torch", "scipy", "dask"):
        if name.startswith(f"fastconv.interop.{door}"):
            pytest.importorskip(door)
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.skipif(not README.exists(), reason="needs the sources")
def test_programs_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, as a reader would; comparing takes long, and has tests of its own."""
    pytest.importorskip("numba")
    monkeypatch.setattr(fastconv, "compare", lambda *arguments, **options: "")
    programs = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.S | re.M)
    assert len(programs) > 1
    shared: dict[str, object] = {}
    for program in programs:
        exec(program, shared)
