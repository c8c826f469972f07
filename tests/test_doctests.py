"""The examples in docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import fastconv


def _modules() -> list[str]:
    names = [m.name for m in pkgutil.walk_packages(fastconv.__path__, "fastconv.")]
    return [n for n in names if not n.startswith("fastconv.backends.") and "peer" not in n]


@pytest.mark.parametrize("name", _modules())
def test_examples(name: str) -> None:
    if name.startswith("fastconv.interop.torch"):
        pytest.importorskip("torch")
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


def test_every_operation_has_an_example() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    for name in fastconv.__all__:
        function = getattr(fastconv, name)
        if getattr(function, "__module__", "").startswith("fastconv.ops."):
            assert any(t.examples for t in finder.find(function, name)), f"{name} has no runnable example"
