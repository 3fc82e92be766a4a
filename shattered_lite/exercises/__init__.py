"""Answer checks that know the usual wrong answers, and assignments made of them. Offline; solutions are in the book."""

from ._assignments import ASSIGNMENTS, Assignment, ByHand, Task
from ._check import EXERCISES, check
from ._exercise import Exercise
from ._grade import grade

__all__ = ["ASSIGNMENTS", "EXERCISES", "Assignment", "ByHand", "Exercise", "Task", "check", "grade"]


def __dir__() -> list[str]:
    return sorted(__all__)
