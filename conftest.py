"""Tests and benchmarks run after `pip install ".[all]"`, too: which compiles elsewhere, and has no pytest-timeout."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def _import_installed() -> str | None:
    """Where this folder is not compiled and an installed fastconv is, import that one; its folder."""
    if any(HERE.glob("fastconv/backends/cython/runtime/_simd.*.so")):
        return None
    path, elsewhere = sys.path, [folder for folder in sys.path if Path(folder).resolve() != HERE]
    found = PathFinder.find_spec("fastconv", elsewhere)
    if found is None:
        return None
    sys.path = elsewhere
    import fastconv

    sys.path = path
    os.environ["PYTHONSAFEPATH"] = "1"  # programs that tests start import it, too
    return str(Path(fastconv.__file__).parent)


_INSTALLED = _import_installed()


def pytest_report_header() -> str | None:
    return f"fastconv: {_INSTALLED}, as this folder is not compiled" if _INSTALLED else None


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.hasplugin("timeout"):
        parser.addini("timeout", "seconds that a test may take; pytest-timeout ends it")


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("timeout"):
        config.addinivalue_line("markers", "timeout(seconds): how long the test may take; needs pytest-timeout")
