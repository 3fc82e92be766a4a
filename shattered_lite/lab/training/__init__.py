"""One training run of a classifier: configuration in, record out."""

from ._configuration import Initializer, Optimizer, Record, Run, Start
from ._machine import find_device
from ._setup import build, load
from ._tests import steps_tested
from ._train import measure_start, prepare_worker, train

__all__ = [
    "Initializer",
    "Optimizer",
    "Record",
    "Run",
    "Start",
    "build",
    "find_device",
    "load",
    "measure_start",
    "prepare_worker",
    "steps_tested",
    "train",
]


def __dir__() -> list[str]:
    return sorted(__all__)
