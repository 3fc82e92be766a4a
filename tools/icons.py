"""Pages carry what they use: of the theme's icons the few that are shown, as a font and not as a script of 1.5 MB."""

import re
import shutil
from pathlib import Path
from typing import Any

from fontTools import subset
from sphinx.application import Sphinx
from sphinx.config import Config

from tools.site import ROOT

TEMPLATES = ROOT / "tools" / "templates"
ICONS = "icons"  # in _static: a style sheet and a folder of fonts
VENDOR = "vendor/fontawesome"
UNUSED = ["vendor", "locales", "webpack-macros.html", "sbt-webpack-macros.html"]
PRIVATE = re.compile(r'"\\(f[0-9a-f]{3})"|([\uf000-\uf8ff])')  # where Font Awesome has its signs
FONTS = {  # file: family, weight, classes
    "fa-solid-900": ("Font Awesome 6 Free", 900, ".fa-solid,.fas"),
    "fa-regular-400": ("Font Awesome 6 Free", 400, ".fa-regular,.far"),
    "fa-brands-400": ("Font Awesome 6 Brands", 400, ".fa-brands,.fab"),
}
SHEET = """
:root{--fa-font-solid:normal 900 1em/1 "Font Awesome 6 Free";--fa-font-brands:normal 400 1em/1 "Font Awesome 6 Brands"}
.fas,.fa-solid,.far,.fa-regular,.fab,.fa-brands{display:inline-block;line-height:1;font-style:normal}
.fa-lg{font-size:1.25em;line-height:.05em;vertical-align:-.075em}
"""


def use_templates(_app: Sphinx, config: Config) -> None:
    """Put the book's templates before the theme's."""
    config.templates_path.insert(0, str(TEMPLATES))


def smaller(font: Path, to: Path, characters: set[str]) -> None:
    """Write a font with these characters only, as far as it has them."""
    options = subset.Options(flavor="woff", ignore_missing_unicodes=True)
    options.drop_tables += ["FFTM"]  # when the font was made; no browser reads it
    loaded = subset.load_font(str(font), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters])
    subsetter.subset(loaded)
    subset.save_font(loaded, str(to), options)


def icons_used(pages: Path) -> set[str]:
    """Names of Font Awesome's icons in the pages."""
    texts = (page.read_text() for page in pages.rglob("*.html"))
    classes = " ".join(found for text in texts for found in re.findall(r'class="([^"]*\bfa[^"]*)"', text))
    return {name for name in classes.split() if name.startswith("fa-")}


def sheet(icons: set[str], vendor: str) -> str:
    """A style sheet for these icons, whose signs are those of Font Awesome's own."""
    faces = [
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:block;src:url("{ICONS}/{file}.woff")}}\n'
        f'{classes}{{font-family:"{family}";font-weight:{weight}}}'
        for file, (family, weight, classes) in FONTS.items()
    ]
    found = {
        name: re.search(rf'\.{name}:before(?:,[^{{}}]*)?\{{content:("[^"]+")\}}', vendor) for name in sorted(icons)
    }
    signs = [f".{name}:before{{content:{sign[1]}}}" for name, sign in found.items() if sign]
    return SHEET + "\n".join([*faces, *signs])


def write_icons(app: Sphinx, exception: Exception | None) -> None:
    """Leave the icons that are used beside the pages, and nothing of what no page asks for."""
    if exception is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    [vendor] = (static / VENDOR).iterdir()
    icons = sheet(icons_used(Path(app.outdir)), (vendor / "css" / "all.min.css").read_text())
    styles = [icons, *(file.read_text() for file in static.rglob("*.css") if VENDOR not in file.as_posix())]
    characters = {sign or chr(int(code, 16)) for text in styles for code, sign in PRIVATE.findall(text)}
    (static / ICONS).mkdir(exist_ok=True)
    for name in FONTS:
        smaller(vendor / "webfonts" / f"{name}.ttf", static / ICONS / f"{name}.woff", characters)
    (static / f"{ICONS}.css").write_text(icons)
    for name in UNUSED:
        path = static / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Let Sphinx call this module."""
    app.connect("config-inited", use_templates)
    app.connect("build-finished", write_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
