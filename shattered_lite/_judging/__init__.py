"""What is wrong with a network that was measured, if anything, and what to change."""

from ._changes import Change
from ._evidence import Evidence, Finding
from ._rules import findings_of, zero_at_start

__all__ = ["Change", "Evidence", "Finding", "findings_of", "zero_at_start"]


def __dir__() -> list[str]:
    return sorted(__all__)
