"""Somebody's rectifier network with concatenated rectifiers in place of its own."""

from __future__ import annotations

import copy
import operator

import torch
from torch import fx, nn
from torch.nn import functional

from .._arguments import drawn_by
from ..networks import CReLU
from ._initializers import mirror
from ._layers import Layer, find, refusal, refuse_if_not_isometric, sharing, source

RECTIFIERS = {torch.relu, torch.relu_, functional.relu, functional.relu_, "relu", "relu_"}
POOLING = {functional.avg_pool2d, functional.adaptive_avg_pool2d}
LINEAR_MODULES = nn.Identity | nn.AvgPool2d | nn.AdaptiveAvgPool2d | nn.PixelUnshuffle  # each channel for itself
MEANS = {torch.mean, "mean"}  # over height and width
FLATTENING = {torch.flatten, "flatten", "reshape", "view"}
SUMS = {operator.add, operator.iadd, torch.add, "add", "add_"}
SHAPES = {getattr, "size", "dim"}


def to_crelu(module: nn.Module, *, generator: torch.Generator | None = None) -> fx.GraphModule:
    r"""A copy of a rectifier network that looks linear: each rectifier concatenated, the next layer twice as wide.

    Each $\rho(z)$ becomes $(\rho(z), \rho(-z))$, whichever way it is called. The layer that takes it gets twice as many
    inputs, and all weights are drawn anew as by :func:`~shattered_lite.looks_linear_`. The copy maps inputs of the same
    shape to outputs of the same shape, and starts as a linear map.

    Parameters
    ----------
    module : nn.Module
        Made of ``nn.Linear`` on ``(inputs, features)``, ``nn.Conv2d`` and rectifiers; beside them mean pooling,
        flattening, ``nn.PixelUnshuffle``, and sums of what was not rectified. It is not changed.
    generator : torch.Generator, optional
        Source of all randomness, by default torch's own.

    Returns
    -------
    torch.fx.GraphModule
        Its layers have the names of the original.

    Raises
    ------
    ValueError
        If the forward pass cannot be read, since it branches on numbers; if a rectified signal is added to another,
        returned, or goes where it cannot stay doubled; if something else acts in the network, such as batch norm; if
        layers share a weight; or as :func:`~shattered_lite.orthogonal_`. The message names the place.

    References
    ----------
    Shang et al. (2016); Balduzzi et al. (2017), Section 5. Used in the chapter *Looks linear*.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
    >>> mirrored = sl.initializers.to_crelu(network)
    >>> x, y = torch.randn(5, 4), torch.randn(5, 4)
    >>> torch.allclose(mirrored(x) + mirrored(y), mirrored(x + y), atol=1e-5)
    True
    """
    generator = drawn_by(generator)
    found = find(module)
    refuse_if_not_isometric(found)
    for first, place in sharing(found):
        if first is not place:
            raise refusal(place.name, place.layer, f" with the weight of {first.name}, which may need another mirror")
        if source(place.layer) is not place.layer._parameters.get("weight"):
            raise refusal(place.name, place.layer, " under weight norm; take that off, and put it on again afterwards")
    try:
        network = fx.symbolic_trace(copy.deepcopy(module))
    except Exception as error:  # a stranger's forward may raise anything
        raise ValueError(f"module: its forward pass cannot be read ({error}); it may branch on numbers") from error
    mirrored = _concatenate(network)
    network.delete_all_unused_submodules()
    network.graph.lint()
    network.recompile()
    with torch.no_grad():
        mirror([place._replace(mirrored=place.name in mirrored) for place in find(network)], generator)
    return network


def _concatenate(network: fx.GraphModule) -> set[str]:
    """Follow the data; the layers that take a rectified signal, which has twice as many channels now."""
    doubled: set[fx.Node] = set()
    mirrored: set[str] = set()
    for node in list(network.graph.nodes):
        takes_doubled = bool(doubled.intersection(node.all_input_nodes))
        child = network.get_submodule(str(node.target)) if node.op == "call_module" else None
        if isinstance(child, Layer):
            _refuse_if_used_again(network, node, child)
            if takes_doubled:
                network.set_submodule(str(node.target), _twice_as_wide(child))
                mirrored.add(str(node.target))
        elif isinstance(child, nn.ReLU) or node.target in RECTIFIERS:
            if takes_doubled:
                raise _refuse(node, child, "takes what is rectified already")
            doubled.add(_put_crelu(network, node))
        elif _stays_doubled(node, child, takes_doubled):
            doubled.add(node)
    if not doubled:
        raise ValueError("module: no rectifier in it")
    return mirrored


def _stays_doubled(node: fx.Node, child: nn.Module | None, takes_doubled: bool) -> bool:
    """Whether the output of this step is doubled, too; refuse what is not linear, or would need both shapes at once."""
    if node.target in POOLING or isinstance(child, LINEAR_MODULES) or _averages_images(node):
        return takes_doubled
    if isinstance(child, nn.Flatten) or node.target in FLATTENING:
        if takes_doubled and not _flattens_each_input(node, child):
            raise _refuse(node, child, "must flatten each input, however many channels it has: (inputs, -1)")
        return takes_doubled
    if node.target in SHAPES or (node.target is operator.getitem and node.all_input_nodes[0].target in SHAPES):
        return False
    if not (node.op in ("placeholder", "output") or node.target in SUMS):
        raise _refuse(node, child, "is not known to be linear")
    if takes_doubled:
        raise _refuse(node, child, "takes a rectified signal, and a layer must come between")
    return False


def _averages_images(node: fx.Node) -> bool:
    """Whether it is the mean of each channel: over the last two axes, however it is written."""
    axes = {"dim": node.args[1] if len(node.args) > 1 else None, **node.kwargs}.get("dim")
    return node.target in MEANS and isinstance(axes, list | tuple) and sorted(axes) in ([2, 3], [-2, -1])


def _flattens_each_input(node: fx.Node, child: nn.Module | None) -> bool:
    """Whether the second axis takes all that there is; a number would be that of the channels before."""
    if isinstance(child, nn.Flatten):
        return child.start_dim == 1 and child.end_dim == -1
    if node.target in ("reshape", "view"):
        return isinstance(node.args[1], fx.Node) and node.args[2:] == (-1,)
    return node.args[1:] in ((1,), (1, -1)) or dict(node.kwargs) == {"start_dim": 1}


def _put_crelu(network: fx.GraphModule, node: fx.Node) -> fx.Node:
    """A CReLU in the place of a rectifier; of its own, since one nn.ReLU may serve several places."""
    name = f"crelu_{node.name}".replace(".", "_")
    network.add_submodule(name, CReLU())
    with network.graph.inserting_before(node):
        new = network.graph.call_module(name, (node.all_input_nodes[0],))
    node.replace_all_uses_with(new)
    network.graph.erase_node(node)
    return new


def _refuse_if_used_again(network: fx.GraphModule, node: fx.Node, child: nn.Module) -> None:
    if sum(each.target == node.target for each in network.graph.nodes) > 1:
        raise _refuse(node, child, "is used more than once, and may need more than one mirror")


def _twice_as_wide(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """The layer with twice as many inputs; its weights are drawn later."""
    wide = copy.deepcopy(layer)
    doubled = torch.cat([layer.weight, layer.weight], dim=1).detach()
    wide.weight = nn.Parameter(doubled, requires_grad=layer.weight.requires_grad)
    if isinstance(wide, nn.Linear):
        wide.in_features *= 2
    else:
        wide.in_channels *= 2
    return wide


def _refuse(node: fx.Node, child: nn.Module | None, why: str) -> ValueError:
    if child is not None:
        return refusal(str(node.target), child, f", which {why}")
    step = "its output" if node.op == "output" else getattr(node.target, "__name__", node.target)
    return ValueError(f"module: {step}, which {why}")
