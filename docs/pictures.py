"""The pictures of "How it works", each drawn for light pages and for dark ones: `python docs/pictures.py FOLDER`."""

import sys
from itertools import takewhile
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch, Rectangle

import fastconv as F

THEMES = {
    "light": {"ink": "#1d2330", "faint": "#5a6275", "line": "#9aa3b5", "empty": "#f3f5f9"},
    "dark": {"ink": "#e6e9f0", "faint": "#a9b1c2", "line": "#6b7488", "empty": "#232a36"},
}
BLUE, ORANGE, GREEN, RED, VIOLET, GREY = "#4c86d8", "#e08b32", "#3fa377", "#d2574f", "#8f6fd0", "#8a93a6"


class Canvas:
    """Axes in units of one cell, y downwards, with the few shapes that these pictures consist of."""

    def __init__(self, theme, width, height, scale=0.29):
        self.theme = theme
        self.figure = Figure(figsize=(width * scale, height * scale))
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis("off")

    def cells(self, x, y, rows, columns, colour=None, texts=None, size=1.0):
        """A grid of cells; `colour` is one for all, or a function of row and column (None: empty)."""
        for i in range(rows):
            for j in range(columns):
                own = colour(i, j) if callable(colour) else colour
                face = self.theme["empty"] if own is None else own
                at = (x + j * size, y + i * size)
                self.axes.add_patch(
                    Rectangle(at, size, size, facecolor=face, edgecolor=self.theme["line"], linewidth=0.7)
                )
                if texts is not None:
                    ink = self.theme["ink"] if own is None else "white"
                    self.text(at[0] + size / 2, at[1] + size / 2, texts[i][j], 8 * size**0.5, ink)

    def text(self, x, y, text, size=9.0, colour=None, ha="center", weight="normal"):
        colour = colour or self.theme["ink"]
        self.axes.text(x, y, text, fontsize=size, color=colour, ha=ha, va="center", weight=weight, linespacing=1.35)

    def note(self, x, y, text, ha="center"):
        self.text(x, y, text, 8.5, self.theme["faint"], ha)

    def arrow(self, start, end, text="", above=0.5):
        how = {"arrowstyle": "-|>", "mutation_scale": 11, "color": self.theme["faint"], "linewidth": 1.2}
        self.axes.add_patch(FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **how))
        self.note((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - above, text)

    def frame(self, x, y, width, height, colour, style="-"):
        self.axes.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=2.2, linestyle=style)
        )

    def box(self, x, y, width, height, title, below, colour):
        style = "round,pad=0,rounding_size=0.35"
        self.axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=colour, linewidth=0))
        self.text(x + width / 2, y + 0.85, title, 11, "white", weight="bold")
        self.text(x + width / 2, y + height / 2 + 0.5, below, 8.5, "white")


def call(theme):
    c = Canvas(theme, 30, 5.6)
    parts = (
        ("Problem", "what: shapes, dtype,\nstride, padding;\nno arrays", BLUE),
        ("Kernel", "who: one algorithm of\none backend for one\ninstruction set", GREEN),
        ("Plan", "how: the chosen kernel\nand packed weights;\ncan explain itself", VIOLET),
        ("run", "arrays in, arrays out;\nchecks nothing", ORANGE),
    )
    for k, (title, below, colour) in enumerate(parts):
        c.box(0.3 + 7.7 * k, 0.4, 6.1, 4.0, title, below, colour)
        if k:
            c.arrow((7.7 * k - 1.2, 2.4), (7.7 * k + 0.2, 2.4))
    c.note(7.25, 5.1, "choose the cheapest that does not refuse")
    c.note(15.0, 5.1, "prepare: pack once")
    c.note(22.7, 5.1, "call as often as you like")
    return c.figure


def bands(theme):
    """Padding is filled, and windows become columns, for a few rows at a time."""
    c = Canvas(theme, 30, 11.4)
    edge = lambda i, j: GREY if i in (0, 7) or j in (0, 7) else None  # noqa: E731
    band = lambda i, j: edge(i, j) or (BLUE if i < 4 else None)  # noqa: E731
    c.text(4.5, 0.6, "image and padding", weight="bold")
    c.cells(0.5, 1.4, 8, 8, band)
    c.frame(0.5, 1.4, 8, 4, ORANGE)
    c.note(4.5, 10.3, "never copied as a whole")
    c.arrow((9.0, 3.4), (11.2, 3.4), "copy", 0.6)
    c.text(15.6, 0.6, "band: the rows for two rows of results", weight="bold")
    c.cells(11.6, 1.4, 4, 8, (lambda i, j: GREY if i == 0 or j in (0, 7) else BLUE))
    c.frame(11.6, 1.4, 3, 3, RED)
    c.frame(13.6, 2.4, 3, 3, GREEN)
    c.note(15.6, 6.1, "direct convolution reads it in place;")
    c.note(15.6, 6.9, "for im2col windows become columns")
    c.arrow((20.0, 3.4), (22.2, 3.4), "im2col", 0.6)
    c.text(26.0, 0.6, "columns, one per result", weight="bold")
    c.cells(22.6, 1.4, 9, 12, lambda i, j: RED if j == 0 else GREEN if j == 8 else None, size=0.58)
    c.note(26.1, 7.4, "9 taps x 12 results: one product of")
    c.note(26.1, 8.2, "matrices gives all output channels")
    return c.figure


def tile(theme):
    """MR broadcast values times two vectors: what stays in registers while the sum runs."""
    c = Canvas(theme, 30, 12.6)
    rows, lanes = 6, 16
    c.text(3.6, 1.3, "one pixel after the other,\nbroadcast to all lanes", 9)
    c.cells(5.2, 4, rows, 1, BLUE)
    c.note(4.9, 7, "MR pixels", "right")
    c.cells(7.4, 1.9, 1, lanes, lambda i, j: ORANGE if j < 8 else "#c9782b")
    c.text(15.4, 0.6, "two vectors of weights: output channels in lanes")
    c.cells(7.4, 4, rows, lanes, lambda i, j: GREEN if j < 8 else "#348a65")
    c.text(15.4, 7, "sums: MR x 2 vectors, in registers\nuntil the last tap and channel is added", 10, "white")
    c.arrow((15.4, 3.0), (15.4, 3.95))
    c.arrow((6.3, 7), (7.35, 7))
    c.text(24.0, 3.2, "registers in use", weight="bold", ha="left")
    in_use = {
        "AVX-512": "14 x 2 + 2 + 1 = 31 of 32",
        "AVX2": "6 x 2 + 2 + 1 = 15 of 16",
        "NEON": "12 x 2 + 2 + 1 = 27 of 32",
        "portable": "4 x 2 + 2 + 1 = 11",
    }
    for k, (name, count) in enumerate(in_use.items()):
        c.text(24.0, 4.5 + 1.75 * k, name, 9, ha="left")
        c.note(24.0, 5.25 + 1.75 * k, count, "left")
    loop = "for each tap, for each input channel: load two vectors, then 2 x MR independent multiply-adds"
    c.note(13, 11.6, loop)
    return c.figure


def winograd(theme):
    """F(2 x 2, 3 x 3) in the order in which data pass through it."""
    c = Canvas(theme, 30, 11.6)
    c.text(2.5, 0.6, "tile of the image", weight="bold")
    c.cells(0.5, 1.3, 4, 4, BLUE)
    c.text(2.5, 7.0, "kernel", weight="bold")
    c.cells(1.0, 7.7, 3, 3, ORANGE)
    c.arrow((4.9, 3.3), (8.1, 3.3), "additions", 0.6)
    c.arrow((4.9, 9.2), (8.1, 9.2), "once, in a plan", 0.6)
    c.cells(8.5, 1.3, 4, 4, "#3a6db6")
    c.note(10.5, 5.9, "input transform")
    c.cells(8.5, 7.0, 4, 4, "#c9782b")
    c.text(14.0, 6.2, "x", 20, weight="bold")
    c.arrow((14.8, 6.2), (16.4, 6.2))
    c.text(18.9, 3.4, "16 products", weight="bold")
    c.cells(16.9, 4.1, 4, 4, GREEN)
    c.note(18.9, 8.8, "summed over\ninput channels")
    c.arrow((21.4, 6.1), (24.6, 6.1), "additions", 0.6)
    c.text(26.2, 4.4, "2 x 2 results", weight="bold")
    c.cells(25.2, 5.1, 2, 2, VIOLET)
    c.note(26.2, 8.1, "directly: 4 x 9 = 36 products")
    return c.figure


def phases(theme):
    """A transposed convolution of stride 2 is four small convolutions."""
    c = Canvas(theme, 30, 10.2)
    colours = ((BLUE, ORANGE), (GREEN, VIOLET))
    own = lambda i, j: colours[i % 2][j % 2]  # noqa: E731
    c.text(2.0, 0.6, "input", weight="bold")
    c.cells(0.5, 3.2, 3, 3, GREY)
    c.text(7.5, 0.6, "kernel 3 x 3", weight="bold")
    c.cells(6.0, 3.2, 3, 3, own)
    c.note(7.5, 7.0, "taps of one colour\nreach one phase")
    c.text(4.75, 4.7, "*", 16)
    c.arrow((9.8, 4.7), (11.8, 4.7))
    x = 12.4
    for i in range(2):
        for j in range(2):
            rows, columns = 2 - i, 2 - j
            c.cells(x + 4.2 * j, 1.5 + 3.9 * i, rows, columns, colours[i][j])
            c.note(x + 4.2 * j + columns / 2, 2.1 + 3.9 * i + rows, f"{rows} x {columns}")
    c.text(15.2, 0.6, "four kernels, stride 1", weight="bold")
    c.note(15.4, 9.0, "9 products per 4 results;\nno zero is inserted")
    c.arrow((19.8, 4.7), (21.8, 4.7), "interleave", 0.6)
    c.text(25.9, 0.6, "result, stride 2", weight="bold")
    c.cells(22.4, 1.3, 7, 7, own)
    return c.figure


def blocks(theme):
    """A product of matrices, in blocks of the sizes of the caches."""
    c = Canvas(theme, 30, 12.2)
    c.text(3.5, 0.6, "A", 12, weight="bold")
    c.cells(1, 1.4, 8, 6, lambda i, j: None, size=1)
    for y in (1.4, 3.4, 5.4, 7.4):
        c.axes.add_patch(
            Rectangle((1, y), 3, 2, facecolor=BLUE, edgecolor="white", linewidth=1.2, alpha=0.55 if y != 3.4 else 1)
        )
    c.note(2.5, 10.0, "KC deep")
    c.note(0.9, 4.4, "MR", "right")
    c.note(4.0, 10.9, "one panel at a time in the L1\ncache, a block of them in L2")
    c.text(9.6, 5.4, "x", 18)
    c.text(15.5, 0.6, "B", 12, weight="bold")
    c.cells(11.5, 1.4, 6, 8, None)
    for x in (11.5, 13.5, 15.5, 17.5):
        c.axes.add_patch(
            Rectangle(
                (x, 1.4), 2, 3, facecolor=ORANGE, edgecolor="white", linewidth=1.2, alpha=0.55 if x != 13.5 else 1
            )
        )
    c.note(14.5, 8.1, "NR: two vectors wide")
    c.note(15.5, 8.9, "packed once, in a plan")
    c.text(20.6, 5.4, "=", 18)
    c.text(25.6, 0.6, "C", 12, weight="bold")
    c.cells(21.6, 1.4, 8, 8, None)
    c.axes.add_patch(Rectangle((23.6, 3.4), 2, 2, facecolor=GREEN, edgecolor="white", linewidth=1.2))
    c.note(25.6, 10.2, "one register tile, MR x NR,\nadded to after each KC of depth")
    return c.figure


def axes_of(theme, width, height, columns=1):
    figure = Figure(figsize=(width, height), layout="constrained")
    for axes in (grid := np.ravel(figure.subplots(1, columns, squeeze=False))):
        axes.set_facecolor(theme["empty"])
        axes.tick_params(which="both", colors=theme["faint"], labelsize=8.5)
        axes.title.set_color(theme["ink"])
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_color(theme["ink"])
        for spine in axes.spines.values():
            spine.set_color(theme["line"])
    return figure, grid


def errors(theme):
    """Expected error and predicted time of the kernels of one layer, as its plan states them."""
    layer = F.plan(F.conv2d, F.Spec((1, 64, 56, 56), "f"), np.ones((64, 64, 3, 3), "f"), padding=1).explain()
    best = {}
    for k in sorted(layer.candidates, key=lambda k: k.cost):
        if np.isfinite(k.cost) and k.kernel.backend != "reference":
            best.setdefault((k.kernel.backend, algorithm_of(k.kernel.name)), k)
    figure, (axes,) = axes_of(theme, 8.6, 4.2)
    colours = {"cython": BLUE, "numba": GREEN, "numpy": ORANGE}
    for (backend, algorithm), k in best.items():
        axes.plot(k.cost * 1e3, k.error, "o", color=colours.get(backend, GREY), markersize=7)
        if algorithm != "winograd_f4x6":  # lies where winograd_f6x4 does
            up = {"winograd_f6x4": -2, "winograd_f5x4": -11, "winograd_rows5": -11}.get(algorithm, 5)
            where = {"xytext": (7, up), "textcoords": "offset points"}
            axes.annotate(algorithm, (k.cost * 1e3, k.error), color=theme["ink"], fontsize=8.5, **where)
    axes.axhline(4e-6, color=RED, linewidth=1.2, linestyle="--")
    where = {"xycoords": ("axes fraction", "data"), "xytext": (-6, 5), "textcoords": "offset points", "ha": "right"}
    axes.annotate("tol, by default", (1, 4e-6), color=RED, fontsize=8.5, **where)
    axes.set(xscale="log", xlabel="predicted time, ms (one thread)")
    axes.set(yscale="log", ylabel="expected error, of max |y|")
    axes.margins(x=0.12)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    axes.xaxis.set_minor_formatter(lambda v, _: f"{v:g}" if f"{v:e}"[0] in "25" else "")
    legend = [Patch(color=colours[name], label=name) for name in colours if any(b == name for b, _ in best)]
    axes.legend(
        handles=legend, facecolor=theme["empty"], edgecolor=theme["line"], labelcolor=theme["ink"], fontsize=8.5
    )
    return figure


CHANNELS, EXTENTS = (1, 3, 8, 16, 32, 64, 128, 256, 512), (4, 7, 14, 28, 56, 112, 224)


def algorithm_of(name):
    """`winograd_f4` of `cython.winograd_f4@avx2`."""
    return name.partition(".")[2].partition("@")[0]


def family(name):
    """Algorithms of one idea share a colour: Winograd's differ by the size of their tiles."""
    algorithm = algorithm_of(name)
    if algorithm.startswith("winograd_rows"):
        return "winograd_rows"
    return "winograd" if algorithm.startswith("winograd") else algorithm


def choices(theme):
    """Which algorithm is chosen for square layers, by channels and size of the map."""
    layers = (("3x3, padding 1", 3, 1, 1), ("3x3, stride 2", 3, 2, 1), ("1x1", 1, 1, 0))
    chosen = {}
    for title, kernel, stride, padding in layers:
        for channels in CHANNELS:
            weight = np.zeros((max(channels, 16), channels, kernel, kernel), "f")
            for extent in EXTENTS:
                spec = F.Spec((1, channels, extent, extent), "f")
                plan = F.plan(F.conv2d, spec, weight, stride=stride, padding=padding)
                chosen[title, channels, extent] = family(plan.kernel)
    names = sorted(set(chosen.values()))
    palette = [BLUE, ORANGE, GREEN, VIOLET, RED, GREY, "#c9a227", "#4bb3c4", "#b0628f", "#7d8f3a"][: len(names)]
    figure, grid = axes_of(theme, 9.6, 3.7, len(layers))
    for axes, (title, *_) in zip(grid, layers, strict=True):
        table = [[names.index(chosen[title, c, e]) for c in CHANNELS] for e in EXTENTS]
        axes.imshow(
            table, cmap=ListedColormap(palette), vmin=-0.5, vmax=len(names) - 0.5, aspect="auto", origin="lower"
        )
        axes.set_xticks(range(len(CHANNELS)), CHANNELS)
        axes.set_yticks(range(len(EXTENTS)), EXTENTS)
        axes.set_xlabel("input channels")
        axes.set_title(title, fontsize=10)
    grid[0].set_ylabel("height and width")
    legend = [Patch(color=colour, label=name) for colour, name in zip(palette, names, strict=True)]
    figure.legend(
        handles=legend, loc="outside lower center", ncols=5, frameon=False, labelcolor=theme["ink"], fontsize=8.5
    )
    return figure


def ratios(theme):
    """The last column of the first table of performance.md, whose rows are layers."""
    lines = (Path(__file__).with_name("performance.md")).read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| layer |")) + 2
    table = [line.strip("| ").split(" | ") for line in takewhile(bool, lines[start:])]
    figure, (axes,) = axes_of(theme, 8.6, 0.21 * len(table) + 0.7)
    values = [float(row[-1]) for row in table]
    axes.barh(range(len(table)), values, color=[BLUE if v >= 1 else RED for v in values], height=0.72)
    for y, (value, row) in enumerate(zip(values, table, strict=True)):
        axes.text(value + 0.03, y, f"{value:g}  {row[-2].split()[0]}", va="center", fontsize=8, color=theme["faint"])
    axes.axvline(1, color=theme["ink"], linewidth=1)
    axes.set_yticks(range(len(table)), [row[0] for row in table])
    axes.set(ylim=(len(table) - 0.4, -0.6), xlim=(0, max(values) * 1.18))
    axes.set_xlabel("time of the best other library, which is named, over fastconv's")
    return figure


PICTURES = (ratios, call, bands, tile, winograd, phases, blocks, errors, choices)


def draw(folder):
    """Draw all pictures of all themes, as SVG files."""
    folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "fastconv", "font.family": "DejaVu Sans"}):
        for name, theme in THEMES.items():
            for picture in PICTURES:
                target = folder / f"{picture.__name__}-{name}.svg"
                picture(theme).savefig(target, facecolor="none", metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
