"""Comparisons and reports as text: plain columns anywhere, colour on a terminal where rich is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from fastconv.bench.records import ComparisonData, ReportData, Row
from fastconv.dispatch.choice import bound_text

HEAD = ("", "kernel", "time", "spread", "rate", "roofline", "workspace", "max error", "bound", "vs best peer")


def time_text(seconds: float | None) -> str:
    """Seconds with a fitting unit, three or four digits."""
    if seconds is None:
        return "-"
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.2f} {unit}"
    return f"{seconds * 1e6:.1f} us"


def bytes_text(count: int | None) -> str:
    if count is None:
        return "-"
    if count < 1 << 10:
        return f"{count} B"
    return f"{count / (1 << 20):.1f} MiB" if count >= 1 << 20 else f"{count / (1 << 10):.1f} KiB"


def cells(row: Row, unit: str) -> tuple[str, ...]:
    """One row of the table as text."""
    mark = "*" if row.chosen else "" if row.kind == "fastconv" else "peer"
    if row.seconds is None:
        error = "-" if row.error is None else f"{row.error:.1e}"
        return (mark, row.name, row.status.upper(), "", "", "", "", error, "", row.why or "")
    spread = 100 * (row.high - row.low) / row.seconds  # type: ignore[operator]
    return (
        mark,
        row.name,
        time_text(row.seconds),
        f"{spread:.0f}%",
        f"{row.rate / 1e9:.1f} {unit}",  # type: ignore[operator]
        f"{100 * row.roofline:.0f}%",  # type: ignore[operator]
        bytes_text(row.workspace),
        f"{row.error:.1e}",
        "-" if row.bound is None else bound_text(row.bound),
        "-" if row.ratio is None else f"{row.ratio:.2f}",
    )


def align(rows: Sequence[Sequence[str]], left: Sequence[int] = (0, 1)) -> list[str]:
    """Columns of equal width; those in `left` begin at the left, and so does the last where it is long text."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]) - 1)]
    lines = []
    for r in rows:
        parts = [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=False))]
        lines.append("  ".join([*parts, r[-1]]).rstrip())
    return lines


def heading(c: ComparisonData) -> list[str]:
    limits = c.roofline
    return [
        c.title,
        f"{c.dtype}, {c.threads} thread{'s' * (c.threads != 1)}{c.conditions}; "
        f"{c.flops / 1e6:.3g} MFLOP, {c.bytes / 1e6:.3g} MB; "
        f"measured here: {limits.peak / 1e9:.0f} GFLOP/s ({limits.source}), {limits.bandwidth / 1e9:.1f} GB/s (copy)",
    ]


def footing(c: ComparisonData) -> list[str]:
    """The choice, and everybody who is not in the table, one line per reason."""
    lines = []
    if c.chosen is not None:
        lines.append("* chosen by fastconv; rates are effective; spread: interquartile range of the time")
    reasons: dict[str, list[str]] = {}
    for name, reason in c.left_out:
        family = name.partition("@")[0]  # instruction sets mostly share their reasons
        shared = all(r == reason for n, r in c.left_out if n.partition("@")[0] == family)
        label = family if shared and not any(r.name.startswith(f"{family}@") for r in c.rows) else name
        names = reasons.setdefault(reason, [])
        if label not in names:
            names.append(label)
    lines += [f"not run: {', '.join(names)}: {reason}" for reason, names in reasons.items()]
    return lines + [f"note: {note}" for note in c.notes]


def comparison_text(c: ComparisonData) -> str:
    """The comparison as plain text."""
    return "\n".join([*heading(c), *align([HEAD, *(cells(r, c.unit) for r in c.rows)]), *footing(c)])


SUITE_HEAD = (
    "case",
    "count",
    "kernel",
    "time",
    "rate",
    "roofline",
    "best kernel",
    "regret",
    "best peer",
    "vs best peer",
)


def suite_cells(report: ReportData) -> list[tuple[str, ...]]:
    """One row per case of a suite: fastconv's own choice against the best of both sides."""
    lines: list[tuple[str, ...]] = []
    for entry in report.entries:
        c, own = entry.comparison, entry.comparison.chosen
        if own is None or own.seconds is None:
            why = "no choice" if own is None else f"{own.status}: {own.why}"
            lines.append((entry.case.name, str(entry.case.count), own.name if own else "-", why, *("",) * 6))
            continue
        best, peer = c.best, c.best_peer
        lines.append(
            (
                entry.case.name,
                str(entry.case.count),
                own.name,
                time_text(own.seconds),
                f"{own.rate / 1e9:.1f} {c.unit}",  # type: ignore[operator]
                f"{100 * own.roofline:.0f}%",  # type: ignore[operator]
                best.name if best is not None else "-",
                "-" if entry.regret is None else f"{entry.regret:.2f}",
                f"{peer.name} {time_text(peer.seconds)}" if peer is not None else "-",
                "-" if own.ratio is None else f"{own.ratio:.2f}",
            )
        )
    return lines


def summary_lines(report: ReportData) -> list[str]:
    """The summary of a suite in words."""
    s = report.summary
    lines = []
    if s.ratio is not None:
        lines.append(
            f"against the best peer of each case: geometric mean {s.ratio:.2f} over {s.with_peers} cases, "
            f"{s.below} of them below 1.0, a tenth of them below {s.tenth:.2f}"
        )
        lines.append(
            f"all layers, as often as they occur: {1e3 * s.seconds:.2f} ms here, "  # type: ignore[operator]
            f"{1e3 * s.peer_seconds:.2f} ms with the best peer for each"  # type: ignore[operator]
        )
    if s.regret is not None:
        worst = max((e for e in report.entries if e.regret is not None), key=lambda e: e.regret or 0)
        lines.append(
            f"regret of the choice of kernel: geometric mean {s.regret:.2f}, worst {worst.regret:.2f} "
            f"({worst.case.name}: {worst.comparison.chosen.name}, best {worst.comparison.best.name})"  # type: ignore[union-attr]
        )
    for e in report.entries:
        bad = [r for r in e.comparison.rows if r.status != "ok"]
        lines += [f"{r.status}: {e.case.name}: {r.name}: {r.why}" for r in bad]
    notes = dict.fromkeys(n for e in report.entries for n in e.comparison.notes if "not installed" in n)
    return lines + [f"note: {n}" for n in notes]


def report_text(report: ReportData) -> str:
    """A whole suite as plain text."""
    head = f"{report.suite}: {report.about}"
    return "\n".join([head, *align([SUITE_HEAD, *suite_cells(report)], left=(0, 2, 6)), *summary_lines(report)])


def show(item: ComparisonData | ReportData, stream: TextIO) -> None:
    """Print a comparison or a report: with rich on a terminal, else as plain text."""
    if stream.isatty():
        try:
            import rich.console
            import rich.table
        except ImportError:
            pass
        else:
            _show_rich(item, rich.console.Console(file=stream))
            return
    print(comparison_text(item) if isinstance(item, ComparisonData) else report_text(item), file=stream)


def _show_rich(item: ComparisonData | ReportData, console: Any) -> None:
    import rich.box
    import rich.table
    from rich.text import Text

    left: tuple[str, ...]
    rows: list[tuple[tuple[str, ...], str]]
    if isinstance(item, ComparisonData):
        head, left, quiet = HEAD, ("", "kernel"), "dim"
        rows = [(cells(row, item.unit), _style(row)) for row in item.rows]
        before, after = heading(item), footing(item)
    else:
        head, left, quiet = SUITE_HEAD, ("case", "kernel", "best kernel", "best peer"), ""
        rows = [(line, "") for line in suite_cells(item)]
        before, after = [f"{item.suite}: {item.about}"], summary_lines(item)
    table = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(name, justify="left" if name in left else "right")
    for line, style in rows:
        table.add_row(*map(Text, line), style=style)
    console.print(Text("\n".join(before), style="bold"))
    console.print(table)
    console.print(Text("\n".join(after), style=quiet))


def _style(row: Row) -> str:
    """The style of a row in rich's words."""
    if row.seconds is None:
        return "red"
    return "bold green" if row.chosen else "cyan" if row.kind == "peer" else ""
