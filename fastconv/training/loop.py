"""Epochs: one step for each batch, in random order; each ends with the scores of the training and validation sets.

Every epoch has its own random generator, made from the seed and the number of the epoch, so a resumed training draws
the same numbers as one that was not interrupted.  Sums have the same order for any number of threads.  So the same seed
gives the same weights, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

import fastconv
from fastconv.core.numbers import ceil_div
from fastconv.training.augment import augment
from fastconv.training.data import Dataset, split
from fastconv.training.network import Config, Weights, forward, initial, step
from fastconv.training.optimizers import OPTIMIZERS, rate_at
from fastconv.training.weights import Settings, State

TEST_BATCH = 250  # images that are tested at once


@dataclass(frozen=True, slots=True)
class Score:
    """A network's results on a set of images.

    Attributes
    ----------
    probabilities : ndarray, shape (N, classes)
    loss : float
        Mean cross-entropy.
    wrong : int
        Number of images whose most probable class is not their label.
    """

    probabilities: np.ndarray
    loss: float
    wrong: int

    @property
    def error(self) -> float:
        """Fraction of the images that are classified wrongly."""
        return self.wrong / len(self.probabilities)


def start(dataset: Dataset, config: Config, settings: Settings) -> State:
    """A training before its first step."""
    training, _, _ = split(dataset.labels, settings.seed)
    seen = dataset.images[training]
    weights = initial(config, np.random.default_rng([settings.seed, 1]))
    return State(
        config=config, settings=settings, classes=dataset.classes, images=len(dataset.images),
        mean=seen.mean(axis=(0, 2, 3), dtype=np.float64).astype(np.float32),
        spread=np.maximum(seen.std(axis=(0, 2, 3), dtype=np.float64), 1e-3).astype(np.float32),
        weights=weights, best={name: w.copy() for name, w in weights.items()},
    )  # fmt: skip


def normalised(state: State, images: np.ndarray) -> np.ndarray:
    """Images as the first convolution takes them: mean 0 and standard deviation 1 over all training images."""
    c = (-1, 1, 1)
    return (images - state.mean.reshape(c)) / state.spread.reshape(c)


def score(config: Config, weights: Weights, x: np.ndarray, labels: np.ndarray) -> Score:
    """Test a network on normalised images, without augmentation and dropout."""
    found = [forward(config, weights, x[i : i + TEST_BATCH]) for i in range(0, len(x), TEST_BATCH)]
    scores = np.concatenate(found)
    return Score(
        fastconv.softmax(scores, 1), float(fastconv.cross_entropy(scores, labels)),
        int((scores.argmax(axis=1) != labels).sum()),
    )  # fmt: skip


def train(
    dataset: Dataset,
    state: State,
    *,
    after_epoch: Callable[[State], None] = lambda state: None,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[State, bool]:
    """Train until `state.settings.epochs` epochs are done, or until Ctrl-C.

    Parameters
    ----------
    dataset : Dataset
    state : State
        Where to start.
    after_epoch : callable
        Called with the state after each epoch, to save it for example.
    tell, say : callable
        Called with the progress: `tell`, for a bar, with a text, the steps done and all steps; `say` with a line for
        every epoch.

    Returns
    -------
    state : State
        After the last complete epoch; an interrupted one is discarded.
    finished : bool
        Whether all epochs were done.

    Raises
    ------
    ArithmeticError
        If the loss is no longer finite.
    """
    settings = state.settings
    training, validation, _ = split(dataset.labels, settings.seed)
    x, y = normalised(state, dataset.images[training]), dataset.labels[training]
    picking = normalised(state, dataset.images[validation]), dataset.labels[validation]
    background = -state.mean / state.spread  # black, normalised
    batches = ceil_div(len(x), settings.batch)
    what = ""
    try:
        for epoch in range(len(state.history), settings.epochs):
            began = time.perf_counter()
            name = f"epoch {epoch + 1}/{settings.epochs}"
            weights = {n: w.copy() for n, w in state.weights.items()}
            memory = {n: m.copy() for n, m in state.memory.items()}
            rng = np.random.default_rng([settings.seed, 2, epoch])
            rate = rate_at(epoch, settings.epochs, settings.rate, settings.decay)
            order = rng.permutation(len(x))
            for i in range(batches):
                tell(f"{name}{what}", epoch * batches + i, settings.epochs * batches)
                picked = order[i * settings.batch : (i + 1) * settings.batch]
                images = x[picked]
                if settings.jitter is not None:
                    images = augment(images, settings.jitter, rng, background)
                loss, _, gradients = step(state.config, weights, images, y[picked], rng)
                if not isfinite(loss):
                    raise ArithmeticError(
                        f"the loss is {loss} in {name}: a smaller --rate than {settings.rate:g} may help"
                    )
                OPTIMIZERS[settings.optimizer](weights, gradients, memory, rate, state.steps + i + 1)
            seen, tested = (score(state.config, weights, *s) for s in ((x, y), picking))
            better = not state.history or tested.error < min(row[3] for row in state.history)
            # A single assignment, so that Ctrl-C leaves the state before this epoch or the one after it.
            state = replace(
                state, weights=weights, memory=memory, steps=state.steps + batches,
                best={n: w.copy() for n, w in weights.items()} if better else state.best,
                best_epoch=epoch + 1 if better else state.best_epoch,
                history=(*state.history, (seen.loss, seen.error, tested.loss, tested.error)),
            )  # fmt: skip
            after_epoch(state)
            what = f"  loss {tested.loss:.4f}  accuracy {1 - tested.error:.2%}"
            say(
                f"{name.ljust(2 * len(str(settings.epochs)) + 7)}  "
                f"loss {seen.loss:.4f}, validation {tested.loss:.4f}   "
                f"accuracy {1 - seen.error:7.2%}, validation {1 - tested.error:7.2%}{' *' if better else '  '}  "
                f"{time.perf_counter() - began:.1f} s"
            )
    except KeyboardInterrupt:
        return state, False
    return state, True
