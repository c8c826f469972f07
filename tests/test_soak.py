"""A long-running program with ever new shapes stays as large as it is; `make soak` runs a hundred times as long."""

from __future__ import annotations

import sys

import pytest

from tests.soak import LIMIT, grown

pytestmark = pytest.mark.one_isa  # says nothing about instruction sets


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system how much memory is in use")
def test_memory_does_not_grow_with_calls() -> None:
    assert grown(1500) < LIMIT
