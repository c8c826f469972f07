"""A plugin of pytest: tests of other packages run with fastconv's functions under SciPy's.

It fails a run in which most calls were left to SciPy.  Of each test's cases every second one runs: all of them run on
fastconv.ndimage, see tests/ndimage/test_scipys_tests.py.  FASTCONV_WIDE=1 runs all.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from fastconv.interop.scipy import patch, report
from tests.wide import WIDE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave every second case of a test out, but none that is the only one."""
    if not WIDE:
        seen: Counter[str] = Counter()
        kept = []
        for item in items:
            name = item.nodeid.partition("[")[0]
            if seen[name] % 2 == 0:
                kept.append(item)
            seen[name] += 1
        items[:] = kept


@pytest.fixture(autouse=True, scope="session")
def patched() -> Iterator[None]:
    with patch():
        yield
    found = report()
    print(found)
    assert found.calls > 3 * found.fallbacks
