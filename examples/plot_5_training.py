"""
A network that learns
=====================

Gradients are plain functions, ``fastconv.grad``: the gradient of the result comes first, then the arguments
of the operation. That is all that training needs. The network is that of ``examples/lecture_cnn.py``, and so
are its steps; here are its pictures.
"""

import matplotlib.pyplot as plt
import numpy as np
from lecture_cnn import BATCH, MOMENTUM, RATE, backward, forward, initial
from sklearn.datasets import load_digits

import fastconv as F

rng = np.random.default_rng(18)
digits = load_digits()  # 1,797 handwritten digits of 8x8 pixels
order = rng.permutation(len(digits.target))
x, target = digits.images[order, None].astype("f") / 8 - 1, digits.target[order]
test, train = slice(0, 360), slice(360, None)

# %%
# Gradient descent with momentum. ``backward`` calls the gradient of each operation of the forward path, from
# the last to the first.

weights = initial(rng)
speed = [np.zeros_like(w) for w in weights]
losses, errors = [], []
for _ in range(10):
    for batch in np.split(rng.permutation(np.arange(360, len(x))), range(BATCH, len(x) - 360, BATCH)):
        loss, gradients = backward(x[batch], target[batch], *weights)
        for w, v, g in zip(weights, speed, gradients, strict=True):
            v *= MOMENTUM
            v -= RATE * g
            w += v
        losses.append(loss)
    guesses = forward(x, *weights)[-1].argmax(1)
    errors.append([np.mean(guesses[part] != target[part]) for part in (train, test)])

seen, unseen = errors[-1]
print(f"wrong after ten epochs: {seen:.1%} of the images that it saw, {unseen:.1%} of the others")

# %%

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
axes[0].semilogy(losses, linewidth=0.7)
axes[0].set(xlabel="step", ylabel="cross-entropy of a batch")
axes[1].plot(range(1, 11), 100 * np.array(errors), "o-", label=["training set", "test set"])
axes[1].set(xlabel="epoch", ylabel="wrong, in percent", ylim=(0, None))
axes[1].legend()

# %%
# The sixteen detectors that it learned, and what they make of one digit.

figure, axes = plt.subplots(2, 16, figsize=(9.6, 1.5), layout="constrained")
maps = F.conv2d(x[:1], weights[0], weights[1], padding=1, activation="relu")[0]
for column, detector, image in zip(axes.T, weights[0][:, 0], maps, strict=True):
    column[0].imshow(detector, cmap="RdBu", vmin=-1.5, vmax=1.5)
    column[1].imshow(image, cmap="magma")
for ax in axes.flat:
    ax.axis("off")

# %%
# Images of the test set that it reads wrong: what they are, and what it takes them for.

probable = F.softmax(forward(x[test], *weights)[-1], 1)
wrong = np.flatnonzero(probable.argmax(1) != target[test])[:8]
figure, axes = plt.subplots(1, 8, figsize=(9.6, 1.7), layout="constrained")
for ax in axes:
    ax.axis("off")
for ax, k in zip(axes, wrong, strict=False):
    ax.imshow(x[k, 0], cmap="gray_r")
    ax.set_title(f"{target[k]}, not {probable[k].argmax()}", fontsize=9)
