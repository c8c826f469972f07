"""What pyproject.toml sets for a plugin is known without it, too: `pip install ".[all]"` has no pytest-timeout."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.hasplugin("timeout"):
        parser.addini("timeout", "seconds that a test may take; pytest-timeout ends it")


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.hasplugin("timeout"):
        config.addinivalue_line("markers", "timeout(seconds): how long the test may take; needs pytest-timeout")
