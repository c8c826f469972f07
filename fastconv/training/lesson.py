"""The whole lesson: data, training, the file of weights, the pictures and the table.

Defaults come from `PRESETS`, which hold sizes and rates that suit each set of images.
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

SIDE = 32  # pixels, of images in a folder
WEIGHTS = "weights.npz"
PICTURES = ("curves.png", "detectors.png", "maps.png", "guesses.png", "confusion.png")


@dataclass(frozen=True, slots=True)
class Preset:
    """Defaults that suit a set of images."""

    channels: tuple[int, ...]
    kernel: int
    dropout: float
    epochs: int
    jitter: Jitter


PRESETS = {
    "digits": Preset((32, 64), 3, 0.25, 30, Jitter(0.3, 5, 0.05)),
    "mnist": Preset((16, 32), 5, 0.25, 30, Jitter(2, 15, 0.15)),
    "images": Preset((16, 32, 64), 3, 0.25, 30, Jitter(2, 10, 0.1)),  # for images of `SIDE` pixels
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the user sets on the command line; None is the value of the preset, or of the file that is resumed."""

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
    preferences: Preferences,
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
    preferences : Preferences
    output : str or Path
        Folder for the pictures; it is made if it does not exist.
    resume : str or Path, optional
        File of weights of a training to resume.
    keep : str or Path, optional
        File of weights to write after every epoch; by default in `output`.
    threads : int, optional
    tell, say : callable
        Called with the progress: `tell` for a bar, `say` with lines of text.
    result : callable
        Called with the table, and with the names of the files.

    Returns
    -------
    bool
        Whether all epochs were done; False after Ctrl-C, which ends the training and draws the pictures so far.

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
    preferences = preferences if before is None else _from_file(preferences, before, resume)
    dataset = _dataset(preferences, before, say)
    state = _new(preferences, dataset) if before is None else _continued(preferences, before, dataset, resume)
    folder.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        raise IsADirectoryError(f"a folder, where weights should go: {target}")
    for place in {folder, target.parent}:
        if not (place.is_dir() and os.access(place, os.W_OK)):
            raise PermissionError(f"cannot write into {place}")
    with fastconv.options(threads=threads), quiet_blas():
        training, validation, test = data.split(dataset.labels, state.settings.seed)
        say(f"{dataset.name}: {len(training)} images to learn from, {len(validation)} to pick the best epoch, "
            f"{len(test)} to test it")  # fmt: skip
        say(f"{state.config.text()}: {sum(w.size for w in state.weights.values())} weights")
        state, finished = train(dataset, state, after_epoch=lambda s: weights.save(target, s), tell=tell, say=say)
        if not state.history:
            raise KeyboardInterrupt
        if not finished:
            say(f"interrupted: {len(state.history)} of {state.settings.epochs} epochs are done; "
                f"--resume {target} continues from there")  # fmt: skip
            weights.save(target, state)  # Ctrl-C may have interrupted the previous save
        tell("pictures", 1, 1)
        seen, picked, tested = (
            score(state.config, state.best, normalised(state, dataset.images[part]), dataset.labels[part])
            for part in (training, validation, test)
        )
        places = [folder / name for name in PICTURES]
        pictures.curves(state, places[0])
        pictures.detectors(state, places[1])
        right = test[tested.probabilities.argmax(1) == dataset.labels[test]]
        shown = np.random.default_rng([state.settings.seed, 3]).choice(right if len(right) else test)
        pictures.maps(state, dataset, int(shown), places[2])
        pictures.guesses(state, dataset, test, tested, places[3])
        pictures.confusion(dataset, test, tested, places[4])
    result(f"{dataset.name}, best weights, of epoch {state.best_epoch} of {len(state.history)}")
    result(report.table({"training set": seen, "validation set": picked, "test set": tested}))
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
    """One thread for NumPy's BLAS: after small products its threads would spin on cores that kernels use."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:  # it comes with scikit-learn
        yield
        return
    with threadpool_limits(1, "blas"):
        yield


def _dataset(preferences: Preferences, before: State | None, say: Callable[[str], None]) -> Dataset:
    if preferences.images is None:
        if preferences.size is not None or preferences.colour is not None:
            raise ValueError("--size and --colour go with --images")
        if preferences.data == "images":
            raise ValueError("this training used images of a folder: name it with --images")
        name = preferences.data or "digits"
        if name not in ("digits", "mnist"):
            raise ValueError(f"data must be digits or mnist, got {name!r}")
        return data.digits() if name == "digits" else data.mnist()
    size, colour = preferences.size, preferences.colour
    if before is not None:  # as before: an added grey image must not change the number of channels
        size = before.config.image[1] if size is None else size
        colour = ("grey" if before.config.image[0] == 1 else "rgb") if colour is None else colour
    return data.folder(preferences.images, size=size or SIDE, colour=colour or "auto", say=say)


def _new(preferences: Preferences, dataset: Dataset) -> State:
    preset = PRESETS[dataset.name]
    optimizer = preferences.optimizer or "adam"
    c, h, w = dataset.images.shape[1:]
    config = Config(
        image=(c, h, w),
        classes=len(dataset.classes),
        channels=preferences.channels or preset.channels,
        kernel=preset.kernel if preferences.kernel is None else preferences.kernel,
        hidden=preferences.hidden or 0,
        dropout=preset.dropout if preferences.dropout is None else preferences.dropout,
    )
    jitter = preset.jitter
    if dataset.name == "images":
        jitter = replace(jitter, shift=jitter.shift * h / SIDE)
    settings = Settings(
        data=dataset.name,
        epochs=preferences.epochs or preset.epochs,
        batch=preferences.batch or 64,
        rate=preferences.rate or RATES[optimizer],
        optimizer=optimizer,
        decay=preferences.decay or "cosine",
        seed=preferences.seed or 0,
        jitter=None if preferences.augment is False else jitter,
    )
    return start(dataset, config, settings)


def _from_file(preferences: Preferences, before: State, resume: Any) -> Preferences:
    """The preferences, with the file's data set; what fixes the network and its held-out images must not differ."""
    fixed: dict[str, Any] = {
        "data": before.settings.data if preferences.images is None else preferences.data,
        "channels": before.config.channels, "kernel": before.config.kernel, "hidden": before.config.hidden,
        "dropout": before.config.dropout, "optimizer": before.settings.optimizer, "seed": before.settings.seed,
        "batch": before.settings.batch,
        "augment": before.settings.jitter is not None,
    }  # fmt: skip
    for name, value in fixed.items():
        asked = getattr(preferences, name)
        if asked is not None and asked != value:
            raise ValueError(f"{resume} was trained with {name} {value}, not {asked}: leave that out, or start anew")
    return replace(preferences, data=fixed["data"])


def _continued(preferences: Preferences, before: State, dataset: Dataset, resume: Any) -> State:
    was = (before.settings.data, before.classes, before.images, before.config.image)
    now = (dataset.name, dataset.classes, len(dataset.images), dataset.images.shape[1:])
    for what, old, new in zip(("data", "classes", "number of images", "size of images"), was, now, strict=True):
        if old != new:
            raise ValueError(f"{resume} was trained on other images: {what} was {old}, is {new}")
    settings = replace(
        before.settings,
        epochs=preferences.epochs or before.settings.epochs,
        rate=preferences.rate or before.settings.rate,
        decay=preferences.decay or before.settings.decay,
    )
    if settings.epochs <= len(before.history):
        raise ValueError(f"{resume} has done {len(before.history)} epochs; set more with --epochs")
    return replace(before, settings=settings)
