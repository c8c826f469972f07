"""The SciPy door: results of SciPy's functions under the patch, and what `patch` does to a process."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv
from fastconv.core.errors import UnsupportedError

pytest.importorskip("scipy")
from scipy import ndimage
from scipy.ndimage import _nd_image

from fastconv.interop.scipy import patch, patching, report, served, unpatch, whole

pytestmark = pytest.mark.one_isa
ROOT = Path(__file__).parents[2]
DTYPES = ("bool", "uint8", "int8", "uint16", "int32", "int64", "uint64", "float32", "float64")
W = np.array([0.5, 2.0, -1.0, 0.25])

FOOTPRINT = np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 1], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0]], bool)
HEIGHTS = np.arange(20.0).reshape(4, 5) % 7 - 2

Call = Callable[[Any, Any, int], tuple[Any, ...]]

# Calls of compiled functions, of (input, output, SciPy's code of a mode).
CALLS: dict[str, list[Call]] = {
    "_nd_image.correlate1d": [
        lambda x, y, mode: (x, W, 1, y, mode, 7.0, 1),
        lambda x, y, mode: (x, W[:3], 0, y, mode, 7.0, 0),
        lambda x, y, mode: (x, np.arange(31.0), 0, y, mode, 3.0, -15),
    ],
    "_nd_image.uniform_filter1d": [
        lambda x, y, mode: (x, 4, 1, y, mode, 7.0, -2),
        lambda x, y, mode: (x, 25, 0, y, mode, 2.0, 3),
    ],
    "_nd_image.min_or_max_filter1d": [
        lambda x, y, mode: (x, 4, 1, y, mode, 7.0, 1, 1),
        lambda x, y, mode: (x, 25, 0, y, mode, 50.0, 0, 0),
    ],
    "_nd_image.correlate": [
        lambda x, y, mode: (x, HEIGHTS, y, mode, 7.0, [1, -2]),
        lambda x, y, mode: (x, np.ones((3, 3)), y, mode, 0.0, [0, 0]),
    ],
    "_nd_image.min_or_max_filter": [
        lambda x, y, mode: (x, FOOTPRINT, None, y, mode, 7.0, [1, -2], 1),
        lambda x, y, mode: (x, FOOTPRINT, HEIGHTS, y, mode, 7.0, [0, 0], 0),
    ],
    "_nd_image.rank_filter": [
        lambda x, y, mode: (x, 3, FOOTPRINT, y, mode, 7.0, [1, -2]),
        lambda x, y, mode: (x, 4, np.ones((3, 3), bool), y, mode, 7.0, [0, 0]),
    ],
    "_morphology._binary_erosion": [
        lambda x, y, mode: (x, FOOTPRINT, 1 + mode % 3, x > 20, y, mode % 2, [1, -2], mode % 2, True, (0, 1)),
        lambda x, y, mode: (x, None, 1 + mode % 3, None, y, 1, 0, mode % 2, False, None),
    ],
    "_rank_filter_1d.rank_filter": [lambda x, y, mode: (x, 2, 7, y, mode, x.dtype.type(7), 1)],
}
CASES = [(name, call) for name, calls in CALLS.items() for call in calls]


def name_of(e: patching.Entry) -> str:
    return f"{e.module}.{e.name}"


def entry(name: str) -> patching.Entry:
    return next(e for e in patching.ENTRIES if name_of(e) == name)


def original(name: str) -> Any:
    module, function = name.split(".")
    return getattr(importlib.import_module(f"scipy.ndimage.{module}"), function)


def backend_of(name: str) -> str:
    """What has no compiled kernel is left to SciPy, unless NumPy's is chosen."""
    return "numpy" if name == "_nd_image.min_or_max_filter" else "auto"


def is_of_lines(name: str) -> bool:
    return name.startswith("_rank_filter_1d")


def image(dtype: str, shape: tuple[int, ...] = (9, 11)) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal(shape) * 50 if dtype.startswith("float") else rng.integers(0, 100, shape)).astype(dtype)


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    if ours.dtype.kind != "f":
        np.testing.assert_array_equal(ours, theirs)
        return
    scale = max(1.0, float(np.abs(theirs).max()))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=scale * (2e-6 if ours.dtype == np.float32 else 1e-13))


def test_every_replaced_function_has_calls_here() -> None:
    assert set(CALLS) == set(map(name_of, patching.ENTRIES))


@pytest.mark.parametrize("mode", range(len(served.MODES)))
@pytest.mark.parametrize(("name", "call"), CASES)
def test_replaced_functions_do_what_scipys_do(name: str, call: Call, mode: int) -> None:
    theirs, ours, lines = original(name), entry(name).serve, is_of_lines(name)
    if lines and mode > 4:
        pytest.skip("not passed to it")
    for dtype in ("int64", "float32", "float64") if lines else DTYPES:
        for out in {dtype} if lines else {dtype, "float64"}:
            x = image(dtype, (40,) if lines else (9, 11))
            made = [np.zeros(x.shape, out) for _ in range(2)]
            theirs(*call(x, made[0], mode))
            with fastconv.options(backend=backend_of(name)):
                assert ours(*call(x, made[1], mode)) is None
            agree(made[1], made[0])


@pytest.mark.parametrize(("name", "call"), CASES)
def test_layouts_and_results_in_the_input(name: str, call: Call) -> None:
    shape = (44,) if is_of_lines(name) else (9, 11)
    x, usual = image("float32", shape), np.zeros(shape, "float32")

    def ours(*arguments: Any) -> str | None:
        with fastconv.options(backend=backend_of(name)):
            return entry(name).serve(*arguments)

    assert ours(*call(x, usual, 2)) is None
    strided, read_only = np.zeros([2 * n for n in shape], "float32")[(slice(None, None, -2),) * x.ndim], x.copy()
    strided[...] = x
    read_only.flags.writeable = False
    moved = np.frombuffer(b" " + x.tobytes(), "float32", offset=1).reshape(shape)
    for given in (strided, read_only, np.asfortranarray(x), moved):
        result = np.zeros((*shape, 2), "float32")[..., 1]
        assert ours(*call(given, result, 2)) is None
        np.testing.assert_array_equal(result, usual)
    assert ours(*call(x, read_only, 2)) == "the result is read-only"
    np.testing.assert_array_equal(read_only, x)
    assert ours(*call(x, x, 2)) is None  # SciPy filters in place along one axis after the other
    np.testing.assert_array_equal(x, usual)


def test_lines_that_scipy_orders_otherwise_are_its_own(patched: None) -> None:
    large, nan = np.arange(9) + (1 << 60), np.arange(9.0)
    nan[4] = np.nan
    np.testing.assert_array_equal(ndimage.median_filter(large, 3)[1:-1], large[1:-1])
    ndimage.median_filter(nan, 3)
    ndimage.median_filter(np.arange(99.0), 41)
    rows = {row.function: row for row in report().rows}
    assert rows["_rank_filter_1d.rank_filter"].fallbacks == {
        "numbers beyond 2^53": 1, "a line that has NaN": 1, "a long window, for which SciPy's method takes less": 1
    }  # fmt: skip


def test_what_has_no_compiled_kernel_is_left_to_scipy(patched: None) -> None:
    x = image("uint8")
    ndimage.grey_erosion(x, structure=HEIGHTS)
    with fastconv.options(backend="numpy"):
        ndimage.grey_erosion(x, structure=HEIGHTS)
    rows = {row.function: row for row in report().rows}
    row = rows["_nd_image.min_or_max_filter"]
    assert row.calls + sum(row.fallbacks.values()) == 2 and row.calls >= 1
    assert set(row.fallbacks) <= {"no compiled kernel for it"}


@pytest.fixture
def patched() -> Iterator[None]:
    with patch():
        yield


def test_the_functions_of_scipy_are_replaced_and_put_back() -> None:
    before = {e: getattr(_nd_image, e.name) for e in patching.ENTRIES if e.module == "_nd_image"}
    x = image("uint8")
    expected = ndimage.gaussian_filter(x, 1)
    with patch() as outer:
        assert all(getattr(_nd_image, e.name) is not before[e] for e in before)
        with patch():
            np.testing.assert_array_equal(ndimage.gaussian_filter(x, 1), expected)
        assert report().calls > 0
        assert report().fallbacks == 0
        assert isinstance(outer, type(patch()))
        unpatch()
    assert all(getattr(_nd_image, e.name) is before[e] for e in before)
    unpatch()  # one too many does nothing
    calls = report().calls
    ndimage.gaussian_filter(x, 1)
    assert report().calls == calls


def test_what_others_replaced_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_nd_image, "correlate1d", _nd_image.correlate1d)
    with patch():
        _nd_image.correlate1d = theirs = lambda *arguments: None
    assert _nd_image.correlate1d is theirs


def test_a_call_ends_as_it_began() -> None:
    with patch():
        held = _nd_image.correlate1d
    x = image("uint8")
    made = np.empty_like(x)
    held(x, W, 1, made, 2, 0.0, 0)
    np.testing.assert_array_equal(made, ndimage.correlate1d(x, W))


def test_what_is_left_to_scipy_has_a_reason(patched: None) -> None:
    x = np.ones((4, 5), ">f4")
    agree(ndimage.correlate1d(x, W).astype("f4"), ndimage.correlate1d(x.astype("f4"), W))
    with pytest.raises(RuntimeError, match="not supported"):
        ndimage.correlate1d(np.ones(5, np.longdouble), W)
    ndimage.uniform_filter1d(np.ones((0, 3)), 3)
    with fastconv.options(algorithm="winograd"):
        ndimage.uniform_filter1d(np.ones(9), 3)
    with pytest.raises(TypeError):
        _nd_image.correlate1d(x)
    rows = {row.function: row for row in report().rows}
    found = rows["_nd_image.correlate1d"].fallbacks
    assert found.pop("byte order of another machine") == 1
    assert found.pop("other arguments than were tested") == 1
    assert len(found) == 1 and next(iter(found)).startswith("dtype ")
    assert set(rows["_nd_image.uniform_filter1d"].fallbacks) == {
        "an array without elements or axes", "no kernel for it under these options"
    }  # fmt: skip
    text = str(report())
    assert re.search(r"by SciPy: byte order", text) and text.startswith("fastconv in SciPy ")


# Calls of functions that are served as a whole, and what they need besides an array.
WHOLE: dict[str, dict[str, Any]] = {
    "correlate1d": {"weights": W, "origin": -1}, "convolve1d": {"weights": W, "axis": 0, "mode": "wrap"},
    "correlate": {"weights": HEIGHTS, "origin": (1, -2)}, "convolve": {"weights": np.ones((3, 3)), "mode": "mirror"},
    "gaussian_filter1d": {"sigma": 1.5, "order": 1}, "gaussian_filter": {"sigma": (1, 2), "mode": ["wrap", "nearest"]},
    "gaussian_laplace": {"sigma": 1, "truncate": 2.0}, "gaussian_gradient_magnitude": {"sigma": 1, "radius": 2},
    "sobel": {"axis": 0}, "prewitt": {"mode": "constant", "cval": 2}, "laplace": {"axes": (1,)},
    "uniform_filter1d": {"size": 4}, "uniform_filter": {"size": (3, 5), "origin": (1, -1)},
    "minimum_filter1d": {"size": 3}, "maximum_filter1d": {"size": 3}, "minimum_filter": {"size": 4},
    "maximum_filter": {"size": 5, "axes": 0}, "grey_erosion": {"size": (3, 3)}, "grey_dilation": {"size": (2, 3)},
    "grey_opening": {"size": 3}, "grey_closing": {"size": 3}, "white_tophat": {"size": 3}, "black_tophat": {"size": 3},
    "morphological_gradient": {"size": 3}, "morphological_laplace": {"size": 3},
}  # fmt: skip


@pytest.mark.parametrize("name", whole.NAMES)
def test_functions_are_served_as_a_whole(name: str) -> None:
    function, given = getattr(ndimage, name), WHOLE[name]
    code = function.__code__

    def served_calls() -> int:
        return next(row.calls for row in report().rows if row.function == name)

    for dtype in ("uint8", "int32", "float64"):
        x = image(dtype)
        if name == "gaussian_gradient_magnitude" and dtype != "float64":
            x = x % 4  # whose squares do not wrap around
        made = [np.zeros((11, 9), "float64").T for _ in range(2)]
        for output in (None, np.float32, made):
            ours_to, theirs_to = output if isinstance(output, list) else (output, output)
            theirs = function(x, **given, output=theirs_to)
            with patch():
                ours = function(x, **given, output=ours_to)
                assert served_calls() == 1 and report().fallbacks == 0
                assert (ours is ours_to) == (theirs is theirs_to)
            assert ours.dtype == theirs.dtype
            agree(ours, theirs)
    assert function.__code__ is code


@pytest.mark.parametrize("name", whole.NAMES)
def test_calls_that_are_not_ordinary_run_scipys_code(name: str) -> None:
    function, given, x = getattr(ndimage, name), WHOLE[name], image("float64")
    others: list[tuple[Any, dict[str, Any]]] = [
        (x.tolist(), {}), (x.astype(">f8"), {}), (x.view(np.recarray), {}), (x, {"output": "f"}), (x, {"mode": "none"}),
        (x.astype(np.float16), {}), (x, {"output": np.empty((3, 3))}), (x[:0], {}), (x, {"output": np.complex64}),
    ]  # fmt: skip

    def tried(x: Any, keywords: dict[str, Any]) -> Any:
        try:
            return function(x, **given | keywords)
        except Exception as e:
            return type(e), str(e)

    for argument, keywords in others:
        theirs = tried(argument, keywords)
        with patch():
            ours = tried(argument, keywords)
            assert next(row.calls for row in report().rows if row.function == name) == 0
        if isinstance(theirs, tuple):
            assert ours == theirs
        elif theirs.size:
            assert type(ours) is type(theirs) and ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6 * float(np.abs(theirs).max()))


@pytest.mark.parametrize("name", ["binary_erosion", "binary_dilation", "binary_opening", "binary_closing"])
def test_complex_masks_are_refused_as_without_it(name: str) -> None:
    function, x = getattr(ndimage, name), image("float64")
    for args, keywords in (((x + 1j,), {}), ((x,), {"output": np.empty(x.shape, complex)})):
        with patch(), pytest.raises(TypeError, match="Complex"):
            function(*args, **keywords)


def test_code_that_others_replaced_meanwhile_stays_and_held_code_runs() -> None:
    from types import FunctionType

    function, x = ndimage.sobel, image("uint8")
    code = function.__code__
    expected = function(x)
    with patch():
        ours = function.__code__
        function.__code__ = other = (lambda input, axis, output, mode, cval: 7).__code__
    try:
        assert function.__code__ is other and function(x) == 7
    finally:
        function.__code__ = code
    held = FunctionType(ours, function.__globals__, "sobel", function.__defaults__)
    np.testing.assert_array_equal(held(x), expected)


def test_versions_and_signatures_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(patching.scipy, "__version__", "1.2.3")
        with pytest.raises(UnsupportedError, match=r"1\.2\.3"):
            patch()
    other = {
        "correlate1d": lambda input, weights, output: None,  # other arguments
        "uniform_filter1d": lambda *arguments: None,  # another result
    }
    for name, function in other.items():
        monkeypatch.setattr(_nd_image, name, function)
    monkeypatch.delattr(_nd_image, "min_or_max_filter1d")
    with patch():
        left = report().left
        assert _nd_image.correlate1d is other["correlate1d"]
    assert left["_nd_image.correlate1d"].startswith("it has another signature: ")
    assert left["_nd_image.uniform_filter1d"] == "it computes something else"
    assert left["_nd_image.min_or_max_filter1d"] == "this SciPy has no such function"
    assert "not replaced: it computes something else" in str(report())


def test_threads_see_it_and_use_one_thread_each() -> None:
    x, results, found = image("float64", (300, 200)), [], []
    expected = ndimage.uniform_filter(x, 5)
    go = threading.Event()

    def work() -> None:
        go.wait()
        found.append(served.options_here().threads)
        results.extend(ndimage.uniform_filter(x, 5) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    with patch():
        go.set()
        for _ in range(200):  # comes and goes while they run
            unpatch()
            patch()
        for worker in workers:
            worker.join()
    assert found == [1] * 4 and len(results) == 80
    for result in results:
        agree(result, expected)
    assert served.options_here().threads is None


def test_a_program_runs_unchanged(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(
        "import sys, numpy as np\nfrom scipy.ndimage import sobel\nimport beside\n"
        "print(sys.argv[1:], __name__, sobel(np.eye(4)).sum())\nsys.exit(3)\n"
    )
    (tmp_path / "beside.py").write_text("")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fastconv.interop.scipy"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )

    done = run(str(script), "-a", "b")
    assert done.returncode == 3 and done.stdout == "['-a', 'b'] __main__ 0.0\n", done.stderr
    assert re.search(r"\d+ calls served in .* 0 left to SciPy", done.stderr)
    done = run("-q", "-m", "program")
    assert done.returncode == 3 and done.stdout == "[] __main__ 0.0\n" and not done.stderr, done.stderr


def test_scipys_own_tests_pass_under_the_patch(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.interop.under_scipy", "-p", "no:cacheprovider"]
    command += ["--pyargs", "scipy.ndimage.tests.test_filters", "scipy.ndimage.tests.test_morphology"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed[1]) > 1500
