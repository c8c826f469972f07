"""Comparisons and reports as text, as wide as the terminal: columns are left out, names of kernels are never cut."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, TextIO

from fastconv.bench.records import ComparisonData, ReportData, Row
from fastconv.bench.timing import STEADY
from fastconv.core.units import bytes_text, time_text
from fastconv.dispatch.choice import bound_text

GAP = "  "
BUSY = 0.3  # processors that other programs use: more is said


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    head : str
    left : bool
        Whether its cells begin at the left.
    rank : int
        Where there is no room, columns of the highest rank are left out first; those of rank 0 never.
    """

    head: str
    left: bool = False
    rank: int = 0


COLUMNS = (
    Column("", left=True),
    Column("kernel", left=True),
    Column("time"),
    Column("spread", rank=1),
    Column("samples", rank=5),
    Column("rate", rank=3),
    Column("roofline", rank=4),
    Column("workspace", rank=7),
    Column("max error", rank=6),
    Column("bound", rank=8),
    Column("vs peer", rank=2),
)


def columns_of(stream: TextIO) -> int | None:
    """Characters in a line of a terminal; None where `stream` is none, and lines may be of any length."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def cells(row: Row, unit: str) -> tuple[str, ...]:
    """One row of the table as text."""
    mark = "*" if row.chosen else "~" if row.other else ""
    if row.seconds is None:
        error = "-" if row.error is None else f"{row.error:.1e}"
        return (mark, row.name, row.status.upper(), "", "", "", "", "", error, "", "")
    return (
        mark,
        row.name,
        time_text(row.seconds),
        "1 sample" if row.spread is None else f"{100 * row.spread:.0f}%",
        str(row.samples),
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
        lines.append(GAP.join([*parts, r[-1]]).rstrip())
    return lines


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """A table with its headings, of those columns for which `width` has room."""
    table = [[c.head for c in columns], *rows]
    widths = [max(len(r[i]) for r in table) for i in range(len(columns))]
    kept = list(range(len(columns)))
    while width is not None and sum(widths[i] for i in kept) + len(GAP) * (len(kept) - 1) > width:
        last = max(kept, key=lambda i: columns[i].rank)
        if columns[last].rank == 0:
            break
        kept.remove(last)
    return [
        GAP.join(r[i].ljust(widths[i]) if columns[i].left else r[i].rjust(widths[i]) for i in kept).rstrip()
        for r in table
    ]


def folded(lines: Sequence[str], width: int | None, indent: str = GAP) -> list[str]:
    """Sentences, broken where `width` ends; what continues a line is indented."""
    if width is None:
        return list(lines)
    kept = {"subsequent_indent": indent, "break_long_words": False, "break_on_hyphens": False}
    return [part for line in lines for part in wrap(line, width, **kept) or [""]]  # type: ignore[arg-type]


def heading(c: ComparisonData) -> list[str]:
    limits = c.roofline
    return [
        c.title,
        f"{c.dtype}, {c.threads} thread{'s' * (c.threads != 1)}{c.conditions}; "
        f"{c.flops / 1e6:.3g} MFLOP, {c.bytes / 1e6:.3g} MB",
        f"measured here: {limits.peak / 1e9:.0f} GFLOP/s ({limits.source}), {limits.bandwidth / 1e9:.1f} GB/s (copy)",
    ]


def footing(c: ComparisonData, whole: bool = True) -> list[str]:
    """The choice, what to doubt, and everybody who is not in the table, one line per reason."""
    lines = []
    if c.chosen is not None:
        lines.append("* chosen by fastconv; rates are effective; spread: interquartile range of times")
    if c.best_peer is not None:
        peers = dict.fromkeys(r.library for r in c.rows if r.kind == "peer")
        lines.append(f"peers (other libraries): {', '.join(peers)}; vs peer: speed over {c.best_peer.name}'s")
    if any(r.other for r in c.rows):
        lines.append("~ computes other pixels: see its error")
    lines += warnings_of([c])
    lines += [f"{r.status}: {r.name}: {r.why}" for r in c.rows if r.status != "ok"]
    if not whole:
        hidden = len(c.rows) - len(c.main_rows)
        if hidden:
            lines.append(
                f"shown: the fastest of each backend and algorithm; --all, or to_text(all=True), shows {hidden} "
                f"more, and why {len(c.left_out)} other kernels cannot do this"
            )
        return lines + [f"note: {note}" for note in c.notes]
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


def warnings_of(comparisons: Sequence[ComparisonData]) -> list[str]:
    """What to doubt about times: those that scatter, and other programs that ran meanwhile."""
    scattered = [r for c in comparisons for r in c.scattered]
    used = [c.busy for c in comparisons if c.busy is not None]
    busy = max(used, default=0.0)
    others = f"other programs used {busy:.1f} processors meanwhile" if busy >= BUSY else ""
    if not scattered:
        return [f"warning: the machine is busy: {others}"] if others else []
    timed = sum(r.samples > 1 for c in comparisons for r in c.rows)
    worst = max(scattered, key=lambda r: r.spread or 0.0)
    chosen = [r for r in scattered if r.chosen]
    which = f"{len(scattered)} of {timed} times scatter by more than {100 * STEADY:.0f}%"
    which += f", {worst.name} by {100 * (worst.spread or 0):.0f}%"
    if chosen and not worst.chosen:
        which += f", chosen kernels by up to {100 * max(r.spread or 0 for r in chosen):.0f}%"
    cause = others or "other programs, or a changing clock"
    return [f"warning: {which}: {cause}. Close other programs and measure again before you rely on them"]


def comparison_lines(c: ComparisonData, width: int | None = None, whole: bool = False) -> tuple[list[str], ...]:
    """Heading, table and footing; only the main rows unless `whole`."""
    rows = c.rows if whole else c.main_rows
    table = fitted(COLUMNS, [cells(r, c.unit) for r in rows], width)
    return folded(heading(c), width), table, folded(footing(c, whole), width)


def comparison_text(c: ComparisonData, width: int | None = None, whole: bool = False) -> str:
    """The comparison as plain text."""
    return "\n".join(line for part in comparison_lines(c, width, whole) for line in part)


SUITE_COLUMNS = (
    Column("case", left=True),
    Column("count", rank=6),
    Column("kernel", left=True, rank=3),
    Column("time"),
    Column("spread", rank=4),
    Column("rate", rank=5),
    Column("roofline", rank=7),
    Column("best kernel", left=True, rank=8),
    Column("regret", rank=2),
    Column("best peer", left=True, rank=1),
    Column("vs peer"),
)


def suite_cells(report: ReportData) -> list[tuple[str, ...]]:
    """One row per case of a suite: fastconv's own choice against the best of both sides."""
    lines: list[tuple[str, ...]] = []
    for entry in report.entries:
        c, own = entry.comparison, entry.comparison.chosen
        if own is None or own.seconds is None:
            status = "no choice" if own is None else own.status.upper()
            name = own.name if own else "-"
            lines.append((entry.case.name, str(entry.case.count), name, status, *("",) * 7))
            continue
        best, peer = c.best, c.best_peer
        lines.append(
            (
                entry.case.name,
                str(entry.case.count),
                own.name,
                time_text(own.seconds),
                "-" if own.spread is None else f"{100 * own.spread:.0f}%",
                f"{own.rate / 1e9:.1f} {c.unit}",  # type: ignore[operator]
                f"{100 * own.roofline:.0f}%",  # type: ignore[operator]
                best.name if best is not None else "-",
                "-" if entry.regret is None else f"{entry.regret:.2f}",
                f"{'~' * peer.other}{peer.name} {time_text(peer.seconds)}" if peer is not None else "-",
                "-" if own.ratio is None else f"{own.ratio:.2f}",
            )
        )
    return lines


def summary_lines(report: ReportData) -> list[str]:
    """The summary of a suite in words."""
    s = report.summary
    lines = []
    if s.ratio is not None:
        fastest = [e.comparison.best_peer.library for e in report.entries if e.comparison.best_peer is not None]
        peers = ", ".join(f"{name} in {fastest.count(name)}" for name in dict.fromkeys(fastest))
        lines.append(
            f"vs peer, how many times faster than the fastest peer (another library; {peers}): geometric mean "
            f"{s.ratio:.2f} over {s.with_peers} of {s.cases} cases, {s.below} of them below 1.0, a tenth of them "
            f"below {s.tenth:.2f}"
        )
        lines.append(
            f"the same cases, as often as they occur: {time_text(s.seconds)} here, "
            f"{time_text(s.peer_seconds)} with the fastest peer for each"
        )
    if s.regret is not None:
        worst = max((e for e in report.entries if e.regret is not None), key=lambda e: e.regret or 0)
        lines.append(
            f"regret, the time of the kernel that fastconv chooses over that of its fastest: geometric mean "
            f"{s.regret:.2f}, worst {worst.regret:.2f} "
            f"({worst.case.name}: {worst.comparison.chosen.name}, best {worst.comparison.best.name})"  # type: ignore[union-attr]
        )
    if any(e.comparison.best_peer is not None and e.comparison.best_peer.other for e in report.entries):
        lines.append("~ that peer computes other pixels: fastconv compare shows how far they are off")
    lines += warnings_of([e.comparison for e in report.entries])
    bad: dict[tuple[str, str, str | None], list[str]] = {}
    for e in report.entries:
        for r in e.comparison.rows:
            if r.status != "ok":
                bad.setdefault((r.status, r.name, r.why), []).append(e.case.name)
    for (status, name, why), cases in bad.items():
        others = f" and {len(cases) - 1} other cases" if len(cases) > 1 else ""
        lines.append(f"{status}: {cases[0]}{others}: {name}: {why}")
    notes = dict.fromkeys(n for e in report.entries for n in e.comparison.notes if "not installed" in n)
    return lines + [f"note: {n}" for n in notes]


def report_lines(report: ReportData, width: int | None = None) -> tuple[list[str], ...]:
    """Heading, table and summary of a suite."""
    head = f"{report.suite}: {report.about}"
    table = fitted(SUITE_COLUMNS, suite_cells(report), width)
    return folded([head], width), table, folded(summary_lines(report), width)


def report_text(report: ReportData, width: int | None = None) -> str:
    """A whole suite as plain text."""
    return "\n".join(line for part in report_lines(report, width) for line in part)


def show(item: ComparisonData | ReportData, stream: TextIO, whole: bool = False) -> None:
    """Print a comparison or a report: in colours on a terminal where rich is installed, else as plain text."""
    width = columns_of(stream)
    parts = comparison_lines(item, width, whole) if isinstance(item, ComparisonData) else report_lines(item, width)
    if stream.isatty():
        try:
            from rich.console import Console
        except ImportError:
            pass
        else:
            rows = (item.rows if whole else item.main_rows) if isinstance(item, ComparisonData) else ()
            _show_colours(parts, [_style(r) for r in rows], Console(file=stream, width=width))
            return
    print("\n".join(line for part in parts for line in part), file=stream)


def _show_colours(parts: Sequence[Sequence[str]], styles: Sequence[str], console: Any) -> None:
    """Print heading, table and footing; `styles` are those of the table's rows."""
    from rich.text import Text

    before, (head, *rows), after = parts
    lines = [(line, "bold") for line in before] + [(head, "dim")]
    lines += [(line, styles[i] if i < len(styles) else "") for i, line in enumerate(rows)]
    style = "dim"
    for line in after:
        if not line.startswith(GAP):  # else it continues a sentence
            style = "yellow" if line.startswith("warning") else "dim"
        lines.append((line, style))
    for line, style in lines:
        console.print(Text(line, style=style), no_wrap=True, overflow="ignore", crop=False)


def _style(row: Row) -> str:
    """The style of a row in rich's words."""
    if row.seconds is None:
        return "red"
    return "bold green" if row.chosen else "cyan" if row.kind == "peer" else ""
