"""A page of the book as plain Markdown with code cells between: what Colab can show.

Translated from the page as Sphinx resolved it, so every number, citation and measured value is the one in the HTML.
sphinx-markdown-builder would do half of it, but its state machine has no place for code cells, boxes and folds.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import chain, groupby
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx

TRY = "**Try it.**"  # before a dial
# How a paragraph begins that answers a vote or a prediction.
ANSWER = re.compile(r"\*\*([A-D]|(?P<prediction>The [^*]*\bpredictions?\b[^*]*?))\.?\*\*")
# Around a value that a run measured; private characters that no chapter uses. They never reach a reader.
GLUED, END_GLUED = "\ue000", "\ue001"


@dataclass(frozen=True)
class CodeCell:
    """A code cell of the chapter: its place among all cells, and whether the page hides it, or a solution holds it."""

    index: int
    folded: bool = False
    solves: bool = False


Block = str | CodeCell


def code_cells(blocks: Iterable[Block]) -> list[CodeCell]:
    """Only the code cells."""
    return [block for block in blocks if isinstance(block, CodeCell)]


def joined(blocks: Iterable[Block], between: str = "\n\n") -> str:
    """One text of several; where Markdown has no place for a code cell, it is an error."""
    texts = []
    for block in blocks:
        if isinstance(block, CodeCell):
            raise ValueError(f"code cell {block.index}: it stands where Markdown has no place for one")
        texts.append(block)
    return between.join(texts)


def wrapped(blocks: Iterable[Block], wrap: Callable[[str], str]) -> list[Block]:
    """Apply ``wrap`` to each run of text; code cells cannot be inside anything, so they stay between the runs."""
    runs = groupby(blocks, key=lambda block: isinstance(block, CodeCell))
    return list(chain.from_iterable(run if is_code else [wrap(joined(run))] for is_code, run in runs))


def indented(text: str, first: str, rest: str) -> str:
    """Put ``first`` before the first line of ``text`` and ``rest`` before the others."""
    lines = text.split("\n")
    return "\n".join([first + lines[0], *((rest + line).rstrip() for line in lines[1:])])


def embedded(picture: Path) -> str:
    """An address that holds the picture itself: a notebook shows it wherever it is opened, and with no network."""
    return f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}"


class Page:
    """The translation of one page; a method ``_block_x`` or ``_inline_x`` for each kind ``x`` of node."""

    def __init__(self, app: Sphinx, docname: str, base: str) -> None:
        self.app, self.env, self.docname = app, app.env, docname
        self.url = urljoin(base + "/", app.builder.get_target_uri(docname))

    def blocks(self) -> list[Block]:
        """The whole page, in order."""
        return self._children(self.env.get_and_resolve_doctree(self.docname, self.app.builder), level=0)

    # Numbers, exactly as the HTML writer looks them up

    def _number(self, kind: str, node: nodes.Element) -> str:
        return ".".join(map(str, self.env.toc_fignumbers[self.docname][kind][node["ids"][0]]))

    def _label(self, node: nodes.Element) -> str:
        kind = str(self.env.get_domain("std").get_enumerable_node_type(node))
        wording: str = self.app.config.numfig_format[kind]
        return wording % self._number(kind, node)

    def _section_number(self, section: nodes.section) -> str:
        numbers = self.env.toc_secnumbers.get(self.docname, {})
        is_page = isinstance(section.parent, nodes.document)
        number = numbers.get("" if is_page else "#" + section["ids"][0], ())
        return ".".join(map(str, number)) + ". " if number else ""

    # Blocks

    def _children(self, node: nodes.Element, level: int) -> list[Block]:
        return list(chain.from_iterable(self._block(child, level) for child in node.children))

    def _block(self, node: nodes.Node, level: int) -> list[Block]:
        for kind in type(node).__mro__:
            translate: Callable[..., list[Block]] | None = getattr(self, f"_block_{kind.__name__}", None)
            if translate:
                return translate(node, level)
        raise ValueError(f"{self.docname}: no Markdown for {type(node).__name__}: {node.astext()[:80]!r}")

    def _block_Invisible(self, _node: nodes.Node, _level: int) -> list[Block]:
        return []

    _block_raw = _block_target = _block_transition = _block_image = _block_Invisible

    def _block_section(self, node: nodes.section, level: int) -> list[Block]:
        title, *_ = node.children
        if not isinstance(title, nodes.title):
            return self._children(node, level)
        heading = f"{'#' * (level + 1)} {self._section_number(node)}{self._inline(title)}"
        return [heading, *chain.from_iterable(self._block(child, level + 1) for child in node.children[1:])]

    def _block_paragraph(self, node: nodes.Element, _level: int) -> list[Block]:
        text = self._inline(node).replace(TRY, f"**Try it** on [the page of the book]({self.url}).", 1)
        start = ANSWER.match(text) if isinstance(node.parent, nodes.section) else None
        if start is None:
            return [text]
        # On the page the figure above shows it; here its cell has yet to be run.
        return self._folded(f"{start['prediction'] or 'The vote'}: the answer", [text])

    _block_PassthroughTextElement = _block_paragraph

    def _block_rubric(self, node: nodes.rubric, _level: int) -> list[Block]:
        return [f"**{self._inline(node)}**"]

    def _block_container(self, node: nodes.Element, level: int) -> list[Block]:
        if "in_notebook" in node:  # what takes its place there
            return [node["in_notebook"]]
        if node.get("nb_element") == "cell_code":
            return [CodeCell(node["cell_index"], folded=node.get("hide_mode") is not None), *self._captions(node)]
        return self._children(node, level)

    _block_compound = _block_container

    def _captions(self, node: nodes.Element) -> list[Block]:
        found = node.findall(nodes.caption)
        return [f"**{self._label(caption.parent)}.** {self._inline(caption)}" for caption in found]

    def _block_figure(self, node: nodes.figure, _level: int) -> list[Block]:
        image = next(node.findall(nodes.image))
        picture = Path(self.env.srcdir, image["uri"]).with_suffix(".png")  # Colab shows no SVG that a notebook holds
        return [f"![{image['alt']}]({embedded(picture)})", *self._captions(node)]

    def _block_math_block(self, node: nodes.math_block, _level: int) -> list[Block]:
        # On one line: inside a box or a list, the marks at the start of a second line would become part of the formula.
        formula = " ".join(node.astext().split())
        if r"\\" in formula and r"\begin{" not in formula:
            formula = rf"\begin{{split}}{formula}\end{{split}}"
        tag = rf" \tag{{{self._number('displaymath', node)}}}" if node.get("number") else ""
        return [f"$${formula}{tag}$$"]

    def _block_literal_block(self, node: nodes.literal_block, _level: int) -> list[Block]:
        language = node.get("language", "")
        return [f"```{'' if language == 'default' else language}\n{node.astext().rstrip()}\n```"]

    def _block_bullet_list(self, node: nodes.Element, level: int) -> list[Block]:
        ordered = isinstance(node, nodes.enumerated_list)
        items = []
        for position, item in enumerate(node.children, start=node.get("start", 1)):
            mark = f"{position}. " if ordered else "- "
            items.append(wrapped(self._children(item, level), partial(indented, first=mark, rest=" " * len(mark))))
        if any(code_cells(item) for item in items):
            return list(chain.from_iterable(items))
        return [joined(chain.from_iterable(items), "\n")]

    _block_enumerated_list = _block_bullet_list

    def _block_definition_list(self, node: nodes.Element, level: int) -> list[Block]:
        terms = [(self._inline(item[0]), joined(self._children(item[-1], level))) for item in node.children]
        return ["\n".join(indented(f"**{term}**: {meaning}", "- ", "  ") for term, meaning in terms)]

    def _block_block_quote(self, node: nodes.Element, level: int) -> list[Block]:
        return wrapped(self._children(node, level), lambda text: indented(text, "> ", "> "))

    def _block_table(self, node: nodes.table, _level: int) -> list[Block]:
        rows = [[self._cell(entry) for entry in row.children] for row in node.findall(nodes.row)]
        header, *body = ["| " + " | ".join(row) + " |" for row in rows]
        caption = [f"**{self._label(node)}.** {self._inline(node[0])}"] if isinstance(node[0], nodes.title) else []
        return [*caption, "\n".join([header, "|" + "---|" * len(rows[0]), *body])]

    def _cell(self, entry: nodes.entry) -> str:
        text = joined(self._children(entry, 0), " ")
        return text.replace(r"\|", r"\Vert ").replace("|", r"\vert ")

    def _block_Admonition(self, node: nodes.Element, level: int) -> list[Block]:
        """Theorems, exercises, notes: a quotation that begins with its name in bold. Solutions: a fold."""
        titled = isinstance(node[0], nodes.title)
        title = self._inline(node[0]).strip() if titled else type(node).__name__.capitalize()
        if "realtype" in node:
            title = f"{node['realtype'].capitalize()} {self._number(node['countertype'], node)} {title}"
        elif node.get("type", "").startswith("exercise"):
            title = f"{self._label(node)} {title}"
        content = node.children[titled:]
        if isinstance(content[0], nodes.section):
            content = content[0].children
        body = list(chain.from_iterable(self._block(child, level) for child in content))
        if "dropdown" in node["classes"]:
            return self._folded(self._summary(node[0]), body)
        name = f"**{title.strip()}.**".replace("?.**", "?**")
        if isinstance(content[0], nodes.paragraph):
            name, *body = f"{name} {body[0]}", *body[1:]
        return wrapped([name, *body], lambda text: indented(text, "> ", "> "))

    def _block_dropdown_main(self, node: nodes.Element, level: int) -> list[Block]:
        title, *body = node.children
        return self._folded(self._summary(title), chain.from_iterable(self._block(child, level) for child in body))

    def _folded(self, summary: str, body: Iterable[Block]) -> list[Block]:
        folded = wrapped(body, lambda text: f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>")
        return [
            CodeCell(block.index, folded=True, solves=True) if isinstance(block, CodeCell) else block
            for block in folded
        ]

    def _summary(self, title: nodes.Element) -> str:
        """Text and formulas only: Markdown is not read inside this piece of HTML."""
        leaves = [node for node in title.findall() if isinstance(node, nodes.math | nodes.Text)]
        formulas = {id(leaf): f"${leaf.astext()}$" for leaf in leaves if isinstance(leaf, nodes.math)}
        texts = [leaf for leaf in leaves if not isinstance(leaf.parent, nodes.math | nodes.raw)]
        return "".join(formulas.get(id(leaf), escape(leaf.astext())) for leaf in texts).strip()

    def _block_footnote(self, node: nodes.footnote, level: int) -> list[Block]:
        return [f"<sup>{node[0].astext()}</sup> " + joined(self._children(nodes.container("", *node[1:]), level))]

    # Text

    def _inline(self, node: nodes.Element) -> str:
        return "".join(map(self._text, node.children))

    def _text(self, node: nodes.Node) -> str:
        for kind in type(node).__mro__:
            translate: Callable[..., str] | None = getattr(self, f"_inline_{kind.__name__}", None)
            if translate:
                return translate(node)
        raise ValueError(f"{self.docname}: no Markdown for {type(node).__name__}: {node.astext()[:80]!r}")

    def _inline_Text(self, node: nodes.Text) -> str:
        return re.sub(r"([\\`*_<$\[\]])", r"\\\1", " ".join(node.astext().split("\n")))

    def _inline_inline(self, node: nodes.inline) -> str:
        text = self._inline(node)
        return f"{GLUED}{text}{END_GLUED}" if "pasted-text" in node["classes"] else text

    def _inline_emphasis(self, node: nodes.emphasis) -> str:
        return f"*{self._inline(node)}*"

    def _inline_strong(self, node: nodes.strong) -> str:
        return f"**{self._inline(node)}**"

    def _inline_literal(self, node: nodes.literal) -> str:
        return f"`{node.astext()}`"

    def _inline_math(self, node: nodes.math) -> str:
        return f"${node.astext()}$"

    def _inline_reference(self, node: nodes.reference) -> str:
        target = "#" + node["refid"] if "refid" in node else node["refuri"]
        return f"[{self._inline(node)}]({urljoin(self.url, target)})"

    def _inline_footnote_reference(self, node: nodes.footnote_reference) -> str:
        return f"<sup>{node.astext()}</sup>"

    def _inline_image(self, _node: nodes.image) -> str:
        return ""

    def _inline_Invisible(self, _node: nodes.Node) -> str:
        return ""

    _inline_target = _inline_raw = _inline_Invisible
