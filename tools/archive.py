"""The pages in one zip, to be read where there is no network: ``python -m tools.archive``."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from tools.site import ROOT

NAME = "shattered-gradients"
ONLINE = {"404.html", "sitemap.xml", "objects.inv", ".buildinfo"}  # for a server, or for who links to it


def pack(pages: Path, archive: Path) -> None:
    """Write all files of the pages into one folder of the archive."""
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for file in sorted(pages.rglob("*")):
            if file.is_file() and file.name not in ONLINE:
                packed.write(file, f"{NAME}/{file.relative_to(pages)}")


if __name__ == "__main__":
    pack(ROOT / "_build" / "html", ROOT / "_build" / f"{NAME}.zip")
