r"""Gradients of many random networks at once, without differentiating through them.

A network maps an input to preactivations $z_0 = V x$ with $V_{kd} \sim N(0, 1)$, then passes ``depth`` gated layers,

$$z_l = W_l\, \varphi(\hat z_{l-1}) \quad\text{(plain)}, \qquad
  z_l = \alpha\,(z_{l-1} + \beta\, W_l\, \varphi(\hat z_{l-1})) \quad\text{(residual)}, \qquad
  z_l = \gamma_1 z_{l-1} + \gamma_2 W_l\, \varphi(\hat z_{l-1}) \quad\text{(highway)},$$

with $W_l \sim N(0, 2/N)$ and the rectifier $\varphi = \rho$ unless told otherwise, and $\gamma_1^2 + \gamma_2^2 = 1$;
the outputs are the units of $z_L$. The hat normalises each unit over the inputs, or each input over the units; the skip
carries the state as it was before that. The first gated layer is never normalised, because centred scalar inputs would
put every kink of that layer at the same point. Values and tangents travel forwards together, so memory does not grow
with depth.
"""

from ._frozen import freeze
from ._input_gradients import input_gradients
from ._samplers import sample_activations, sample_gradients

__all__ = ["freeze", "input_gradients", "sample_activations", "sample_gradients"]


def __dir__() -> list[str]:
    return sorted(__all__)
