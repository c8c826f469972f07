"""Kernels of installed packages are found by their entry points; a broken package is one warning."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_isa

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
PYTHON = r"```python\n(.*?)```"


def install(folder: Path, package: str, entries: str, metadata: bool = True) -> None:
    """The metadata of an installed package."""
    info = folder / f"{package}-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(entries)
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")


def group(line: str) -> str:
    return f"[fastconv.kernels]\n{line}\n"


def run(folder: Path, code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    command = f"import sys; sys.path.insert(0, {str(folder)!r})\n{code}"
    return subprocess.run([sys.executable, *flags, "-c", command], capture_output=True, text=True, timeout=120)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with the package of docs/extending.md."""
    source, _ = re.findall(PYTHON, DOCUMENT.read_text(), re.DOTALL)
    (table,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    name, value = re.search(r'(\w+) = "(.*)"', table).groups()  # type: ignore[union-attr]
    assert '[project.entry-points."fastconv.kernels"]' in table
    (tmp_path / "example_kernels.py").write_text(source)
    install(tmp_path, "example-kernels", group(f"{name} = {value}"))
    return tmp_path


def test_the_documents_example_runs(example: Path) -> None:
    _, use = re.findall(PYTHON, DOCUMENT.read_text(), re.DOTALL)
    (example / "example-kernels-1.5.dist-info" / "entry_points.txt").unlink()  # it is registered by hand
    done = run(example, f"{use}\nassert y.shape == (1, 4, 6, 6) and (y == 8).all()", "-W", "error")
    assert done.stderr == ""
    assert len(re.findall(r"example\.product +", done.stdout)) >= 2
    assert "example.product" in done.stdout.split("conv2d(")[-1]


def test_a_package_is_found_when_a_kernel_is_first_chosen(example: Path) -> None:
    done = run(example, """
import fastconv as F, numpy as np
assert "example_kernels" not in sys.modules and "importlib.metadata" not in sys.modules
rng = np.random.default_rng(0)
x, w = rng.normal(size=(2, 8, 5, 6)).astype("f"), rng.normal(size=(4, 8, 1, 1)).astype("f")
b = rng.normal(size=4).astype("f")
plan = F.plan(F.conv2d, x, w, b, activation="relu")
assert "example_kernels" in sys.modules
assert "example.product" in str(plan.explain())
y = F.conv2d(x, w, b, activation="relu", backend="example")
np.testing.assert_allclose(y, F.conv2d(x, w, b, activation="relu", backend="reference"), atol=1e-5)
refused = F.plan(F.conv2d, x, np.ones((4, 8, 3, 3), "f")).explain()
assert "does 1x1 kernels, stride 1, no padding" in str(refused)
backend = F.backends()["example"]
assert (backend.usable, backend.version) == (True, "1.5")
from fastconv.dispatch.extensions import extensions
(one,) = extensions()
print(one.kernel.name, one.package, one.version)
""", "-W", "error")  # fmt: skip
    assert (done.stdout, done.stderr) == ("example.product example-kernels 1.5\n", "")


FIRST = ["F.set_options(backend='example')", "F.set_options(algorithm='product')", "F.backends()"]


@pytest.mark.parametrize("first", FIRST)
def test_names_are_known_before_any_choice(example: Path, first: str) -> None:
    done = run(example, f"import fastconv as F; {first}; print('example_kernels' in sys.modules)", "-W", "error")
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_info_names_the_package(example: Path) -> None:
    done = run(example, """
from fastconv.bench import info
info.peak, info.bandwidth = lambda threads, size: (1e9, "nothing"), lambda threads: 1e9
print(info.text(info.collect()))
""", "-W", "error")  # fmt: skip
    assert "extension  example.product of conv, registered by example-kernels 1.5\n" in done.stdout


BROKEN = {
    "no module": (group("a = nowhere_at_all:K"), "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    "raises": (group("a = raising:K"), "ZeroDivisionError"),
    "exits": (group("a = exiting:K"), "SystemExit: 3"),
    "no such name": (group("a = good:NOTHING"), "AttributeError"),
    "no kernel": (group("a = good:THREE"), "TypeError: a kernel must be a fastconv.core.kernel.Kernel, got 3"),
    "a class": (group("a = good:Maximum"), "TypeError: a kernel is an object, got the class Maximum"),
    "contract": (group("a = good:BAD"), "ValueError: Bad breaks the contract of kernels: algorithm is missing"),
    "partly": (group("a = good:PARTLY"), "ValueError: Bad breaks the contract of kernels: algorithm is missing"),
    "name taken": (group("a = good:TAKEN"), "ValueError: elementwise has a kernel called numpy.blocks already"),
    "no reference": (group("a = good good"), "entry point a"),
    "damaged file": ("[fastconv.kernels]\nnothing\n", "entry_points.txt"),
}  # fmt: skip
GOOD = """
import numpy as np
from fastconv.core.kernel import Kernel
class Maximum(Kernel):
    op, backend, algorithm = "elementwise", "mine", "maximum"
    reject = lambda self, problem: None if problem.function == "relu" else "does relu only"
    cost = lambda self, problem, table: 0.0
    workspace = lambda self, problem: 0
    error = lambda self, problem: 0.0
    prepare = lambda self, problem, constants, threads: lambda x, out: np.maximum(x, 0, out=out)
class Bad(Maximum):
    algorithm = ""
class Taken(Maximum):
    backend, algorithm = "numpy", "blocks"
class Second(Maximum):
    algorithm = "second"
GOOD, BAD, PARTLY, TAKEN, THREE = Maximum(), Bad(), [Second(), Bad()], Taken(), 3
"""
WARNED = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import fastconv as F, numpy as np
    assert not caught
    y = F.relu(np.array([-1.0, 2.0]))
    F.relu(np.ones(3)), F.softmax(np.ones((2, 2)), 1)
assert y.tolist() == [0, 2]
for one in caught:
    print(one.category.__name__, one.message)
print(*(e.kernel.name for e in F.dispatch.extensions.extensions()))
"""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_one_warning_that_names_it(tmp_path: Path, name: str) -> None:
    entries, text = BROKEN[name]
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "raising.py").write_text("1 / 0\n")
    (tmp_path / "exiting.py").write_text("raise SystemExit(3)\n")
    install(tmp_path, "brokenpkg", entries)
    install(tmp_path, "zgoodpkg", group("fine = good:GOOD"))
    done = run(tmp_path, WARNED)
    assert done.stderr == ""
    warned, known = done.stdout.splitlines()
    assert warned.startswith("RuntimeWarning fastconv ignores kernels of brokenpkg, entry")
    assert text in warned
    assert known == "mine.maximum"


def test_packages_without_metadata_and_damaged_ones_of_others(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    install(tmp_path, "nameless", group("bad = good:BAD\nfine = good:GOOD"), metadata=False)
    install(tmp_path, "damaged", "[console_scripts]\nnothing\n")
    install(tmp_path, "unreadable", "")
    (tmp_path / "unreadable-1.5.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    done = run(tmp_path, WARNED)
    assert done.stderr == ""
    warned, known = done.stdout.splitlines()
    assert "a package without metadata, entry point bad = good:BAD: ValueError" in warned
    assert known == "mine.maximum"


def test_a_warning_that_is_an_error_comes_once(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    install(tmp_path, "brokenpkg", group("a = nowhere_at_all:K"))
    install(tmp_path, "zgoodpkg", group("fine = good:GOOD"))
    done = run(tmp_path, """
import fastconv as F, numpy as np
try:
    F.relu(np.ones(3))
except RuntimeWarning as e:
    print("brokenpkg" in str(e))
print(F.plan(F.relu, np.ones(3)).kernel)
""", "-W", "error")  # fmt: skip
    assert (done.stdout, done.stderr) == ("True\nmine.maximum\n", "")


def test_a_package_may_call_fastconv_and_register_while_it_is_imported(tmp_path: Path) -> None:
    body = "\nimport fastconv as F\nassert F.relu(np.array([-1.0, 2.0])).tolist() == [0, 2]\nF.register(GOOD)\n"
    (tmp_path / "good.py").write_text(GOOD + body)
    install(tmp_path, "eagerpkg", group("a = good:GOOD"))
    install(tmp_path / "again", "eagerpkg", group("a = good:GOOD"))  # the same package in a second folder
    done = run(tmp_path, f"""
sys.path.append({str(tmp_path / "again")!r})
import fastconv as F, numpy as np
print(F.plan(F.relu, np.ones(3)).kernel)
""", "-W", "error")  # fmt: skip
    assert (done.stdout, done.stderr) == ("mine.maximum\n", "")


def test_threads_that_come_first_together_all_see_packages(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(f"import time; time.sleep(0.2)\n{GOOD}")
    install(tmp_path, "slowpkg", group("a = good:GOOD"))
    done = run(tmp_path, """
from concurrent.futures import ThreadPoolExecutor
import fastconv as F, numpy as np
with ThreadPoolExecutor(4) as pool:
    print(set(pool.map(lambda i: F.plan(F.relu, np.ones(3 + i)).kernel, range(4))))
""", "-W", "error")  # fmt: skip
    assert (done.stdout, done.stderr) == ("{'mine.maximum'}\n", "")


def test_a_list_of_packages_that_cannot_be_read_is_one_warning(tmp_path: Path) -> None:
    finder = """
class Finder:
    find_spec = staticmethod(lambda *args: None)
    @staticmethod
    def find_distributions(context):
        raise OSError("out of order")
sys.meta_path.insert(0, Finder)
"""
    done = run(tmp_path, finder + WARNED)
    assert done.stderr == ""
    warned, known = done.stdout.split("\n")[:2]
    assert "all packages, whose list cannot be read: OSError: out of order" in warned
    assert known == ""
