"""The pages in one zip, to be read where there is no network: ``python -m tools.archive``."""

import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from tools.site import ROOT

NAME = "shattered-gradients"
ONLINE = {"404.html", "sitemap.xml", "objects.inv", ".buildinfo"}  # for a server, or for who links to it
PRELOADED = re.compile(r'<link rel="preload" as="font"[^>]*>')


def from_disk(file: Path) -> bytes:
    """A file as a disk gives it: a browser refuses to load fonts from one before it needs them."""
    return PRELOADED.sub("", file.read_text()).encode() if file.suffix == ".html" else file.read_bytes()


def pack(pages: Path, archive: Path) -> None:
    """Write all files of the pages into one folder of the archive."""
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for file in sorted(pages.rglob("*")):
            if file.is_file() and file.name not in ONLINE:
                packed.writestr(f"{NAME}/{file.relative_to(pages)}", from_disk(file))


if __name__ == "__main__":
    pack(ROOT / "_build" / "html", ROOT / "_build" / f"{NAME}.zip")
