"""`fastconv demo`: the lecture's forward path on a photograph, as one picture.

Above, the named filters side by side.  Below, a convolutional network's first steps: the image, its feature map (the
photograph under a detector, as on the slides), ReLU, the largest value of each window, and all of these in one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastconv
from fastconv import filters
from fastconv.bench.plot import figure
from fastconv.core.errors import missing_extra

SIZE = (1500, 1480)  # pixels
DPI = 100
WINDOW = 16  # pixels, of max pooling: the last windows of the photograph are partial along both axes
DETECTOR = "sobel_x"
HEAD = (slice(20, 370), slice(95, 395))  # a part of the photograph, since effects of 3x3 filters are small
SHOWN: dict[str, dict[str, Any]] = {  # of results about zero, so that both signs can be seen
    "edge_enhance": {"divisor": 0.5, "offset": 128},
    "edge_detect": {"divisor": 0.5, "absolute": True},
    "sobel_x": {"offset": 128},
}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Rec. 601
INK, FAINT = "#1d2330", "#5a6275"


@dataclass(frozen=True, slots=True)
class Forward:
    """The arrays of the forward path, each (H, W) but the last.

    Attributes
    ----------
    image, feature_map, rectified, pooled : ndarray
    flat : ndarray, shape (outputs,)
    """

    image: np.ndarray
    feature_map: np.ndarray
    rectified: np.ndarray
    pooled: np.ndarray
    flat: np.ndarray


def photograph() -> np.ndarray:
    """The photograph that comes with matplotlib, (600, 512, 3) uint8."""
    try:
        from matplotlib import cbook
        from PIL import Image
    except ImportError:
        raise missing_extra("matplotlib and pillow", "plot", "the demo") from None
    with Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        return np.asarray(image.convert("RGB"))


def forward(photo: np.ndarray) -> Forward:
    """Convolution, ReLU, max pooling with partial windows, flattening."""
    grey = photo.astype(np.float32) @ LUMA / np.float32(255)
    x = grey[None, None]
    feature_map = fastconv.conv2d(x, filters.KERNELS[DETECTOR][None, None])
    rectified = fastconv.relu(feature_map)
    pooled = fastconv.max_pool2d(rectified, WINDOW, stride=WINDOW, ceil_mode=True)
    flat = fastconv.flatten(pooled)
    return Forward(grey, feature_map[0, 0], rectified[0, 0], pooled[0, 0], flat)


def _panel(axes: Any, image: np.ndarray, title: str, below: str, **how: Any) -> None:
    axes.imshow(image, interpolation="nearest" if image.shape[0] < 100 else "antialiased", **how)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color="#c9cedb", linewidth=0.8)
    axes.set_title(title, fontsize=11, color=INK)
    axes.set_xlabel(below, fontsize=8, color=FAINT)


def _kernel_text(name: str) -> str:
    rows = filters.KERNELS[name].astype(int).tolist()
    text = "   |   ".join("  ".join(f"{v}".replace("-", "\N{MINUS SIGN}") for v in row) for row in rows)
    how = SHOWN.get(name, {"divisor": 9} if name == "blur" else {})
    text += f"   : {how['divisor']:g}" if "divisor" in how else ""
    text += f"   + {how['offset']}" if "offset" in how else ""
    return f"{text}   absolute" if "absolute" in how else text


def demo(output: str | Path) -> Path:
    """Draw the picture.

    Parameters
    ----------
    output : str or Path
        File to write, as PNG.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingExtraError
        If matplotlib or pillow is missing.
    """
    fig = figure(SIZE[0] / DPI, SIZE[1] / DPI)
    photo = photograph()
    path = forward(photo)
    fig.get_layout_engine().set(w_pad=0.08, h_pad=0.08, hspace=0.03)
    top, middle, bottom = fig.subfigures(3, 1, height_ratios=(2.15, 1.05, 0.42))

    top.suptitle(
        "Named filters: one 3x3 kernel each, slid over every colour channel", fontsize=14, color=INK, x=0.012, ha="left"
    )
    grid = top.subplots(2, 4).ravel()
    _panel(grid[0], photo[HEAD], "photograph", f"the head; {photo.shape[1]} x {photo.shape[0]} in all, 3 channels")
    names = ("sharpen", "blur", "edge_enhance", "edge_detect", "sobel_x", "sobel", "emboss")
    for axes, name in zip(grid[1:], names, strict=True):
        result = filters.FILTERS[name](photo, **SHOWN.get(name, {}))
        below = "root of (sobel x)² + (sobel y)²" if name == "sobel" else _kernel_text(name)
        _panel(axes, result[HEAD], name.replace("_", " "), below)

    middle.suptitle("The forward path: convolution, ReLU, max pooling", fontsize=14, color=INK, x=0.012, ha="left")
    grid = middle.subplots(1, 4)
    limit = float(np.quantile(np.abs(path.feature_map), 0.995))
    signed = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    positive = {"cmap": "magma", "vmin": 0, "vmax": limit}

    def size(a: np.ndarray) -> str:
        return f"{a.shape[1]} x {a.shape[0]}"

    _panel(grid[0], path.image, "image", size(path.image), cmap="gray")
    _panel(
        grid[1], path.feature_map, f"feature map ({DETECTOR.replace('_', ' ')})",
        f"{size(path.feature_map)}; red above, blue below zero", **signed,
    )  # fmt: skip
    _panel(grid[2], path.rectified, "ReLU", f"{size(path.rectified)}; nothing below zero", **positive)
    _panel(
        grid[3], path.pooled, f"maximum of {WINDOW} x {WINDOW}",
        f"{size(path.pooled)}; the last windows are partial", **positive,
    )  # fmt: skip

    bottom.suptitle("Flattening: the pooled map row by row", fontsize=14, color=INK, x=0.012, ha="left")
    strip, curve = bottom.subplots(2, 1, sharex=True, height_ratios=(0.35, 1))
    strip.imshow(path.flat[None], aspect="auto", extent=(0, path.flat.size, 0, 1), interpolation="nearest", **positive)
    strip.set_yticks([])
    curve.fill_between(np.arange(path.flat.size), path.flat, step="post", color="#8db4ea", lw=0)
    curve.set_xlim(0, path.flat.size)
    curve.set_ylim(0, None)
    curve.set_xlabel(f"{path.flat.size} inputs of the fully connected layer", fontsize=9, color=FAINT)
    curve.spines[["top", "right"]].set_visible(False)
    curve.tick_params(labelsize=8, colors=FAINT)

    target = Path(output)
    fig.savefig(target, dpi=DPI, format="png")
    return target
