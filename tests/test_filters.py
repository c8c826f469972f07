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
    "replicate": "edge",
    "reflect": "reflect",
    "circular": "wrap",
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
    return np.clip(np.rint(y), 0, 255).astype(np.uint8) if image.dtype == np.uint8 else y


def image(dtype: type, colour: bool, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (13, 18, 3) if colour else (13, 18)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape).astype(np.uint8)
    return rng.normal(size=shape).astype(dtype)


@pytest.mark.parametrize("name", PRINTED)
def test_kernels_are_those_of_the_lecture(name):
    assert filters.KERNELS[name].tolist() == PRINTED[name]
    with pytest.raises(ValueError, match="read-only"):
        filters.KERNELS[name][0, 0] = 7


@pytest.mark.parametrize("mode", NUMPY_PAD)
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("name", filters.FILTERS)
def test_filters_follow_the_definition(name, dtype, colour, mode):
    x = image(dtype, colour)
    y = filters.FILTERS[name](x, padding_mode=mode)
    assert y.dtype == dtype
    assert y.shape == x.shape
    assert y.flags.c_contiguous
    if dtype == np.uint8 and name != "sobel":
        np.testing.assert_array_equal(y, expected(name, x, mode))
    else:
        tolerance = 1 if dtype == np.uint8 else 2e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(y.astype(float), expected(name, x, mode).astype(float), rtol=0, atol=tolerance)


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
        ((np.zeros((2, 2), np.int16),), DTypeError, "image has dtype int16; filters take uint8, float32 and float64"),
        ((np.zeros((2, 2)), "mirror"), ValueError, "padding_mode must be one of .* got 'mirror'"),
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
