"""A training on disk: one `.npz` file with the best weights, and what is needed to resume it exactly where it stopped.

The file holds arrays and one text, no pickle: a malicious file can be wrong, but it cannot run code.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import zipfile
import zlib
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.training.augment import Jitter
from fastconv.training.network import Config, Weights
from fastconv.training.optimizers import DECAYS, MEMORY, OPTIMIZERS

FORMAT = "fastconv training 2"
DAMAGE = (ValueError, KeyError, OverflowError, RecursionError, MemoryError)  # raised by NumPy and json on other files
LONGEST = 300  # characters of an error's text that are shown
HISTORY = ("training loss", "training error", "validation loss", "validation error")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network learns.

    Attributes
    ----------
    data : str
        Name of the data set.
    epochs : int
        Passes over the training images, in all.
    batch : int
        Images of one step.
    rate : float
        Learning rate, before any decay.
    optimizer, decay : str
        See `fastconv.training.optimizers`.
    seed : int
        Of all random numbers: held-out images, initial weights, order of the images, augmentation, dropout.
    jitter : Jitter or None
        Limits of the data augmentation.
    """

    data: str
    epochs: int
    batch: int
    rate: float
    optimizer: str
    decay: str
    seed: int
    jitter: Jitter | None


@dataclass(frozen=True, slots=True)
class State:
    """A training after some epochs.

    Attributes
    ----------
    config : Config
    settings : Settings
    classes : tuple of str
    images : int
        Number of images in the data set; with the seed it fixes which are held out.
    mean, spread : ndarray, shape (C,), float32
        Mean and standard deviation of the training images, by which all images are normalised.
    weights : dict of ndarray
        After the last epoch.
    memory : dict of ndarray
        The state of the optimiser.
    steps : int
    best : dict of ndarray
        The weights with the smallest error on the validation images, the earliest of them.
    best_epoch : int
        From 1; 0 before the first epoch.
    history : tuple of tuple of 4 float
        For each epoch the values that `HISTORY` names.
    """

    config: Config
    settings: Settings
    classes: tuple[str, ...]
    images: int
    mean: np.ndarray
    spread: np.ndarray
    weights: Weights
    best: Weights
    memory: Weights = field(default_factory=dict)
    steps: int = 0
    best_epoch: int = 0
    history: tuple[tuple[float, float, float, float], ...] = ()


def save(path: str | Path, state: State) -> None:
    """Write a file atomically: after an interruption, the file is either the old or the new one."""
    target = Path(path)
    about = {
        "format": FORMAT, "config": asdict(state.config), "settings": asdict(state.settings),
        "classes": state.classes, "images": state.images, "steps": state.steps, "best_epoch": state.best_epoch,
    }  # fmt: skip
    arrays = {"about": np.array(json.dumps(about)), "mean": state.mean, "spread": state.spread,
              "history": np.array(state.history, np.float64).reshape(-1, len(HISTORY))}  # fmt: skip
    for part in ("weights", "best", "memory"):
        arrays |= {f"{part}/{name}": a for name, a in getattr(state, part).items()}
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The permissions that new files of this process do not get; they can only be read by setting them."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def load(path: str | Path) -> State:
    """Read what `save` wrote.

    Raises
    ------
    OSError
        If the file is not there or cannot be read.
    ValueError
        If it is damaged, or is another kind of file; the message says what was found.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe would block
            raise ValueError("it is no regular file")
        with open(path, "rb") as file:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            arrays = dict(found)
    except (*DAMAGE, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error, SyntaxError) as e:
        raise ValueError(f"{path} is not a file of weights, or is damaged: {_first_line(e)}") from None
    try:
        return _state(arrays)
    except (*DAMAGE, TypeError, AttributeError) as e:
        missing = f"{e} is missing" if isinstance(e, KeyError) else _first_line(e)
        raise ValueError(f"{path} is not a file of weights of this program: {missing}") from None


def _first_line(e: BaseException) -> str:
    return (str(e).strip() or type(e).__name__).splitlines()[0][:LONGEST]


def _state(arrays: dict[str, np.ndarray]) -> State:
    about = json.loads(str(arrays["about"]), parse_constant=_no_constant)
    if about["format"] != FORMAT:
        raise ValueError(f"format must be {FORMAT!r}, got {about['format']!r}")
    lists: dict[str, Any] = {name: tuple(_whole(n) for n in about["config"][name]) for name in ("image", "channels")}
    config = Config(**about["config"] | lists)
    given: dict[str, Any] = about["settings"]
    settings = Settings(**given | {"jitter": None if given["jitter"] is None else Jitter(**given["jitter"])})
    for made in (config, settings):
        _check_types(made)
    if settings.optimizer not in OPTIMIZERS or settings.decay not in DECAYS:
        raise ValueError(f"optimizer and decay are {settings.optimizer!r} and {settings.decay!r}")
    if min(settings.epochs, settings.batch, _whole(about["images"])) < 1 or settings.seed < 0:
        raise ValueError("its numbers are out of range")
    if not (settings.rate > 0 and isfinite(settings.rate)):
        raise ValueError(f"rate must be a number above 0, got {settings.rate}")
    if _whole(about["steps"]) < 0:
        raise ValueError(f"steps must be at least 0, got {about['steps']}")
    shapes = config.shapes()
    parts: dict[str, Weights] = {"weights": {}, "best": {}, "memory": {}}
    for name, array in arrays.items():
        part, _, inner = name.partition("/")
        if inner:
            parts[part][inner] = array
    for part in ("weights", "best"):
        for name, shape in shapes.items():
            _check(f"{part}/{name}", parts[part].get(name), shape)
        if len(parts[part]) != len(shapes):
            raise ValueError(f"{part} must be {', '.join(shapes)}, got {', '.join(parts[part])}")
        parts[part] = {name: parts[part][name] for name in shapes}
    if _whole(about["steps"]) > 0:
        expected = {f"{name}.{what}": name for name in shapes for what in MEMORY[settings.optimizer]}
        for inner, name in expected.items():
            _check(f"memory/{inner}", parts["memory"].get(inner), shapes[name])
    for name in ("mean", "spread"):
        _check(name, arrays[name], config.image[:1])
    if (arrays["spread"] <= 0).any():
        raise ValueError("spread must be above 0")
    history = arrays["history"]
    if history.ndim != 2 or history.shape[1] != len(HISTORY):
        raise ValueError(f"history must have {len(HISTORY)} columns, got shape {history.shape}")
    if not all(isinstance(name, str) for name in about["classes"]):
        raise ValueError("classes must be names")
    if len(about["classes"]) != config.classes or not 0 <= _whole(about["best_epoch"]) <= len(history):
        raise ValueError("its classes and epochs contradict each other")
    return State(
        config=config, settings=settings, classes=tuple(about["classes"]), images=about["images"], mean=arrays["mean"],
        spread=arrays["spread"], weights=parts["weights"], best=parts["best"], memory=parts["memory"],
        steps=about["steps"], best_epoch=about["best_epoch"], history=tuple(tuple(row) for row in history.tolist()),
    )  # fmt: skip


def _no_constant(name: str) -> None:
    raise ValueError(f"its settings hold {name}")


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a whole number was expected, got {value!r}")
    return value


def _check_types(made: Config | Settings) -> None:
    """Check the types of the plain fields of what was read."""
    kinds: dict[str, Any] = {"int": int, "float": (int, float), "str": str}
    for entry in fields(made):
        kind = kinds.get(str(entry.type), object)
        value = getattr(made, entry.name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"{entry.name} must be of type {entry.type}, got {value!r}")


def _check(name: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if array is None:
        raise ValueError(f"{name} is missing")
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"{name} must be float32 of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds values that are not finite")
