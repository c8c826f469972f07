"""Layers of the package: imports point down, and `import fastconv` loads NumPy alone.

Run as a script it prints every arrow that points up and exits 1 if there is one.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "fastconv"

FLOORS = {"version": 0, "typing": 0, "core": 1, "machines": 2, "backends": 3, "dispatch": 4, "ops": 5, "signal": 5,
          "ndimage": 5, "bench": 6, "filters": 6}  # fmt: skip
TOP = 7  # the package as a whole, and its users: cli, demo, interop, training
KERNEL_NAMERS = {"dispatch/registry.py"}
# Floors below bench import NumPy and the standard library; a backend also what it is named after.
THIRD_PARTY = {"numpy", "scipy", "numba", "llvmlite", "torch", "matplotlib", "onnx", "onnxruntime", "openvino",
               "ncnn", "cv2", "sklearn", "mlxtend", "rich", "tqdm", "dask", "argparse", "PIL",
               "threadpoolctl", "cpuinfo", "ml_dtypes", "pytest"}  # fmt: skip
ALLOWED = {"backends/numba": {"numba", "llvmlite"}, "backends/numpy": {"scipy"}}


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """All nodes of a source."""
    return tuple(ast.walk(ast.parse(text)))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(module, line) of every import statement, also inside functions."""
    for node in nodes(path.read_text()):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield "." * node.level, node.lineno
            elif node.module:
                yield node.module, node.lineno
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno


def floor(parts: Sequence[str]) -> int:
    """Of a file or a module by its path inside the package; the package itself, whose path is empty, is at the top."""
    return FLOORS.get(parts[0].removesuffix(".py"), TOP) if parts else TOP


def backend(parts: Sequence[str]) -> str | None:
    """The backend that a file or module belongs to; None for what backends share."""
    if len(parts) > 1 and parts[0] == "backends" and parts[1] in ("numpy", "numba", "cython"):
        return parts[1]
    return None


def violations() -> list[str]:
    """Every import that the floors forbid, in words."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        name, parts = relative.as_posix(), relative.parts
        here, mine = floor(parts), backend(parts)
        low = here < FLOORS["bench"]
        for module, line in imports(path):
            where = f"fastconv/{name}:{line}"
            head, *rest = module.split(".")
            if module.startswith("."):
                found.append(f"{where}: relative imports hide their direction")
            elif head == "fastconv":
                there, theirs = floor(rest), backend(rest)
                if there > here:
                    found.append(f"{where}: floor {here} imports floor {there}")
                if mine and theirs and mine != theirs:
                    found.append(f"{where}: one backend imports another")
                outside = parts[0] != "backends" or (theirs and not mine)
                if low and outside and rest[:1] == ["backends"] and name not in KERNEL_NAMERS:
                    found.append(f"{where}: only the registry imports kernels")
            elif low and head in THIRD_PARTY - {"numpy", *ALLOWED.get("/".join(parts[:2]), set())}:
                found.append(f"{where}: floor {here} imports {head}")
    return list(dict.fromkeys(found))


def test_imports_point_down() -> None:
    assert violations() == []


def test_the_walk_sees_violations(tmp_path: Path, monkeypatch: object) -> None:
    """The check can fail: each kind of forbidden import is found, and nothing else."""
    good = {
        "__init__.py": "from fastconv.bench import api",
        "cli.py": "import fastconv, matplotlib",
        "bench/api.py": "import fastconv.backends",
        "dispatch/registry.py": "from fastconv.backends.numpy import conv",
    }
    bad = {
        "core/x.py": "from fastconv.ops import conv",
        "backends/numpy/x.py": "import fastconv.backends.numba.tile",
        "backends/common/x.py": "from fastconv.backends.numpy.conv import forward",
        "dispatch/x.py": "from fastconv.backends.numpy.elementwise.activation import FUNCTIONS",
        "dispatch/y.py": "from fastconv.backends.reference import conv",
        "ops/x.py": "def f():\n    import torch",
        "ops/y.py": "from . import conv",
        "ops/z.py": "import fastconv",
        "bench/x.py": "import fastconv as F",
        "bench/y.py": "from fastconv import grad",
        "filters.py": "import fastconv.cli",
    }
    for name, text in (good | bad).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)  # type: ignore[attr-defined]
    named = {v.split(":")[0] for v in violations()}
    assert named == {f"fastconv/{name}" for name in bad}


def imported() -> dict[str, set[str]]:
    """The modules of the package that each of its modules imports, wherever in the file the import stands."""
    paths = {path.relative_to(ROOT).with_suffix("").parts: path for path in ROOT.rglob("*.py")}
    modules = {".".join(("fastconv", *parts)).removesuffix(".__init__"): path for parts, path in paths.items()}
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        names = [module for module, _ in imports(path)]
        # `from a import b` yields a and a.b: a itself is needed only where b is no module.
        parents = {m.rpartition(".")[0] for m in names if m in modules}
        found[name] = {m for m in names if m in modules and m not in parents} - {name}
    return found


def cycles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, also through others."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            new = arrows[waiting.pop()] - seen
            seen |= new
            waiting += new
        return seen

    beyond = {name: reached(name) for name in arrows}
    groups = {frozenset(m for m in beyond[name] if name in beyond[m]) for name in arrows if name in beyond[name]}
    return sorted(map(sorted, groups))


def test_no_module_imports_itself_through_others() -> None:
    assert cycles(imported()) == []


def test_cycles_are_seen(tmp_path: Path, monkeypatch: object) -> None:
    texts = {
        "__init__.py": "from fastconv.bench import api",
        "bench/api.py": "def f():\n    from fastconv.bench.table import g",
        "bench/records.py": "import fastconv.core.arrays",
        "bench/table.py": "from fastconv.bench import records",
        "core/arrays.py": "",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)  # type: ignore[attr-defined]
    assert cycles(imported()) == []
    (tmp_path / "bench/records.py").write_text("if TYPE_CHECKING:\n    from fastconv.bench.api import f")
    assert cycles(imported()) == [["fastconv.bench.api", "fastconv.bench.records", "fastconv.bench.table"]]


def private_names(path: Path, theirs: set[str]) -> Iterator[str]:
    """Names with an underscore that a file imports from the package, or reads from objects of it."""
    for node in nodes(path.read_text()):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastconv"):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            names = [node.attr] if node.attr in theirs else []
        else:
            continue
        for name in names:
            if name.startswith("_") and not name.startswith("__"):
                yield f"{path.name}:{node.lineno}: {name}"


def test_bench_uses_public_names_only() -> None:
    """None that the floors below use or define; those of other libraries do not count."""
    theirs: set[str] = set()
    for path in ROOT.rglob("*.py"):
        if floor(path.relative_to(ROOT).parts) < FLOORS["bench"]:
            for node in nodes(path.read_text()):
                if isinstance(node, ast.Attribute):
                    theirs.add(node.attr)
                elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    theirs.add(node.name)
    assert {"_recipe", "_constants"} <= theirs
    found = [name for path in sorted((ROOT / "bench").rglob("*.py")) for name in private_names(path, theirs)]
    assert found == []


def test_private_names_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("from fastconv.core.arrays import _owner\nplan._recipe\nself._recipe\ntorch._C\nplan.problem")
    assert list(private_names(path, {"_recipe"})) == ["x.py:1: _owner", "x.py:2: _recipe"]


def test_import_loads_numpy_alone() -> None:
    code = (
        "import numpy.typing, sys; before = set(sys.modules); import fastconv; "
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "['fastconv']"


def test_import_loads_no_compiled_module_of_ours() -> None:
    code = (
        "import fastconv, sys; "
        "print([m for m in sys.modules if m.startswith('fastconv') and m.rsplit('.', 1)[-1].startswith('_')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


if __name__ == "__main__":
    problems = violations()
    print("\n".join(problems) or "imports point down")
    sys.exit(bool(problems))


def test_dir_shows_the_public_names_and_help_says_what_there_is() -> None:
    import fastconv

    assert dir(fastconv) == sorted([*fastconv.__all__, "filters", "ndimage"])
    words = ("conv2d", "max_pool", "gemm", "plan(", "compare(", "set_options")
    assert all(word in str(fastconv.__doc__) for word in words)
