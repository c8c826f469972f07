"""`fastconv backends`: lines are counted as they are, and every backend that can has a row with numbers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import fastconv as F
from fastconv.backends.cython.runtime import native
from fastconv.bench import backends_page as page
from fastconv.bench.suites import Case
from fastconv.bench.work import outline
from fastconv.cli import main

SMALL = (
    Case("small pooling", "avg_pool2d", ((1, 2, 8, 8),), (2,)),
    Case("small softmax", "softmax", ((3, 20),), (1,)),
)


def test_a_table_has_every_backend(monkeypatch, capsys):
    monkeypatch.setattr(page, "OPERATIONS", SMALL)
    assert main(["backends", "--quick"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["operation", "backend", "code", "first", "call", "a", "call", "one", "run", "dtypes"]
    rows = [line[13:].split() for line in lines[:6]]
    assert [row[0] for row in rows] == ["cython", "numba", "numpy"] * 2
    assert rows[4] == ["numba", "-", "-", "-", "-", "-"]  # it has no softmax
    assert int(rows[2][1]) > 20 and "f4 f8 f2 bf16" in lines[2]
    assert any("small pooling: avg_pool2d 1x2x8x8" in line for line in lines)


def test_a_dtype_whose_package_is_missing_is_left_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert " ".join(page._dtypes(SMALL[0], "numpy")) == "f4 f8 f2 i8"


def test_the_documents_hold_a_table_of_these_operations():
    document = Path(F.__file__).parents[1] / "docs" / "choosing.md"
    if not document.exists():
        pytest.skip("needs the sources")
    text = document.read_text()
    for case in page.OPERATIONS:
        assert f"\n{case.name} " in text and f"\n{case.name}: {case.operation} " in text


@pytest.mark.skipif(native.build_problem() is not None, reason="not compiled")
def test_lines_of_code_are_those_of_a_kernel_and_what_it_needs():
    plan = outline(F.conv2d, (F.Spec((1, 8, 9, 9), "f4"), F.Spec((8, 8, 3, 3), "f4")), {})
    kernels = {c.kernel.name.partition("@")[0]: c.kernel for c in plan.explain().candidates}
    names = {path.name for path in page._sources(kernels["cython.direct"])}
    assert {"direct.py", "_direct.pyx"} <= names and any(name.endswith(".inc") for name in names)
    assert not {"native.py", "kernel.py"} & names
    assert page.lines_of(kernels["numpy.im2col"]) < page.lines_of(kernels["cython.direct"])


def test_comments_do_not_count(tmp_path: Path):
    python, c = tmp_path / "a.py", tmp_path / "a.inc"
    python.write_text('"""About\n\nit."""\n\n# why\nx = 1  # what\ny = """\ntext"""\n')
    c.write_text("/* about\n   it */\n\nint x; /* what */\n")
    assert (page._code(python), page._code(c)) == (3, 1)


def test_the_first_call_is_that_of_a_new_process():
    assert page._first_call(Case("avg pooling", "avg_pool2d", ((1, 2, 8, 8),), (2,)), "numpy") > 0
