"""Comparisons and reports as pictures, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastconv.bench.html import COLOURS
from fastconv.bench.records import ComparisonData, ReportData
from fastconv.core.errors import missing_extra
from fastconv.core.units import time_text

LABEL = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"}  # so that lines do not cross words


def figure(width: float, height: float) -> Any:
    """A figure of its own, apart from pyplot's state and any display."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "plot", "a plot") from None
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def _bars(
    axes: Any, labels: Sequence[str], values: Sequence[float], texts: Sequence[str], colours: Sequence[str]
) -> None:
    """Horizontal bars, the first on top, each with its text behind it."""
    places = range(len(labels))
    axes.barh(places, values, color=colours, height=0.72)
    axes.set_yticks(places, labels, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.22, y=0.02)
    axes.tick_params(axis="x", labelsize=8)
    for place, value, text in zip(places, values, texts, strict=True):
        axes.annotate(
            text,
            (value, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color="#5a6275",
            bbox=LABEL,
        )
    axes.spines[["top", "right"]].set_visible(False)


def plot_comparison(c: ComparisonData, path: str | Path) -> None:
    """Rates of the rows that the table shows by itself, with the roofline as a line."""
    rows = [r for r in c.main_rows if r.rate is not None]
    fig = figure(8.5, 1.5 + 0.27 * max(len(rows), 3))
    axes = fig.subplots()
    _bars(
        axes,
        [r.name for r in rows],
        [r.rate / 1e9 for r in rows],  # type: ignore[operator]
        [f"{r.rate / 1e9:.1f} ({time_text(r.seconds)})" for r in rows],  # type: ignore[operator]
        [COLOURS["chosen" if r.chosen else r.kind] for r in rows],
    )
    timed = next((r for r in rows if r.roofline), None)
    if timed is not None:
        axes.axvline(timed.rate / timed.roofline / 1e9, color="#444", lw=0.8, ls="--", label="roofline, measured")  # type: ignore[operator]
        axes.legend(fontsize=7, loc="lower right", framealpha=1, edgecolor="none")
    axes.set_xlabel(f"{c.unit}, effective; dark blue: chosen by fastconv; orange: peers", fontsize=8)
    axes.set_title(f"{c.title}\n{c.dtype}, {c.threads} thread{'s' * (c.threads != 1)}", fontsize=10, loc="left")
    fig.savefig(path, dpi=120)


def plot_reports(reports: Sequence[ReportData], path: str | Path) -> None:
    """Speed of fastconv's own choice against the best peer, case by case; effective rates where there is no peer."""
    counts = [len(r.entries) for r in reports]
    fig = figure(9, 1.2 * len(reports) + 0.24 * sum(counts))
    grid = fig.subplots(len(reports), 1, squeeze=False, height_ratios=[n + 3 for n in counts])
    for axes, report in zip(grid[:, 0], reports, strict=True):
        timed = [e for e in report.entries if e.comparison.chosen is not None and e.comparison.chosen.rate is not None]
        against = [e for e in timed if e.ratio is not None]
        if against:
            values = [e.ratio for e in against]
            _bars(
                axes,
                [e.case.name for e in against],
                values,  # type: ignore[arg-type]
                [f"{e.ratio:.2f} (best peer: {e.comparison.best_peer.name})" for e in against],  # type: ignore[union-attr]
                [COLOURS["chosen" if v >= 1 else "peer"] for v in values],  # type: ignore[operator]
            )
            axes.axvline(1, color="#444", lw=0.8, zorder=0.5)
            axes.set_xlabel("speed against the best peer; orange: a peer is faster", fontsize=8)
        else:
            rates = [e.comparison.chosen.rate / 1e9 for e in timed]  # type: ignore[union-attr, operator]
            texts = [f"{v:.1f} {e.comparison.unit}" for e, v in zip(timed, rates, strict=True)]
            _bars(axes, [e.case.name for e in timed], rates, texts, [COLOURS["chosen"]] * len(timed))
            axes.set_xlabel("effective rate of fastconv's choice", fontsize=8)
        threads = f"{report.threads} thread{'s' * (report.threads != 1)}"
        axes.set_title(f"{report.suite}: {report.about}, {threads}", fontsize=10, loc="left")
    fig.savefig(path, dpi=120)
