"""The wing that runs experiments: data, one training run, many, the grids of the book's figures, and what they left."""

from . import data, grids, records, sweep, training

__all__ = ["data", "grids", "records", "sweep", "training"]


def __dir__() -> list[str]:
    return sorted(__all__)
