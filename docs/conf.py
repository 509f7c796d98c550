"""The settings of the site, which ``sphinx-build -W -b html docs docs/_build`` makes.

Notebooks run while it is built. Nothing is fetched from the network then, nor when a page is read:
formulas become MathML here, where Sphinx would load MathJax, and pages know no fonts but those of
the reader's system.
"""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

# A page that is built shows what this version does, not what another one left on disk.
os.environ["SEMCOM_CACHE"] = "off"

project = "semcom"
author = "The semcom developers"
copyright = author  # noqa: A001 - Sphinx's name
version = release = importlib.metadata.version("semcom")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
]
exclude_patterns = ["_build", "examples", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
highlight_language = "none"
# A name in a docstring may be found twice: at the face and in its room. Either is right.
suppress_warnings = ["ref.python"]

# Names in docstrings that stand in single backquotes are code.
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"
autosummary_generate = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_preprocess_types = False

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = "remove"  # progress bars, and the note that they lack a widget

html_theme = "pydata_sphinx_theme"
html_title = "semcom"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 8,
    "collapse_navigation": True,  # or each of the API's pages repeats the names of all others
    "navigation_with_keys": False,
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {
    page: [] for page in ("start", "results", "glossary", "changelog", "contributing", "zh/index")
}


def _inline(self: Any, node: nodes.math) -> None:
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: Any, node: nodes.math_block) -> None:
    formula = tex2mathml(node.astext(), as_block=True)
    self.body.append(f'<div class="math-block">{formula}</div>')
    raise nodes.SkipNode


def _language(_app: Any, page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Tell browsers which pages are in Chinese, so that they take a font for it."""
    if page.startswith("zh/"):
        context["language"] = "zh-Hans"


def setup(app: Any) -> None:
    """Add what Sphinx has no settings for."""
    app.add_html_math_renderer(
        "mathml", inline_renderers=(_inline, None), block_renderers=(_block, None)
    )
    app.connect("html-page-context", _language)
