"""Comparisons and reports as one self-contained page: inline style, inline SVG, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from fastconv.bench.records import ComparisonData, ReportData, Row
from fastconv.bench.table import COLUMNS, SUITE_COLUMNS, Column, cells, footing, heading, suite_cells, summary_lines
from fastconv.core.units import time_text

STYLE = """
body{font:14px/1.45 system-ui,sans-serif;color:#1d2330;background:#fff;max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .3rem}
p{margin:.2rem 0;color:#5a6275}
table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.18rem .6rem;text-align:right;border-bottom:1px solid #e6e9f0;white-space:nowrap}
th{color:#5a6275;font-weight:600}.t{text-align:left}
tr.chosen td{font-weight:600}tr.peer td{color:#a34e00}tr.bad td{color:#b00020}
svg{max-width:100%;height:auto}details{margin:.3rem 0 1rem}
"""
COLOURS = {"chosen": "#1b5fc1", "fastconv": "#8db4ea", "peer": "#e8963c"}


def _class(row: Row) -> str:
    return "bad" if row.seconds is None else "chosen" if row.chosen else row.kind


def _table(columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    def cell(tag: str, i: int, text: str) -> str:
        return f"<{tag}{' class=t' if columns[i].left else ''}>{escape(text)}</{tag}>"

    lines = ["<table><tr>" + "".join(cell("th", i, c.head) for i, c in enumerate(columns)) + "</tr>"]
    for kind, row in rows:
        lines.append(f'<tr class="{kind}">' + "".join(cell("td", i, c) for i, c in enumerate(row)) + "</tr>")
    return "\n".join([*lines, "</table>"])


def bars(rows: Sequence[tuple[str, float, str, str]], unit: str) -> str:
    """Horizontal bars as SVG: (label, value, text at its end, colour) for each."""
    step, label, width = 22, 230, 560
    largest = max((v for _, v, _, _ in rows), default=1.0) or 1.0
    height = step * len(rows) + 24
    parts = [
        f'<svg viewBox="0 0 {label + width + 170} {height}" width="{label + width + 170}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg" role="img" font-family="system-ui,sans-serif" font-size="12">'
    ]
    for i, (name, value, text, colour) in enumerate(rows):
        y, w = i * step + 4, max(1.0, width * value / largest)
        parts.append(f'<text x="{label - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{label}" y="{y}" width="{w:.1f}" height="{step - 6}" rx="2" fill="{colour}"/>')
        parts.append(f'<text x="{label + w + 6:.1f}" y="{y + 12}" fill="#5a6275">{escape(text)}</text>')
    parts.append(f'<text x="{label}" y="{height - 4}" fill="#5a6275">{escape(unit)}</text></svg>')
    return "".join(parts)


def chart(c: ComparisonData) -> str:
    """Rates of a comparison as bars."""
    rows = [
        (r.name, r.rate / 1e9, f"{r.rate / 1e9:.1f}  ({time_text(r.seconds)})",
         COLOURS["chosen" if r.chosen else r.kind])
        for r in c.rows
        if r.rate is not None
    ]  # fmt: skip
    return bars(rows, f"{c.unit}, effective; dark: chosen by fastconv; orange: peers")


def fragment(c: ComparisonData, level: int = 2) -> str:
    """A comparison as HTML without the page around it."""
    title, *more = heading(c)
    about = "; ".join(more)
    rows = [(_class(r), cells(r, c.unit)) for r in c.rows]
    notes = "".join(f"<p>{escape(line)}</p>" for line in footing(c))
    return (
        f"<h{level}>{escape(title)}</h{level}><p>{escape(about)}</p>{chart(c)}{_table(COLUMNS, rows)}"
        f"<details><summary>Choice, kernels not run, notes</summary><p>{escape(c.problem)}</p>{notes}</details>"
    )


def report_fragment(report: ReportData) -> str:
    """A suite: its table, its ratios as bars, and every comparison folded away."""
    rows = [("", line) for line in suite_cells(report)]
    ratios = [
        (e.case.name, e.ratio, f"{e.ratio:.2f}", COLOURS["chosen" if e.ratio >= 1 else "peer"])
        for e in report.entries
        if e.ratio is not None
    ]
    summary = "".join(f"<p>{escape(line)}</p>" for line in summary_lines(report))
    svg = bars(ratios, "speed against the best peer; orange: a peer is faster") if ratios else ""
    folded = "".join(
        f"<details><summary>{escape(e.case.name)}</summary>{fragment(e.comparison, 3)}</details>"
        for e in report.entries
    )
    about = f"{report.about}; {report.threads} thread{'s' * (report.threads != 1)}"
    table = _table(SUITE_COLUMNS, rows)
    return f"<h2>{escape(report.suite)}</h2><p>{escape(about)}</p>{summary}{svg}{table}{folded}"


def page(title: str, items: Sequence[ComparisonData | ReportData]) -> str:
    """A whole page of comparisons and reports."""
    body = "\n".join(report_fragment(i) if isinstance(i, ReportData) else fragment(i) for i in items)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def write_page(path: str | Path | None, title: str, items: Sequence[ComparisonData | ReportData]) -> str:
    """The same page, also written to `path` if that is given."""
    text = page(title, items)
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
