"""Filters of large images take memory for the image, the result and a few MiB."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastconv.ndimage as ndi
from fastconv.ndimage import calls

pytestmark = pytest.mark.one_isa

MIB = 1 << 20
SIDE = 4000  # of the images: 15 MiB of bytes
MOST = 6 * MIB
# Each filter of an image and a result.  What a process took at most never sinks, so each may add MOST to all before.
PROGRAM = f"""
import re
from pathlib import Path
import numpy as np
import fastconv.ndimage as ndi

CALLS = {{
    "correlate": lambda x, out: ndi.correlate(x, [[1, 2, 1], [0, 3, 0], [1, 1, -1]], output=out),
    "gaussian_filter": lambda x, out: ndi.gaussian_filter(x, 2, output=out),
    "uniform_filter": lambda x, out: ndi.uniform_filter(x, 5, output=out, mode="mirror"),
    "maximum_filter": lambda x, out: ndi.maximum_filter(x, 5, output=out),
    "median_filter": lambda x, out: ndi.median_filter(x, 3, output=out),
    "sobel": lambda x, out: ndi.sobel(x, output=out, mode="wrap"),
    "laplace": lambda x, out: ndi.laplace(x, output=out),
    "gaussian_laplace": lambda x, out: ndi.gaussian_laplace(x, 1, output=out),
    "gaussian_gradient_magnitude": lambda x, out: ndi.gaussian_gradient_magnitude(x, 1, output=out),
    "grey_opening": lambda x, out: ndi.grey_opening(x, 5, output=out),
    "black_tophat": lambda x, out: ndi.black_tophat(x, 5, output=out),
    "morphological_gradient": lambda x, out: ndi.morphological_gradient(x, 5, output=out),
    "morphological_laplace": lambda x, out: ndi.morphological_laplace(x, 5, output=out),
}}

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

x, out = (np.ones(({SIDE}, {SIDE}), np.uint8) for _ in range(2))
for call in CALLS.values():  # what is made once
    call(x[:900, :900].copy(), out[:900, :900].copy())
for name, call in CALLS.items():
    before = peak()
    call(x, out)
    print(name, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not say what a process took")
def test_scratch_does_not_grow_with_the_image() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True)
    taken = {name: int(size) for name, size in map(str.split, done.stdout.splitlines())}
    assert len(taken) == 13
    assert {name: f"{size / MIB:.1f} MiB" for name, size in taken.items() if size > MOST} == {}


@pytest.mark.parametrize("mode", ["reflect", "constant", "nearest", "mirror", "wrap"])
def test_bands_change_no_bit(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (163, 20, 3)).astype(np.uint8)
    out = np.empty(x.shape, np.int32)
    some = {"size": (4, 3), "axes": (0, 1), "origin": (1, -1), "mode": mode, "cval": 9}
    footprint = {"footprint": [[0, 1], [1, 1]], "axes": (1, 0), "mode": mode}
    filters = [
        lambda f, o: f(x, **some, output=o), lambda f, o: f(x, **footprint, output=o),
    ]  # fmt: skip
    morphology = (
        ndi.grey_opening, ndi.grey_closing, ndi.white_tophat, ndi.black_tophat, ndi.morphological_gradient,
        ndi.morphological_laplace,
    )  # fmt: skip
    found = []
    for band in (1 << 30, 60 * 8, 60 * 50):
        monkeypatch.setattr(calls, "BAND", band)
        results = [call(f, o).copy() for f in morphology for call in filters for o in (None, out)]
        for f in (ndi.gaussian_laplace, ndi.gaussian_gradient_magnitude):
            results += [f(x // 16, (1.0, 0.6, 0), mode=mode, output=o).copy() for o in (None, out)]
        found.append(results)
    for others in found[1:]:
        for result, whole in zip(others, found[0], strict=True):
            assert result.dtype == whole.dtype
            np.testing.assert_array_equal(result, whole)
