"""
A race of image filters
=======================

``fastconv.ndimage`` has the filters of ``scipy.ndimage``: the same names, arguments and results. How long they take,
beside SciPy, OpenCV and Intel IPP, depends on the filter and on the size of its window.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

import fastconv as F
from fastconv import ndimage

grey = np.ascontiguousarray(load_sample_image("china.jpg")[..., 1])  # 427 x 640 bytes
floats = grey.astype(np.float32)

# %%
# ``fastconv.compare`` runs a call and what other libraries have for it, in turns, on one thread here. It checks the
# results first: OpenCV and IPP compute other pixels for many filters, which the next example looks at.
# Libraries that are not installed are left out. SciPy's long runs are measured once.

rng = np.random.default_rng(0)
filters = {
    "Gaussian of bytes": (
        ndimage.gaussian_filter,
        {size: ((grey, (size - 1) / 8), {}) for size in (5, 9, 17, 33)},
    ),
    "median of bytes": (
        ndimage.median_filter,
        {size: ((grey, size), {}) for size in (3, 5, 9, 15)},
    ),
    "maximum of bytes": (
        ndimage.maximum_filter,
        {size: ((grey, size), {}) for size in (3, 7, 15, 31)},
    ),
    "correlation of floats": (
        ndimage.correlate,
        {size: ((floats, rng.standard_normal((size, size))), {"mode": "mirror"}) for size in (3, 5, 9, 15)},
    ),
}
times = {}
for name, (function, calls) in filters.items():
    for size, (args, kwargs) in calls.items():
        race = F.compare(
            function, *args, **{"mode": "nearest"} | kwargs, peers=("scipy", "opencv", "ipp"), threads=1,
            door="called", seconds=0.03, rounds=5,
        )  # fmt: skip
        for row in race.rows:
            if row.kind == "peer" or row.chosen:
                library = row.name if row.kind == "peer" else "fastconv"
                times.setdefault(name, {}).setdefault(library, {})[size] = row.low

# %%
# Both axes are logarithmic: each line of the grid is a factor of ten in time.

style = {
    "scipy": ("SciPy", "#8a93a6"), "opencv": ("OpenCV", "#3fa377"), "ipp": ("Intel IPP", "#e08b32"),
    "fastconv": ("fastconv", "#4c86d8"),
}  # fmt: skip
figure, axes = plt.subplots(2, 2, figsize=(9, 6.6), layout="constrained")
for ax, (name, of_library) in zip(axes.flat, times.items(), strict=True):
    for library, (label, colour) in style.items():
        found = {size: low * 1e3 for size, low in of_library.get(library, {}).items() if low}
        width = 2.6 if library == "fastconv" else 1.5
        ax.loglog(found.keys(), found.values(), "o-", color=colour, label=label, linewidth=width)
    sizes = sorted(filters[name][1])
    ax.set_xticks(sizes, [f"{n}x{n}" for n in sizes])
    ax.minorticks_off()
    ax.set_ylabel("milliseconds")
    ax.set_title(name)
    ax.grid(alpha=0.3)
axes[0, 0].legend()

# %%
# The same as numbers: how many times as fast as each of the others ``fastconv.ndimage`` was here.

for name, of_library in times.items():
    ours = of_library["fastconv"]
    for library, theirs in of_library.items():
        if library != "fastconv":
            ratios = [f"{n:3}x{n:<3}{theirs[n] / ours[n]:8.2f}" for n in theirs if theirs[n] and ours.get(n)]
            print(f"{name:22} {style[library][0]:10}", *ratios)
