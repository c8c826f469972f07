"""The dask door: filters by chunks are filters of the whole, bit by bit, on all schedulers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import fastconv.ndimage as ndi
from fastconv.core.errors import MissingExtraError, UnsupportedError

pytest.importorskip("dask.array", reason="pip install 'fastconv[dask]'")
import dask.array as da

from fastconv.interop import dask as door
from fastconv.interop.dask import apply
from fastconv.ndimage.reach import ALL_AXES, WITHOUT_WINDOWS

pytestmark = [pytest.mark.one_isa, pytest.mark.filterwarnings("ignore")]

RNG = np.random.default_rng(0)
FOOTPRINT = np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 1], [0, 0, 0, 1, 0], [1, 0, 0, 0, 0]], bool)
HEIGHTS = RNG.standard_normal((4, 5))
MODES = ("reflect", "constant", "nearest", "mirror", "wrap")
DTYPES = ("uint8", "float32", "float64")
CHUNKS = (17, (53, 20), ((2, 40, 11), (1, 30, 30)))
CALLS: dict[str, list[dict[str, Any]]] = {
    "correlate1d": [{"weights": [1, 2, 3, 4.5], "axis": 0, "origin": -2}],
    "convolve1d": [{"weights": [1, 2, 3, 4.5], "axis": 1, "origin": 1}],
    "gaussian_filter1d": [{"sigma": 1.3, "axis": 0, "order": 1}],
    "gaussian_filter": [{"sigma": (1, 2)}, {"sigma": 2, "axes": 1}, {"sigma": 1, "radius": 3, "order": (0, 2)}],
    "gaussian_laplace": [{"sigma": 1.5}, {"sigma": 1, "truncate": 3.0}],
    "gaussian_gradient_magnitude": [{"sigma": (1, 2)}],
    "sobel": [{}, {"axis": 0}],
    "prewitt": [{"axis": 0}],
    "laplace": [{}, {"axes": (0,)}],
    "uniform_filter1d": [{"size": 5, "axis": 1, "origin": -2}],
    "minimum_filter1d": [{"size": 4, "axis": 0}],
    "maximum_filter1d": [{"size": 4, "axis": 0, "origin": 1}],
    "uniform_filter": [{"size": (4, 7)}, {"size": 3, "output": np.float64}],
    "minimum_filter": [{"size": 5}, {"footprint": FOOTPRINT, "origin": (1, -2)}],
    "maximum_filter": [{"size": (3, 6), "origin": (1, -3)}],
    "median_filter": [{"size": 4}, {"footprint": FOOTPRINT}],
    "percentile_filter": [{"percentile": 20, "size": (3, 4)}],
    "rank_filter": [{"rank": 2, "size": 3, "axes": (1,)}],
    "correlate": [{"weights": HEIGHTS, "origin": (1, -2)}],
    "convolve": [{"weights": HEIGHTS, "origin": (-2, 2)}],
    "grey_erosion": [{"structure": HEIGHTS}],
    "grey_dilation": [{"size": 4, "origin": (1, -2)}],
    "grey_opening": [{"size": 5}],
    "grey_closing": [{"footprint": FOOTPRINT}],
    "white_tophat": [{"size": (3, 4)}],
    "black_tophat": [{"size": 4}],
    "morphological_gradient": [{"size": 4}],
    "morphological_laplace": [{"size": 3}],
}
BINARY: dict[str, list[dict[str, Any]]] = {
    "binary_erosion": [{}, {"iterations": 4, "border_value": 1}],
    "binary_dilation": [{"structure": FOOTPRINT, "origin": (1, -2)}, {"iterations": 3}],
    "binary_opening": [{"iterations": 2}, {"structure": np.ones((3, 4)), "axes": (1, 0)}],
    "binary_closing": [{"structure": FOOTPRINT}],
    "binary_hit_or_miss": [{}, {"structure1": [[0, 1], [1, 1]], "structure2": [[1, 0, 0, 0]], "origin2": (0, -1)}],
}


def test_every_filter_has_calls_here() -> None:
    assert set(CALLS) | set(BINARY) | set(WITHOUT_WINDOWS) == set(ndi.__all__)


@pytest.mark.parametrize("name", BINARY)
def test_chunks_of_binary_morphology(name: str) -> None:
    x = RNG.random((53, 61)) < 0.7
    for i, kwargs in enumerate(BINARY[name]):
        made = apply(getattr(ndi, name), da.from_array(x, chunks=CHUNKS[i]), **kwargs).compute(scheduler="sync")
        np.testing.assert_array_equal(made, getattr(ndi, name)(x, **kwargs))


def test_what_chunks_cannot_do_is_refused() -> None:
    for kwargs in ({"iterations": 0}, {"mask": np.ones((4, 4))}):
        with pytest.raises(UnsupportedError, match="number of iterations, and know no mask"):
            apply(ndi.binary_dilation, da.zeros((4, 4)), **kwargs)
    for function in (ndi.gaussian_laplace, ndi.gaussian_gradient_magnitude):
        with pytest.raises(UnsupportedError, match="'wrap' for all axes or for none"):
            apply(function, da.zeros((4, 4)), 1, mode=("nearest", "grid-wrap"))


@pytest.mark.parametrize("name", ALL_AXES)
def test_modes_of_each_axis_where_derivatives_filter_all(name: str) -> None:
    x, function = RNG.standard_normal((23, 31)), getattr(ndi, name)
    for mode in (("wrap", "grid-wrap"), ("nearest", "reflect"), ("mirror", "constant")):
        made = apply(function, da.from_array(x, chunks=7), (1, 0.7), mode=mode)
        np.testing.assert_array_equal(made.compute(scheduler="sync"), function(x, (1, 0.7), mode=mode))


@pytest.mark.parametrize("name", ALL_AXES)
@pytest.mark.parametrize("more", [{"axes": (2, 0, 1)}, {"axes": (2, 0)}, {"radius": (2, 3, 4), "axes": (0, 2)}])
def test_deviations_of_named_axes_where_derivatives_filter_all(name: str, more: dict[str, Any]) -> None:
    x, function = RNG.standard_normal((23, 24, 25)), getattr(ndi, name)
    sigma = (2.0, 0.4, 0.2)[: len(more["axes"]) if name == "gaussian_laplace" else 3]  # as SciPy has them
    for mode in ("nearest", "wrap"):
        made = apply(function, da.from_array(x, chunks=5), sigma, mode=mode, **more)
        np.testing.assert_array_equal(made.compute(scheduler="sync"), function(x, sigma, mode=mode, **more))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", CALLS)
def test_chunks_are_the_whole(name: str, mode: str) -> None:
    function, turn = getattr(ndi, name), MODES.index(mode) + list(CALLS).index(name)
    x = (RNG.standard_normal((53, 61)) * 60 + 100).astype(DTYPES[turn % 3])
    for kwargs in CALLS[name]:
        expected = function(x, **kwargs, mode=mode, cval=3)
        made = apply(function, da.from_array(x, chunks=CHUNKS[turn // 3 % 3]), **kwargs, mode=mode, cval=3)
        result = made.compute(scheduler="sync")
        np.testing.assert_array_equal(result, expected)
        assert made.dtype == expected.dtype and result.tobytes() == expected.tobytes()


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 0), (1, 0)])
@pytest.mark.parametrize("name", ["median_filter", "maximum_filter", "minimum_filter", "binary_dilation"])
def test_windows_of_axes_in_any_order(name: str, axes: tuple[int, ...]) -> None:
    x, function, n = RNG.standard_normal((24, 25, 26)), getattr(ndi, name), len(axes)
    size, origin = (1, 7, 3)[:n], (0, 3, 1)[:n] if n < 3 else 0
    given: dict[str, Any] = {"size": size} if name in ("median_filter", "maximum_filter") else {
        "structure" if name == "binary_dilation" else "footprint": RNG.random((3, 7, 3)[:n]) < 0.7
    }  # fmt: skip
    if name == "maximum_filter":
        given["origin"] = origin
    made = apply(function, da.from_array(x, chunks=9), **given, axes=axes)
    np.testing.assert_array_equal(made.compute(scheduler="sync"), function(x, **given, axes=axes))


def test_short_axes_and_other_ranks() -> None:
    for shape, chunks in (((5, 40), (2, 11)), ((70,), 20), ((9, 20, 30), (4, 9, 11)), ((3, 2), 1)):
        x = RNG.standard_normal(shape)
        for mode in MODES:
            result = apply(ndi.gaussian_filter, da.from_array(x, chunks=chunks), 2, mode=mode)
            np.testing.assert_array_equal(result.compute(scheduler="sync"), ndi.gaussian_filter(x, 2, mode=mode))
    x = RNG.standard_normal((40, 40))
    result = apply(ndi.laplace, da.from_array(x, chunks=10), mode=("grid-wrap", "nearest"))
    np.testing.assert_array_equal(result, ndi.laplace(x, mode=("wrap", "nearest")))


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_schedulers(scheduler: str) -> None:
    x = RNG.integers(0, 255, (300, 200), np.uint8)
    made = apply(ndi.grey_opening, da.from_array(x, chunks=64), size=5)
    np.testing.assert_array_equal(made.compute(scheduler=scheduler), ndi.grey_opening(x, size=5))


def test_each_task_uses_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def sobel(input: np.ndarray, axis: int = -1, mode: str = "reflect", threads: int | None = None) -> np.ndarray:
        seen.append(threads)
        return input

    monkeypatch.setattr(ndi, "sobel", sobel)
    x = da.ones((40, 40), chunks=20)
    apply(sobel, x).compute(scheduler="sync")
    assert set(seen) == {1}
    seen.clear()
    apply(sobel, x, threads=2).compute(scheduler="sync")
    assert set(seen) == {2}


def test_what_cannot_be_done_is_said() -> None:
    x = da.ones((9, 9))
    with pytest.raises(TypeError, match=r"dask\.array\.from_array"):
        apply(ndi.sobel, np.ones((9, 9)))
    with pytest.raises(TypeError, match="output must be a dtype"):
        apply(ndi.sobel, x, output=np.ones((9, 9)))
    with pytest.raises(UnsupportedError, match="generic_laplace"):
        apply(ndi.generic_laplace, x, ndi.sobel)
    with pytest.raises(UnsupportedError, match="asarray"):
        apply(np.asarray, x)
    with pytest.raises(RuntimeError, match="boundary mode not supported"):
        apply(ndi.sobel, x, mode="round")


def test_dask_images_filters_run_on_fastconv() -> None:
    try:
        assert "gaussian_filter" in door.register()
    except MissingExtraError:
        pytest.skip("pip install dask-image")
    from dask_image import ndfilters
    from dask_image.dispatch._dispatch_ndfilters import dispatch_gaussian_filter

    x = da.from_array(RNG.integers(0, 255, (60, 70), np.uint8), chunks=30)
    assert dispatch_gaussian_filter(x) is ndi.gaussian_filter
    np.testing.assert_array_equal(ndfilters.gaussian_filter(x, 2), ndi.gaussian_filter(x.compute(), 2))


CLUSTER = """
import numpy as np, dask.array as da
import fastconv.ndimage as ndi
from fastconv.interop.dask import apply
from fastconv.ndimage.reach import WITHOUT_WINDOWS
from distributed import Client, LocalCluster

def made(block_info=None):
    rows, columns = (np.arange(*at) for at in block_info[None]["array-location"])
    return ((rows[:, None] * 7 + columns * 13) % 251).astype(np.uint8)

if __name__ == "__main__":
    side, limit = 32768, 450 << 20  # an array of 1 GiB, more than both workers may use
    with LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=limit, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            chunks = ((2048,) * (side // 2048),) * 2
            x = da.map_blocks(made, chunks=chunks, dtype=np.uint8, meta=np.empty((0, 0), np.uint8))
            result = apply(ndi.maximum_filter, x, 9)
            at = slice(2040, 2060)
            part = result[at, at].compute()
            around = x[2030:2070, 2030:2070].compute()
            assert np.array_equal(part, ndi.maximum_filter(around, 9)[10:30, 10:30])
            print(result.shape, int(result.min().compute()), side * side > 2 * limit)
"""


def test_an_array_larger_than_memory_on_two_workers(tmp_path: Any) -> None:
    pytest.importorskip("distributed", reason="pip install 'fastconv[dask]'")
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "True"
