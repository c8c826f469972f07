"""The lecture's named filters: their kernels as printed, and images against a plain definition."""

import numpy as np
import pytest

from fastconv import DTypeError, ShapeError, filters

PRINTED = {
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "blur": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "edge_enhance": [[0, 0, 0], [-1, 1, 0], [0, 0, 0]],
    "edge_detect": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "sobel_x": [[1, 0, -1], [2, 0, -2], [1, 0, -1]],
    "sobel_y": [[1, 2, 1], [0, 0, 0], [-1, -2, -1]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
NUMPY_PAD = {
    "zeros": "constant",
    "constant": "constant",
    "replicate": "edge",
    "nearest": "edge",
    "reflect": "reflect",
    "mirror": "reflect",
    "circular": "wrap",
    "wrap": "wrap",
    "symmetric": "symmetric",
}


def slide(image: np.ndarray, kernel: np.ndarray, mode: str) -> np.ndarray:
    """The definition: shifted copies of the padded image, in float64."""
    pads = ((1, 1), (1, 1)) + ((0, 0),) * (image.ndim - 2)
    padded = np.pad(image.astype(np.float64), pads, mode=NUMPY_PAD[mode])
    h, w = image.shape[:2]
    return sum(kernel[i][j] * padded[i : i + h, j : j + w] for i in range(3) for j in range(3))


def expected(name: str, image: np.ndarray, mode: str) -> np.ndarray:
    if name == "sobel":
        y = np.hypot(slide(image, PRINTED["sobel_x"], mode), slide(image, PRINTED["sobel_y"], mode))
    else:
        y = slide(image, PRINTED[name], mode) / (9 if name == "blur" else 1)
    return stored(y, image.dtype)


def stored(y: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Rounded and clipped to the range of integers."""
    if dtype.kind == "f":
        return y.astype(dtype)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.clip(np.rint(y), low, high).astype(dtype)


def image(dtype: type, colour: bool, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (13, 18, 3) if colour else (13, 18)
    kind = np.dtype(dtype).kind
    if kind == "f":
        return rng.normal(size=shape).astype(dtype)
    if kind == "b":
        return rng.random(shape) < 0.5
    reach = min(np.iinfo(dtype).max, 1 << 40)  # where sums of float64 are exact
    return rng.integers(max(np.iinfo(dtype).min, -reach), reach, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("name", PRINTED)
def test_kernels_are_those_of_the_lecture(name):
    assert filters.KERNELS[name].tolist() == PRINTED[name]
    with pytest.raises(ValueError, match="read-only"):
        filters.KERNELS[name][0, 0] = 7


TOLERANCE = {"float16": 1e-2, "float32": 2e-5, "float64": 1e-13}
WIDE = ("bool", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16")


@pytest.mark.parametrize("mode", NUMPY_PAD)
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("name", filters.FILTERS)
def test_filters_follow_the_definition(name, dtype, colour, mode):
    check(name, image(dtype, colour), mode)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("name", filters.FILTERS)
def test_every_dtype(name, dtype):
    check(name, image(dtype, True), "symmetric")


def check(name, x, mode):
    y = filters.FILTERS[name](x, padding_mode=mode)
    assert y.dtype == x.dtype
    assert y.shape == x.shape
    assert y.flags.c_contiguous
    tolerance = TOLERANCE.get(x.dtype.name, 0)
    np.testing.assert_allclose(y.astype(float), expected(name, x, mode).astype(float), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", NUMPY_PAD)
@pytest.mark.parametrize("name", ["sharpen", "sobel"])
def test_bands_of_rows_are_seamless(name, mode, monkeypatch):
    x = image(np.uint8, True)
    whole = filters.FILTERS[name](x, mode)
    for rows in (1, 4, 12):
        monkeypatch.setattr(filters, "BAND", rows * x[0].size)
        np.testing.assert_array_equal(filters.FILTERS[name](x, mode), whole)
    tall = np.arange(42.0).reshape(7, 6)
    monkeypatch.setattr(filters, "BAND", 1 << 18)
    of_whole = filters.apply(x, tall, mode, divisor=-700)
    monkeypatch.setattr(filters, "BAND", 1)
    np.testing.assert_array_equal(filters.apply(x, tall, mode, divisor=-700), of_whole)


def test_channels_first():
    x = image(np.uint8, True)
    planes = np.ascontiguousarray(np.moveaxis(x, 2, 0))
    for name, function in filters.FILTERS.items():
        first = function(planes, layout="CHW")
        np.testing.assert_array_equal(np.moveaxis(first, 0, 2), function(x), err_msg=name)


def test_the_range_of_values():
    x = image(np.uint8, False)
    y = slide(x, PRINTED["edge_detect"], "replicate")
    np.testing.assert_array_equal(filters.edge_detect(x, dtype=np.int16), y)
    np.testing.assert_array_equal(filters.edge_detect(x, dtype=np.float32), y.astype(np.float32))
    np.testing.assert_array_equal(filters.edge_detect(x, absolute=True), stored(np.abs(y), x.dtype))
    np.testing.assert_array_equal(filters.edge_detect(x, divisor=8, offset=128), stored(y / 8 + 128, x.dtype))
    np.testing.assert_array_equal(filters.edge_detect(x, divisor=-3, absolute=True), stored(np.abs(y / 3), x.dtype))
    np.testing.assert_array_equal(filters.edge_detect(x, offset=0.25), stored(y, x.dtype))
    np.testing.assert_allclose(filters.emboss(x / 255, offset=2), slide(x / 255, PRINTED["emboss"], "replicate") + 2)
    strength = np.hypot(*(slide(x, PRINTED[name], "replicate") for name in ("sobel_x", "sobel_y")))
    np.testing.assert_array_equal(filters.sobel(x, divisor=2), stored(strength / 2, x.dtype))


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
def test_values_beyond_wide_integers_are_clipped(dtype):
    limits = np.iinfo(dtype)
    x = np.array([[limits.min, limits.max, 3]], dtype)
    np.testing.assert_array_equal(filters.apply(x, [[4]]), [[limits.min, limits.max, 12]])
    np.testing.assert_array_equal(filters.apply(x.astype(float), [[-4]], dtype=dtype)[0, 1], limits.min)
    low = filters.apply(np.array([[np.nan, -np.inf, np.inf]]), [[1]], dtype=dtype)
    np.testing.assert_array_equal(low, [[limits.min, limits.min, limits.max]])


def test_sums_of_wide_integers_are_exact():
    x = np.full((1, 5), 65535, np.uint16)
    kernel = np.array([[257, 0, -256]])
    np.testing.assert_array_equal(filters.apply(x, kernel), x)


def test_small_weights_count():
    x = image(np.float64, False)
    kernel = np.array(PRINTED["blur"]) * 1e-17
    np.testing.assert_allclose(filters.apply(x, kernel, "zeros"), slide(x, kernel, "zeros"), atol=1e-30)


def test_out():
    x = image(np.uint8, True)
    for name, function in filters.FILTERS.items():
        out = np.empty(x.shape, np.int16)[::-1, ::-1]
        assert function(x, out=out) is out
        np.testing.assert_array_equal(out, function(x, dtype=np.int16), err_msg=name)
        inside = x.copy()
        np.testing.assert_array_equal(function(inside, out=inside), function(x), err_msg=name)
    shifted = np.zeros((14, 18, 3), np.uint8)
    shifted[:13] = x
    np.testing.assert_array_equal(filters.blur(shifted[:13], out=shifted[1:]), filters.blur(x))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"out": [0]}, TypeError, "out must be a NumPy array, got list"),
        ({"out": np.zeros((2, 3))}, ShapeError, r"out has shape \(2, 3\); the result has \(2, 2\)"),
        ({"out": np.zeros((2, 2)), "dtype": "f"}, DTypeError, "out has dtype float64; the result has float32"),
        ({"out": np.zeros((2, 2), complex)}, DTypeError, "out has dtype complex128; filters take bool, integers"),
        ({"out": np.broadcast_to(0.0, (2, 2))}, ValueError, "out is read-only"),
        ({"dtype": "c8"}, DTypeError, "the result has dtype complex64"),
        ({"divisor": 0}, ValueError, "divisor must not be 0"),
        ({"layout": "NHWC"}, ValueError, "layout must be one of 'HWC', 'CHW', got 'NHWC'"),
    ],
)
def test_refused_results(arguments, error, text):
    with pytest.raises(error, match=text):
        filters.blur(np.zeros((2, 2)), **arguments)


def test_blur_leaves_a_flat_image_as_it_is():
    np.testing.assert_array_equal(filters.blur(np.full((5, 6), 200, np.uint8)), np.full((5, 6), 200, np.uint8))


def test_uint8_is_clipped_at_both_ends():
    x = np.array([[0, 0, 255, 255]], np.uint8)
    np.testing.assert_array_equal(filters.edge_detect(x), np.array([[0, 255, 0, 0]], np.uint8))


def test_uint8_rounds_ties_to_even():
    y = filters.apply(np.array([[1, 3, 5]], np.uint8), np.array([[0.5]]))
    np.testing.assert_array_equal(y, np.array([[0, 2, 2]], np.uint8))


def test_views_are_taken_as_they_are():
    x = image(np.float32, True)
    flipped = x[::-1, ::2]
    np.testing.assert_array_equal(filters.sharpen(flipped), filters.sharpen(flipped.copy()))


def test_even_kernels_look_ahead():
    np.testing.assert_array_equal(filters.apply(np.array([[1.0, 2.0, 4.0]]), [[1, 10]]), [[21.0, 42.0, 44.0]])


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.zeros(4, np.uint8),), ShapeError, r"image must have shape \(H, W\) or \(H, W, C\), got \(4,\)"),
        ((np.zeros((2, 0), np.uint8),), ShapeError, r"image has shape \(2, 0\)"),
        ((np.zeros((2, 2), complex),), DTypeError, "image has dtype complex128; filters take bool, integers, float16"),
        ((np.zeros((2, 2)), "grid-wrap"), ValueError, "padding_mode must be one of .* got 'grid-wrap'"),
    ],
)
@pytest.mark.parametrize("name", filters.FILTERS)
def test_refusals(name, arguments, error, text):
    with pytest.raises(error, match=text):
        filters.FILTERS[name](*arguments)


@pytest.mark.parametrize(
    ("kernel", "error", "text"),
    [
        (np.zeros(3), ShapeError, r"kernel must have shape \(kh, kw\), each at least 1, got \(3,\)"),
        (np.zeros((0, 3)), ShapeError, r"kernel must have shape \(kh, kw\), each at least 1, got \(0, 3\)"),
        (np.zeros((3, 3), complex), DTypeError, "kernel has dtype complex128; it must hold real numbers"),
    ],
)
def test_refused_kernels(kernel, error, text):
    with pytest.raises(error, match=text):
        filters.apply(np.zeros((4, 4)), kernel)
