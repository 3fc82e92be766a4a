"""What the start page shows of the chapters: cards with drawing, title, minutes and difficulty, and where to begin."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tools.colab import colab_link, notebook_names
from tools.site import ROOT, address, numbered_parts

TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
MINUTES = re.compile(r"^- \*\*It takes\*\* (\d+) minutes", re.MULTILINE)
DIFFICULTY = re.compile(r"^- \*\*Difficulty\*\* ([123]) of 3\.$", re.MULTILINE)


def facts(page: str) -> tuple[str, str, str]:
    """Title, minutes and difficulty, as the chapter's first box states them."""
    text = (ROOT / "book" / f"{page}.md").read_text()
    found = [pattern.search(text) for pattern in (TITLE, MINUTES, DIFFICULTY)]
    if None in found:
        raise ValueError(f"{page}.md: its first box must say 'It takes N minutes' and 'Difficulty N of 3.'")
    title, minutes, difficulty = (match[1] for match in found if match)
    return title, minutes, difficulty


def card(page: str) -> str:
    """One card; the whole of it is a link."""
    title, minutes, difficulty = facts(page)
    return "\n".join(
        [
            f":::{{grid-item-card}} {title}",
            f":link: {page}",
            ":link-type: doc",
            f":img-top: _static/drawings/{page}.svg",
            f":img-alt: Drawing for the chapter {title}",
            ":class-img-top: drawing",
            "",
            f"{minutes} minutes, difficulty\u00a0{difficulty}\u00a0of\u00a03",
            ":::",
        ]
    )


def listed(page: str) -> str:
    """The same for a notebook, which shows no cards: a line that leads to the chapter's notebook and to its page."""
    title, minutes, difficulty = facts(page)
    name = notebook_names()[page]
    return (
        f"{int(name[:2])}. [{title}]({colab_link(name)}): {minutes} minutes, difficulty {difficulty} of 3"
        f" ([page]({address('Homepage')}/{page}.html))"
    )


class ChapterCards(SphinxDirective):
    """A row of cards for each part that has chapters with numbers."""

    def run(self) -> list[nodes.Node]:
        """The part's name, and its cards in reading order."""
        made: list[nodes.Node] = []
        for caption, chapters in numbered_parts().items():
            text = "\n".join(["::::{grid} 1 2 3 3", ":gutter: 2", "", *map(card, chapters), "::::"])
            [grid] = self.parse_text_to_nodes(text)
            grid["in_notebook"] = "\n".join(map(listed, chapters))
            made += [nodes.rubric(text=caption), grid]
        return made


class StartButtons(SphinxDirective):
    """Two buttons: a page to begin with, and its notebook in Colab."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Side by side, where there is room."""
        [page] = self.arguments
        buttons = f"""
::::{{grid}} auto
:gutter: 2

:::{{grid-item}}
```{{button-ref}} {page}
:ref-type: doc
:color: primary

{facts(page)[0]}
```
:::

:::{{grid-item}}
```{{button-link}} {colab_link(notebook_names()[page])}
:color: primary
:outline:

The same in Colab
```
:::
::::
"""
        return self.parse_text_to_nodes(buttons)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_directive("chapter-cards", ChapterCards)
    app.add_directive("start-buttons", StartButtons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
