"""The native kernel for few channels per group: its groups, channels and edges, against unreadable pages."""

from __future__ import annotations

import pytest

from fastconv.backends.cython.conv import grouped
from fastconv.backends.cython.runtime import native
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem
from tests.backends.cython.test_depthwise import MODES, check, lanes, problem

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name


@pytest.fixture(params=grouped.KERNELS, ids=lambda k: k.name)
def kernel(request: pytest.FixtureRequest) -> Kernel[ConvProblem]:
    """Each variant that this host can run."""
    reason = native.unavailable(request.param.isa)
    if reason is not None:
        pytest.skip(reason)
    return request.param


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("icg, ocg", [(2, 1), (2, 3), (4, 4), (16, 2)])
def test_channels_of_a_group(kernel: Kernel[ConvProblem], dtype: str, icg: int, ocg: int) -> None:
    widths = (5, lanes(kernel, dtype), 4 * lanes(kernel, dtype) + 3)
    check(
        kernel,
        (
            problem((9, w), (taps, taps), icg=icg, multiplier=ocg, channels=3, stride=s, padding=taps // 2, dtype=dtype)
            for w in widths
            for taps in (1, 3, 5)
            for s in (1, 2)
        ),
        ("start", "end"),
    )


@pytest.mark.parametrize("mode", MODES)
def test_modes_strides_dilations_and_pads(kernel: Kernel[ConvProblem], mode: str) -> None:
    check(
        kernel,
        (
            problem((11, 21), taps, icg=3, multiplier=2, stride=s, dilation=d, padding=[(2, 0), (1, 5)], mode=mode, n=2)
            for taps in ((3, 3), (1, 4))
            for s in ((1, 1), (2, 1), (1, 2), (3, 4))
            for d in (1, (2, 3))
        ),
    )


def test_volumes_and_tall_images(kernel: Kernel[ConvProblem]) -> None:
    volume = problem((5, 7, 9), (3, 2, 3), icg=3, multiplier=2, padding=1, stride=(2, 1, 2), activation="relu")
    check(kernel, [volume, problem((130, 20), (3, 3), icg=2, padding=1)], ("start", "end"))


def test_refusals_say_why(kernel: Kernel[ConvProblem]) -> None:
    assert kernel.reject(problem((5, 5), (3, 3))) == "1 input channels per group: 2 to 16 only"
    assert kernel.reject(problem((5, 5), (3, 3), icg=17)) == "17 input channels per group: 2 to 16 only"
