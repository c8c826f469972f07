"""The whole lesson: data, training, the file of weights, the pictures and the table.

What is not said comes from `PRESETS`, sizes and rates that suit each set of images.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import fastconv
from fastconv.core.errors import missing_extra
from fastconv.training import data, pictures, report, weights
from fastconv.training.augment import Jitter
from fastconv.training.data import Dataset
from fastconv.training.loop import normalised, score, start, train
from fastconv.training.network import Config
from fastconv.training.optimizers import DECAYS, OPTIMIZERS, RATES
from fastconv.training.weights import Settings, State

SIDE = 32  # of images in a folder
WEIGHTS = "weights.npz"
PICTURES = ("curves.png", "detectors.png", "maps.png", "guesses.png", "confusion.png")


@dataclass(frozen=True, slots=True)
class Preset:
    """What suits a set of images."""

    channels: tuple[int, ...]
    kernel: int
    dropout: float
    epochs: int
    jitter: Jitter


PRESETS = {
    "digits": Preset((32, 64), 3, 0.25, 30, Jitter(0.3, 5, 0.05)),
    "mnist": Preset((16, 32), 5, 0.25, 30, Jitter(2, 15, 0.15)),
    "images": Preset((16, 32, 64), 3, 0.25, 30, Jitter(2, 10, 0.1)),  # of `SIDE` pixels
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for; None leaves it to the preset, or to the file that is gone on with."""

    data: str | None = None
    images: str | None = None
    size: int | None = None
    colour: str | None = None
    channels: tuple[int, ...] | None = None
    kernel: int | None = None
    hidden: int | None = None
    dropout: float | None = None
    epochs: int | None = None
    batch: int | None = None
    rate: float | None = None
    optimizer: str | None = None
    decay: str | None = None
    seed: int | None = None
    augment: bool | None = None

    def __post_init__(self) -> None:
        if self.data is not None and self.images is not None:
            raise ValueError("--data and --images exclude each other")
        for name, known in (("optimizer", OPTIMIZERS), ("decay", DECAYS)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        for name in ("epochs", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ValueError(f"rate must be above 0, got {self.rate}")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")


def learn(
    wishes: Wishes,
    output: str | Path,
    *,
    resume: str | Path | None = None,
    keep: str | Path | None = None,
    threads: int | None = None,
    tell: Callable[[str, int, int], None] = lambda what, done, total: None,
    say: Callable[[str], None] = lambda text: None,
    result: Callable[[str], None] = print,
) -> bool:
    """Train a network, and show what it learned.

    Parameters
    ----------
    wishes : Wishes
    output : str or Path
        Folder of the pictures; made if it is not there.
    resume : str or Path, optional
        File of weights of a training to go on with.
    keep : str or Path, optional
        File of weights to write after every epoch; by default in `output`.
    threads : int, optional
    tell, say : callable
        Told of the progress: for a bar, and line by line.
    result : callable
        Gets the table, and the names of the files.

    Returns
    -------
    bool
        Whether all epochs were done; False after Ctrl-C, which ends the training with the pictures of what there is.

    Raises
    ------
    KeyboardInterrupt
        After Ctrl-C during the first epoch, when there is nothing to show.
    OSError, ValueError, MissingExtraError
        For what cannot be read, written or trained on, before the training begins.
    """
    folder = Path(output)
    target = folder / WEIGHTS if keep is None else Path(keep)
    _check_pictures()
    before = None if resume is None else weights.load(resume)
    wishes = wishes if before is None else _from_file(wishes, before, resume)
    dataset = _dataset(wishes, before, say)
    state = _new(wishes, dataset) if before is None else _continued(wishes, before, dataset, resume)
    folder.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(f"a folder, where weights should go: {target}")
    for place in {folder, target.parent}:
        if not (place.is_dir() and os.access(place, os.W_OK)):
            raise PermissionError(f"cannot write into {place}")
    with fastconv.options(threads=threads), quiet_blas():
        training, held_out = data.split(dataset.labels, state.settings.seed)
        say(f"{dataset.name}: {len(training)} images to learn from, {len(held_out)} held out")
        say(f"{state.config.text()}: {sum(w.size for w in state.weights.values())} weights")
        state, finished = train(dataset, state, after_epoch=lambda s: weights.save(target, s), tell=tell, say=say)
        if not state.history:
            raise KeyboardInterrupt
        if not finished:
            say(f"interrupted: {len(state.history)} of {state.settings.epochs} epochs are done; "
                f"--resume {target} goes on from there")  # fmt: skip
            weights.save(target, state)  # Ctrl-C may have come while it was written
        tell("pictures", 1, 1)
        seen, tested = (
            score(state.config, state.best, normalised(state, dataset.images[part]), dataset.labels[part])
            for part in (training, held_out)
        )
        places = [folder / name for name in PICTURES]
        pictures.curves(state, places[0])
        pictures.detectors(state, places[1])
        right = held_out[tested.probabilities.argmax(1) == dataset.labels[held_out]]
        shown = np.random.default_rng([state.settings.seed, 3]).choice(right if len(right) else held_out)
        pictures.maps(state, dataset, int(shown), places[2])
        pictures.guesses(state, dataset, held_out, tested, places[3])
        pictures.confusion(dataset, held_out, tested, places[4])
    result(f"{dataset.name}, best weights, of epoch {state.best_epoch} of {len(state.history)}")
    result(report.table({"training set": seen, "held-out set": tested}))
    for place in (*places, target):
        result(f"wrote {place}")
    return finished


def _check_pictures() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise missing_extra("matplotlib", "demo", "a training with pictures") from None


@contextmanager
def quiet_blas() -> Iterator[None]:
    """One thread for NumPy's BLAS: between its small products its threads would spin on our cores."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # it comes with scikit-learn
        yield
        return
    with threadpool_limits(1, "blas"):
        yield


def _dataset(wishes: Wishes, before: State | None, say: Callable[[str], None]) -> Dataset:
    if wishes.images is None:
        if wishes.size is not None or wishes.colour is not None:
            raise ValueError("--size and --colour go with --images")
        if wishes.data == "images":
            raise ValueError("this training learned from a folder: name it with --images")
        name = wishes.data or "digits"
        if name not in ("digits", "mnist"):
            raise ValueError(f"data must be digits or mnist, got {name!r}")
        return data.digits() if name == "digits" else data.mnist()
    size, colour = wishes.size, wishes.colour
    if before is not None:  # as it was: one grey image more must not change the channels
        size = before.config.image[1] if size is None else size
        colour = ("grey" if before.config.image[0] == 1 else "rgb") if colour is None else colour
    return data.folder(wishes.images, size=size or SIDE, colour=colour or "auto", say=say)


def _new(wishes: Wishes, dataset: Dataset) -> State:
    preset = PRESETS[dataset.name]
    optimizer = wishes.optimizer or "adam"
    c, h, w = dataset.images.shape[1:]
    config = Config(
        image=(c, h, w),
        classes=len(dataset.classes),
        channels=wishes.channels or preset.channels,
        kernel=preset.kernel if wishes.kernel is None else wishes.kernel,
        hidden=wishes.hidden or 0,
        dropout=preset.dropout if wishes.dropout is None else wishes.dropout,
    )
    jitter = preset.jitter
    if dataset.name == "images":
        jitter = replace(jitter, shift=jitter.shift * h / SIDE)
    settings = Settings(
        data=dataset.name,
        epochs=wishes.epochs or preset.epochs,
        batch=wishes.batch or 64,
        rate=wishes.rate or RATES[optimizer],
        optimizer=optimizer,
        decay=wishes.decay or "cosine",
        seed=wishes.seed or 0,
        jitter=None if wishes.augment is False else jitter,
    )
    return start(dataset, config, settings)


def _from_file(wishes: Wishes, before: State, resume: Any) -> Wishes:
    """The wishes with what the file says about the data; a network and its held-out images stay what they are."""
    fixed: dict[str, Any] = {
        "data": before.settings.data if wishes.images is None else wishes.data, "channels": before.config.channels,
        "kernel": before.config.kernel, "hidden": before.config.hidden, "dropout": before.config.dropout,
        "optimizer": before.settings.optimizer, "seed": before.settings.seed, "batch": before.settings.batch,
        "augment": before.settings.jitter is not None,
    }  # fmt: skip
    for name, value in fixed.items():
        asked = getattr(wishes, name)
        if asked is not None and asked != value:
            raise ValueError(f"{resume} was trained with {name} {value}, not {asked}: leave that out, or start anew")
    return replace(wishes, data=fixed["data"])


def _continued(wishes: Wishes, before: State, dataset: Dataset, resume: Any) -> State:
    was = (before.settings.data, before.classes, before.images, before.config.image)
    now = (dataset.name, dataset.classes, len(dataset.images), dataset.images.shape[1:])
    for what, old, new in zip(("data", "classes", "number of images", "size of images"), was, now, strict=True):
        if old != new:
            raise ValueError(f"{resume} was trained on other images: {what} was {old}, is {new}")
    settings = replace(
        before.settings,
        epochs=wishes.epochs or before.settings.epochs,
        rate=wishes.rate or before.settings.rate,
        decay=wishes.decay or before.settings.decay,
    )
    if settings.epochs <= len(before.history):
        raise ValueError(f"{resume} has done {len(before.history)} epochs; ask for more with --epochs")
    return replace(before, settings=settings)
