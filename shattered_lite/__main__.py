"""``python -m shattered_lite``: see :mod:`shattered_lite.lab.cli`."""

import sys

from .lab.cli import main

if __name__ == "__main__":  # a worker process imports this file under another name
    sys.exit(main())
