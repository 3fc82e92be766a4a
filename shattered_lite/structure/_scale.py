"""How large gradients are, measured in the signals that they belong to."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ._accepted import precisely


def gradient_scale_coefficient(signals: Tensor, outputs: Tensor, gradients: Tensor) -> Tensor:
    r"""Gradient scale coefficient from a layer's signals $z$ to the outputs $y$, of each network.

    $\lVert\partial y/\partial z\rVert_{\mathrm{qm}}\,\lVert z\rVert/\lVert y\rVert$, with
    $\lVert A\rVert_{\mathrm{qm}} = \lVert A\rVert_F/\sqrt{\text{columns}}$ and each factor in the root mean square over
    inputs: by how much the outputs change, relative to their size, over how much the signals do, where these change at
    random. Computed as the root mean square norm of the gradients, times that of an entry of the signals, over that of
    an entry of the outputs. It does not depend on the units of signals and outputs: where a layer is scaled and the
    next one takes the scale back, it stays, and raw gradients do not.

    Parameters
    ----------
    signals : Tensor, shape (..., inputs, features)
        What the layer hands on. For convolutions all channels and pixels of an input are its features. Give the
        deviations from their mean over inputs where a normalisation behind takes the mean away.
    outputs : Tensor, shape (..., inputs, outputs)
        Of the whole network, or of a later layer.
    gradients : Tensor, shape (..., samples, features)
        By the signals, each at one of the inputs, of combinations $v \cdot y$ with random unit vectors $v$, as
        ``torch.randn(outputs) / outputs**0.5`` also are on average. Any number of them, the same at each input, in any
        order. With the rows of the Jacobian at every input it is exact. Where batch norm ties inputs together, a batch
        is one input with ``inputs * features`` entries.

    Returns
    -------
    Tensor of float64, shape (...)
        Dimensionless, 0 or more; 1 for an orthogonal map.

    Raises
    ------
    ValueError
        If an argument is not a tensor of finite real numbers or has fewer than 2 axes; if leading axes, inputs or
        features do not match; or if all signals or all outputs of a network are zero.

    References
    ----------
    Philipp et al. (2017). Used in the chapter *Gradients explode*.

    Examples
    --------
    >>> z = torch.tensor([[1.0, 2.0], [2.0, -1.0]])
    >>> jacobian = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    >>> sl.structure.gradient_scale_coefficient(z, z @ jacobian.T, gradients=jacobian.repeat(2, 1))
    tensor(1., dtype=torch.float64)
    >>> z = torch.randn(500, 8, generator=generator, requires_grad=True)
    >>> y = torch.tanh(z)
    >>> v = nn.functional.normalize(torch.randn(500, 8, generator=generator), dim=1)
    >>> [gradients] = torch.autograd.grad((v * y).sum(), z)
    >>> 1.0 < sl.structure.gradient_scale_coefficient(z.detach(), y.detach(), gradients) < 1.2  # in the limit 1.085
    tensor(True)
    """
    z, y = precisely("signals", signals, axes=2), precisely("outputs", outputs, axes=2)
    g = precisely("gradients", gradients, axes=2)
    *networks, inputs, features = z.shape
    if list(y.shape[:-1]) != [*networks, inputs]:
        needed = ", ".join(map(str, (*networks, inputs, "outputs")))
        raise ValueError(f"outputs: shape {tuple(y.shape)}, but signals of shape {tuple(z.shape)} need ({needed})")
    if [*g.shape[:-2], g.shape[-1]] != [*networks, features] or g.shape[-2] % inputs:
        needed = ", ".join(map(str, (*networks, "samples", features)))
        raise ValueError(
            f"gradients: shape {tuple(g.shape)}, but signals of shape {tuple(z.shape)} need ({needed}), "
            f"samples a multiple of {inputs}"
        )
    relative = _size("signals", z) / _size("outputs", y)
    length: Tensor = math.sqrt(features) * _root_mean_square(g)
    return length * relative


def _size(name: str, tensor: Tensor) -> Tensor:
    """Root mean square of the entries, which must not be zero."""
    size = _root_mean_square(tensor)
    if (size == 0).any():
        raise ValueError(f"{name}: every one is zero, so nothing can be measured relative to their size")
    return size


def _root_mean_square(tensor: Tensor) -> Tensor:
    """Over the last two axes; squares neither overflow nor underflow."""
    largest = tensor.abs().amax((-2, -1))
    relative = tensor / torch.where(largest == 0, 1, largest)[..., None, None]
    return largest * relative.square().mean((-2, -1)).sqrt()
