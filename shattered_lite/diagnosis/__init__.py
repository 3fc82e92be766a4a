"""What is wrong with a network, if anything: the measures of :mod:`shattered_lite.structure` on any module of torch."""

from .._judging import Change, Finding
from .._measuring import Layer
from ._diagnose import diagnose
from ._diagnosis import Diagnosis, compare

__all__ = ["Change", "Diagnosis", "Finding", "Layer", "compare", "diagnose"]


def __dir__() -> list[str]:
    return sorted(__all__)
