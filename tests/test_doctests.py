"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import fastconv

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
