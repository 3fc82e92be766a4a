"""Which runs the book's recorded figures need: a grid is a function from the records made so far to the runs to make.

Learning rates are chosen on held-out images, so a grid of training runs knows its last runs only when its first ones
are recorded.
"""

from ._choices import SEEDS, TUNING_SEED, merit
from ._grids import GRIDS, digits, figure_5, figure_6, figure_6_between, figure_6_small
from ._long import figure_6_long, figure_6_patient
from ._networks import CONTROLS, NETWORKS, Network, by_network, equal_cost_width, network_of
from ._times import time_to_learn, time_to_learn_mnist, time_to_learn_wide

__all__ = [
    "CONTROLS",
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
    "figure_6_long",
    "figure_6_patient",
    "figure_6_small",
    "merit",
    "network_of",
    "time_to_learn",
    "time_to_learn_mnist",
    "time_to_learn_wide",
]


def __dir__() -> list[str]:
    return sorted(__all__)
