"""Fixtures that several files of tests share, from the file where each belongs."""

from test_browser import browser, site
from test_widgets import blank

__all__ = ["blank", "browser", "site"]
