"""What the site needs beyond Jupyter Book: addresses, unique ids, formulas with their comma, run times, docstrings."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import tomllib
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"
FORMULA_AND_MARK = re.compile(r'[(\[]?<span class="math .*?</mjx-container></span>[^\s<]*')


def address(name: str, root: Path = ROOT) -> str:
    """The address ``name`` ("Repository" or "Homepage") in ``pyproject.toml``; all others are made from it."""
    urls: dict[str, str] = tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"]
    return urls[name].rstrip("/")


def pages(root: Path = ROOT) -> list[str]:
    """The pages of the book in reading order, the start page first."""
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    return [contents["root"], *(entry["file"] for part in contents["parts"] for entry in part["chapters"])]


def numbered_parts(root: Path = ROOT) -> dict[str, list[str]]:
    """The chapters of each part whose chapters have numbers, in reading order."""
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    return {
        part["caption"]: [entry["file"] for entry in part["chapters"]]
        for part in contents["parts"]
        if part.get("numbered")
    }


def numbered_chapters(root: Path = ROOT) -> list[str]:
    """The chapters that have numbers, in reading order."""
    return [page for chapters in numbered_parts(root).values() for page in chapters]


def with_code(root: Path = ROOT) -> list[str]:
    """The pages that have code cells, in reading order."""
    return [page for page in pages(root) if "\nkernelspec:" in (root / "book" / f"{page}.md").read_text()]


def give_addresses(_app: Sphinx, config: Config) -> None:
    """Tell the theme where the repository is, and search engines where the book is."""
    config.html_theme_options |= {"repository_url": address("Repository"), "repository_branch": BRANCH}
    config.html_baseurl = address("Homepage") + "/"


def drop_repeated_ids(_app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Theorem and exercise boxes give their contents one and the same id, which HTML does not allow."""
    for section in doctree.findall(nodes.section):
        if section["ids"] in (["proof-content"], ["exercise-content"], ["solution-content"]):
            section["ids"] = []


def keep_marks(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Hold a formula on one line with its bracket, comma or full stop: a browser would let the line end in between."""
    if "body" in context:
        context["body"] = FORMULA_AND_MARK.sub(r'<span class="text-nowrap">\g<0></span>', context["body"])


class RunTimes(SphinxDirective):
    """A table: what each chapter took when it was executed, as ``tools.execute`` noted it."""

    def run(self) -> list[nodes.Node]:
        """Its rows in reading order, each with the chapter's title and number."""
        times = json.loads(Path(self.env.app.outdir, "../run-times.json").read_text())
        rows = [
            f"| {{doc}}`{page}` | {times[page]['seconds']:.0f} | {times[page]['processor_seconds']:.0f} |"
            for page in pages()
            if page in times
        ]
        table = ["| chapter | seconds on the clock | seconds of a processor |", "|---|---:|---:|", *rows]
        return self.parse_text_to_nodes("\n".join(table))


def formulas_for_sphinx(
    _app: Sphinx, _what: str, _name: str, _thing: object, _options: object, lines: list[str]
) -> None:
    """Docstrings write formulas as the chapters do, between dollars."""
    text = re.sub(
        r"\$\$(.+?)\$\$",
        lambda m: "\n\n.. math::\n\n   " + " ".join(m[1].split()) + "\n\n",
        "\n".join(lines),
        flags=re.DOTALL,
    )
    text = re.sub(r"(?<![\w$])\$([^$]+)\$(?!\$)", lambda m: ":math:`" + " ".join(m[1].split()) + "`", text)
    lines[:] = text.split("\n")


def fields_once(_app: Sphinx, _what: str, _name: str, thing: object, _skip: bool, _options: object) -> bool | None:
    """The fields of a named tuple are described by its class; Python only says that they have a number."""
    return True if (inspect.getdoc(thing) or "").startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("autodoc-process-docstring", formulas_for_sphinx)
    app.connect("autodoc-skip-member", fields_once)
    app.connect("config-inited", give_addresses)
    app.connect("doctree-resolved", drop_repeated_ids)
    app.connect("html-page-context", keep_marks)
    app.add_directive("run-times", RunTimes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
