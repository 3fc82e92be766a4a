from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def html() -> Path:
    """The book as built. These tests do not build it, so that a failure of the build is not theirs."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        pytest.fail("The book is not built: run `make book` first.")
    return folder
