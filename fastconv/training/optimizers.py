"""Optimisers: SGD with momentum, and Adam; both as in torch.optim with its defaults."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sqrt

import numpy as np

from fastconv.training.network import Weights

MOMENTUM = 0.9
BETAS = (0.9, 0.999)
EPSILON = 1e-8

Optimizer = Callable[[Weights, Weights, Weights, float, int], None]


def sgd(weights: Weights, gradients: Weights, memory: Weights, rate: float, step: int) -> None:
    """One step of stochastic gradient descent with momentum (Polyak, 1964), in place.

    Parameters
    ----------
    weights, gradients : dict of ndarray
    memory : dict of ndarray
        The state of the optimiser, empty at first.
    rate : float
    step : int
        Number of this step, from 1.
    """
    for name, w in weights.items():
        velocity = memory.setdefault(f"{name}.velocity", np.zeros_like(w))
        velocity *= np.float32(MOMENTUM)
        velocity += gradients[name]
        w -= np.float32(rate) * velocity


def adam(weights: Weights, gradients: Weights, memory: Weights, rate: float, step: int) -> None:
    """One step of Adam (Kingma and Ba, 2015), in place; parameters are as in `sgd`."""
    for name, w in weights.items():
        g = gradients[name]
        mean = memory.setdefault(f"{name}.mean", np.zeros_like(w))
        square = memory.setdefault(f"{name}.square", np.zeros_like(w))
        mean += np.float32(1 - BETAS[0]) * (g - mean)
        square *= np.float32(BETAS[1])
        square += np.float32(1 - BETAS[1]) * g * g
        # Both averages start at zero; the divisions remove that bias.
        seen = sqrt(1 - BETAS[1] ** step)
        below = np.sqrt(square)
        below /= np.float32(seen)
        below += np.float32(EPSILON)
        w -= np.float32(rate / (1 - BETAS[0] ** step)) * mean / below


OPTIMIZERS: dict[str, Optimizer] = {"sgd": sgd, "adam": adam}
MEMORY = {"sgd": ("velocity",), "adam": ("mean", "square")}  # arrays that each keeps for a weight
RATES = {"sgd": 0.02, "adam": 0.002}  # defaults
DECAYS = ("cosine", "none")


def rate_at(epoch: int, epochs: int, rate: float, decay: str) -> float:
    """The learning rate of an epoch, counted from 0: half a cosine, down to zero, or constant."""
    if decay == "none":
        return rate
    return rate * 0.5 * (1 + cos(pi * epoch / epochs))
