"""What keyboards and screen readers need of the pages, where the theme and its extensions leave it open."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx_design.dropdown import dropdown_title
from sphinx_exercise.nodes import solution_node

PLUS_MINUS = re.compile(r" ± ")


def open_solution(self: Any, node: nodes.Element) -> None:
    """A solution is a fold of the browser's own, named by its title; it needs no script and no button."""
    node["classes"].remove("dropdown")  # which is a menu to the theme
    self.body.append(self.starttag(node, "details", CLASS="admonition") + '<summary class="admonition-title">')
    title = node.next_node(nodes.title)
    for child in title.children:
        child.walkabout(self)
    self.body.append("</summary>\n")
    title.parent.remove(title)


def close_solution(self: Any, _node: nodes.Element) -> None:
    """End what ``open_solution`` has begun."""
    self.body.append("</details>\n")


def plain_summaries(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """A summary opens what it names; a link in it would be a second thing to press in one place."""
    if app.builder.format != "html":
        return
    solutions = [node.next_node(nodes.title) for node in doctree.findall(solution_node)]
    for title in [*doctree.findall(dropdown_title), *solutions]:
        for link in list(title.findall(nodes.reference)):
            link.replace_self(link.children)


def keep_errors_beside(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """A line never ends between a number, its ± and its error."""
    if app.builder.format != "html":
        return
    for text in list(doctree.findall(nodes.Text)):
        if PLUS_MINUS.search(text) and not isinstance(text.parent, nodes.literal_block | nodes.literal | nodes.raw):
            text.parent.replace(text, nodes.Text(PLUS_MINUS.sub("\u00a0±\u00a0", text)))


def mend_roles(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Entries of a list of references are its items, as the list says; an empty cell heads no column."""
    if "body" in context:
        entries = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        context["body"] = re.sub(r"<th([^>]*)>(\s*|<p>\s*</p>)</th>", r"<td\1></td>", entries)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_node(solution_node, override=True, html=(open_solution, close_solution))
    app.connect("doctree-resolved", plain_summaries, priority=900)
    app.connect("doctree-resolved", keep_errors_beside)
    app.connect("html-page-context", mend_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
