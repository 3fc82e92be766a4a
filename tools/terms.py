"""A word of the glossary, wherever it is linked, says what it means when one points at it."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

PAGE = "glossary"


def sentences(app: Sphinx) -> dict[str, str]:
    """What the glossary says of each term, by the id of the term."""
    found: dict[str, str] = {}
    for item in app.env.get_doctree(PAGE).findall(nodes.definition_list_item):
        [definition] = item.findall(nodes.definition)
        for term in item.findall(nodes.term):
            found |= {name: " ".join(definition.astext().split()) for name in term["ids"]}
    return found


def say_terms(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Give each link to the glossary its sentence as a title."""
    said: dict[str, str] = {}
    for link in doctree.findall(nodes.reference):
        page, _, name = link.get("refuri", "").partition("#")
        if page.rsplit("/", 1)[-1] == f"{PAGE}.html" and name.startswith("term-"):
            said = said or sentences(app)
            link["reftitle"] = said[name]


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("doctree-resolved", say_terms, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
