"""
Blur and sharpen
================

A blur is a mean of the neighbours; what it takes away, added once more, makes the image sharper. Both are
convolutions of each colour by itself, for which ``groups`` is the number of colours.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

import fastconv as F

photo = load_sample_image("flower.jpg")
image = np.moveaxis(photo.astype("f") / 255, 2, 0)  # channels first: (3, 427, 640)


def gaussian(sigma):
    """Weights of a bell curve, from -3 to 3 sigma."""
    x = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
    w = np.exp(-(x**2) / (2 * sigma**2))
    return (w / w.sum()).astype("f")


# %%
# A bell of two dimensions is the product of two of one, so the blur is done along columns and then along
# rows: 2 x 25 products for each pixel in place of 25 x 25.


def blur(image, sigma):
    w = gaussian(sigma)
    columns = np.broadcast_to(w[:, None], (3, 1, w.size, 1))
    rows = np.broadcast_to(w, (3, 1, 1, w.size))
    y = F.conv2d(image, columns, padding="same", padding_mode="reflect", groups=3)
    return F.conv2d(y, rows, padding="same", padding_mode="reflect", groups=3)


soft = blur(image, 4)
w = gaussian(4)
whole = np.broadcast_to(np.outer(w, w), (3, 1, w.size, w.size))
at_once = F.conv2d(image, whole, padding="same", padding_mode="reflect", groups=3)
print("the kernel of 25 x 25 gives the same:", np.allclose(at_once, soft, atol=1e-5))

# %%
# Unsharp masking: the image plus a multiple of what a blur removes.

sharp = np.clip(image + 1.5 * (image - blur(image, 1.5)), 0, 1)

part = slice(100, 330), slice(190, 500)
figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.8), layout="constrained")
pictures = {"blurred": soft, "photograph": image, "sharpened": sharp}
for ax, name in zip(axes, pictures, strict=True):
    ax.imshow(np.moveaxis(np.clip(pictures[name], 0, 1), 0, 2)[part])
    ax.set_title(name)
    ax.axis("off")

# %%
# What happens at the border is the choice of ``padding_mode``. Here a blur of a bright frame shows the
# difference: zeros darken the border, a reflection does not.

frame = np.ones((1, 1, 60, 90), "f")
k = np.outer(gaussian(5), gaussian(5))[None, None]
modes = ("zeros", "replicate", "reflect", "symmetric", "circular")
for mode in modes:
    y = F.conv2d(frame, k, padding="same", padding_mode=mode)
    print(f"{mode:10} corner {y[0, 0, 0, 0]:.2f}  middle {y[0, 0, 30, 45]:.2f}")
