"""The modules of dials in a browser, so that tests compute with what the pages compute with."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page

from tools.widgets import IMPORT, MODULES


def address(name: str) -> str:
    """One that holds the module itself, with the modules that it imports."""
    text = IMPORT.sub(lambda found: f'from "{address(found[1])}"', (MODULES / f"{name}.js").read_text())
    return "data:text/javascript," + quote(text)


def computed(page: Page, name: str, expression: str, **given: Any) -> Any:
    """An expression in the module, called ``dial`` there, and in what is given."""
    constants = "".join(f"const {key} = {json.dumps(value)};" for key, value in given.items())
    return page.evaluate(
        f"async (from) => {{ const dial = await import(from); {constants} return {expression}; }}", address(name)
    )
