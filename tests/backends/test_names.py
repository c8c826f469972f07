"""One name for one thing: no two modules of the backends define a class or a function of one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import fastconv

BACKENDS = Path(fastconv.__file__).parent / "backends"
CONTRACT = {"make": "numba/loops"}  # what every module of a folder has, and is found by


def defined(path: Path) -> list[str]:
    """Classes and functions of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]


def test_no_two_modules_share_a_name() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for path in sorted(BACKENDS.rglob("*.py")):
        where = path.relative_to(BACKENDS)
        for name in defined(path):
            if CONTRACT.get(name) != where.parent.as_posix():
                places[name].add(where.as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_names_are_found(tmp_path: Path) -> None:
    module = tmp_path / "x.py"
    module.write_text("class A:\n    def f(self): ...\ndef g(): ...\n")
    assert defined(module) == ["A", "g"]
