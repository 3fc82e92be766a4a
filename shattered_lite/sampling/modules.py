"""Gradients of one network that exists as a module, at many inputs."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.func import grad, vmap

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CHUNK = 128  # inputs at a time: all layers' signals at all of them are kept until their gradients are there


def input_gradients(network: nn.Module, inputs: Tensor, *, generator: torch.Generator) -> Tensor:
    r"""Gradient, at each input, of one random combination of a network's outputs.

    $g_i = \nabla_x\, v \cdot f(x)$ at $x = x_i$, where $v$ is one Gaussian vector for all inputs. Batch norm
    normalises with the statistics of these ``inputs``, held constant: otherwise the output at one input would depend on
    all others.

    Parameters
    ----------
    network : nn.Module
        Maps ``(inputs, ...)`` to ``(inputs, outputs)``, each input by itself but for batch norm; not changed.
    inputs : Tensor, shape (inputs, ...)
        At least two where there is batch norm.
    generator : torch.Generator
        Source of $v$.

    Returns
    -------
    Tensor, shape (inputs, size of an input)
        Unit of the outputs over that of the inputs.

    References
    ----------
    Balduzzi et al. (2017), Section 4. Used in the chapter *Convolutional networks and real images*.
    """
    frozen = _freeze(network, inputs)
    with torch.no_grad():
        outputs = frozen(inputs[:1]).shape[1]
    direction = torch.randn(outputs, generator=generator).to(inputs)
    return vmap(grad(lambda x: frozen(x[None])[0] @ direction), chunk_size=CHUNK)(inputs).flatten(1)


@torch.no_grad()
def _freeze(network: nn.Module, inputs: Tensor) -> nn.Module:
    """A copy that normalises with the statistics of ``inputs``, whatever it is given."""
    frozen = copy.deepcopy(network).requires_grad_(False).train()
    for layer in frozen.modules():
        if isinstance(layer, BATCH_NORMS):
            layer.momentum = 1.0
    frozen(inputs)
    return frozen.eval()
