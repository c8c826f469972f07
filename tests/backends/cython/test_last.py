"""The native kernels for images with channels last: all remainders of channels and pixels, against unreadable pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fastconv.backends.cython.conv import direct_last, grouped, pointwise_last
from fastconv.backends.cython.runtime import native
from fastconv.core.kernel import Kernel
from fastconv.core.problems.conv import ConvProblem
from tests.backends.cython.test_depthwise import MODES, check, lanes
from tests.backends.cython.test_depthwise import problem as any_problem

pytestmark = pytest.mark.one_isa  # kernels of every instruction set, by name


def problem(spatial: tuple[int, ...], taps: tuple[int, ...], **options: object) -> ConvProblem:
    return any_problem(spatial, taps, **{"layout": "NHWC", "channels": 1, **options})  # type: ignore[arg-type]


@pytest.fixture(params=direct_last.KERNELS, ids=lambda k: k.name)
def kernel(request: pytest.FixtureRequest) -> Kernel[ConvProblem]:
    """Each variant that this host can run."""
    return usable(request.param)


@pytest.fixture(params=grouped.KERNELS, ids=lambda k: k.name)
def few(request: pytest.FixtureRequest) -> Kernel[ConvProblem]:
    """The same of the kernel for few channels per group."""
    return usable(request.param)


@pytest.fixture(params=range(len(direct_last.KERNELS)), ids=[k.isa for k in direct_last.KERNELS])
def both(request: pytest.FixtureRequest) -> list[Kernel[ConvProblem]]:
    """The kernels for any number of channels per group, and for few, of one instruction set."""
    return [usable(of[request.param]) for of in (direct_last.KERNELS, grouped.KERNELS)]


def usable(kernel: Kernel[ConvProblem]) -> Kernel[ConvProblem]:
    reason = native.unavailable(kernel.isa)
    if reason is not None:
        pytest.skip(reason)
    return kernel


BOTH = ("start", "end")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_number_of_output_channels(kernel: Kernel[ConvProblem], dtype: str) -> None:
    counts = range(1, 4 * lanes(kernel, dtype) + 2)
    check(kernel, (problem((3, 4), (3, 3), icg=1 + k % 4, multiplier=k, padding=1, dtype=dtype) for k in counts), BOTH)


@pytest.mark.parametrize("taps, stride, padding", [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 1, 0), (3, 2, 1), (4, 3, 0)])
def test_every_number_of_pixels(kernel: Kernel[ConvProblem], taps: int, stride: int, padding: int) -> None:
    widths = range(max(1, taps - 2 * padding), 34)
    check(
        kernel,
        (
            problem((5, w), (taps, taps), icg=1 + w % 5, multiplier=20, stride=stride, padding=padding, bias=w % 2 > 0)
            for w in widths
        ),
        BOTH,
    )


@pytest.mark.parametrize("icg", [1, 2, 3, 5, 16, 17, 33])
def test_every_number_of_input_channels(kernel: Kernel[ConvProblem], icg: int) -> None:
    check(
        kernel,
        (
            problem((6, 9), taps, icg=icg, multiplier=5, channels=groups, stride=s, padding=pad)
            for taps in ((3, 3), (1, 2), (2, 1))
            for groups in (1, 3)
            for s in (1, 2)
            for pad in (0, [(1, 0), (0, 1)])
        ),
        BOTH,
    )


@pytest.mark.parametrize("mode", MODES)
def test_modes_strides_dilations_and_pads(both: list[Kernel[ConvProblem]], mode: str) -> None:
    problems = [
        problem(
            (11, 21), taps, icg=3, multiplier=2, channels=3, stride=stride, dilation=dilation, padding=padding,
            mode=mode, n=2, dtype="float64" if sum(stride) % 2 else "float32",
            activation="relu" if sum(taps) % 2 else None,
        )
        for taps in ((3, 3), (1, 4), (5, 1))
        for stride in ((1, 1), (2, 1), (1, 2), (3, 4))
        for dilation in (1, (2, 3))
        for padding in (0, [(2, 0), (1, 5)])
    ]  # fmt: skip
    for one in both:
        check(one, problems)


def test_volumes_crops_and_values_of_padding(both: list[Kernel[ConvProblem]]) -> None:
    volume = problem((5, 7, 9), (3, 2, 3), icg=3, multiplier=2, channels=2, padding=1, stride=(2, 1, 2))
    inside = problem((5, 7, 9), (2, 2, 3), icg=3, multiplier=2, channels=1, dilation=(2, 1, 1))
    whole = problem((9, 23), (3, 3), icg=2, multiplier=3)
    cropped = replace(whole, pads=((0, 0), (-2, -1), (-3, 1)), output=(1, 4, 19))
    filled = replace(problem((9, 23), (3, 3), icg=2, multiplier=3, padding=2), fill=-1.5)
    for one in both:
        check(one, [volume, inside, cropped, filled, problem((130, 20), (3, 3), icg=2, padding=1)], BOTH)


@pytest.mark.parametrize("icg, ocg", [(2, 1), (2, 2), (3, 3), (4, 4), (5, 4), (8, 8), (16, 16), (3, 40)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_groups_in_lanes(few: Kernel[ConvProblem], dtype: str, icg: int, ocg: int) -> None:
    problems = [
        problem((6, 9), (k, k), icg=icg, multiplier=ocg, channels=groups, stride=s, padding=k // 2, dtype=dtype)
        for groups in (1, 3, 8, 17)
        for k in (1, 3, 5)
        for s in (1, 2)
    ]
    check(few, [p for p in problems if few.reject(p) is None], BOTH)


def test_pixels_far_apart_are_copied(kernel: Kernel[ConvProblem]) -> None:
    """Pixels a multiple of 4 KiB apart would map to one set of the L1 cache."""
    check(kernel, (problem((2, 5), (1, k), icg=1024, multiplier=3, stride=s) for k in (1, 2) for s in (1, 2)))


def test_long_rows_and_few_pixels(kernel: Kernel[ConvProblem]) -> None:
    signal = problem((20000,), (5,), padding=2, icg=8, multiplier=3)
    one = problem((1, 1), (1, 1), icg=40, multiplier=17)
    check(kernel, [signal, problem((3000,), (9,), stride=4, multiplier=4), one])
    assert kernel.workspace(signal) <= 1 << 20


@pytest.mark.parametrize("one", pointwise_last.KERNELS, ids=lambda k: k.name)
def test_products_of_pixels(one: Kernel[ConvProblem]) -> None:
    one = usable(one)
    problems = (problem((h, 7), (1, 1), icg=c, multiplier=k, n=2, activation="relu" if k % 2 else None)
                for h in (1, 3, 13) for c in (1, 20, 700) for k in (1, 17, 40))  # fmt: skip
    check(one, problems, BOTH)


def test_refusals_say_why(kernel: Kernel[ConvProblem]) -> None:
    assert kernel.reject(problem((5, 5), (3, 3), layout="NCHW")) == "layout NCHW: channels must be contiguous"
    few = next(k for k in grouped.KERNELS if k.isa == kernel.isa)
    far = problem((5, 5), (3, 3), icg=16, channels=40)
    assert few.reject(far) == "channels last, and far more input than output channels per group"
    one = next(k for k in pointwise_last.KERNELS if k.isa == kernel.isa)
    assert one.reject(problem((5, 5), (3, 3))) == "not 1x1 with stride 1 and no padding"
    assert one.reject(problem((5, 5), (1, 1), channels=2)) == "groups"
    assert one.reject(problem((5, 5), (1, 1), layout="NCHW")) == "layout NCHW: channels must be contiguous"
