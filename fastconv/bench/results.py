"""What `fastconv.compare` and ``fastconv bench`` return: records that can show themselves."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fastconv.bench.html import notebook, write_page
from fastconv.bench.plot import plot_comparison
from fastconv.bench.records import ComparisonData, ReportData, Row
from fastconv.bench.table import columns_of, comparison_text, report_text


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(ComparisonData):
    """How fast everyone who can do it computes one problem; prints as a table.

    The attributes are those of `fastconv.bench.records.ComparisonData`.
    """

    def to_json(self, path: str | Path | None = None) -> str:
        """The comparison as JSON text, also written to `path` if that is given."""
        return _json(self.to_dict(), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """One self-contained page with the table and a chart, also written to `path` if that is given."""
        return write_page(path, self.title, [self])

    def plot(self, path: str | Path) -> None:
        """A bar chart of the rows of the table, as a picture file (needs matplotlib)."""
        plot_comparison(self, path)

    def to_text(self, *, all: bool = False) -> str:
        """The table: the fastest of each backend and algorithm, and the peers; `all` rows, and why others are none."""
        return comparison_text(self, columns_of(sys.stdout), all)

    def __str__(self) -> str:
        return self.to_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return notebook(self)


@dataclass(frozen=True, slots=True, repr=False)
class Report(ReportData):
    """A suite, measured; prints as a table.

    The attributes are those of `fastconv.bench.records.ReportData`.
    """

    def __str__(self) -> str:
        return report_text(self, columns_of(sys.stdout))

    __repr__ = __str__


def reports_json(reports: Iterable[ReportData], path: str | Path | None = None) -> str:
    """Several reports as JSON text, also written to `path` if that is given."""
    return _json([r.to_dict() for r in reports], path)


ROW_FIELDS = tuple(f.name for f in fields(Row))
CSV_HEAD = ("suite", "case", "count", "dtype", "threads", "door", "flops", "bytes", *ROW_FIELDS)


def rows_csv(cases: Iterable[tuple[str, int, ComparisonData]]) -> str:
    """A line for each contender of comparisons, each with the name of its suite and how often the case occurs."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for suite, count, c in cases:
        about = (suite, c.title, count, c.dtype, c.threads, c.door, c.flops, c.bytes)
        writer.writerows((*about, *(getattr(r, name) for name in ROW_FIELDS)) for r in c.rows)
    return text.getvalue().rstrip("\n")


def reports_csv(reports: Iterable[ReportData]) -> str:
    """Several reports as CSV."""
    return rows_csv((r.suite, e.case.count, e.comparison) for r in reports for e in r.entries)


def _json(data: Any, path: str | Path | None) -> str:
    text = json.dumps(data, indent=1)
    if path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")
    return text
