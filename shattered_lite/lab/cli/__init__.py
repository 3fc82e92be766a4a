"""The command line: one run, a grid of runs, and what is recorded."""

from ._commands import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return sorted(__all__)
