"""Dials on the pages: ``{widget} NAME`` shows ``book/widgets/NAME.js``, a module with ``render({model, el})``.

The page carries the modules themselves, since browsers load none from a disk. The directive's content is what stands
there where no script runs, and in print.
"""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from shattered_lite.plots import NETWORKS
from tools.dials import STATES
from tools.site import ROOT

MODULES = ROOT / "book" / "widgets"
IMPORT = re.compile(r'from "\./([\w-]+)\.js"')
COLOURS = {name: look.colour for name, look in NETWORKS.items()}
SHOWN = re.compile(r'"name": "([\w-]+)", "state"')


def embedded(content: object) -> str:
    """JSON that cannot end the script it stands in."""
    return json.dumps(content).replace("</", r"<\/")


def sources(name: str, folder: Path = MODULES) -> dict[str, str]:
    """A module and all that it imports, by name."""
    text = (folder / f"{name}.js").read_text()
    found = {name: text}
    for other in IMPORT.findall(text):
        found |= sources(other, folder)
    return found


class Widget(SphinxDirective):
    """A place for a dial, its first state, and what stands there where it cannot run."""

    required_arguments = 1
    has_content = True
    option_spec = {"state": json.loads}

    def run(self) -> list[nodes.Node]:
        """One container; the script in it is data."""
        [name] = self.arguments
        if not (MODULES / f"{name}.js").is_file():
            names = sorted(file.stem for file in MODULES.glob("*.js"))
            raise self.error(f"widget {name!r}: book/widgets has {', '.join(names)}")
        self.env.note_dependency(str(MODULES / f"{name}.js"))
        computed = STATES[name]() if name in STATES else {}
        state = {"colours": COLOURS} | computed | self.options.get("state", {})
        data = embedded({"name": name, "state": state})
        still = nodes.container(classes=["widget-still"])
        self.state.nested_parse(self.content, self.content_offset, still)
        place = nodes.container(classes=["widget", f"widget-{name}"])
        place += [still, nodes.raw("", f'<script type="application/json">{data}</script>', format="html")]
        return [place]


def bring_modules(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Give a page the modules that its dials need, once."""
    found: dict[str, str] = {}
    for name in SHOWN.findall(context.get("body", "")):
        found |= sources(name)
    if found:
        loader = (MODULES / "load.js").read_text()
        context["body"] += f'<script type="application/json" id="widget-modules">{embedded(found)}</script>'
        context["body"] += f'<script type="module">\n{loader}</script>'


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_directive("widget", Widget)
    app.connect("html-page-context", bring_modules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
