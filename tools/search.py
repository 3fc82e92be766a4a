"""What the search knows beside words: every number of the book, and where each Greek letter is explained.

A search for "Theorem 5.2" or "equation 5.2" finds an entry of an index, which no page shows. ``book/search.js`` reads
"eq. 5.2" and Greek letters as such, and ranks what is found.
"""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from tools.site import ROOT

NOTATION = "notation"  # the page whose table explains the letters
GREEK = re.compile(
    r"\\(?:var)?(alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi"
    r"|chi|psi|omega)(?![a-z])",
    re.IGNORECASE,
)


def numbered(env: BuildEnvironment, page: str, doctree: nodes.document) -> Iterator[tuple[str, str]]:
    """Name and id of everything on a page that has a number, as the page shows it."""
    numbers: dict[str, dict[str, tuple[int, ...]]] = env.toc_fignumbers.get(page, {})
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.math_block):
            kind, name = "displaymath", "equation"
        elif "realtype" in node:
            kind, name = node["countertype"], node["realtype"]
        else:
            kind = name = str(env.get_domain("std").get_enumerable_node_type(node))
        for each in node["ids"][:1]:
            if each in numbers.get(kind, {}):
                yield f"{name} {'.'.join(map(str, numbers[kind][each]))}", each


def sections(env: BuildEnvironment, page: str) -> Iterator[tuple[str, str]]:
    """Name and id of a page with a number, and of its sections."""
    for anchor, number in env.toc_secnumbers.get(page, {}).items():
        if number:
            name = "section" if anchor else "chapter"
            yield f"{name} {'.'.join(map(str, number))}", anchor.removeprefix("#")


def letters(page: str, doctree: nodes.document) -> Iterator[tuple[str, str]]:
    """Greek letters of the table of symbols, each with the id of the first row that explains it."""
    rows = list(doctree.findall(nodes.row)) if page == NOTATION else []
    explained: dict[str, str] = {}
    for row in rows:
        for name in dict.fromkeys(name.lower() for name in GREEK.findall(row[0].astext())):
            if name not in explained:
                row["ids"] = row["ids"] or [f"letter-{name}"]
                explained[name] = row["ids"][0]
    yield from explained.items()


def add_entries(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Give the page entries of an index, which it does not show."""
    if app.builder.format != "html":
        return
    found = [*numbered(app.env, page, doctree), *sections(app.env, page), *letters(page, doctree)]
    doctree += addnodes.index(entries=[("single", name, place, "main", None) for name, place in found])


def rank(_app: Sphinx, config: Config) -> None:
    """Hand Sphinx the file that ranks. It is not in ``_static``, where every page would load it."""
    config.html_search_scorer = str(ROOT / "book" / "search.js")


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("config-inited", rank)
    app.connect("doctree-resolved", add_entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
