"""Data augmentation: small random shifts, rotations and scalings of the images of every batch.

Each image gets its own affine map and is sampled bilinearly; pixels from outside it have the value of the background.
NumPy transforms all images of a batch at once, in a few percent of the time of a training step.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np


@dataclass(frozen=True, slots=True)
class Jitter:
    """Limits of the random changes of an image; each change is drawn uniformly between minus and plus its limit.

    Attributes
    ----------
    shift : float
        Pixels, vertically and horizontally.
    turn : float
        Degrees.
    scale : float
        Fraction of the size.
    """

    shift: float = 2.0
    turn: float = 10.0
    scale: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.shift < inf and 0 <= self.turn < inf and 0 <= self.scale < 1):
            raise ValueError(f"shift, turn and scale must be at least 0 and finite, and scale below 1, got {self}")


def maps(count: int, jitter: Jitter, rng: np.random.Generator) -> np.ndarray:
    """Random affine maps from result to source, about the centre; shape (count, 2, 3), float32."""
    turn = np.deg2rad(rng.uniform(-jitter.turn, jitter.turn, count))
    scale = 1 + rng.uniform(-jitter.scale, jitter.scale, count)
    found = np.empty((count, 2, 3), np.float32)
    found[:, 0, 0] = found[:, 1, 1] = np.cos(turn) / scale
    found[:, 0, 1] = np.sin(turn) / scale
    found[:, 1, 0] = -found[:, 0, 1]
    found[:, :, 2] = rng.uniform(-jitter.shift, jitter.shift, (count, 2))
    return found


def sample(x: np.ndarray, affine: np.ndarray, background: np.ndarray | float = 0.0) -> np.ndarray:
    """Every image, sampled at the positions that its map gives.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W), float32
    affine : ndarray, shape (N, 2, 3), float32
        Row i of the result's (row, column, 1), counted from the centre, gives the source's row or column.
    background : float or ndarray, shape (C,)
        The value outside the images.

    Returns
    -------
    ndarray, of the shape of `x`

    Examples
    --------
    >>> import numpy as np
    >>> from fastconv.training.augment import sample
    >>> x = np.arange(9, dtype="f").reshape(1, 1, 3, 3)
    >>> half = np.array([[[1, 0, 0], [0, 1, 0.5]]], "f")  # half a pixel to the right
    >>> sample(x, half)[0, 0, 0]
    array([0.5, 1.5, 1. ], dtype=float32)
    """
    n, c, h, w = x.shape
    # A border of two pixels of background: a position outside is clipped to where all its neighbours are background.
    around = np.empty((n, c, h + 4, w + 4), np.float32)
    around[...] = np.reshape(np.asarray(background, np.float32), (-1, 1, 1))
    around[:, :, 2:-2, 2:-2] = x
    rows = np.arange(h, dtype=np.float32)[:, None] - np.float32((h - 1) / 2)
    columns = np.arange(w, dtype=np.float32) - np.float32((w - 1) / 2)
    a = affine[:, :, :, None, None]

    def place(axis: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The pixel before each position, and the distance of the position from it."""
        at = a[:, axis, 0] * rows + a[:, axis, 1] * columns
        at += a[:, axis, 2] + np.float32((size - 1) / 2 + 2)
        np.clip(at, 0, size + 2, out=at)
        whole = at.astype(np.int32)
        at -= whole
        return whole, at

    top, down = place(0, h)
    left, right = place(1, w)
    first = top * (w + 4)
    first += left
    first += (np.arange(n, dtype=np.int32) * (c * (h + 4) * (w + 4)))[:, None, None]
    flat = around.reshape(-1)
    y = np.empty((n, c, h, w), np.float32)
    for channel in range(c):
        # Interpolate between the columns in each of the two rows, then between the rows.
        upper, second = (np.take(flat, first + k) for k in (0, 1))
        upper += right * (second - upper)
        first += w + 4
        lower, second = (np.take(flat, first + k) for k in (0, 1))
        lower += right * (second - lower)
        lower -= upper
        lower *= down
        np.add(upper, lower, out=y[:, channel])
        first += (h + 4) * (w + 4) - (w + 4)
    return y


def augment(
    x: np.ndarray, jitter: Jitter, rng: np.random.Generator, background: np.ndarray | float = 0.0
) -> np.ndarray:
    """A batch in which each image is changed at random, within `jitter`."""
    return sample(x, maps(len(x), jitter, rng), background)
