r"""Initializers of a whole module, in place, in the manner of ``torch.nn.init``.

Each visits every ``nn.Linear`` and ``nn.Conv2d`` of the module, plain or under weight norm, sets its bias to zero, and
returns the module. A weight that layers share is drawn once. Nothing is skipped in silence: a layer of another kind
that holds a matrix (attention, recurrent, embedding, other convolutions, parameters of your own), or one whose weight
comes from other parameters (spectral norm, pruning), is refused by name before anything is changed. Scales and biases
with one axis, as normalisation has, are left as they are.
"""

from ._concatenated import to_crelu
from ._initializers import he_, looks_linear_, orthogonal_
from ._mirrored import mirrored_

__all__ = ["he_", "looks_linear_", "mirrored_", "orthogonal_", "to_crelu"]


def __dir__() -> list[str]:
    return sorted(__all__)
