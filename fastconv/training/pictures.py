"""Pictures of a training: learning curves, detectors, maps of every layer, guesses and confusions, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np

import fastconv
from fastconv.bench.plot import figure
from fastconv.demo import FAINT, INK
from fastconv.training.data import Dataset
from fastconv.training.loop import Score, normalised
from fastconv.training.network import stages
from fastconv.training.weights import State

DPI = 110
SEEN, TESTED, WRONG, RIGHT = "#8db4ea", "#1b5fc1", "#c8322b", "#2c7a3f"
EDGE = "#c9cedb"
GUESSES = (6, 8)  # rows and columns of the sheet
TOP = 3  # most probable classes that are shown for each image
MANY = 25  # classes: a confusion matrix of more shows no numbers


def curves(state: State, path: Path) -> None:
    """Cross-entropy and classification error of both sets, after every epoch."""
    rows = np.array(state.history)
    epochs = np.arange(1, len(rows) + 1)
    fig = figure(10.5, 4.3)
    fig.get_layout_engine().set(w_pad=0.12, h_pad=0.08)
    _title(
        fig, f"Learning curves: {state.settings.data}, {state.settings.optimizer}, batches of {state.settings.batch}"
    )
    for axes, column, name in zip(
        fig.subplots(1, 2), (0, 1), ("mean cross-entropy", "classification error, %"), strict=True
    ):
        values = rows[:, column::2] * (100 if column else 1)
        best = values[state.best_epoch - 1, 1]
        kept = f"{best:.2f} %" if column else f"{best:.4f}"
        axes.plot(epochs, values[:, 0], color=SEEN, lw=2, label="training set", marker="o" if len(rows) < 3 else None)
        axes.plot(epochs, values[:, 1], color=TESTED, lw=2, label="validation set")
        axes.plot(state.best_epoch, best, "o", color=TESTED, ms=7, mec="white", mew=1.2, zorder=5,
                  label=f"kept: epoch {state.best_epoch}, {kept}")  # fmt: skip
        if (rows[:, column::2] > 0).all():
            axes.set_yscale("log")
            _plain_log(axes)
        axes.set_title(name, fontsize=11, color=INK, loc="left")
        axes.set_xlabel("epoch", fontsize=9, color=FAINT)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y", which="both", color="#e6e9f0", lw=0.6)
        axes.legend(fontsize=9, frameon=False, loc="upper right")
        _quiet(axes)
    fig.savefig(path, dpi=DPI, format="png")


def detectors(state: State, path: Path) -> None:
    """The kernels that the convolutions learned: all of the first, and the strongest of the next."""
    first = state.best["conv1.weight"]
    count, channels, size = first.shape[:3]
    colour = channels == 3
    columns = _columns(count, 4)
    second = state.best.get("conv2.weight")
    height = min(10 * ceil(count / columns) / columns, 5)
    rows, heads = (0, 1) if second is None else (min(len(second), 10), min(second.shape[1], 16))
    below = min(10 * rows / heads, 7)
    fig = figure(10, height + 1.2 + (0 if second is None else below + 0.7))
    fig.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    _title(fig, f"Learned feature detectors: {state.settings.data}, after epoch {state.best_epoch}")
    parts = [fig.subplots()] if second is None else fig.subplots(2, 1, height_ratios=(height + 0.3, below + 0.3))
    if colour:
        low, high = first.min((1, 2, 3), keepdims=True), first.max((1, 2, 3), keepdims=True)
        tiles: Any = ((first - low) / np.maximum(high - low, 1e-9)).transpose(0, 2, 3, 1)
        _mosaic(parts[0], tiles, columns)
        note = "each scaled to its own range"
    else:
        strongest = np.abs(first).max((2, 3))
        tiles = first[np.arange(count), strongest.argmax(1)]
        _mosaic(parts[0], tiles / np.abs(tiles).max((1, 2), keepdims=True), columns, **_signed(1))
        note = "red above, blue below zero, white zero; each scaled to its own largest weight"
    parts[0].set_title(
        f"first convolution: {count} detectors of {size} x {size}{' x 3' * colour}", fontsize=11, color=INK, loc="left"
    )
    parts[0].set_xlabel(note, fontsize=9, color=FAINT)
    if second is not None:
        energy = np.square(second).sum((1, 2, 3))
        picked = np.sort(np.argsort(-energy, kind="stable")[:rows])
        shown = second[picked][:, :heads].reshape(-1, size, size)
        _mosaic(parts[1], shown, heads, **_signed(float(np.quantile(np.abs(second), 0.99))))
        parts[1].set_title(
            f"second convolution: the {rows} strongest of its {len(second)} detectors, one in each row", fontsize=11,
            color=INK, loc="left",
        )  # fmt: skip
        some = "the" if heads == second.shape[1] else f"{heads} of the"
        parts[1].set_xlabel(
            f"one column for each of {some} {second.shape[1]} maps that it looks at", fontsize=9, color=FAINT
        )
    fig.savefig(path, dpi=DPI, format="png")


def maps(state: State, dataset: Dataset, image: int, path: Path) -> None:
    """One image on its way through the network."""
    config = state.config
    x = normalised(state, dataset.images[image : image + 1])
    found = stages(config, state.best, x)
    flat = found[-1][1].reshape(-1)
    probabilities = _probabilities(state, x)
    rows: list[tuple[str, np.ndarray]] = []
    for i, (rectified, pooled, _) in enumerate(found, 1):
        rows.append((f"convolution {i} and ReLU: {_size(rectified)}", rectified[0]))
        rows.append((f"max pooling {config.pool} x {config.pool}: {_size(pooled)}", pooled[0]))
    width = 11.0
    grids = [_columns(len(m), 5 if len(m) <= 16 else 8) for _, m in rows]
    heights = [0.42 + min((width - 0.4) * ceil(len(m) / c) / c, 4) for (_, m), c in zip(rows, grids, strict=True)]
    fig = figure(width, 3.3 + sum(heights) + 1.0)
    fig.get_layout_engine().set(w_pad=0.06, h_pad=0.05, hspace=0.02)
    top, *middle, bottom = fig.subfigures(len(rows) + 2, 1, height_ratios=(3.3, *heights, 1.0))
    _title(top, "One test image on its way through the network")
    shown, bars = top.subplots(1, 2, width_ratios=(1, 2.4))
    _show(shown, dataset.images[image])
    truth = dataset.classes[dataset.labels[image]]
    shown.set_title(f"image: {truth}, {_size(x)}", fontsize=11, color=INK, loc="left")
    order = np.argsort(-probabilities)[:10]
    order = np.sort(order) if config.classes <= 10 else order
    colours = [RIGHT if k == dataset.labels[image] else SEEN for k in order]
    bars.bar(range(len(order)), probabilities[order], color=colours, width=0.72)
    for place, k in enumerate(order):
        if probabilities[k] >= 0.005:
            bars.annotate(f"{probabilities[k]:.0%}", (place, probabilities[k]), (0, 3), textcoords="offset points",
                          ha="center", fontsize=9, color=FAINT)  # fmt: skip
    bars.set_xticks(range(len(order)), [_short(dataset.classes[k]) for k in order])
    bars.set_ylim(0, 1.12)
    bars.set_yticks([])
    bars.set_title("fully connected layer and softmax: the network's guess", fontsize=11, color=INK, loc="left")
    _quiet(bars)
    bars.spines["left"].set_visible(False)
    for part, (name, tiles), columns in zip(middle, rows, grids, strict=True):
        axes = part.subplots()
        limit = float(np.quantile(tiles, 0.995)) or 1.0
        _mosaic(axes, tiles, columns, cmap="magma", vmin=0, vmax=limit)
        axes.set_title(name, fontsize=11, color=INK, loc="left")
    strip = bottom.subplots()
    strip.imshow(flat[None], aspect="auto", cmap="magma", vmin=0, vmax=float(np.quantile(flat, 0.995)) or 1.0,
                 interpolation="nearest")  # fmt: skip
    strip.set_title(f"flattening: {flat.size} inputs of the fully connected layer", fontsize=11, color=INK, loc="left")
    _bare(strip)
    fig.savefig(path, dpi=DPI, format="png")


def guesses(state: State, dataset: Dataset, test: np.ndarray, tested: Score, path: Path) -> None:
    """Held-out images with their most probable classes: mistakes first, the most confident ones on top."""
    rows, columns = GUESSES
    labels = dataset.labels[test]
    guess = tested.probabilities.argmax(1)
    sure = tested.probabilities.max(1)
    wrong = np.flatnonzero(guess != labels)
    wrong = wrong[np.argsort(-sure[wrong], kind="stable")]
    others = np.flatnonzero(guess == labels)
    others = np.random.default_rng(state.settings.seed).permutation(others)
    picked = np.concatenate([wrong, others])[: rows * columns]
    rows = ceil(len(picked) / columns)
    step_x, step_y, side = 1.25, 1.78, 1.0
    width, height = (columns - 1) * step_x + side + 0.12, (rows - 1) * step_y + side + 0.8
    fig = figure(width * 1.15 + 0.2, height * 1.15 + 0.5)
    fig.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
    mistakes = f"{len(wrong)} of {len(labels)} are wrong" if len(wrong) != 1 else f"1 of {len(labels)} is wrong"
    more = "" if len(wrong) <= len(picked) else f", of which {len(picked)} are here"
    _title(fig, f"Held-out images with the network's guesses: {mistakes}{more}")
    axes = fig.subplots()
    from matplotlib.patches import Rectangle

    for place, i in enumerate(picked):
        left, top = place % columns * step_x, -(place // columns) * step_y
        good = guess[i] == labels[i]
        _show(axes, dataset.images[test[i]], extent=(left, left + side, top - side, top))
        axes.add_patch(
            Rectangle((left, top - side), side, side, fill=False, lw=0.8 if good else 2.5, ec=EDGE if good else WRONG)
        )
        text, taken = (_short(dataset.classes[k]) for k in (labels[i], guess[i]))
        if not good and len(text) + len(taken) <= 4:  # longer names are in the bars below
            text = f"{text}, taken for {taken}"
        weight = "normal" if good else "bold"
        axes.text(left, top + 0.04, text, fontsize=9, color=INK if good else WRONG, weight=weight)
        for line, k in enumerate(np.argsort(-tested.probabilities[i], kind="stable")[:TOP]):
            p = float(tested.probabilities[i, k])
            y = top - side - 0.17 * (line + 1)
            colour = RIGHT if k == labels[i] else WRONG if line == 0 else EDGE
            axes.add_patch(Rectangle((left, y), side, 0.14, fc="#f1f3f8", lw=0))
            axes.add_patch(Rectangle((left, y), side * p, 0.14, fc=colour, lw=0, alpha=0.45))
            axes.text(left + 0.03, y + 0.065, _short(dataset.classes[k]), fontsize=7.5, color=INK, va="center")
            axes.text(left + side - 0.03, y + 0.065, f"{p:.1%}", fontsize=7.5, color=FAINT, va="center", ha="right")
    axes.set_xlim(-0.06, width - 0.06)
    axes.set_ylim(0.22 - height, 0.22)
    axes.set_aspect("equal")
    axes.axis("off")
    fig.savefig(path, dpi=DPI, format="png")


def confusion(dataset: Dataset, test: np.ndarray, tested: Score, path: Path) -> None:
    """How often each class was classified as which."""
    n = len(dataset.classes)
    labels, guess = dataset.labels[test], tested.probabilities.argmax(1)
    counts = np.zeros((n, n), np.int64)
    np.add.at(counts, (labels, guess), 1)
    totals = counts.sum(1)
    share = counts / totals[:, None]
    # Correct and wrong guesses have separate colour scales: on one scale, the diagonal would hide the mistakes.
    mistakes = np.where(np.eye(n, dtype=bool), np.nan, share)
    side = min(max(0.56 * n, 3.6), 12)
    fig = figure(side + 2.2, side + 1.3)
    fig.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    _title(fig, f"Confusion matrix of {len(labels)} test images")
    axes = fig.subplots()
    axes.imshow(np.where(np.eye(n, dtype=bool), share, np.nan), cmap="Blues", vmin=0, vmax=1.6)
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(float(np.nanmax(mistakes)) * 2.2, 0.02))
    names = [_short(c) for c in dataset.classes]
    turned = {"rotation": 90} if max(map(len, names)) > 3 else {}
    axes.set_xticks(range(n), names, **turned)
    axes.set_yticks(range(n), names)
    if n <= MANY:
        for (i, j), count in np.ndenumerate(counts):
            if count:
                axes.text(j, i, str(count), ha="center", va="center", fontsize=9, color=INK,
                          weight="normal" if i == j else "bold")  # fmt: skip
        recall = axes.secondary_yaxis("right")
        recall.set_yticks(range(n), [f"{counts[i, i] / totals[i]:.1%}" for i in range(n)])
        recall.tick_params(length=0, labelsize=9, colors=FAINT)
        recall.spines["right"].set_visible(False)
        recall.set_ylabel("recognised", fontsize=9, color=FAINT)
    axes.set_xlabel("guess", fontsize=11, color=INK)
    axes.set_ylabel("truth", fontsize=11, color=INK)
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=1.2)
    axes.tick_params(which="both", length=0, colors=INK)
    axes.spines[:].set_visible(False)
    fig.savefig(path, dpi=DPI, format="png")


def _probabilities(state: State, x: np.ndarray) -> np.ndarray:
    from fastconv.training.network import forward

    return fastconv.softmax(forward(state.config, state.best, x), 1)[0]


def _size(a: np.ndarray) -> str:
    return " x ".join(map(str, a.shape[1:]))


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"


def _title(fig: Any, text: str) -> None:
    fig.suptitle(text, fontsize=14, color=INK, x=0.012, ha="left")


def _quiet(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(EDGE)
    axes.tick_params(which="both", labelsize=9, colors=FAINT)


def _bare(axes: Any) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(EDGE)


def _plain_log(axes: Any) -> None:
    """Numbers as 0.05 in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _signed(limit: float) -> dict[str, Any]:
    return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}


def _columns(count: int, aspect: float) -> int:
    """Columns of a grid about `aspect` times as wide as high; with full rows if they change that little."""
    wanted = min(count, max(1, round(sqrt(count * aspect))))
    full = [c for c in range(1, count + 1) if count % c == 0 and wanted / 1.7 <= c <= wanted * 1.7]
    return min(full, key=lambda c: abs(c - wanted), default=wanted)


def _show(axes: Any, image: np.ndarray, **how: Any) -> None:
    """An image of shape (C, H, W), grey or in colours."""
    pixels = image[0] if len(image) != 3 else image.transpose(1, 2, 0)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest", **how)
    if "extent" not in how:
        _bare(axes)


def _mosaic(axes: Any, tiles: Sequence[np.ndarray] | np.ndarray, columns: int, **how: Any) -> None:
    """Equal tiles side by side in rows, with white gaps."""
    tiles = np.asarray(tiles)
    count, h, w = tiles.shape[:3]
    rows = ceil(count / columns)
    gap = max(1, round(h / 12))
    scale = 4  # so that a gap can be thinner than a pixel of a small tile
    step_h, step_w = scale * h + gap * 2, scale * w + gap * 2
    page = np.full((rows * step_h - gap * 2, columns * step_w - gap * 2, *tiles.shape[3:]),
                   1.0 if tiles.ndim == 4 else np.nan)  # fmt: skip
    for i, tile in enumerate(tiles):
        top, left = i // columns * step_h, i % columns * step_w
        page[top : top + scale * h, left : left + scale * w] = tile.repeat(scale, 0).repeat(scale, 1)
    axes.imshow(page, interpolation="nearest", **how)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
