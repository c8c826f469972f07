"""The numbers on the lecture's slides, from `data/lecture.json`, in every backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastconv as F
from fastconv import filters

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "lecture.json").read_text())
BACKENDS = ("auto", "cython", "numba", "numpy", "reference")
DTYPES = ("float32", "float64")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name = request.param
    try:
        F.conv2d(np.ones((1, 1, 2, 2), "f"), np.ones((1, 1, 1, 1), "f"), backend=name)
    except F.UnsupportedError as e:
        pytest.skip(str(e))
    return name


@pytest.mark.parametrize("dtype", DTYPES)
def test_step_1_convolution(backend: str, dtype: str) -> None:
    c = FIGURES["convolution"]
    image, detector = np.array(c["image"], dtype), np.array(c["feature_detector"], dtype)
    got = F.conv2d(image[None, None], detector[None, None], backend=backend)
    np.testing.assert_array_equal(got[0, 0], c["feature_map_true"])
    assert got.dtype == dtype


def test_step_1_in_integers() -> None:
    c = FIGURES["convolution"]
    got = F.conv2d(np.array(c["image"], np.uint8)[None], np.array(c["feature_detector"], np.uint8)[None, None])
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got[0], c["feature_map_true"])


def test_the_slide_has_one_wrong_cell() -> None:
    c = FIGURES["convolution"]
    wrong = np.argwhere(np.array(c["feature_map_true"]) != np.array(c["feature_map_on_the_slide"]))
    np.testing.assert_array_equal(wrong, [[2, 2]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_volume_with_two_filters_stride_and_bias(backend: str, dtype: str) -> None:
    v = FIGURES["volume"]
    padded = np.array(v["x_padded_by_1"], dtype)
    w, bias = np.array(v["w"], dtype), np.array(v["bias"], dtype)
    got = F.conv2d(padded, w, bias, stride=v["stride"], backend=backend)
    np.testing.assert_array_equal(got, v["output"])
    inner = padded[:, 1:-1, 1:-1]
    np.testing.assert_array_equal(F.conv2d(inner, w, bias, stride=2, padding=1, backend=backend), v["output"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_step_2_max_pooling_with_partial_windows(backend: str, dtype: str) -> None:
    m = FIGURES["max_pooling"]
    x = np.array(m["feature_map"], dtype)[None]
    got = F.max_pool2d(x, m["kernel_size"], m["stride"], ceil_mode=m["ceil_mode"], backend=backend)
    np.testing.assert_array_equal(got[0], m["pooled"])


def test_step_3_flattening() -> None:
    pooled = np.array(FIGURES["max_pooling"]["pooled"])
    np.testing.assert_array_equal(F.flatten(pooled), FIGURES["flattening"])


def test_relu_layer() -> None:
    np.testing.assert_array_equal(F.relu(np.array([-2.0, -0.5, 0.0, 3.0])), [0, 0, 0, 3])


@pytest.mark.parametrize("name", ["sharpen", "edge_enhance", "edge_detect", "sobel_x"])
def test_named_filters(name: str) -> None:
    kernel = np.array(FIGURES["filters"][name], float)
    image = np.random.default_rng(0).integers(0, 255, (9, 11)).astype(float)
    want = F.conv2d(image[None], kernel[None, None], padding=1, padding_mode="replicate")[0]
    np.testing.assert_allclose(getattr(filters, name)(image, padding_mode="replicate"), want)


def test_blur_is_divided_by_its_sum() -> None:
    image = np.full((5, 5), 10.0)
    np.testing.assert_allclose(filters.blur(image, padding_mode="replicate"), image)


def test_softmax() -> None:
    z = np.log(np.array([0.95, 0.05])) + 3.0
    np.testing.assert_allclose(F.softmax(z, 0), [0.95, 0.05], rtol=1e-12)


@pytest.mark.parametrize("network", ["nn1", "nn2"])
def test_cross_entropy_and_classification_error(network: str) -> None:
    c = FIGURES["cross_entropy"]
    target, guess = np.array(c["target"], float), np.array(c[network])
    labels = target.argmax(1)
    want = c[f"mean_{network}"]
    assert float(F.nll_loss(np.log(guess), labels)) == pytest.approx(want, abs=5e-5)
    assert float(F.cross_entropy(np.log(guess), labels)) == pytest.approx(want, abs=5e-5)
    assert float(F.cross_entropy(np.log(guess), target)) == pytest.approx(want, abs=5e-5)
    assert round(want, 2) == {"nn1": 0.38, "nn2": 1.06}[network]
    errors = c["classification_error"][("nn1", "nn2").index(network)]
    assert (guess.argmax(1) != labels).mean() == pytest.approx(errors, abs=5e-5)
