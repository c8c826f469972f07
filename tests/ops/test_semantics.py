"""docs/semantics.md, rule by rule, for convolution and matrix products; pooling and losses have files of their own."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv.dispatch.registry import kernels

ml_dtypes = pytest.importorskip("ml_dtypes")
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

RNG = np.random.default_rng(0)


def conv1(x: list[float], w: list[float], **kwargs: object) -> list[float]:
    return F.conv1d(np.array(x)[None, None], np.array(w)[None, None], **kwargs)[0, 0].tolist()


def test_same_pads_the_end_first() -> None:
    x, w = [1, 2, 3, 4, 5], [1, 10]
    assert conv1(x, w, padding="same") == [21, 32, 43, 54, 5]
    assert conv1(x, w, padding="same_upper") == [21, 32, 43, 54, 5]
    assert conv1(x, w, padding="same_lower") == [10, 21, 32, 43, 54]


@pytest.mark.parametrize("extent", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_same_gives_ceil_of_extent_over_stride(extent: int, stride: int, kernel: int) -> None:
    for padding in ("same", "same_lower"):
        y = F.conv1d(np.ones((1, 1, extent)), np.ones((1, 1, kernel)), stride=stride, padding=padding)
        assert y.shape == (1, 1, -(-extent // stride))


def test_every_padding_form_means_the_same() -> None:
    x, w = RNG.normal(size=(1, 2, 7, 8)), RNG.normal(size=(3, 2, 3, 3))
    want = F.conv2d(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), w)
    for padding in (1, (1, 1), [1, 1], (1,), [(1, 1), (1, 1)], ((1, 1), (1, 1)), np.array([1, 1]), "same"):
        np.testing.assert_array_equal(F.conv2d(x, w, padding=padding), want)
    uneven = F.conv2d(x, w, padding=[(2, 0), (1, 3)])
    np.testing.assert_array_equal(uneven, F.conv2d(np.pad(x, ((0, 0), (0, 0), (2, 0), (1, 3))), w))
    np.testing.assert_array_equal(F.conv2d(x, w, padding="valid"), F.conv2d(x, w))


@pytest.mark.parametrize(
    ("mode", "numpy_mode"),
    [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap"), ("symmetric", "symmetric"),
     ("constant", "constant"), ("zeros", "constant")],
)  # fmt: skip
def test_padding_modes(mode: str, numpy_mode: str) -> None:
    x, w = RNG.normal(size=(2, 3, 6, 7)), RNG.normal(size=(4, 3, 3, 4))
    padded = np.pad(x, ((0, 0), (0, 0), (2, 1), (3, 0)), mode=numpy_mode)  # type: ignore[call-overload]
    got = F.conv2d(x, w, padding=[(2, 1), (3, 0)], padding_mode=mode)
    np.testing.assert_allclose(got, F.conv2d(padded, w), atol=1e-12)


@pytest.mark.parametrize("backend", ["auto", "numpy", "reference"])
@pytest.mark.parametrize("dtypes", [("int8", "int8"), ("uint8", "uint8"), ("uint8", "int8"), ("int8", "uint8")])
def test_products_of_bytes_are_summed_in_int32(dtypes: tuple[str, str], backend: str) -> None:
    lo = [int(np.iinfo(d).min) for d in dtypes]
    hi = [int(np.iinfo(d).max) for d in dtypes]
    x = RNG.integers(lo[0], hi[0] + 1, (1, 5, 9, 9)).astype(dtypes[0])
    w = RNG.integers(lo[1], hi[1] + 1, (4, 5, 3, 3)).astype(dtypes[1])
    x[0, :, :3, :3], w[0] = hi[0], hi[1]
    got = F.conv2d(x, w, backend=backend)
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, F.conv2d(x.astype(np.int64), w.astype(np.int64), backend="reference"))
    product = F.matmul(x[0, 0], x[0, 0].T, backend=backend)
    assert product.dtype == np.int32
    np.testing.assert_array_equal(product, x[0, 0].astype(np.int64) @ x[0, 0].T.astype(np.int64))


def test_nine_times_a_hundred_does_not_wrap() -> None:
    assert F.conv1d(np.full((1, 1, 1), 100, np.int8), np.full((1, 1, 1), 9, np.int8)).item() == 900


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64", "uint16", "uint32", "uint64"])
def test_wider_integers_are_exact_in_64_bits(dtype: str) -> None:
    top = min(int(np.iinfo(dtype).max), 2**31 - 1)
    x = RNG.integers(top // 2, top, (1, 2, 6), dtype=np.int64).astype(dtype)
    w = RNG.integers(0, 9, (2, 2, 3)).astype(dtype)
    got = F.conv1d(x, w)
    assert got.dtype == (np.uint64 if dtype.startswith("u") else np.int64)
    want = np.array([[[sum(int(x[0, c, o + t]) * int(w[k, c, t]) for c in range(2) for t in range(3))
                       for o in range(4)] for k in range(2)]])  # fmt: skip
    np.testing.assert_array_equal(got, want.astype(got.dtype))


EXACT = ("numpy", "reference")


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize("max_workspace", [None, 0])
def test_a_sum_that_does_not_fit_is_refused(backend: str, max_workspace: int | None) -> None:
    if backend == "numpy" and max_workspace == 0:
        pytest.skip("needs scratch")
    huge = np.full((1, 1, 3), 2**62)
    options: dict[str, Any] = {"backend": backend, "max_workspace": max_workspace}
    for refused in (
        lambda: F.conv1d(huge, np.full((1, 1, 2), 2), **options),
        lambda: F.conv2d(np.full((1, 4, 4, 4), 2**62), np.ones((1, 4, 1, 1), int), **options),
        lambda: F.conv_transpose1d(huge, np.full((1, 1, 2), 2), **options),
        lambda: F.matmul(huge[0], np.full((3, 1), 2), **options),
        lambda: F.linear(huge[0], np.ones((1, 3), int), [2**62], **options),
        lambda: F.avg_pool1d(huge, 3, divisor_override=1, **options),
    ):
        with pytest.raises(OverflowError, match="does not fit int64"):
            refused()
    x = np.full((1, 40000, 1), 255, np.uint8)
    with pytest.raises(OverflowError, match="does not fit int32"):
        F.conv1d(x, np.full((1, 40000, 1), 255, np.uint8), **options)
    with pytest.raises(OverflowError, match="does not fit uint64"):
        F.conv1d(np.full((1, 1, 1), 2**63, np.uint64), np.full((1, 1, 1), 2, np.uint64), **options)


@pytest.mark.parametrize("backend", EXACT)
def test_large_values_that_fit_are_exact(backend: str) -> None:
    x = np.array([[[2**61, 3]]])
    assert F.conv1d(x, np.array([[[2, 1]]]), backend=backend).item() == 2**62 + 3
    # What a bound does not settle is summed for certain: parts of these sums need more than 64 bits.
    assert F.conv1d([[-(2**63)]], [[[1]]], backend=backend).item() == -(2**63)
    far = np.array([[2**62, 2**62, -(2**62)]])
    assert F.conv1d(far, [[[1, 1, 1]]], backend=backend).item() == 2**62
    assert F.conv1d(far, [[[3, 1, 3]]], backend=backend).item() == 2**62
    both = far.repeat(2, 0)
    assert F.conv1d(both, np.ones((2, 1, 1), int), groups=2, backend=backend).tolist() == both.tolist()
    got = F.conv1d(far, [[[1, 1, 1]]], padding=2, bias=[-(2**62)], backend=backend)
    assert got.tolist() == [[0, 2**62, 0, -(2**62), -(2**63)]]
    assert F.matmul(far, np.ones((3, 1), int), backend=backend).item() == 2**62
    assert F.gemm([[2**62]], [[2]], [[2**62]], beta=-1, backend=backend).item() == 2**62
    assert F.conv_transpose1d(far[:, 1:], [[[1, 2]]], backend=backend).tolist() == [[2**62, 2**62, -(2**63)]]
    assert F.linear([[2**62, 5]], [[1, 1]], [-(2**62)], activation="relu", backend=backend).item() == 5
    short = np.array([[5]], np.int16)
    assert F.conv1d(short, short[None], [2**60 + 1], backend=backend).item() == 2**60 + 26
    assert F.avg_pool1d(np.full((1, 4), 2**62), 3, 1, backend=backend).tolist() == [[2**62, 2**62]]
    five, two = np.array([[5]], np.uint64), np.array([[2]], np.uint64)
    assert F.gemm(five, two, np.array([[7]], np.uint64), alpha=-1, beta=2, backend=backend).item() == 4


@pytest.mark.parametrize("dtype", [np.dtype(np.float16), BFLOAT16], ids=str)
def test_half_floats_are_summed_in_float32_and_rounded_once(dtype: np.dtype) -> None:
    x = RNG.normal(size=(1, 64, 8, 8)).astype(dtype)
    w = RNG.normal(size=(8, 64, 3, 3)).astype(dtype)
    got = F.conv2d(x, w, padding=1)
    assert got.dtype == dtype
    exact = F.conv2d(x.astype(np.float64), w.astype(np.float64), padding=1)
    spacing = np.spacing(np.abs(exact).astype(np.float32)) * 2.0 ** (23 - (10 if dtype == np.float16 else 7))
    assert (np.abs(got.astype(np.float64) - exact) <= 0.501 * spacing + 1e-4).all()
    np.testing.assert_array_equal(
        F.matmul(x[0, 0], x[0, 1]).astype(np.float32),
        (x[0, 0].astype(np.float32) @ x[0, 1].astype(np.float32)).astype(dtype).astype(np.float32),
    )


@pytest.mark.filterwarnings("error")
def test_a_half_float_that_overflows_is_infinite_without_a_warning() -> None:
    assert F.conv1d(np.full((1, 1, 1), 6e4, np.float16), np.full((1, 1, 1), 2, np.float16)).item() == np.inf


@pytest.mark.parametrize(
    ("x", "w", "result"),
    [("float32", "float64", "float64"), ("float16", "float32", "float32"), ("int8", "float32", "float32"),
     ("int64", "float32", "float64"), ("float32", "complex64", "complex64"), ("int8", "int32", "int64")],
)  # fmt: skip
def test_mixed_dtypes_promote_as_numpy_does(x: str, w: str, result: str) -> None:
    a = RNG.integers(-5, 6, (1, 2, 5)).astype(x)
    b = RNG.integers(-5, 6, (3, 2, 2)).astype(w)
    got = F.conv1d(a, b)
    assert got.dtype == result
    np.testing.assert_array_equal(got, F.conv1d(a.astype(np.complex128), b.astype(np.complex128)).real.astype(result))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex(dtype: str) -> None:
    x = (RNG.normal(size=(2, 4, 6, 6)) + 1j * RNG.normal(size=(2, 4, 6, 6))).astype(dtype)
    w = (RNG.normal(size=(6, 2, 3, 3)) + 1j * RNG.normal(size=(6, 2, 3, 3))).astype(dtype)
    b = (RNG.normal(size=6) + 1j).astype(dtype)
    got = F.conv2d(x, w, b, padding=1, stride=2, groups=2)
    parts = [F.conv2d(p, q, padding=1, stride=2, groups=2) for p in (x.real, x.imag) for q in (w.real, w.imag)]
    want = parts[0] - parts[3] + 1j * (parts[1] + parts[2]) + b[:, None, None]
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, atol=1e-4 if dtype == "complex64" else 1e-12)


def views(x: np.ndarray) -> dict[str, np.ndarray]:
    """The same values, stored in every awkward way."""
    room = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    room[..., ::2] = x
    raw = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    readonly = x.copy()
    readonly.flags.writeable = False
    return {
        "strided": room[..., ::2],
        "negative": np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1],
        "fortran": np.asfortranarray(x),
        "swapped": x.astype(x.dtype.newbyteorder()),
        "unaligned": unaligned,
        "readonly": readonly,
    }


@pytest.mark.parametrize("form", ["strided", "negative", "fortran", "swapped", "unaligned", "readonly"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_storage_does_not_matter_and_inputs_are_not_written(form: str, dtype: str) -> None:
    x = (RNG.normal(size=(2, 3, 6, 8)) * 50).astype(dtype)
    w = (RNG.normal(size=(4, 3, 3, 3)) * 50).astype(dtype)
    b = (RNG.normal(size=4) * 50).astype(dtype)
    vx, vw = views(x)[form], views(w)[form]
    before = vx.copy(), vw.copy()
    want = F.conv2d(x, w, b, padding=1)
    np.testing.assert_array_equal(F.conv2d(vx, vw, b, padding=1), want)
    plan = F.plan(F.conv2d, vx, vw, b, padding=1)  # which may choose another kernel than the call
    np.testing.assert_array_equal(plan(vx), plan(x))
    np.testing.assert_allclose(plan(vx), want, rtol=1e-4, atol=0.1 if dtype == "float32" else 1e-9)
    np.testing.assert_array_equal(F.conv_transpose2d(vx, views(w.swapaxes(0, 1).copy())[form]),
                                  F.conv_transpose2d(x, w.swapaxes(0, 1)))  # fmt: skip
    np.testing.assert_array_equal(F.matmul(vx[0], views(x.swapaxes(2, 3).copy())[form][0]),
                                  F.matmul(x[0], x[0].swapaxes(1, 2)))  # fmt: skip
    np.testing.assert_array_equal(vx, before[0])
    np.testing.assert_array_equal(vw, before[1])


def test_broadcast_input() -> None:
    x = np.broadcast_to(np.float32(2), (2, 3, 5, 5))
    np.testing.assert_array_equal(F.conv2d(x, np.ones((1, 3, 5, 5), "f")), np.full((2, 1, 1, 1), 150))


def test_empty_batch_and_no_channels() -> None:
    assert F.conv2d(np.ones((0, 3, 5, 5), "f"), np.ones((4, 3, 3, 3), "f")).shape == (0, 4, 3, 3)
    assert F.conv_transpose2d(np.ones((0, 3, 5, 5), "f"), np.ones((3, 4, 3, 3), "f")).shape == (0, 4, 7, 7)
    bias = np.arange(4.0)
    for y in (
        F.conv2d(np.ones((2, 0, 5, 5)), np.ones((4, 0, 3, 3)), bias),
        F.conv2d(np.ones((2, 0, 5, 5)), np.ones((4, 0, 3, 3)), bias, backend="numpy"),
        F.conv2d(np.ones((2, 0, 3, 3)), np.ones((4, 0, 1, 1)), bias),
    ):
        np.testing.assert_array_equal(y, np.broadcast_to(bias[:, None, None], (2, 4, 3, 3)))


def test_zero_sized_products() -> None:
    np.testing.assert_array_equal(F.matmul(np.ones((2, 0)), np.ones((0, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(F.linear(np.ones((2, 0)), np.ones((3, 0)), np.arange(3.0)), [[0, 1, 2]] * 2)
    assert F.matmul(np.ones((0, 4)), np.ones((4, 3))).shape == (0, 3)


def test_output_padding_below_stride_or_dilation() -> None:
    x, w = np.ones((1, 1, 3)), np.ones((1, 1, 2))
    assert F.conv_transpose1d(x, w, stride=2, output_padding=1).shape == (1, 1, 7)
    assert F.conv_transpose1d(x, w, dilation=3, output_padding=2).shape == (1, 1, 8)
    with pytest.raises(ValueError, match=r"output_padding must be smaller than stride or dilation.*2, stride 2"):
        F.conv_transpose1d(x, w, stride=2, output_padding=2)


@pytest.mark.parametrize("function", [F.conv2d, F.conv_transpose2d])
def test_out_may_be_strided_or_overlap_the_input(function: object) -> None:
    x, w = RNG.normal(size=(1, 4, 6, 6)), RNG.normal(size=(4, 4, 3, 3))
    want = function(x, w, padding=1)  # type: ignore[operator]
    room = np.zeros((1, 4, 6, 12))
    result = function(x, w, padding=1, out=room[..., ::2])  # type: ignore[operator]
    assert result.base is room or result is room[..., ::2] or np.shares_memory(result, room)
    np.testing.assert_array_equal(room[..., ::2], want)
    assert not room[..., 1::2].any()
    buffer = x.copy()
    assert function(buffer, w, padding=1, out=buffer) is buffer  # type: ignore[operator]
    np.testing.assert_array_equal(buffer, want)


def test_buffers_and_dlpack_are_accepted() -> None:
    import array

    w = np.array([[[1.0, 2.0]]])
    flat = array.array("d", [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(F.conv1d(memoryview(flat).cast("B").cast("d", (1, 3)), w), [[5, 8]])
    np.testing.assert_array_equal(F.conv1d([[1, 2, 3]], [[[1, 2]]]), [[5, 8]])
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(F.conv1d(torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64), w), [[5, 8]])


def test_layouts_agree_and_unbatched_works() -> None:
    x, w = RNG.normal(size=(2, 3, 6, 7)), RNG.normal(size=(4, 3, 3, 3))
    want = F.conv2d(x, w, padding=1, stride=2)
    last = F.conv2d(np.moveaxis(x, 1, -1), w, padding=1, stride=2, layout="NHWC")
    np.testing.assert_allclose(np.moveaxis(last, -1, 1), want, atol=1e-12)
    assert last.flags.c_contiguous
    np.testing.assert_array_equal(F.conv2d(x[0], w, padding=1, stride=2), want[0])
    one = F.conv2d(np.moveaxis(x[0], 0, -1), w, padding=1, stride=2, layout="NHWC")
    np.testing.assert_allclose(np.moveaxis(one, -1, 0), want[0], atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu", "tanh", "hardswish", "leaky_relu", "relu6", "softplus"])
@pytest.mark.parametrize("backend", ["cython", "numba", "numpy", "reference"])
def test_fused_activation_is_the_activation_of_the_result(activation: str, backend: str) -> None:
    x, w = RNG.normal(size=(1, 3, 6, 6)), RNG.normal(size=(4, 3, 3, 3))
    try:
        got = F.conv2d(x, w, padding=1, activation=activation, backend=backend)
    except F.UnsupportedError as e:
        pytest.skip(str(e))
    np.testing.assert_allclose(got, getattr(F, activation)(F.conv2d(x, w, padding=1)), atol=1e-12)


GEMM_KERNELS = [k for k in kernels("gemm") if k.backend != "numba"]


@cache
def times_zero(dtype: str, m: int, n: int, k: int) -> list[tuple[F.Plan, np.ndarray, np.ndarray]]:
    """Plans of products in which a factor of zero multiplies NaN, their inputs and their results."""
    nothing: Any = 9 if dtype == "int64" else np.nan
    one, found = np.ones((m, n), dtype), []
    for trans_a, trans_b, batch in itertools.product((False, True), (False, True), ((), (3,))):
        a = np.full((*batch, *((k, m) if trans_a else (m, k))), nothing).astype(dtype)
        b = np.full((*batch, *((n, k) if trans_b else (k, n))), nothing).astype(dtype)
        for bias in (None, np.arange(n).astype(dtype)):
            plan = F.plan(F.gemm, a, b, one, alpha=0, beta=2, bias=bias, trans_a=trans_a, trans_b=trans_b)
            found.append((plan, a, np.full((*batch, m, n), 2) + (0 if bias is None else bias)))
        if k:
            plan = F.plan(F.gemm, np.ones_like(a), np.ones_like(b),
                          np.full((m, n), nothing).astype(dtype), trans_a=trans_a, trans_b=trans_b)  # fmt: skip
            found.append((plan, np.ones_like(a), np.full((*batch, m, n), k)))
    return found


@pytest.mark.parametrize("kernel", GEMM_KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "complex64", "int64"])
@pytest.mark.parametrize(("m", "n", "k"), [(4, 5, 6), (1, 5, 6), (4, 1, 6), (4, 5, 0), (0, 5, 6), (4, 0, 6)])
def test_what_a_factor_of_zero_multiplies_is_not_read(kernel: Any, dtype: str, m: int, n: int, k: int) -> None:
    for plan, a, want in times_zero(dtype, m, n, k):
        if kernel.reject(plan.problem) is None:
            np.testing.assert_array_equal(plan.with_kernel(kernel.name)(a), want)


@pytest.mark.parametrize("backend", ["auto", "cython", "numba", "numpy", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_nothing_on_every_backend(backend: str, dtype: str) -> None:
    if backend == "numba":
        pytest.importorskip("numba")
    one, bias = np.ones((2, 0, 5, 5), dtype), np.array([-1, 0, 2], dtype)
    for got in (
        F.conv2d(one, np.ones((3, 0, 2, 2), dtype), bias, backend=backend),
        F.conv_transpose2d(one, np.ones((0, 3, 2, 2), dtype), bias, stride=2, backend=backend),
        F.linear(np.ones((4, 0), dtype), np.ones((3, 0), dtype), bias, backend=backend).T[None],
    ):
        np.testing.assert_array_equal(got, np.broadcast_to(bias.reshape(3, *(1,) * (got.ndim - 2)), got.shape))
    got = F.conv2d(one, np.ones((3, 0, 2, 2), dtype), bias, activation="relu", padding=1, backend=backend)
    np.testing.assert_array_equal(got[0, :, 2, 2], [0, 0, 2])
    got = F.matmul(np.ones((3, 0), dtype), np.ones((0, 4), dtype), backend=backend)
    np.testing.assert_array_equal(got, np.zeros((3, 4)))
    nothing = np.full((3, 3), np.nan, dtype)
    got = F.gemm(nothing, nothing, np.ones(3, dtype), alpha=0, beta=2, bias=bias, backend=backend)
    np.testing.assert_array_equal(got, np.tile(2 + bias, (3, 1)))
    assert F.conv2d(np.ones((0, 3, 5, 5), dtype), np.ones((2, 3, 2, 2), dtype), backend=backend).shape == (0, 2, 4, 4)
    assert F.conv2d(np.ones((1, 3, 5, 5), dtype), np.ones((0, 3, 2, 2), dtype), backend=backend).shape == (1, 0, 4, 4)
    assert F.matmul(np.ones((0, 3), dtype), np.ones((3, 4), dtype), backend=backend).shape == (0, 4)
