"""Which runs the book's recorded figures need: a grid is a function from the records made so far to the runs to make.

Learning rates are chosen on held-out images, so a grid of training runs knows its last runs only when its first ones
are recorded.
"""

from ._grids import GRIDS, SEEDS, TUNING_SEED, digits, figure_5, figure_6, figure_6_between, figure_6_small, merit
from ._networks import NETWORKS, Network, by_network, equal_cost_width, network_of

__all__ = [
    "GRIDS",
    "NETWORKS",
    "SEEDS",
    "TUNING_SEED",
    "Network",
    "by_network",
    "digits",
    "equal_cost_width",
    "figure_5",
    "figure_6",
    "figure_6_between",
    "figure_6_small",
    "merit",
    "network_of",
]


def __dir__() -> list[str]:
    return sorted(__all__)
