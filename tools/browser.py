"""The Chromium that prints the book and in which its pages are tested."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Playwright


def chromium(playwright: Playwright) -> Browser:
    """Start Debian's, or Playwright's own.

    Raises
    ------
    FileNotFoundError
        If there is neither.
    """
    own = playwright.chromium.executable_path
    program = shutil.which("chromium") or (own if Path(own).exists() else None)
    if program is None:
        raise FileNotFoundError("No Chromium: install Debian's package chromium, or run `playwright install chromium`.")
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else [])
