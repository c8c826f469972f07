"""Shared by all tests: measured choices do not leak from one to another, and tests of one kernel run once."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["FASTCONV_WISDOM"] = ""  # tests must not depend on what was measured on this machine
os.environ["FASTCONV_RATES"] = ""  # nor on what was fitted
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it for what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no child would see Ctrl-C

from fastconv.backends.cython.runtime import native
from fastconv.core.kernel import Kernel
from fastconv.core.machine import host_isas
from fastconv.dispatch import wisdom
from fastconv.dispatch.plan import clear_cache
from tests.wide import WIDE

collect_ignore = ["recipe"]  # its test is run in the copy that test_recipe.py makes


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A run under a cap does not import modules that hold tests of one instruction set only."""
    if config.option.markexpr != "not one_isa" or not collection_path.match("test_*.py"):
        return None
    marked = r"^pytestmark = (\[[^\]]*)?pytest\.mark\.one_isa\b"
    return True if re.search(marked, collection_path.read_text(), re.MULTILINE) else None


def kernels_of(item: pytest.Item) -> list[Kernel[Any]]:
    """The kernels that a test has as parameters."""
    parameters = getattr(item, "callspec", None)
    return [] if parameters is None else [one for one in parameters.params.values() if isinstance(one, Kernel)]


def pytest_itemcollected(item: pytest.Item) -> None:
    """A test of one kernel names the instruction set: under a cap it would only repeat itself or be skipped."""
    if kernels_of(item):
        item.add_marker(pytest.mark.one_isa)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of single kernels are left out that have nothing to run."""
    if left := [item for item in items if any(map(left_out, kernels_of(item)))]:
        config.hook.pytest_deselected(items=left)
        out = set(left)
        items[:] = [i for i in items if i not in out]


def left_out(kernel: Kernel[Any]) -> bool:
    """Numba's kernels of narrower instruction sets are for wide runs: the same Python, compiled again for minutes.

    Native ones are not there in a build with ``FASTCONV_ISAS``, as of this processor's widest instruction set alone.
    """
    if kernel.backend == "numba":
        return not WIDE and kernel.isa in host_isas()[1:]
    reason = native.unavailable(kernel.isa) if kernel.backend == "cython" and kernel.isa in host_isas() else None
    return reason is not None and "without FASTCONV_ISAS" in reason


def pytest_collection_finish() -> None:
    """Tens of thousands of tests stay alive: a full collection that looked at them again would take half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_choices() -> Iterator[None]:
    """No test sees another's measurements."""
    yield
    wisdom.clear()
    clear_cache()
