"""Gradients of one network that exists as a module, at many inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from tqdm import tqdm

from .._arguments import drawn_by, one_of
from .._modules import (
    COMPANY,
    DEPENDENCE,
    NO_LOOK_UP,
    NO_SLOPE,
    Embedding,
    Held,
    Measured,
    Normalising,
    Watching,
    check_inputs,
    check_network,
    check_outputs,
    refuse_if_company_matters,
    select,
    undisturbed,
    unwrapped,
)

Normaliser = Literal["inputs", "running"]
Run = Callable[[Tensor], Any]
CHUNK = 128  # inputs at a time: all layers' signals at all of them are kept until their gradients are there


def input_gradients(
    network: nn.Module,
    inputs: Tensor,
    *,
    output: int | str | Callable[[Any], Tensor] | None = None,
    statistics: Normaliser = "inputs",
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Gradient, at each input, of one random combination of a network's outputs.

    $g_i = \nabla_x\, v \cdot f(x)$ at $x = x_i$, where $v$ is one Gaussian vector for all inputs, and $f$ is the
    network in evaluation: dropout modules are off. Batch norm would make the output at one input depend on all others,
    so its statistics are held constant: those of these ``inputs``, as in :func:`shattered_lite.sampling.freeze`, or its
    running averages.

    The network, the inputs and torch's own random state, from which dropout as a function draws, are afterwards as
    before. Autocast around the call is off meanwhile. A network that looks at numbers, to branch on them perhaps, takes
    one input at a time, with a progress bar.

    Parameters
    ----------
    network : nn.Module
        Maps ``(inputs, ...)`` to ``(inputs,)`` or ``(inputs, ...)``, each input by itself but for batch norm. It may
        return several tensors, in a tuple, a dictionary or a dataclass.
    inputs : Tensor, shape (inputs, ...)
        Floating-point; at least two where there is batch norm. Or tokens, which are whole numbers: then the gradient is
        that by what the network looks up for them, once, in its embedding.
    output : int, str or callable, optional
        Which of several outputs: a place, a name, or a function of all that is returned. By default the first that is
        floating-point and has a row for each input.
    statistics : {"inputs", "running"}
        Every batch norm normalises with the mean and the biased variance of ``inputs``, layer by layer, as in training,
        whatever its mode; or with its running averages, as in evaluation.
    generator : torch.Generator, optional
        Source of $v$; by default torch's own, whose state is afterwards as before.

    Returns
    -------
    Tensor, shape (inputs, size of an input)
        Unit of the outputs over that of the inputs, in the precision of ``inputs``; for tokens a row has the size of
        what is looked up for an input, all its tokens one after another. In float32, rounding alone
        decorrelates the gradients of a plain network of a hundred layers with batch norm: choose float64 there.

    Raises
    ------
    ValueError
        If the inputs or the outputs are not such tensors, or the inputs are not like the network's parameters in dtype
        and device; if tokens are not looked up; if the outputs do not depend on the inputs by
        differentiable steps; if the output at one input depends on another input; or if batch norm has no statistics to
        hold.

    References
    ----------
    Balduzzi et al. (2017), Section 4. Used in the chapter *Convolutional networks and real images*.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(6, 50), nn.BatchNorm1d(50), nn.ReLU(), nn.Linear(50, 3))
    >>> sl.input_gradients(network, torch.randn(20, 6)).shape
    torch.Size([20, 6])
    """
    one_of("statistics", statistics, Normaliser)
    generator = drawn_by(generator)
    check_network(network)
    check_inputs(network, inputs, tokens=True)
    module = unwrapped(network)

    def run(x: Tensor) -> Any:
        return select(module(x), output, len(x))

    def mode() -> Watching:
        return Normalising(Held(measured.statistics)) if statistics == "inputs" else Watching()

    with undisturbed(module, inputs.device):
        x = inputs.detach().clone()
        for trial in (x[:COMPANY], x):  # statistics need all inputs, a shape does not
            measured = Measured()
            with torch.no_grad(), Normalising(measured) if statistics == "inputs" else Watching() as watching:
                outputs = run(trial.clone())
            if not measured.statistics:
                break
        check_outputs(outputs, len(trial))
        direction = torch.randn(outputs.shape[1:], generator=generator).to(outputs)
        if watching.reads_values:
            chunks = tqdm(x.split(1), desc="gradients", leave=False, disable=None)
        else:
            chunks = x.split(CHUNK)
            refuse_if_company_matters(lambda inputs: run(inputs[0]), [x[:COMPANY]], mode)
        _refuse_dependence(run, x[:COMPANY], direction, mode)
        found = [_gradients(run, chunk, direction, mode()) for chunk in chunks]
    return torch.cat(found).reshape(len(inputs), -1)


def _refuse_dependence(run: Run, x: Tensor, direction: Tensor, mode: Callable[[], Watching]) -> None:
    """The gradient with respect to other inputs is exactly zero where there is none, whatever rounding does."""
    for index in {0, len(x) - 1}:
        alone = torch.zeros(len(x), *direction.shape).to(direction)
        alone[index] = direction
        across = _gradients(run, x, alone, mode())
        across[index] = 0
        if (across.isfinite() & (across != 0)).any():
            raise ValueError(DEPENDENCE)


def _gradients(run: Run, inputs: Tensor, weights: Tensor, mode: Watching) -> Tensor:
    """Gradient of the weighted sum of outputs; no output depends on two inputs, so one pass back serves all."""
    x = inputs.clone()
    embedding = Embedding(x)
    if x.is_floating_point():
        x.requires_grad_()
    with mode, embedding:
        outputs = run(x.clone())  # a first layer in place changes the copy
        mode.finish()
        if embedding.values is not None:
            x = embedding.values
        elif not x.is_floating_point():
            raise ValueError(NO_LOOK_UP)
        if not outputs.requires_grad:
            raise ValueError(NO_SLOPE)
        combination = (outputs * weights).sum()
        # From an edge of the graph, since inside of a tensor's own method no mode is on, and checkpoints need it.
        torch.autograd.backward([get_gradient_edge(combination)], [torch.ones_like(combination)])
    gradients = x.grad
    mode.restore()
    if gradients is None:
        raise ValueError(NO_SLOPE)
    return gradients.reshape(len(inputs), -1)
