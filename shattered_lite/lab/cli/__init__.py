"""The command line: one run, a grid of runs, what is recorded, and a diagnosis of somebody's network."""

from ._commands import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return sorted(__all__)
