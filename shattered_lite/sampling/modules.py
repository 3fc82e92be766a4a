"""Gradients of one network that exists as a module, at many inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.nn.parameter import is_lazy
from tqdm import tqdm

from .._arguments import check_generator
from .ensemble import one_of
from .frozen import Held, Measured, Normalising, Watching, evaluating

Normaliser = Literal["inputs", "running"]
CHUNK = 128  # inputs at a time: all layers' signals at all of them are kept until their gradients are there


def input_gradients(
    network: nn.Module, inputs: Tensor, *, statistics: Normaliser = "inputs", generator: torch.Generator
) -> Tensor:
    r"""Gradient, at each input, of one random combination of a network's outputs.

    $g_i = \nabla_x\, v \cdot f(x)$ at $x = x_i$, where $v$ is one Gaussian vector for all inputs, and $f$ is the
    network in evaluation: dropout is off. Batch norm would make the output at one input depend on all others, so its
    statistics are held constant: those of these ``inputs``, as in :func:`freeze`, or its running averages.

    The network, the inputs and torch's own random state are afterwards as before. Autocast is off meanwhile. A network
    that looks at numbers, to branch on them perhaps, takes one input at a time, with a progress bar.

    Parameters
    ----------
    network : nn.Module
        Maps ``(inputs, ...)`` to ``(inputs,)`` or ``(inputs, ...)``, each input by itself but for batch norm.
    inputs : Tensor, shape (inputs, ...)
        Floating-point; at least two where there is batch norm.
    statistics : {"inputs", "running"}
        Batch norm normalises with the mean and the biased variance of ``inputs``, layer by layer, as in training; or
        with its running averages, as in evaluation.
    generator : torch.Generator
        Source of $v$.

    Returns
    -------
    Tensor, shape (inputs, size of an input)
        Unit of the outputs over that of the inputs, in the precision of ``inputs``. In float32, rounding alone
        decorrelates the gradients of a plain network of a hundred layers with batch norm: choose float64 there.

    Raises
    ------
    ValueError
        If the inputs or the outputs are not such tensors, or the inputs are not like the network's parameters in dtype
        and device; if the outputs do not depend on the inputs by differentiable steps; if the output at one input
        depends on another input; or if batch norm has no statistics to hold.

    References
    ----------
    Balduzzi et al. (2017), Section 4. Used in the chapter *Convolutional networks and real images*.
    """
    one_of("statistics", statistics, Normaliser)
    check_generator(generator)
    _check_network(network)
    _check_inputs(network, inputs)
    network = getattr(network, "_orig_mod", network)  # of a compiled network
    measured = Measured()

    def mode() -> Watching:
        return Normalising(Held(measured.statistics)) if statistics == "inputs" else Watching()

    with _undisturbed(network, inputs.device), evaluating(network):
        x = inputs.detach().clone()
        with torch.no_grad(), Normalising(measured) if statistics == "inputs" else Watching() as watching:
            outputs = network(x.clone())
        _check_outputs(outputs, len(x))
        direction = torch.randn(outputs.shape[1:], generator=generator).to(outputs)
        if watching.reads_values:
            chunks = tqdm(x.split(1), desc="gradients", leave=False, disable=None)
        else:
            chunks = x.split(CHUNK)
            _refuse_dependence(network, x[:2], direction, mode)
        return torch.cat([_gradients(network, chunk, direction, mode()) for chunk in chunks]).flatten(1)


def _refuse_dependence(network: nn.Module, pair: Tensor, direction: Tensor, mode: Callable[[], Watching]) -> None:
    """Between the first two inputs; the gradient is exactly zero where there is none, whatever rounding does."""
    for output, other in ((0, 1), (1, 0))[: 2 * len(pair) - 2]:
        alone = torch.zeros(len(pair), *direction.shape).to(direction)
        alone[output] = direction
        across = _gradients(network, pair, alone, mode())[other]
        if (across.isfinite() & (across != 0)).any():
            raise ValueError(
                "network: its output at one input depends on another input; the first axis must count inputs, and only "
                "the batch norm of torch can be held constant"
            )


def _gradients(network: nn.Module, inputs: Tensor, weights: Tensor, mode: Watching) -> Tensor:
    """Gradient of the weighted sum of outputs; no output depends on two inputs, so one pass back serves all."""
    x = inputs.clone().requires_grad_()
    with mode:
        outputs = network(x.clone())  # a first layer in place changes the copy
        mode.finish()
        if not outputs.requires_grad:
            raise ValueError("network: its outputs do not depend on its inputs by steps that can be differentiated")
        combination = (outputs * weights).sum()
        # From an edge of the graph, since inside of a tensor's own method no mode is on, and checkpoints need it.
        torch.autograd.backward([get_gradient_edge(combination)], [torch.ones_like(combination)])
    return torch.zeros_like(x) if x.grad is None else x.grad


def _check_network(network: object) -> None:
    if not isinstance(network, nn.Module):
        raise ValueError(f"network={network!r}: an nn.Module is needed; call a function in the forward of one")
    for name, module in network.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(
                f"network: {name or 'it'} is compiled by torch.jit, which hides batch norm; use the original"
            )
    for name, parameter in network.named_parameters():
        if is_lazy(parameter):
            raise ValueError(f"network: {name} has no size yet; call the network once on its inputs")


def _check_inputs(network: nn.Module, inputs: object) -> None:
    if not isinstance(inputs, Tensor):
        raise ValueError(f"inputs: a {type(inputs).__name__}, but a tensor is needed")
    if inputs.ndim == 0 or inputs.numel() == 0:
        raise ValueError(f"inputs: shape {tuple(inputs.shape)}, but (inputs, ...) with no empty axis is needed")
    if not inputs.is_floating_point():
        raise ValueError(
            f"inputs: {inputs.dtype} has no gradient; for tokens, hand over the layers behind the embedding, and what "
            "it makes of the tokens"
        )
    if not inputs.isfinite().all():
        raise ValueError("inputs: every entry must be finite")
    like = [parameter for parameter in network.parameters() if parameter.is_floating_point()]
    if like and all((each.dtype, each.device) != (inputs.dtype, inputs.device) for each in like):
        raise ValueError(
            f"inputs: {inputs.dtype} on {inputs.device}, but the network is {like[0].dtype} on {like[0].device}; "
            "convert one of them with .to()"
        )


def _check_outputs(outputs: object, count: int) -> None:
    if not isinstance(outputs, Tensor):
        raise ValueError(
            f"network: returns a {type(outputs).__name__}, but one tensor is needed; wrap it in a module whose forward "
            "picks one"
        )
    if outputs.ndim == 0 or len(outputs) != count or not outputs.is_floating_point():
        raise ValueError(
            f"network: returns {outputs.dtype} of shape {tuple(outputs.shape)}, but floating-point numbers of shape "
            f"({count}, ...) are needed, a row for each of {count} inputs"
        )


@contextmanager
def _undisturbed(network: nn.Module, device: torch.device) -> Iterator[None]:
    """Differentiate with respect to inputs alone, in full precision, and leave no trace."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    buffers = [
        (module, name, buffer, buffer.clone())
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    with (
        torch.random.fork_rng([] if device.type == "cpu" else [device], device_type=device.type),
        torch.backends.cudnn.flags(enabled=not recurrent),  # it goes back through recurrent layers in training only
        torch.autocast(device.type, enabled=False),
        torch.inference_mode(False),
        torch.enable_grad(),
    ):
        for parameter in trained:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in trained:
                parameter.requires_grad_()
            for module, name, buffer, value in buffers:
                buffer.copy_(value)
                setattr(module, name, buffer)
