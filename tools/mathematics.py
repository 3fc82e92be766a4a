"""Formulas are set when the book is built, so that a page shows them at once and needs no script for them.

MathJax itself sets them, in V8 within Python. Its elements have the size of each symbol in their style sheet: a formula
takes the same room before its fonts have come as after. A formula that MathJax cannot set fails the build.
"""

import importlib.util
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.ext import mathjax
from sphinx.util import logging

from tools.icons import smaller

RENDERER = "set-at-build"
STYLES, FONTS = "mathematics.css", "mathematics"  # in _static
PARTS = ["startup", "core", "adaptors/liteDOM", "input/tex-full", "output/chtml", "output/chtml/fonts/tex"]
PARTS += ["a11y/assistive-mml"]  # MathML beside each formula, for those who listen
# The fonts that nearly every page needs come within the style sheet: no formula waits for one more answer. Zero
# stands first for each sign, so a browser shows none before it.
WITH_STYLES = ("MathJax_Zero", "MathJax_Main-Regular", "MathJax_Math-Italic", "MathJax_AMS-Regular")
SIGN_OF_ZERO = "\ueffc"  # its only one, which no formula has: a font with none at all is refused
DELIMITED = re.compile(r"\\([(\[])(.*)\\[)\]]", re.DOTALL)
FONT = re.compile(r'url\("[^"]*/([\w-]+\.woff)"\)')
RUNS = """
mjx-run { display: inline-block; white-space: nowrap; }
mjx-part { display: inline-block; max-width: 100%; }
mjx-math[breaks] { display: inline; }
mjx-math :is(wbr, mjx-gap) { white-space: normal; }
mjx-container[display] mjx-run { padding: 0.15em 0; }
"""
CONTENT = re.compile(r'content: "(\\[0-9A-F]+|\\?.)";')
START = """
const empty = "<html><head></head><body></body></html>";
globalThis.MathJax = {
    loader: {load: []},
    startup: {document: empty, ready() {}},
    tex: {packages: {"[-]": ["noerrors", "noundefined"]}},  // which would show a fault in red and say nothing
};
"""
FUNCTIONS = r"""
MathJax.startup.getComponents();
MathJax.startup.makeMethods();
const html = MathJax.startup.adaptor;
function formula(tex, display) {
    const made = MathJax.tex2chtml(tex, {display});
    breakable(made.children[0], display);
    return html.outerHTML(made);
}
/* In a sentence a line may end behind a relation or an operator, as in TeX: MathJax puts room on both sides of one.
   Only there: what follows the formula stays with its last run. A displayed formula that is too wide ends a line in a
   gap as wide as \quad, which takes no room there; and what is still too wide, before a relation or an operator outside
   of brackets. */
function breakable(math, display) {
    const parts = [[[]]]; // of runs
    const gaps = [];
    const roomy = node => ["3", "4"].includes(node?.attributes.space);
    const space = node => /^(<mjx-mstyle>)?<mjx-mspace/.test(html.outerHTML(node));
    const arrow = node => node.kind === "mjx-mover" && html.outerHTML(node).includes("<mjx-stretchy-h");
    const operator = (node, next) => roomy(node) && roomy(next) && (node.kind === "mjx-mo" || arrow(node));
    let brackets = 0;
    math.children.forEach((each, i, all) => {
        const [, width] = (display && !brackets && GAP.exec(html.outerHTML(each))) || [];
        if (width) {
            gaps.push(width);
            return parts.push([[]]);
        }
        const runs = parts.at(-1);
        const next = all.slice(i + 1).find(other => !space(other));
        const here = display ? !brackets && operator(each, next) : operator(all[i - 1], each);
        if (here && runs.at(-1).length) runs.push([]);
        runs.at(-1).push(each);
        brackets += bracket(each);
    });
    if (parts.flat().length === 1) return;
    const set = runs => runs.flatMap((run, i) => [...(i ? [html.node("wbr")] : []), html.node("mjx-run", {}, run)]);
    const gap = width => html.node("mjx-gap", {style: `word-spacing: ${width}em`}, [html.text(" ")]);
    const part = (runs, i) => [...(i ? [gap(gaps[i - 1])] : []), html.node("mjx-part", {}, set(runs))];
    math.children = parts.length > 1 ? parts.flatMap(part) : set(parts[0]);
    html.setAttribute(math, "breaks", "true");
}
const GAP = /^(?:<mjx-mstyle>)?<mjx-mspace style="width: ([1-9][\d.]*)em;">/;
/* 1 for a bracket that opens, -1 for one that closes, also where it is large or bears an index. */
function bracket(node) {
    const sign = ["mjx-msup", "mjx-msub", "mjx-msubsup"].includes(node.kind) ? node.children[0] : node;
    if (!["mjx-mo", "mjx-TeXAtom"].includes(sign.kind)) return 0;
    const [, code] = html.outerHTML(sign).match(/^(?:<mjx-TeXAtom[^>]*>)?<mjx-mo[^>]*><mjx-c class="mjx-c(\w+)/) ?? [];
    return ["28", "5B", "7B"].includes(code) ? 1 : ["29", "5D", "7D"].includes(code) ? -1 : 0;
}
function styles() {
    return html.textContent(MathJax.chtmlStylesheet());
}
"""

log = logging.getLogger(__name__)


def mathjax_folder() -> Path:
    """MathJax as a package carries it; its name, with hyphens, cannot be imported."""
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("sphinx-mathjax-offline: install the extra 'book'")
    return Path(found.origin).parent / "static" / "mathjax"


@cache
def engine() -> MiniRacer:
    """V8 with MathJax in it. It remembers which symbols it has set, and its style sheet holds no others."""
    v8 = MiniRacer()
    for script in [START, *((mathjax_folder() / f"{part}.js").read_text() for part in PARTS), FUNCTIONS]:
        v8.eval(script + "\n;0")
    return v8


@cache
def formula(tex: str, display: bool) -> str:
    """HTML of a formula."""
    made = engine().call("formula", tex, display)
    return str(made)


def styles() -> str:
    """The style sheet for all formulas that were set so far."""
    text = str(engine().call("styles")) + RUNS
    return FONT.sub(rf'url("{FONTS}/\1")', text)


def set_formula(sphinx_visits: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Let Sphinx write TeX as it does for MathJax in a browser, and set what it has written."""

    def visit(self: Any, node: nodes.Element) -> None:
        already = len(self.body)
        try:
            sphinx_visits(self, node)
        finally:  # Sphinx's visitor ends with SkipNode
            written = "".join(self.body[already:])
            self.body[already:] = [DELIMITED.sub(lambda m: formula(unescape(m[2]), m[1] == "["), written)]
            if "data-mjx-error" in self.body[-1]:
                log.warning("MathJax cannot set %r", node.astext(), location=node)

    return visit


def unescaped(content: str) -> str:
    """A character as a style sheet writes it: itself, or its number behind a backslash."""
    return chr(int(content[1:], 16)) if re.fullmatch(r"\\[0-9A-F]+", content) else content[-1]


def write_styles(app: Sphinx, exception: Exception | None) -> None:
    """Leave the style sheet and the fonts that it names beside the pages."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    text = styles()
    symbols = {unescaped(content) for content in CONTENT.findall(text)} | {SIGN_OF_ZERO}
    (static / FONTS).mkdir(exist_ok=True)
    for name in set(re.findall(rf"{FONTS}/([\w-]+\.woff)", text)):
        font = static / FONTS / name
        smaller(mathjax_folder() / "output" / "chtml" / "fonts" / "woff-v2" / name, font, symbols)
        if font.stem in WITH_STYLES:
            text = text.replace(f"{FONTS}/{name}", f"data:font/woff;base64,{b64encode(font.read_bytes()).decode()}")
            font.unlink()
    (static / STYLES).write_text(text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_html_math_renderer(
        RENDERER,
        inline_renderers=(set_formula(mathjax.html_visit_math), None),
        block_renderers=(set_formula(mathjax.html_visit_displaymath), None),
    )
    app.add_css_file(STYLES)
    app.connect("build-finished", write_styles)
    return {"parallel_read_safe": True, "parallel_write_safe": False}  # one engine knows all symbols
