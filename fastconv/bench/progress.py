"""A progress bar on a terminal where rich is installed; otherwise silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Tell = Callable[[str, int, int], None]


@contextmanager
def bar(stream: TextIO) -> Iterator[Tell]:
    """``tell(what, done, total)`` for the block's length; the bar is gone afterwards."""
    if stream.isatty():
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        except ImportError:
            pass
        else:
            columns = (BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
            with Progress(*columns, console=Console(file=stream), transient=True) as progress:
                task = progress.add_task("", total=None)
                yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)
            return
    yield lambda what, done, total: None
