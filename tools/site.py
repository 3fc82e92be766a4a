"""What the site needs beyond Jupyter Book: its own addresses, unique ids, formulas that keep their comma, run times."""

import json
import re
from pathlib import Path
from typing import Any

import tomllib
import yaml
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.config import Config

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"
FORMULA_AND_MARK = re.compile(r'[(\[]?<span class="math [^<]*</span>[^\s<]*')


def address(name: str, root: Path = ROOT) -> str:
    """The address ``name`` ("Repository" or "Homepage") in ``pyproject.toml``; all others are made from it."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"][name].rstrip("/")


def pages(root: Path = ROOT) -> list[str]:
    """The pages of the book in reading order, the start page first."""
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    return [contents["root"], *(entry["file"] for part in contents["parts"] for entry in part["chapters"])]


def give_addresses(app: Sphinx, config: Config) -> None:
    """Tell the theme where the repository is, and search engines where the book is."""
    config.html_theme_options |= {"repository_url": address("Repository"), "repository_branch": BRANCH}
    config.html_baseurl = address("Homepage") + "/"


def drop_repeated_ids(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Theorem and exercise boxes give their contents one and the same id, which HTML does not allow."""
    for section in doctree.findall(nodes.section):
        if section["ids"] in (["proof-content"], ["exercise-content"], ["solution-content"]):
            section["ids"] = []


def keep_marks(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Hold a formula on one line with its bracket, comma or full stop: a browser would let the line end in between."""
    if "body" in context:
        context["body"] = FORMULA_AND_MARK.sub(r'<span class="text-nowrap">\g<0></span>', context["body"])


def write_run_times(app: Sphinx, exception: Exception | None) -> None:
    """Write ``_build/run-times.json``: for each page that ran, its wall time in seconds."""
    if exception is None and app.builder.format == "html":
        runs = {page: NbMetadataCollector.get_exec_data(app.env, page) for page in sorted(app.env.found_docs)}
        seconds = {page: run["runtime"] for page, run in runs.items() if run}
        Path(app.outdir, "../run-times.json").write_text(json.dumps(seconds, indent=1) + "\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("config-inited", give_addresses)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("html-page-context", keep_marks)
    app.connect("build-finished", write_run_times)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
