"""A plugin of pytest: tests of other packages run with fastconv's functions under SciPy's.

It fails a run in which most calls were left to SciPy.
"""

from collections.abc import Iterator

import pytest

from fastconv.interop.scipy import patch, report


@pytest.fixture(autouse=True, scope="session")
def patched() -> Iterator[None]:
    with patch():
        yield
    found = report()
    print(found)
    assert found.calls > 3 * found.fallbacks
