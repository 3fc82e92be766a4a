"""What the head of a page says to those who only read heads: description, share picture, citation, and its own address.

The tags that social networks read are made by sphinxext-opengraph; this module gives it the words and the picture.
"""

import json
import re
import unicodedata
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from tools.cards import DIFFICULTY, MINUTES
from tools.site import ROOT, address, pages

LONGEST = 200  # letters of a description; what shows one cuts it there
LEVELS = {"1": "beginner", "2": "intermediate", "3": "advanced"}


def book() -> dict[str, Any]:
    """Title, authors, date, version and abstract of the book, as ``CITATION.cff`` states them."""
    stated: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    return stated


def letter(name: str) -> str:
    r"""The Greek letter that TeX calls ``\name``; for any other command its name."""
    name = name.removeprefix("var")
    kind = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {kind} LETTER {name.upper()}")
    except KeyError:
        return name


def readable(formula: str) -> str:
    """A short formula of TeX as a line of text."""
    text = re.sub(r"\\(?:mathrm|operatorname|,|;|!)", "", formula)
    text = re.sub(r"\\([A-Za-z]+)", lambda command: letter(command[1]), text)
    return re.sub(r"[{}\\]", "", text)


def plain(node: nodes.Node) -> str:
    """Its words on one line."""
    if isinstance(node, nodes.math):
        return readable(node.astext())
    if isinstance(node, nodes.Text):
        return " ".join(node.astext().split("\n"))
    return "".join(map(plain, node.children))


def shortened(text: str) -> str:
    """As much of it as is shown: whole sentences or parts of one, if there are any; otherwise whole words."""
    text = re.sub(r" \[[^\]]*\d{4}\]", "", text)  # a citation
    if len(text) <= LONGEST:
        return text
    text = text[:LONGEST]
    ends = [end.start() for end in re.finditer(r"[.?;] ", text)]
    return text[: ends[-1]].rstrip(".;") + "." if ends else text.rpartition(" ")[0] + " …"


def description(page: str, doctree: nodes.document) -> str:
    """What a chapter's first box promises; of another page its first paragraph; of the first page, what the book is."""
    if page == pages()[0]:
        return str(book()["abstract"])
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.list_item) and paragraph.astext().startswith("You will learn"):
            return shortened(plain(paragraph))
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            return shortened(plain(paragraph))
    raise ValueError(f"{page}.md: a page begins with a paragraph that says what it is")


def picture(page: str, doctree: nodes.document) -> dict[str, str]:
    """What is shown where the page is shared: a chapter's drawing. Without one, it is the book's picture."""
    drawing = f"_static/drawings/{page}.png"
    if not (ROOT / "book" / drawing).is_file():
        return {}
    shown = next(image for image in doctree.findall(nodes.image) if Path(image["uri"]).stem == page)
    return {"og:image": drawing, "og:image:alt": shown["alt"]}


def citation(page: str, title: str, url: str) -> list[tuple[str, str]]:
    """The tags by which Google Scholar and managers of references know a book, and a chapter of one."""
    stated = book()
    whole = page == pages()[0]
    return [
        ("citation_title", stated["title"] if whole else title),
        *([] if whole else [("citation_inbook_title", stated["title"])]),
        *(("citation_author", author["name"]) for author in stated["authors"]),
        ("citation_publication_date", f"{stated['date-released']:%Y/%m/%d}"),
        ("citation_language", "en"),
        ("citation_public_url", url),
        ("citation_fulltext_html_url", url),
    ]


def structured(page: str, title: str, about: str, url: str) -> dict[str, Any]:
    """The same in the words of schema.org, with what a chapter's first box says of minutes and difficulty."""
    stated = book()
    whole = {
        "@type": "Book",
        "@id": address("Homepage") + "/",
        "name": stated["title"],
        "url": address("Homepage") + "/",
    }
    common = {
        "@context": "https://schema.org",
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "author": [{"@type": "Organization", "name": author["name"]} for author in stated["authors"]],
        "datePublished": f"{stated['date-released']:%Y-%m-%d}",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "description": about,
    }
    if page == pages()[0]:
        return common | whole
    text = (ROOT / "book" / f"{page}.md").read_text()
    minutes, difficulty = MINUTES.search(text), DIFFICULTY.search(text)
    return (
        common
        | {
            "@type": "Chapter",
            "@id": url,
            "url": url,
            "name": title,
            "position": pages().index(page),
            "isPartOf": whole,
        }
        | ({"timeRequired": f"PT{minutes[1]}M"} if minutes else {})
        | ({"educationalLevel": LEVELS[difficulty[1]]} if difficulty else {})
    )


def fill_head(_app: Sphinx, pagename: str, _template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    """Write all of it, before sphinxext-opengraph reads it. A page that no chapter made is for nobody to find."""
    if not doctree:
        context |= {"pageurl": None, "metatags": '<meta name="robots" content="noindex" />'}
        return
    url, about = context["pageurl"], description(pagename, doctree)
    title = plain(next(doctree.findall(nodes.title)))
    if pagename == pages()[0]:
        context["docstitle"] = ""  # its title is the book's, and is said once
    tags = [("description", about), *citation(pagename, title, url)]
    context["metatags"] += "".join(f'<meta name="{name}" content="{escape(text)}" />\n' for name, text in tags)
    data = json.dumps(structured(pagename, title, about, url), ensure_ascii=False).replace("<", "\\u003c")
    context["metatags"] += f'<script type="application/ld+json">{data}</script>\n'
    shared = {"og:title": escape(title), "og:description": escape(about), **picture(pagename, doctree)}
    context["meta"] = {**(context["meta"] or {}), **shared}


def give_addresses(_app: Sphinx, config: Config) -> None:
    """Where the book is: for shared links, and for the page that is shown at an address where there is none."""
    config.ogp_site_url = address("Homepage") + "/"
    config.notfound_urls_prefix = urlsplit(urljoin(config.ogp_site_url, ".")).path


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("config-inited", give_addresses)
    app.connect("html-page-context", fill_head, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
