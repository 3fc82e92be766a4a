"""Jupyter Book's own command, but reading, and so executing, two chapters at a time, for which it has no option."""

from functools import partial

from jupyter_book import sphinx
from jupyter_book.cli.main import main

sphinx.build_sphinx = partial(sphinx.build_sphinx, jobs=2)
main()
