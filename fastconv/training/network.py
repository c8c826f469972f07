"""The lecture's network as two functions over a dict of arrays: forward, and backward through the same steps.

Convolution, ReLU and max pooling, once or several times; flattening; a fully connected layer, or two with a hidden one.
Softmax and cross-entropy belong to the loss.  The last windows of the pooling may be partial, as on the slides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, prod, sqrt

import numpy as np

import fastconv
from fastconv import grad

Weights = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Config:
    """The layers of a network.

    Attributes
    ----------
    image : tuple of 3 int
        Channels, height and width of an image.
    classes : int
    channels : tuple of int
        Feature detectors of each convolution.
    kernel : int
        Side of every detector, odd: the maps keep the size of their image.
    pool : int
        Side and stride of every pooling window.
    hidden : int
        Neurons between flattening and the classes; 0 connects them directly.
    dropout : float
        Fraction of the inputs of the last fully connected layer that a training step drops.
    """

    image: tuple[int, int, int]
    classes: int
    channels: tuple[int, ...] = (16, 32)
    kernel: int = 5
    pool: int = 2
    hidden: int = 0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if len(self.image) != 3 or min(self.image) < 1:
            raise ValueError(f"image must be channels, height and width, each at least 1, got {self.image}")
        if self.classes < 2:
            raise ValueError(f"classes must be at least 2, got {self.classes}")
        if not self.channels or min(self.channels) < 1:
            raise ValueError(f"channels must hold at least one int of at least 1, got {self.channels}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd and at least 1, got {self.kernel}")
        if self.pool < 1 or self.hidden < 0:
            raise ValueError(f"pool must be at least 1 and hidden at least 0, got {self.pool} and {self.hidden}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")

    @property
    def flat(self) -> int:
        """Number of inputs of the first fully connected layer."""
        height, width = self.image[1:]
        for _ in self.channels:
            height, width = ceil(height / self.pool), ceil(width / self.pool)
        return self.channels[-1] * height * width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array that is learned."""
        found: dict[str, tuple[int, ...]] = {}
        for i, (ic, oc) in enumerate(pairwise((self.image[0], *self.channels)), 1):
            found[f"conv{i}.weight"] = (oc, ic, self.kernel, self.kernel)
            found[f"conv{i}.bias"] = (oc,)
        features = self.flat
        if self.hidden:
            found["hidden.weight"], found["hidden.bias"] = (self.hidden, features), (self.hidden,)
            features = self.hidden
        found["full.weight"], found["full.bias"] = (self.classes, features), (self.classes,)
        return found

    def text(self) -> str:
        """The layers in one line."""
        steps = [" x ".join(map(str, self.image))]
        for oc in self.channels:
            steps.append(f"conv {self.kernel}x{self.kernel} -> {oc}, ReLU, max {self.pool}x{self.pool}")
        steps.append(f"flatten {self.flat}")
        if self.hidden:
            steps.append(f"full {self.hidden}, ReLU")
        if self.dropout:
            steps.append(f"dropout {self.dropout:g}")
        return " | ".join([*steps, f"full {self.classes}, softmax"])


def initial(config: Config, rng: np.random.Generator) -> Weights:
    """Random weights after He et al., "Delving deep into rectifiers" (2015), and biases of zero."""
    weights = {}
    for name, shape in config.shapes().items():
        if name.endswith("bias"):
            weights[name] = np.zeros(shape, np.float32)
        else:
            spread = sqrt(2 / prod(shape[1:]))
            weights[name] = (rng.standard_normal(shape) * spread).astype(np.float32)
    return weights


def stages(config: Config, weights: Weights, x: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The maps of every convolution after ReLU, the pooled maps, and the position of each maximum."""
    found = []
    for i in range(1, len(config.channels) + 1):
        w, b = weights[f"conv{i}.weight"], weights[f"conv{i}.bias"]
        maps = fastconv.conv2d(x, w, b, padding=config.kernel // 2, activation="relu")
        x, places = fastconv.max_pool2d(maps, config.pool, ceil_mode=True, return_indices=True)
        found.append((maps, x, places))
    return found


def forward(config: Config, weights: Weights, x: np.ndarray) -> np.ndarray:
    """Scores of every class, before softmax and without dropout.

    Parameters
    ----------
    config : Config
    weights : dict of ndarray
    x : ndarray, shape (N, C, H, W), float32

    Returns
    -------
    ndarray, shape (N, classes)
    """
    features = fastconv.flatten(stages(config, weights, x)[-1][1], 1)
    if config.hidden:
        features = fastconv.linear(features, weights["hidden.weight"], weights["hidden.bias"], activation="relu")
    return fastconv.linear(features, weights["full.weight"], weights["full.bias"])


def step(
    config: Config, weights: Weights, x: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> tuple[float, np.ndarray, Weights]:
    """One forward and backward pass: the loss of a batch, and its gradients.

    Parameters
    ----------
    config : Config
    weights : dict of ndarray
    x : ndarray, shape (N, C, H, W), float32
    target : ndarray of int64, shape (N,)
    rng : Generator
        Picks what dropout drops.

    Returns
    -------
    loss : float
        Mean cross-entropy of the batch.
    scores : ndarray, shape (N, classes)
    gradients : dict of ndarray
        Of the loss, under the names of `weights`.
    """
    found: Weights = {}
    maps = stages(config, weights, x)
    features = flat = fastconv.flatten(maps[-1][1], 1)
    if config.hidden:
        features = fastconv.linear(flat, weights["hidden.weight"], weights["hidden.bias"], activation="relu")
    kept = features
    if config.dropout:
        # What is kept is scaled up, so that a network without dropout sees sums of the same size.
        stays = rng.random(features.shape, np.float32) >= np.float32(config.dropout)
        mask = stays * np.float32(1 / (1 - config.dropout))
        kept = features * mask
    scores = fastconv.linear(kept, weights["full.weight"], weights["full.bias"])
    loss = fastconv.cross_entropy(scores, target)

    d = grad.cross_entropy(np.float32(1), scores, target)
    d, found["full.weight"], found["full.bias"] = grad.linear(d, kept, weights["full.weight"], weights["full.bias"])
    if config.dropout:
        d *= mask
    if config.hidden:
        d = grad.relu(d, features)
        d, found["hidden.weight"], found["hidden.bias"] = grad.linear(
            d, flat, weights["hidden.weight"], weights["hidden.bias"]
        )
    d = d.reshape(maps[-1][1].shape)
    for i in range(len(maps), 0, -1):
        rectified, pooled, places = maps[i - 1]
        # The maximum of a window is above zero exactly if it passed ReLU: the pooled map, being smaller, tells.
        d = grad.relu(d, pooled)
        d = grad.max_pool2d(d, rectified, config.pool, ceil_mode=True, indices=places)
        w, b, name = weights[f"conv{i}.weight"], weights[f"conv{i}.bias"], f"conv{i}"
        below = maps[i - 2][1] if i > 1 else x
        d, found[f"{name}.weight"], found[f"{name}.bias"] = grad.conv2d(
            d, below, w, b, padding=config.kernel // 2, need=(i > 1, True, True)
        )
    return float(loss), scores, found
