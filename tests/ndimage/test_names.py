"""Names of scipy.ndimage that are not built here are SciPy's, where that is installed."""

from __future__ import annotations

import sys

import pytest

from fastconv import ndimage as ndi

pytestmark = pytest.mark.one_isa


def test_the_import_of_a_program_can_be_replaced() -> None:
    scipy = pytest.importorskip("scipy.ndimage")
    names = scipy.__all__
    assert set(names) <= set(dir(ndi))
    assert all(getattr(ndi, name) is getattr(scipy, name) for name in names if name not in ndi.__all__)
    assert ndi.label([0, 1, 1])[1] == 1
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ndi.nothing


def test_without_scipy_an_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(AttributeError, match="pip install scipy"):
        _ = ndi.label
    assert "label" not in dir(ndi) and "gaussian_filter" in dir(ndi)
