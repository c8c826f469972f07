"""What `fastconv info` prints, for bug reports: the machine, its measured rates, backends and packages."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np

from fastconv.bench.backends import Backends, found
from fastconv.bench.peers import PEERS
from fastconv.bench.roofline import bandwidth, peak
from fastconv.bench.table import folded
from fastconv.core import cpu, machine, threads
from fastconv.core.units import bytes_text
from fastconv.dispatch import wisdom
from fastconv.dispatch.extensions import extensions
from fastconv.machines import host_table
from fastconv.version import __version__

DISTRIBUTIONS = ("numba", "scipy", "ml_dtypes", "rich", "threadpoolctl", "matplotlib", "torch", "onnxruntime", "onnx",
                 "openvino", "ncnn", "opencv-python-headless")  # fmt: skip


INDENT = " " * 11  # of what follows the words at the left


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def collect() -> dict[str, Any]:
    """Everything as data; takes about a second, because rates are measured."""
    host = machine.host()
    count = threads.default()
    rates = {}
    for n in sorted({1, count}):
        single, source = peak(n, 4)
        rates[str(n)] = {
            "float32_flops": single,
            "float64_flops": peak(n, 8)[0],
            "bandwidth": bandwidth(n),
            "source": source,
        }
    packages = {name: found_version for name in DISTRIBUTIONS if (found_version := _version(name)) is not None}
    return {
        "fastconv": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.platform(),
        "cpu": cpu.name(),
        "microarchitecture": cpu.microarchitecture(),
        "table": host_table().name,
        "cpus": os.cpu_count(),
        "cpus_usable": threads.available(),
        "threads": count,
        "isas": list(machine.host_isas()),
        "isa_cap": os.environ.get("FASTCONV_ISA") or None,
        "caches": {"l1": host.l1, "l2": host.l2, "l3": host.l3},
        "measured": rates,
        "backends": {name: asdict(b) for name, b in found().items()},
        "wisdom": wisdom.state(),
        "packages": packages,
        "extensions": [
            {"kernel": e.kernel.name, "op": e.kernel.op, "package": e.package, "version": e.version}
            for e in extensions()
        ],
        "peers_missing": {
            name: command for name, (needs, command) in PEERS.items() if any(find_spec(p) is None for p in needs)
        },
    }


def text(info: dict[str, Any], width: int | None = None) -> str:
    """The same as text, in lines of up to `width` characters."""
    caches = info["caches"]
    cap = f"FASTCONV_ISA={info['isa_cap']}" if info["isa_cap"] else "FASTCONV_ISA is not set"
    lines = [
        f"fastconv   {info['fastconv']}, Python {info['python']}, NumPy {info['numpy']}",
        f"system     {info['system']}",
        f"CPU        {info['cpu']}, {info['microarchitecture'] or 'microarchitecture unknown'}",
        f"cores      {info['cpus']}, {info['cpus_usable']} of them usable here; {info['threads']} threads by default",
        f"ISA        {', '.join(info['isas'])} ({cap})",
        f"caches     L1d {bytes_text(caches['l1'])}, L2 {bytes_text(caches['l2'])}, L3 {bytes_text(caches['l3'])}",
    ]
    for n, r in info["measured"].items():
        head = f"{'measured' if n == '1' else '':<10} {n} thread{'s' * (n != '1')}"
        single, double, copy = (r[key] / 1e9 for key in ("float32_flops", "float64_flops", "bandwidth"))
        lines.append(
            f"{head}: {single:.0f} GFLOP/s float32, {double:.0f} float64 ({r['source']}); copy {copy:.1f} GB/s"
        )
    packages = ", ".join(f"{name} {v}" for name, v in info["packages"].items()) or "none"
    source = info["measured"]["1"]["source"]
    lines.append(f"           by {source} on registers, and by copies larger than the caches")
    lines += [f"rates      of table {info['table']}", f"wisdom     {info['wisdom']}", f"packages   {packages}"]
    for e in info["extensions"]:
        brought = f"by {e['package']} {e['version'] or ''}".rstrip() if e["package"] else "by hand"
        lines.append(f"extension  {e['kernel']} of {e['op']}, registered {brought}")
    lines = [part for line in lines for part in folded([line], width, INDENT)]
    lines += ["", str(Backends.from_dict(info["backends"]))]
    if info["peers_missing"]:
        missing = [f"peer {name} is not installed: {command}" for name, command in info["peers_missing"].items()]
        lines += ["", *folded(missing, width)]
    return "\n".join(lines)
