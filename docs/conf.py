"""How Sphinx makes the documentation: the pages here, and one for every module, from its docstrings."""

import pathlib

from sphinx.application import Sphinx
from sphinx.ext import apidoc

from sparse_rigl_lands import __version__

_HERE = pathlib.Path(__file__).parent

project = "sparse_rigl_lands"
author = "the authors of sparse_rigl_lands"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_default_options = {"members": True, "show-inheritance": True}

html_theme = "furo"
html_title = "sparse_rigl_lands"
html_copy_source = False


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _write_pages_of_modules)


def _write_pages_of_modules(app: Sphinx) -> None:
    package = _HERE.parent / "sparse_rigl_lands"
    apidoc.main(["--force", "--separate", "--module-first", "-o", str(_HERE / "api"), str(package)])
