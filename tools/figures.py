"""Figures on the pages: small files, room kept for them before they come, and a link that enlarges them.

A chapter's figure leaves its notebook as PNG. The pages show it as lossless WebP, which is a third as large. Without a
script the link opens the picture alone; ``book/_static/enlarge.js`` shows it over the page.
"""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

FIGURE = re.compile(r'(<figure[^>]*>\s*)(<img [^>]*src="([^"]+)"[^>]*>)')
IMAGE = re.compile(r'<img ([^>]*src="[^"]*_images/([^"]+)")')
PIXELS = {"pt": 4 / 3, "px": 1, "": 1}


class AsWebp(SphinxPostTransform):
    """Put a WebP in the place of each PNG that a chapter's cells have drawn."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Convert what has not been converted, and let Sphinx copy that."""
        for image in self.document.findall(nodes.image):
            source = Path(self.env.srcdir, image["uri"])
            if source.suffix != ".png" or image["uri"] not in self.env.images:
                continue
            made = source.with_suffix(".webp")
            if not made.exists():
                Image.open(source).save(made, lossless=True, method=6)
            del self.env.images[image["uri"]]
            image["uri"] = image["uri"].removesuffix(".png") + ".webp"
            image["candidates"] = {"*": image["uri"]}
            self.env.images.add_file(self.env.docname, image["uri"])


def size(picture: Path) -> tuple[int, int]:
    """Width and height in pixels of a browser."""
    if picture.suffix != ".svg":
        with Image.open(picture) as image:
            return int(image.width), int(image.height)
    root = ET.parse(picture).getroot()
    found = [re.fullmatch(r"([\d.]+)(pt|px|)", root.get(side, "")) for side in ("width", "height")]
    if None in found:
        raise ValueError(f"{picture}: the svg element must have a width and a height in pt or px")
    width, height = (round(float(match[1]) * PIXELS[match[2]]) for match in found if match)
    return width, height


def keep_room(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Write width and height on each picture, fetch it when it comes near, and link each figure's to itself."""
    if "body" not in context:
        return
    sources = {name: Path(app.srcdir, source) for source, (_, name) in app.env.images.items()}

    def measured(match: re.Match[str]) -> str:
        width, height = size(sources[match[2]])
        return f'<img width="{width}" height="{height}" style="--width: {width}px" loading="lazy" {match[1]}'

    with_sizes = IMAGE.sub(measured, context["body"])
    context["body"] = FIGURE.sub(r'\1<a class="enlarge" href="\3" title="Enlarge">\2</a>', with_sizes)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.add_post_transform(AsWebp)
    app.connect("html-page-context", keep_room)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
