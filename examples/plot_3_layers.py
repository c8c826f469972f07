"""
The layers of a network
=======================

Convolution, activation and pooling are most of what a network for images does. Here are five layers of random
weights, as plans: each has chosen its kernel and packed its weights once, and can say why.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

import fastconv as F

photo = load_sample_image("china.jpg")[:416, 112:528]  # 416 x 416
x = np.moveaxis(photo.astype("f") / 255 - 0.5, 2, 0)[None]

rng = np.random.default_rng(0)


def he(*shape):
    """Random weights that keep the size of values from layer to layer (He et al., 2015)."""
    return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype("f")


layers = [
    ("3 to 32, 7x7, stride 2", dict(weight=he(32, 3, 7, 7), stride=2, padding=3)),
    ("32 to 64, 3x3", dict(weight=he(64, 32, 3, 3), padding=1)),
    ("depthwise 64, 5x5", dict(weight=he(64, 1, 5, 5), padding=2, groups=64)),
    ("64 to 64, 1x1", dict(weight=he(64, 64, 1, 1))),
    ("64 to 128, 3x3, stride 2", dict(weight=he(128, 64, 3, 3), stride=2, padding=1)),
]

# %%
# A plan is made from the shape of its input; the activation is part of it and costs no second pass over
# memory where the kernel fuses it. ``F.plan(...).kernel`` is the name of the kernel that was chosen: backend,
# algorithm, instruction set.

maps = []
print(f"{'layer':26}{'kernel':34}result")
for k, (name, arguments) in enumerate(layers):
    plan = F.plan(F.conv2d, F.Spec(x.shape, x.dtype), activation="relu", **arguments)
    x = plan(x)
    if k in (1, 2):
        x = F.max_pool2d(x, 2)
    maps.append(x)
    print(f"{name:26}{plan.kernel:34}{x.shape}")

# %%
# What four channels of each layer show. Even with random weights some react to edges and others to colours.

figure, axes = plt.subplots(4, 5, figsize=(9.6, 7.8), layout="constrained")
for column, (name, _), y in zip(axes.T, layers, maps, strict=True):
    for ax, channel in zip(column, y[0], strict=False):
        ax.imshow(channel, cmap="magma", interpolation="nearest")
        ax.axis("off")
    column[0].set_title(f"{name}\n{y.shape[2]} x {y.shape[3]}", fontsize=8)

# %%
# Why this kernel? ``explain()`` has every kernel of every backend, the cheapest first; its first lines for
# the second layer:

second = F.plan(F.conv2d, F.Spec(maps[0].shape, "f"), activation="relu", **layers[1][1])
print("\n".join(line[:110] for line in str(second.explain()).splitlines()[4:12]))
