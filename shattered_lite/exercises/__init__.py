"""Answer checks that know the usual wrong answers. Offline; the solutions' text is in the book."""

from ._check import EXERCISES, check
from ._exercise import Exercise

__all__ = ["EXERCISES", "Exercise", "check"]


def __dir__() -> list[str]:
    return sorted(__all__)
