"""Comparisons and reports as one self-contained page: inline style, bars of plain elements, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from fastconv.bench.records import ComparisonData, ReportData, Row
from fastconv.bench.table import COLUMNS, SUITE_COLUMNS, Column, cells, footing, heading, suite_cells, summary_lines
from fastconv.core.units import time_text

# The colours of dark pages are those of light ones by other names, so that bars know none.
BARS_STYLE = """
.fc{--ink:#1d2330;--faint:#5a6275;--line:#e6e9f0;--ground:#fff;--chosen:#1b5fc1;--fastconv:#8db4ea;--peer:#e8963c;
--bad:#b00020;--warn:#9a5b00;color:var(--ink)}
@media (prefers-color-scheme:dark){.fc{--ink:#e4e7ee;--faint:#9aa3b5;--line:#2f3646;--ground:#151922;--chosen:#5b9bf5;
--fastconv:#375a8c;--peer:#c97a2b;--bad:#ff6b81;--warn:#e0a84a}}
.fc .bars{display:grid;grid-template-columns:max-content minmax(6rem,1fr);gap:.15rem .8rem;align-items:center;
max-width:60rem;font-size:.85rem;margin:.6rem 0}
.fc .bars b{grid-column:1/-1;color:var(--faint);font-weight:600;margin-top:.35rem}
.fc .track{position:relative;display:flex;align-items:center;padding-right:12.5rem}
.fc .room{position:relative;width:100%;display:flex;align-items:center}
.fc .bar{height:.95rem;border-radius:2px;min-width:2px}
.fc .value{position:absolute;margin-left:.4rem;white-space:nowrap;color:var(--faint);background:var(--ground)}
.fc .mark{position:absolute;top:-.2rem;bottom:-.2rem;border-left:1px dashed var(--ink);opacity:.6}
.fc .scroll{overflow-x:auto}
@media (max-width:700px){.fc .bars{grid-template-columns:1fr;gap:0}.fc .track{margin-bottom:.3rem}}
"""
STYLE = """
body{margin:0;background:var(--ground)}
main{font:14px/1.45 system-ui,sans-serif;max-width:1200px;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .3rem}
h3{font-size:1rem;margin:.8rem 0 .3rem}
p{margin:.2rem 0;color:var(--faint);overflow-wrap:anywhere}p.warn{color:var(--warn);font-weight:600}
table{border-collapse:collapse;margin:.8rem 0;font-variant-numeric:tabular-nums}
th,td{padding:.18rem .45rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--faint);font-weight:600}.t{text-align:left}
tr.chosen td{font-weight:600}tr.peer td{color:var(--peer)}tr.bad td{color:var(--bad)}
details{margin:.3rem 0 1rem}summary{cursor:pointer}
"""
COLOURS = {"chosen": "#1b5fc1", "fastconv": "#8db4ea", "peer": "#e8963c"}  # of pictures
FLAT = 20.0  # times as long as the median: the longest bar would flatten the others, so the axis is logarithmic

Bar = tuple[str, float, str, str]  # label, value, text at its end, kind


def _class(row: Row) -> str:
    return "bad" if row.seconds is None else "chosen" if row.chosen else row.kind


def _table(columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    def cell(tag: str, i: int, text: str) -> str:
        return f"<{tag}{' class=t' if columns[i].left else ''}>{escape(text)}</{tag}>"

    lines = ["<div class=scroll><table><tr>" + "".join(cell("th", i, c.head) for i, c in enumerate(columns)) + "</tr>"]
    for kind, row in rows:
        lines.append(f'<tr class="{kind}">' + "".join(cell("td", i, c) for i, c in enumerate(row)) + "</tr>")
    return "\n".join([*lines, "</table></div>"])


def bars(groups: Sequence[tuple[str, Sequence[Bar]]], unit: str, mark: float | None = None, name: str = "") -> str:
    """Horizontal bars in groups, each with a heading; `mark` is a value at which there is a line, called `name`."""
    values = sorted(v for _, rows in groups for _, v, _, _ in rows)
    if not values:
        return ""
    largest = max(values[-1], mark or 0.0) or 1.0
    least = min(v for v in (*values, largest) if v > 0)
    logarithmic = values[-1] > FLAT * values[len(values) // 2]

    def percent(value: float) -> float:
        if logarithmic:  # a bar of the least value still is seen
            return 100 * math.log(max(value, least) * 2 / least) / math.log(largest * 2 / least)
        return 100 * value / largest

    line = "" if mark is None else f'<span class="mark" style="left:{percent(mark):.1f}%"></span>'
    parts = ['<div class="bars">']
    for head, rows in groups:
        parts.append(f"<b>{escape(head)}</b>" if head else "")
        for label, value, text, kind in rows:
            width = percent(value)
            parts.append(
                f'<span>{escape(label)}</span><span class="track"><span class="room">'
                f'<span class="bar" style="width:{width:.1f}%;background:var(--{kind})"></span>{line}'
                f'<span class="value" style="left:{width:.1f}%">{escape(text)}</span></span></span>'
            )
    told = unit + (", logarithmic axis" if logarithmic else "") + (f"; dashed: {name}" if mark is not None else "")
    return "".join([*parts, f"</div><p>{escape(told)}</p>"])


def chart(c: ComparisonData) -> str:
    """Rates of a comparison as bars, grouped by backend."""
    groups: dict[str, list[Bar]] = {}
    timed = [r for r in c.main_rows if r.rate is not None and r.roofline]
    for r in timed:
        head = "other libraries" if r.kind == "peer" else r.library
        rate = (r.rate or 0.0) / 1e9
        bar = r.name, rate, f"{rate:.1f} {c.unit}, {time_text(r.seconds)}", "chosen" if r.chosen else r.kind
        groups.setdefault(head, []).append(bar)
    peers = groups.pop("other libraries", None)
    ordered = [*groups.items(), *([("other libraries", peers)] if peers else [])]
    limit = (timed[0].rate or 0.0) / (timed[0].roofline or 1.0) / 1e9 if timed else None
    unit = f"{c.unit}, effective: nominal operations over time; dark: chosen by fastconv; orange: other libraries"
    return bars(ordered, unit, limit, "roofline, what this machine's measured peak and bandwidth allow")


def _paragraph(line: str) -> str:
    return f"<p{' class=warn' if line.startswith('warning') else ''}>{escape(line)}</p>"


def fragment(c: ComparisonData, level: int = 2, titled: bool = True) -> str:
    """A comparison as HTML without the page around it."""
    title, *more = heading(c)
    head = f"<h{level}>{escape(title)}</h{level}>" if titled else ""
    about = _paragraph("; ".join(more))
    rows = [(_class(r), cells(r, c.unit)) for r in c.main_rows]
    every = [(_class(r), cells(r, c.unit)) for r in c.rows]
    notes = "".join(map(_paragraph, footing(c)))
    doubts = "".join(_paragraph(line) for line in footing(c) if line.startswith("warning"))
    whole = f"<details><summary>All {len(every)} rows</summary>{_table(COLUMNS, every)}</details>"
    return (
        f"{head}{about}{doubts}{chart(c)}{_table(COLUMNS, rows)}{whole if len(every) > len(rows) else ''}"
        f"<details><summary>Choice, kernels not run, notes</summary><p>{escape(c.problem)}</p>{notes}</details>"
    )


def notebook(c: ComparisonData) -> str:
    """A comparison for a notebook: with the style of its bars."""
    return f'<style>{BARS_STYLE}</style><div class="fc">{fragment(c)}</div>'


def report_fragment(report: ReportData, titled: bool = True) -> str:
    """A suite: its ratios as bars, its table, and every comparison folded away."""
    rows = [("", line) for line in suite_cells(report)]
    ratios = [
        (e.case.name, e.ratio, f"{e.ratio:.2f}", "chosen" if e.ratio >= 1 else "peer")
        for e in report.entries
        if e.ratio is not None
    ]
    summary = "".join(map(_paragraph, summary_lines(report)))
    unit = "speed against the fastest other library; orange: that library is faster"
    drawn = bars([("", ratios)], unit, 1.0, "as fast") if ratios else ""
    folded = "".join(
        f"<details><summary>{escape(e.case.name)}</summary>{fragment(e.comparison, 3, titled=False)}</details>"
        for e in report.entries
    )
    about = f"{report.about}; {report.threads} thread{'s' * (report.threads != 1)}"
    head = f"<h2>{escape(report.suite)}</h2>" if titled else ""
    return f"{head}<p>{escape(about)}</p>{summary}{drawn}{_table(SUITE_COLUMNS, rows)}{folded}"


def machine_line(items: Sequence[ComparisonData | ReportData]) -> str:
    """Where and when the first of `items` was measured."""
    first = items[0] if items else None
    c = first.entries[0].comparison if isinstance(first, ReportData) and first.entries else first
    e: dict[str, Any] = getattr(c, "environment", {})
    if not e:
        return ""
    versions = f"fastconv {e.get('fastconv')}, NumPy {e.get('numpy')}, Python {e.get('python')}"
    told = [e.get("date"), e.get("cpu"), f"{e.get('cpus')} processors", e.get("system"), versions, e.get("command")]
    return "<p>" + escape("; ".join(str(t) for t in told if t)) + "</p>"


def page(title: str, items: Sequence[ComparisonData | ReportData]) -> str:
    """A whole page of comparisons and reports."""
    titled = len(items) > 1 or isinstance(items[0] if items else None, ReportData)
    body = "\n".join(
        report_fragment(i, len(items) > 1) if isinstance(i, ReportData) else fragment(i, titled=titled) for i in items
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<style>{BARS_STYLE}{STYLE}</style></head><body class="fc"><main><h1>{escape(title)}</h1>'
        f"{machine_line(items)}\n{body}\n</main></body></html>\n"
    )


def write_page(path: str | Path | None, title: str, items: Sequence[ComparisonData | ReportData]) -> str:
    """The same page, also written to `path` if that is given."""
    text = page(title, items)
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
