"""Settings of the documentation: `make docs` builds docs/_build/html.  Warnings are errors, and every example runs."""

import sys
from pathlib import Path

import fastconv

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
sys.modules["fastconv.grad"] = fastconv.grad  # its public name, by which autodoc finds it
import directives  # noqa: E402  docs/directives.py
import pictures  # noqa: E402  docs/pictures.py

project = "fastconv"
copyright = author = "the fastconv developers"
version = release = fastconv.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
highlight_language = "none"  # of blocks that name no language: shell commands and diagrams
default_role = "autolink"  # `conv2d` in a docstring is a link if it is a name, and emphasised otherwise

myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3

templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "none"  # sections "Parameters" say it in words, and with shapes
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|torch|scipy|collections|contextlib)\..*"),  # documented elsewhere
    ("py:obj", r"fastconv\.(core|bench)\.\w+(\.[A-Z]+)?"),  # modules and tables that only kernels of one's own need
    ("py:obj", r"accumulator|workspace"),  # an argument, and an attribute
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"lecture_cnn|__init__",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "plot_gallery": "True",
}

html_theme = "pydata_sphinx_theme"
html_title = "fastconv"
html_static_path = ["_static"]
html_css_files = ["fastconv.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "fastconv"},
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"changelog": [], "start": []}


CALLED = {"fastconv.Spec", "fastconv.options"}  # the classes that users make


def signature(app, what, name, *rest):
    """None of the other classes."""
    made = what == "class" and name not in CALLED and not name.startswith("fastconv.typing.")
    return ("", "") if made else None


def setup(app):
    """Draw the pictures of "How it works" before pages are read: one for light pages and one for dark ones."""
    app.connect("autodoc-process-signature", signature)
    app.connect("builder-inited", lambda app: pictures.draw(DOCS / "_pictures"))
    app.add_directive("picture", directives.Picture)
    app.add_directive("command-help", directives.Help)
