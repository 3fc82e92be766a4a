"""The command line: one run, a grid of runs, what is recorded, a diagnosis of somebody's network, and marks."""

from ._commands import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return sorted(__all__)
