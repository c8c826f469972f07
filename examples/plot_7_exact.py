"""
Who is exact
============

SciPy defines what its filters do with bytes: sums in double precision, truncated after each axis. Libraries that are
made for speed round differently, or use fewer bits for the weights. Whether that matters depends on the image's use;
that the result is another one should be known.
"""

import cv2
import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage as scipy
from sklearn.datasets import load_sample_image

from fastconv import ndimage

grey = load_sample_image("flower.jpg")[..., 1]  # 427 x 640 bytes

# %%
# Four filters by SciPy, by OpenCV and by ``fastconv.ndimage``, with the same weights and the same borders.

weights = np.outer([1, 2, 1], [1, 3, 1]) / 20
filters = {
    "Gaussian, sigma 2": (
        lambda m: m.gaussian_filter(grey, 2.0, mode="mirror"),
        lambda: cv2.GaussianBlur(grey, (17, 17), 2.0),
    ),
    "mean of 5x5": (
        lambda m: m.uniform_filter(grey, 5, mode="mirror"),
        lambda: cv2.blur(grey, (5, 5)),
    ),
    "correlation 3x3": (
        lambda m: m.correlate(grey, weights, mode="mirror"),
        lambda: cv2.filter2D(grey, -1, weights),
    ),
    "median of 5x5": (
        lambda m: m.median_filter(grey, 5, mode="nearest"),
        lambda: cv2.medianBlur(grey, 5),
    ),
}
differences = {}
for name, (ours_or_scipys, opencvs) in filters.items():
    wanted = ours_or_scipys(scipy).astype(int)
    differences[name] = ours_or_scipys(ndimage) - wanted, opencvs() - wanted
    shares = [f"{(d != 0).mean():7.2%}" for d in differences[name]]
    print(f"{name:20} other pixels than SciPy's: fastconv {shares[0]}, OpenCV {shares[1]}")

# %%
# The images of the differences. White is where the result is SciPy's, red where it is brighter, blue where it is
# darker. OpenCV rounds to the nearest byte where SciPy truncates, so most of its pixels are brighter.

part = slice(60, 380), slice(150, 550)
figure, axes = plt.subplots(3, 4, figsize=(9.6, 6.2), layout="constrained")
for column, (name, (ours, theirs)) in zip(axes.T, differences.items(), strict=True):
    column[0].imshow(filters[name][0](ndimage)[part], cmap="gray")
    column[0].set_title(name, fontsize=10)
    for ax, difference in zip(column[1:], (ours, theirs), strict=True):
        ax.imshow(difference[part], cmap="bwr", vmin=-2, vmax=2, interpolation="nearest")
        ax.set_title(f"{(difference != 0).mean():.1%} differ", fontsize=9)
    for ax in column:
        ax.set_xticks([])
        ax.set_yticks([])
for ax, label in zip(axes[:, 0], ("fastconv", "fastconv - SciPy", "OpenCV - SciPy"), strict=True):
    ax.set_ylabel(label)
