"""For all tests: helper modules of this folder are importable, measured choices do not leak between tests."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ["FASTCONV_WISDOM"] = ""  # tests must not depend on what was measured on this machine
os.environ["FASTCONV_RATES"] = ""  # nor on what was fitted
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells have it for what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or no child would see Ctrl-C

from fastconv.dispatch import wisdom
from fastconv.dispatch.plan import clear_cache


@pytest.fixture(autouse=True)
def fresh_choices() -> Iterator[None]:
    """No test sees another's measurements."""
    yield
    wisdom.clear()
    clear_cache()
