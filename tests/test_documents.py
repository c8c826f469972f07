"""The pages of docs/: what they print is what happens, rows of tables agree, names and pages have their place."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv import cli, filters, ndimage
from fastconv import typing as types

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(p for p in DOCS.glob("*.md"))
NEEDED = {"from_torch": "torch", "from_scipy": "scipy", "from_opencv": "cv2", "torch": "torch", "dask": "dask"}

pytestmark = [
    pytest.mark.one_isa,
    pytest.mark.skipif(not DOCS.exists(), reason="needs the sources"),
]


def session(page: Path) -> doctest.DocTest:
    """The Python sessions of a page, as one."""
    blocks = re.findall(r"^```python\n(>>> .*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    return doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)


def rows(page: Path) -> list[tuple[str, str]]:
    """The rows of a page's tables whose first two cells are code: what is written there, and what here."""
    table = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|[^|\n]*\|$", page.read_text(), re.MULTILINE)
    return [row for row in table if all("(" in cell or "@" in cell for cell in row)]


def agree(expected: np.ndarray, result: np.ndarray) -> bool:
    """Floats but for rounding, integers exactly."""
    if expected.shape != result.shape:
        return False
    if expected.dtype.kind == "f":
        return np.allclose(result, expected, rtol=2e-4, atol=2e-5)
    return np.array_equal(result, expected)


def ran(page: Path) -> dict[str, Any]:
    """The names of a page after its sessions, which must print what the page says."""
    pytest.importorskip(NEEDED.get(page.stem, "numpy"))
    test = session(page)
    names = test.globs
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    result = runner.run(test, clear_globs=False)
    assert result.failed == 0
    return names


@pytest.mark.parametrize("page", [p for p in PAGES if session(p).examples], ids=lambda page: page.stem)
def test_what_a_page_prints_is_what_happens(page: Path) -> None:
    names = ran(page)
    assert [row for row in rows(page) if not agree(*(np.asarray(eval(cell, names)) for cell in row))] == []


def test_tables_of_calls_are_found() -> None:
    count = {page.stem: len(rows(page)) for page in PAGES if page.stem.startswith("from_")}
    assert count.keys() == {"from_opencv", "from_scipy", "from_torch"}
    assert min(count.values()) >= 20


def listed(text: str) -> list[str]:
    """The entries of all toctrees of a page."""
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    trees += re.findall(r"^\.\. toctree::\n((?:[ ]+.*\n|\n)*)", text, re.MULTILINE)
    lines = [line.strip() for tree in trees for line in tree.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def test_every_page_is_in_one_toctree() -> None:
    pages = [*PAGES, *(DOCS / "reference").glob("*.rst")]
    found: list[str] = []
    for page in pages:
        folder = page.parent.relative_to(DOCS)
        found += [(folder / entry).as_posix() for entry in listed(page.read_text())]
    named = [page.relative_to(DOCS).with_suffix("").as_posix() for page in pages]
    assert sorted(found) == sorted({*named, "gallery/index"} - {"index"})


def documented() -> list[str]:
    """Every name that the pages of the reference list."""
    names = []
    for page in (DOCS / "reference").glob("*.rst"):
        module = ""
        for line in page.read_text().splitlines():
            if found := re.fullmatch(r"\.\. currentmodule:: (\S+)", line):
                module = found[1]
            elif module and re.fullmatch(r" {3}[A-Za-z][\w.]*", line):
                names.append(f"{module}.{line.strip()}")
    return names


def test_every_public_name_has_a_page_in_the_reference() -> None:
    public = {f"fastconv.{name}" for name in F.__all__ if name not in ("grad", "__version__")}
    public |= {f"fastconv.grad.{name}" for name in F.grad.__all__}
    public |= {f"fastconv.filters.{f.__name__}" for f in (filters.apply, *filters.FILTERS.values())}
    public |= {f"fastconv.ndimage.{name}" for name in ndimage.__all__}
    doors = [name for name in ("torch", "scipy", "dask") if find_spec(name) is not None]
    for name in doors:
        door = importlib.import_module(f"fastconv.interop.{name}")
        public |= {f"fastconv.interop.{name}.{own}" for own in door.__all__}
    names = documented()
    assert len(names) == len(set(names))
    assert public - set(names) == set()
    within = ("fastconv.core.", "fastconv.dispatch.", "fastconv.bench.")  # results, and what kernels derive from
    if len(doors) == 3:
        assert {name for name in set(names) - public if not name.startswith(within)} == set()


def test_every_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    commands = re.findall(r"^ {4}(\w+)  ", capsys.readouterr().out, re.MULTILINE)
    shown = re.findall(r"^\.\. command-help:: (\w+)$", (DOCS / "reference" / "commands.rst").read_text(), re.MULTILINE)
    assert "compare" in commands
    assert shown == commands


def test_every_type_is_described() -> None:
    source = ast.parse(Path(types.__file__).read_text()).body
    bare = [a.target.id for a, b in pairwise(source) if isinstance(a, ast.AnnAssign) and not is_text(b)]
    assert bare == []
    assert ".. automodule:: fastconv.typing" in (DOCS / "reference" / "types.rst").read_text()


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
