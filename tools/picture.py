"""Copy the start page's figure, as the last build made it, to where the README shows it."""

from __future__ import annotations

from bs4 import BeautifulSoup
from PIL import Image

from tools.site import ROOT


def main() -> None:
    """Copy the first figure of the built start page to ``.github/picture.png``."""
    html = ROOT / "_build" / "html"
    page = BeautifulSoup((html / "index.html").read_text(), "html.parser")
    [image] = page.select("figure img, .cell_output img", limit=1)
    Image.open(html / str(image["src"])).save(ROOT / ".github" / "picture.png", optimize=True)


if __name__ == "__main__":
    main()
