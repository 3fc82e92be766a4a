"""A diagnosis at the edge: huge and tiny signals, small networks, few inputs; every form can be read."""

from __future__ import annotations

import math

import pytest
import torch
from reading import IMAGES, ROWS, Tags, agrees, diagnosed, perceptron, rms, without_spaces
from torch import Tensor, nn

import shattered_lite as sl

# Sizes at the edge


@pytest.mark.parametrize("size", [1e30, 1e-30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_and_tiny_inputs(dtype: torch.dtype, size: float) -> None:
    """All of a homogeneous network but its sizes is as at size 1."""
    network, inputs = perceptron(7, 9, 9, 3, bias=False).to(dtype), ROWS.to(dtype)
    one, other = diagnosed(network, inputs, drawn=True), diagnosed(network, size * inputs)
    for small, large in zip(one.layers, other.layers, strict=True):
        assert large.signal / size == pytest.approx(small.signal, rel=1e-4)
        assert large.expected_signal / size == pytest.approx(small.expected_signal, rel=1e-4)
        for name in ("gradient", "scale", "correlation", "expected_gradient", "expected_correlation"):
            assert getattr(large, name) == pytest.approx(getattr(small, name), rel=1e-3)
    assert other.cause == ("exploding" if size > 1 else "vanishing")


@pytest.mark.parametrize("size", [1e30, 1e-30, 1e160, 1e-160])
@pytest.mark.parametrize("activation", [nn.GELU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SiLU, nn.Softplus, nn.Mish])
def test_huge_and_tiny_signals_through_every_activation(activation: type[nn.Module], size: float) -> None:
    network = perceptron(7, 9, 3, activation=activation).double()
    with torch.no_grad():
        network[0].weight *= size
    found = diagnosed(network, ROWS.double(), drawn=activation is nn.Tanh)
    assert found.layers[1].signal == pytest.approx(rms(network[0](ROWS.double())), rel=1e-4)


@pytest.mark.parametrize(("dtype", "factor"), [(torch.float32, 1e8), (torch.float64, 1e40), (torch.float16, 1e2)])
def test_signals_that_overflow(dtype: torch.dtype, factor: float) -> None:
    network = perceptron(*[7] * 12, bias=False).to(dtype)
    with torch.no_grad():
        for layer in network[::2]:
            layer.weight *= factor
    found = diagnosed(network, ROWS.to(dtype), torch.arange(8) % 7, drawn=True)
    assert found.cause == "exploding"
    assert "finite" in found.findings[0].sentence
    assert found.findings[0].layer == next(each.name for each in found.layers if not math.isfinite(each.largest))


def test_nan_that_the_network_makes_itself() -> None:
    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sqrt()

    found = diagnosed(nn.Sequential(nn.Linear(7, 6), Root(), nn.Linear(6, 3)), ROWS, drawn=True)
    assert found.cause == "exploding"
    assert found.loss is not None
    assert found.to_dict()["layers"][-1]["signal"] is None


def test_gradients_that_overflow() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.Tanh(), *[nn.Linear(6, 6) for _ in range(10)])
    with torch.no_grad():
        network[0].weight *= 1e30
        for layer in network[2:]:
            layer.weight *= 1e4
    found = diagnosed(network, ROWS, drawn=True)
    assert found.cause == "exploding"


# Small networks, few inputs


@pytest.mark.parametrize("network", [nn.Identity(), nn.Flatten(), nn.Sequential()], ids=["identity", "flat", "empty"])
def test_a_network_that_does_nothing(network: nn.Module) -> None:
    found = diagnosed(network, ROWS, drawn=True)
    [layer] = found.layers
    assert layer.correlation == pytest.approx(1)
    assert layer.scale == pytest.approx(1, rel=0.5)
    assert found.cause == "healthy"


def test_a_network_of_one_layer() -> None:
    network = nn.Linear(7, 3)
    found = agrees(network, ROWS)
    assert [layer.name for layer in found.layers] == ["inputs", "linear"]
    assert "Linear" in str(found)
    assert found.cause == "healthy"


def test_findings_of_a_network_without_names_read_well() -> None:
    class Unnamed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 1e4 * (x - 50).relu() + 1e4 * (1e4 * x)

    found = diagnosed(Unnamed(), ROWS)
    assert found.findings
    for text in (str(found), found._repr_html_(), found.verdict):
        assert "from  on" not in text
        assert "from on" not in text


@pytest.mark.parametrize("network", [nn.ReLU(), nn.Tanh(), nn.Softmax(1), nn.LayerNorm(7, elementwise_affine=False)])
def test_networks_without_parameters(network: nn.Module) -> None:
    agrees(network, ROWS)


def test_equal_inputs() -> None:
    """No line lies between them; R is 1, since the gradients are equal."""
    found = diagnosed(perceptron(7, 9, 3), ROWS[:1].expand(5, 7), drawn=True)
    assert found.layers[0].correlation == pytest.approx(1)
    assert found.layers[0].spread == pytest.approx(0, abs=1e-6)
    assert math.isnan(found.layers[0].curvature)
    assert found.cause == "collapsed"


def test_one_input() -> None:
    network = perceptron(7, 9, 3)
    found = diagnosed(network, ROWS[:1], drawn=True)
    assert found.inputs == 1
    assert math.isnan(found.layers[0].correlation)
    assert found.layers[0].gradient > 0


def test_two_inputs() -> None:
    found = agrees(perceptron(7, 9, 3), ROWS[:2])
    assert found.layers[0].nearby > 0


def test_of_inputs_of_zero() -> None:
    found = diagnosed(perceptron(7, 9, 3), torch.zeros(5, 7), drawn=True)
    assert found.layers[0].signal == 0


# Forms


@pytest.mark.parametrize("name", ["<b>&amp;", "[bold]", "[/red]", "a" * 300, ":smile:", "a b", "$R", "ζ"])
def test_any_name_can_be_shown(name: str) -> None:
    network = nn.ModuleDict({name: nn.Linear(7, 3)})
    network.forward = lambda x: network[name](x).relu()
    found = diagnosed(network, 1e5 * ROWS, drawn=True)
    assert found.layers[1].name == name
    assert without_spaces(name)[:20] in "".join(without_spaces(str(found)).split("│"))
    page = Tags()
    page.feed(found._repr_html_())
    assert name in page.text


def test_the_name_of_a_class_is_escaped() -> None:
    strange = type("<i>[/i]", (nn.Sequential,), {})(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    found = diagnosed(strange, ROWS, drawn=True)
    assert found.network == "<i>[/i]"


def test_many_layers_fit_into_a_table() -> None:
    found = diagnosed(perceptron(*[7] * 31), ROWS, drawn=True)
    assert len(found.layers) == 60
    assert found._repr_html_().count("<tr>") == 1 + 16 + 1  # a head, some evenly along the network, the accused one
    assert "17 of 60 operations" in str(found)


def test_two_diagnoses_can_be_compared_whatever_they_are() -> None:
    one, other = diagnosed(nn.Identity(), ROWS), diagnosed(nn.Conv2d(2, 3, 3), IMAGES)
    assert len(sl.diagnosis.compare(one, other).splitlines()) == 7
