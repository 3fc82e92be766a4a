"""The whole book as one PDF: ``python -m tools.pdf`` joins the pages as they were built, and lets Chromium print them.

What is numbered is numbered on the pages already, so both have the same numbers; a second build could have others.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pikepdf
import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Page, PdfMargins, sync_playwright

from tools.browser import chromium
from tools.heads import book
from tools.site import ROOT, address, pages

BUILT = ROOT / "_build" / "html"
PAGES = pages()
PDF = ROOT / "_build" / "shattered-gradients.pdf"
MARGINS: PdfMargins = {"top": "20mm", "bottom": "18mm", "left": "18mm", "right": "18mm"}
LINE = '<div style="width: 100%; font: 8px sans-serif; color: #555; text-align: center">{}</div>'
READY = """async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map(each => each.decode()));
}"""
UNFOLDED = "details.sd-dropdown, details.solution"  # as in print.js
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(heading => {
    const words = heading.cloneNode(true);
    words.querySelectorAll("mjx-container > :not(mjx-assistive-mml)").forEach(each => each.remove());
    return words.textContent.replace(/\\s+/g, " ").trim();
})"""


def place(page: str, name: str = "") -> str:
    """The id, in the whole, of a page or of a place in it."""
    return f"{page}--{name}" if name else page


def moved(link: str, page: str) -> str:
    """Where a link of a page leads when all pages are one; files of the build lie one folder deeper."""
    target = urlsplit(link)
    if target.scheme or target.netloc:
        return link
    name = target.path.removesuffix(".html") or page
    if name in PAGES:
        return "#" + place(name, target.fragment)
    return f"{BUILT.name}/{link}"


def article(page: str, folder: Path = BUILT) -> Tag:
    """An article with its places, links and pictures as the whole needs them, and all proofs and solutions unfolded."""
    [found] = BeautifulSoup((folder / f"{page}.html").read_text(), "html.parser").select("article")
    for element in found.select("script, .headerlink"):
        element.decompose()
    for element in found.find_all(True):
        for key in ("id", "for", "aria-labelledby", "aria-describedby"):
            if key in element.attrs:
                element[key] = place(page, str(element[key]))
        for key in {"href", "src"} & element.attrs.keys():
            element[key] = moved(str(element[key]), page)
    for picture in found.select("img"):
        picture["loading"] = "eager"
    for fold in found.select(UNFOLDED):
        fold["open"] = ""
    found["id"] = place(page)
    return found


def contents(articles: dict[str, Tag]) -> str:
    """Parts and chapters, as links."""
    titles = {page: each.select("h1")[0].get_text() for page, each in articles.items()}
    lines = []
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]:
        chapters = [entry["file"] for entry in part["chapters"]]
        items = [f'<li><a href="#{place(page)}">{titles[page]}</a></li>' for page in chapters]
        lines.append(f"<section><strong>{part['caption']}</strong><ul>{''.join(items)}</ul></section>")
    return "".join(lines)


def whole(folder: Path = BUILT) -> str:
    """One page of all, under the styles of the pages."""
    stated = book()
    articles = {page: article(page, folder) for page in PAGES}
    page = BeautifulSoup((folder / "index.html").read_text(), "html.parser")
    styles = page.select("head link[rel=stylesheet]")
    for style in styles:
        style["href"] = moved(str(style["href"]), PAGES[0])
    front = f"""<article class="bd-article front">
        <p class="title">{stated["title"]}</p><p>{stated["abstract"]}</p>
        <p>Version {stated["version"]}, {stated["date-released"]:%-d %B %Y}. The newest is at
        <a href="{address("Homepage")}">{address("Homepage")}</a>, where its notebooks run.
        Text and figures: CC BY 4.0; code: MIT.</p>
        <nav>{contents(articles)}</nav></article>"""
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light" class="whole"><head><meta charset="utf-8">'
        f"<title>{stated['title']}</title>{''.join(map(str, styles))}</head><body><main class='bd-main'>"
        f'<div class="bd-content"><div class="bd-article-container">{front}{"".join(map(str, articles.values()))}</div>'
        "</div></main></body></html>"
    )


def printed(page: Page, file: Path) -> None:
    """Print it, and put its headings' own words into the bookmarks: Chromium loses the space where a heading wraps."""
    page.pdf(
        path=file,
        outline=True,
        tagged=True,
        display_header_footer=True,
        header_template=LINE.format("Shattered gradients"),
        footer_template=LINE.format('<span class="pageNumber"></span>'),
        format="A4",
        margin=MARGINS,
    )
    stated = book()
    with pikepdf.open(file, allow_overwriting_input=True) as document:
        with document.open_outline() as outline:
            for bookmark, words in zip(in_order(outline.root), page.evaluate(HEADINGS), strict=True):
                bookmark.title = words
        document.docinfo["/Author"] = stated["authors"][0]["name"]
        document.docinfo["/Subject"] = stated["abstract"]
        document.save(file, object_stream_mode=pikepdf.ObjectStreamMode.generate)  # two thirds of the size


def in_order(bookmarks: list[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
    """These and all below, as they stand in the book."""
    for bookmark in bookmarks:
        yield bookmark
        yield from in_order(bookmark.children)


def main() -> None:
    """Write ``_build/shattered-gradients.pdf``."""
    together = PDF.with_suffix(".html")
    together.write_text(whole())
    with sync_playwright() as playwright:
        page = chromium(playwright).new_page()
        page.set_default_timeout(0)  # printing takes minutes
        page.goto(together.as_uri())
        page.evaluate(READY)
        printed(page, PDF)


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(str(error))
