"""Gradients of a module at many inputs, against automatic differentiation of one input after another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from shattered_lite.initializers import he_
from shattered_lite.networks import convolutional, fully_connected
from shattered_lite.sampling import input_gradients, modules

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
ROWS = torch.randn(5, 7, generator=torch.Generator().manual_seed(1))
OPTIONS = {"plain": {}, "residual": {"beta": 0.3}, "crelu": {}, "linear": {}}


def network_for(inputs: Tensor, kind: str, batch_norm: bool) -> nn.Module:
    options = {"outputs": 3, "batch_norm": batch_norm, **OPTIONS[kind]}
    if inputs.ndim == 2:
        network = fully_connected(kind, depth=3, width=6, inputs=inputs.shape[1], **options)
    else:
        network = convolutional(kind, depth=3, width=3, inputs=tuple(inputs.shape[1:]), **options)
    generator = torch.Generator().manual_seed(2)
    for layer in network.modules():  # scales and shifts that are not 1 and 0
        if isinstance(layer, modules.BATCH_NORMS):
            nn.init.uniform_(layer.weight, 0.5, 2, generator=generator)
            nn.init.normal_(layer.bias, generator=generator)
    return he_(network, generator=generator).double()


def normalised(statistics: list[tuple[Tensor, Tensor]]) -> Callable[[nn.Module, tuple[Tensor], Tensor], Tensor]:
    """A hook that replaces a batch norm's output by one with statistics given from outside."""

    def hook(layer: nn.Module, arguments: tuple[Tensor], output: Tensor) -> Tensor:
        mean, variance = statistics[layer.place]
        return nn.functional.batch_norm(arguments[0], mean, variance, layer.weight, layer.bias, eps=layer.eps)

    return hook


def one_by_one(network: nn.Module, inputs: Tensor, direction: Tensor) -> Tensor:
    """Automatic differentiation in a loop; the statistics are recorded by a first pass over all inputs."""
    layers = [layer for layer in network.modules() if isinstance(layer, modules.BATCH_NORMS)]
    statistics: list[tuple[Tensor, Tensor]] = []

    def record(layer: nn.Module, arguments: tuple[Tensor]) -> None:
        axes = [axis for axis in range(arguments[0].ndim) if axis != 1]
        statistics.append((arguments[0].mean(axes).detach(), arguments[0].var(axes, correction=1).detach()))

    hooks = [layer.register_forward_pre_hook(record) for layer in layers]
    network.train()(inputs)
    for hook in hooks:
        hook.remove()
    for place, layer in enumerate(layers):
        layer.place = place
        layer.register_forward_hook(normalised(statistics))
    found = []
    for x in inputs:
        x = x[None].clone().requires_grad_()
        found.append(torch.autograd.grad(network.eval()(x)[0] @ direction, x)[0].flatten())
    return torch.stack(found)


@pytest.mark.parametrize("inputs", [IMAGES, ROWS], ids=["images", "rows"])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", OPTIONS)
def test_gradients_are_those_of_automatic_differentiation(inputs: Tensor, batch_norm: bool, kind: str) -> None:
    inputs = inputs.double()
    network = network_for(inputs, kind, batch_norm)
    found = input_gradients(network, inputs, generator=torch.Generator().manual_seed(3))
    direction = torch.randn(3, generator=torch.Generator().manual_seed(3)).double()
    torch.testing.assert_close(found, one_by_one(network, inputs, direction), rtol=1e-9, atol=1e-12)
    assert found.shape == (len(inputs), inputs[0].numel())
    assert not found.requires_grad


@settings(derandomize=True, deadline=None, max_examples=10)
@given(st.permutations(range(6)))
def test_order_of_the_images_is_order_of_the_gradients(order: list[int]) -> None:
    network, images = network_for(IMAGES, "plain", True), IMAGES.double()
    straight, shuffled = (
        input_gradients(network, each, generator=torch.Generator().manual_seed(4)) for each in (images, images[order])
    )
    torch.testing.assert_close(shuffled, straight[order], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("training", [False, True])
def test_the_network_is_not_changed(training: bool) -> None:
    network = network_for(IMAGES, "residual", True).train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    input_gradients(network, IMAGES.double(), generator=torch.Generator().manual_seed(5))
    after = network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert network.training is training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms and all(layer.momentum == 0.1 and layer.training is training for layer in norms)


def test_statistics_are_those_of_the_minibatch_and_not_older_ones() -> None:
    network, images = network_for(IMAGES, "plain", True), IMAGES.double()
    first = input_gradients(network, images, generator=torch.Generator().manual_seed(6))
    network.train()(10 * images)  # moves the running statistics
    again = input_gradients(network, images, generator=torch.Generator().manual_seed(6))
    torch.testing.assert_close(again, first, rtol=0, atol=0)


def test_only_the_generator_decides() -> None:
    network = network_for(ROWS, "plain", False)
    same = [input_gradients(network, ROWS.double(), generator=torch.Generator().manual_seed(7)) for _ in range(2)]
    other = input_gradients(network, ROWS.double(), generator=torch.Generator().manual_seed(8))
    assert torch.equal(*same)
    assert not torch.allclose(same[0], other)


def test_one_image_has_no_statistics() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        input_gradients(network_for(ROWS, "plain", True), ROWS[:1].double(), generator=torch.Generator().manual_seed(9))
