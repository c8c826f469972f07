"""``FASTCONV_DEBUG_SCRATCH=1``: scratch of exactly the requested size, new memory each time, and all of it NaN."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from fastconv.core import poisoned, scratch
from fastconv.core.numbers import LINE

pytestmark = pytest.mark.one_isa

PROGRAM = """
import numpy as np
import fastconv as F
from fastconv.core import arrays, poisoned, scratch

assert scratch.borrow is poisoned.borrow and scratch.borrow_each is poisoned.borrow_each
assert arrays.ALIGNED_BYTES == 0
assert np.isnan(arrays.aligned_empty((2, 3), np.dtype(np.float32))).all()
rng = np.random.default_rng(0)
x, w = rng.normal(size=(2, 40, 20, 20)).astype("f"), rng.normal(size=(40, 40, 3, 3)).astype("f")
want = F.conv2d(x, w, padding=1, backend="reference")
for threads in (1, 3):
    np.testing.assert_allclose(F.conv2d(x, w, padding=1, threads=threads), want, atol=1e-3)
    np.testing.assert_allclose(F.grad.conv2d(want, x, w, padding=1, threads=threads)[1][0, 0, 1, 1],
                               (want[:, 0] * x[:, 0]).sum(), rtol=1e-4)
"""


def test_kernels_write_all_scratch_that_they_read() -> None:
    env = {**os.environ, "FASTCONV_DEBUG_SCRATCH": "1"}
    subprocess.run([sys.executable, "-c", PROGRAM], env=env, check=True)


@pytest.mark.parametrize("nbytes", [0, 1, 63, 64, 100])
def test_memory(nbytes: int) -> None:
    with poisoned.borrow(nbytes) as a, poisoned.borrow(nbytes) as b:
        assert a.nbytes == b.nbytes == nbytes
        assert a.ctypes.data % LINE == 0 or not nbytes
        assert not np.shares_memory(a, b)
        assert (a == poisoned.NAN).all()
    for workers in (1, 3):
        for shared in (0, 40):
            with poisoned.borrow_each(nbytes, workers, shared) as a:
                last = (workers - 1) * poisoned.step_of(nbytes) + nbytes
                assert a.nbytes == (workers * poisoned.step_of(nbytes) + shared if shared else last)
            with scratch.borrow_each(nbytes, workers, shared) as a:
                assert a.nbytes >= workers * scratch.step_of(nbytes) + shared
