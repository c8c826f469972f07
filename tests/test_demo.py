"""The picture of the lecture's forward path: what it shows is what the operations give."""

import struct

import numpy as np
import pytest

import fastconv as F
from fastconv import demo, filters

pytestmark = pytest.mark.one_isa


def chunks(data):
    """Length and type of each chunk of a PNG file."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, found = 8, []
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("PIL")
    target = tmp_path / "demo.png"
    assert demo.demo(target) == target
    found = chunks(target.read_bytes())
    assert (found[0][0], found[-1][0]) == (b"IHDR", b"IEND")
    assert struct.unpack(">II", found[0][1][:8]) == demo.SIZE
    from PIL import Image

    with Image.open(target) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3) @ np.array([1, 256, 65536])
    assert len(np.unique(pixels)) > 10_000  # photographs, not an empty page


def test_the_forward_path():
    rng = np.random.default_rng(5)
    photo = rng.integers(0, 256, (50, 70, 3)).astype(np.uint8)
    path = demo.forward(photo)
    np.testing.assert_allclose(path.image, photo @ np.array([0.299, 0.587, 0.114]) / 255, rtol=1e-5)
    k = filters.SOBEL_X
    want = sum(k[i, j] * path.image[i : i + 48, j : j + 68] for i in range(3) for j in range(3))
    np.testing.assert_allclose(path.feature_map, want, atol=1e-5)
    np.testing.assert_array_equal(path.rectified, np.maximum(path.feature_map, 0))
    assert path.pooled.shape == (3, 5)  # 48 / 16; 68 / 16 and a partial window
    assert path.pooled[0, 4] == path.rectified[:16, 64:].max()
    np.testing.assert_array_equal(path.flat, path.pooled.ravel())


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(F.MissingExtraError, match=r"pip install 'fastconv\[plot\]'"):
        demo.photograph()
