"""Directives of these pages: pictures for light and dark pages, and the help of commands as they print it."""

import contextlib
import io
import os
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

from fastconv import cli

PICTURES = Path(__file__).resolve().parent / "_pictures"


class Picture(Directive):
    """A drawing of `pictures.py` by its name, with `alt` for those who do not see it; the content is its caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self):
        figure = nodes.figure()
        for theme in ("light", "dark"):
            drawn = nodes.image(uri=f"/_pictures/{self.arguments[0]}-{theme}.svg", alt=self.options["alt"])
            drawn["classes"] += ["picture", "dark-light", f"on-{theme}"]
            figure += drawn
        caption = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, caption)
        figure += nodes.caption("", "", *caption[0].children)
        return [figure]


class Help(Directive):
    """What `fastconv COMMAND --help` prints at 80 columns."""

    optional_arguments = 1

    def run(self):
        printed = io.StringIO()
        columns, os.environ["COLUMNS"] = os.environ.get("COLUMNS"), "80"
        try:
            with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
                cli.main([*self.arguments, "--help"])
        finally:
            if columns is None:
                del os.environ["COLUMNS"]
            else:
                os.environ["COLUMNS"] = columns
        return [nodes.literal_block(printed.getvalue(), printed.getvalue(), language="none")]
