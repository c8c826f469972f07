"""
Edges of a photograph
=====================

A kernel slides over an image and sums what lies under it. Which sums are large depends on the kernel: one
whose left half is the negative of its right half finds vertical edges.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

import fastconv as F
from fastconv import filters

photo = load_sample_image("china.jpg")  # 427 rows, 640 columns, 3 colours
grey = photo.astype("f") @ np.array([0.299, 0.587, 0.114], "f") / 255

# %%
# ``fastconv.filters`` has the kernels that lectures begin with. Each function takes an image and returns one
# of its shape and dtype. Edges are steps up or down: with ``absolute``, both are bright.

names = ("sobel_x", "sobel_y", "sobel", "edge_detect")
figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
for ax, name in zip(axes.flat, names, strict=True):
    ax.imshow(filters.FILTERS[name](grey, absolute=True), cmap="magma", vmax=1)
    ax.set_title(name)
    ax.axis("off")

# sphinx_gallery_thumbnail_number = 2

# %%
# An edge detector that looks for all directions at once
# ------------------------------------------------------
#
# ``conv2d`` applies many kernels in one call: its weights have shape (kernels, channels, rows, columns).
# These eight are a smoothed difference of 9x9 pixels, turned by 22.5 degrees each.

angles = np.arange(8) * np.pi / 8
r = np.arange(-4, 5)
x, y = np.meshgrid(r, r)
bell = np.exp(-(x**2 + y**2) / (2 * 1.5**2))
bank = np.stack([(x * np.cos(a) + y * np.sin(a)) * bell for a in angles])
bank = (bank / np.abs(bank).sum(axis=(1, 2), keepdims=True)).astype("f")

edges = np.abs(F.conv2d(grey[None], bank[:, None], padding="same", padding_mode="reflect"))
print(edges.shape, edges.dtype)

# %%
# The largest of the eight is the strength of the edge, its number is the direction in which brightness
# changes. To make lines thin, an edge is kept where it is stronger than its two neighbours in about that
# direction: left and right, or above and below. The maximum of windows of 1x3 or 3x1 pixels tells.

strength, direction = edges.max(axis=0), edges.argmax(axis=0)
across = (direction <= 2) | (direction >= 6)  # within 45 degrees of the x axis
left_right = F.max_pool2d(strength[None], (1, 3), stride=1, padding=(0, 1))[0]
above_below = F.max_pool2d(strength[None], (3, 1), stride=1, padding=(1, 0))[0]
thin = (strength == np.where(across, left_right, above_below)) & (strength > 0.03)
print(f"{thin.mean():.1%} of the pixels are edges")

figure, axes = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained")
axes[0].imshow(strength, cmap="magma", vmax=np.quantile(strength, 0.99))
axes[0].set_title("strength")
colours = plt.get_cmap("hsv")(direction / 8)[..., :3]
axes[1].imshow(np.where(thin[..., None], colours, 0))
axes[1].set_title("thin edges, coloured by direction")
for ax in axes:
    ax.axis("off")
