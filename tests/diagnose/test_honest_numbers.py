"""The numbers of a diagnosis are right, and what theory expects is so, or nothing is expected."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable

import pytest
import torch
from reading import IMAGES, ROWS, SERIES, TOKENS, Reader, agrees, busy_network, diagnosed, perceptron, rms, seeded
from torch import Tensor, nn
from torch.nn import functional

import shattered_lite as sl
from shattered_lite.initializers import he_


def test_a_linear_network_has_correlation_one_and_no_curvature() -> None:
    network = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 30), nn.Linear(30, 5)).double()
    found = diagnosed(network, torch.randn(12, 20, generator=seeded(3)).double())
    for layer in found.layers:
        assert layer.correlation == pytest.approx(1, abs=1e-6)
        assert layer.expected_correlation == pytest.approx(1, abs=1e-6)
        assert layer.nearby == pytest.approx(1, abs=1e-6)
        assert layer.curvature == pytest.approx(0, abs=1e-6)
        assert layer.errors["correlation"] == pytest.approx(0, abs=1e-6)
    bent = diagnosed(nn.Sequential(network[0], nn.ReLU(), network[1:]), torch.randn(12, 20).double())
    assert bent.layers[0].correlation < 0.9
    assert bent.layers[-1].curvature > 0.01


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_a_linear_network_is_seen_in_any_precision(dtype: torch.dtype) -> None:
    for seed in range(6):
        network = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 30), nn.Linear(30, 5))
        he_(network, generator=seeded(seed)).to(dtype)
        found = diagnosed(network, torch.randn(12, 20, generator=seeded(6)).to(dtype))
        assert "linear" in [finding.cause for finding in found.findings]


def plain(width: int, depth: int) -> nn.Module:
    return nn.Sequential(*[m for _ in range(depth) for m in (nn.Linear(width, width), nn.ReLU())])


def normed(norm: nn.Module, width: int, depth: int) -> nn.Module:
    layers = [(nn.Linear(width, width), copy.deepcopy(norm), nn.ReLU()) for _ in range(depth)]
    return nn.Sequential(*[m for each in layers for m in each])


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.5 * self.branch(x)


def residual(width: int, depth: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), *[Residual(width) for _ in range(depth)])


class Smooth(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(functional.gelu(self.first(self.norm(x))))


WIDE: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: plain(300, 5),
    "batch norm": lambda: normed(nn.BatchNorm1d(300), 300, 4),
    "group norm": lambda: normed(nn.GroupNorm(3, 300), 300, 4),
    "residual": lambda: residual(300, 4),
    "layer norm and gelu": lambda: nn.Sequential(nn.Linear(300, 300), *[Smooth(300) for _ in range(3)]),
    "tanh": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.Tanh())]),
    "tanh with biases": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.Tanh())]),
    "sigmoid": lambda: nn.Sequential(*[m for _ in range(3) for m in (nn.Linear(300, 300), nn.Sigmoid())]),
    "selu": lambda: nn.Sequential(*[m for _ in range(4) for m in (nn.Linear(300, 300), nn.SELU())]),
}
NETWORKS = 8


def drawn(name: str, seed: int) -> nn.Module:
    """Gaussian weights, of the variance of He et al. (2015); the theory must read their size off the network."""
    network = he_(WIDE[name](), generator=seeded(seed))
    if name == "tanh with biases":
        for layer in network[::2]:
            nn.init.normal_(layer.bias, std=0.5, generator=seeded(100 + seed))
    return network


@pytest.mark.parametrize("name", WIDE)
def test_wide_networks_are_as_expected(name: str) -> None:
    """Mean over networks: within 4.5 standard errors, that are small, plus 2 % for a width of 300."""
    inputs = torch.randn(24, 300, generator=seeded(77))
    found = [sl.diagnose(drawn(name, seed), inputs, generator=seeded(seed), directions=8) for seed in range(NETWORKS)]
    for quantity in ("signal", "gradient", "correlation"):
        pairs = torch.tensor(
            [[[getattr(e, quantity), getattr(e, f"expected_{quantity}")] for e in each.layers] for each in found],
            dtype=torch.float64,
        )
        assert pairs.isfinite().all()
        measured, expected = pairs.unbind(-1)
        unit = expected if quantity != "correlation" else torch.ones_like(expected)
        off = (measured - expected) / unit
        error = off.std(0) / NETWORKS**0.5
        assert error.max() < 0.05
        assert (off.mean(0).abs() <= 4.5 * error + 0.02).all(), (quantity, off.mean(0), error)


def test_the_comparison_with_theory_bites() -> None:
    """Weights of a tenth more: the expected sizes follow, and so differ from those of the network before."""
    inputs = torch.randn(24, 300, generator=seeded(77))
    network = drawn("plain", 0)
    before = sl.diagnose(network, inputs, generator=seeded(0)).layers
    with torch.no_grad():
        network[0].weight *= 1.1
    after = sl.diagnose(network, inputs, generator=seeded(0)).layers
    assert after[1].expected_signal == pytest.approx(1.1 * before[1].expected_signal, rel=1e-6)
    assert after[0].expected_gradient == pytest.approx(1.1 * before[0].expected_gradient, rel=1e-6)
    assert after[0].expected_correlation == pytest.approx(before[0].expected_correlation, rel=1e-6)


@pytest.mark.parametrize(
    "activation",
    [nn.LeakyReLU(0.5), nn.ELU(0.2), nn.Softplus(5.0), nn.CELU(0.3), nn.GELU("tanh"), nn.PReLU(init=0.5), nn.ReLU6(),
     nn.Hardtanh(), nn.LeakyReLU(0.5, inplace=True), nn.ELU(0.2, inplace=True)],
    ids=["leaky", "elu", "softplus", "celu", "gelu by tanh", "prelu", "relu6", "hardtanh",
         "leaky in place", "elu in place"],
)  # fmt: skip
def test_options_of_an_activation_are_read_or_nothing_is_expected(activation: nn.Module) -> None:
    network = he_(nn.Sequential(nn.Linear(300, 300), activation, nn.Linear(300, 300)), generator=seeded(4))
    found = diagnosed(network, torch.randn(24, 300, generator=seeded(77)))
    for layer in found.layers:
        for name in ("signal", "gradient", "correlation"):
            expected = getattr(layer, f"expected_{name}")
            assert math.isnan(expected) or expected == pytest.approx(getattr(layer, name), rel=0.1, abs=0.03)


class Functional(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.function, self.head = nn.Linear(300, 300), function, nn.Linear(300, 300)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.function(self.first(x)))


@pytest.mark.parametrize(
    "function",
    [
        lambda z: functional.leaky_relu(z, negative_slope=0.8), lambda z: functional.elu(z, alpha=0.1),
        lambda z: functional.softplus(z, beta=10), lambda z: z + 3.0, lambda z: 2 + z, lambda z: z - 3.0,
        lambda z: z + z, lambda z: z.add(z), lambda z: torch.add(z, z.relu(), alpha=3),
        lambda z: 3 * z, lambda z: z / 3,
        lambda z: torch.mul(z, 3.0), lambda z: z.mul(other=3.0), lambda z: torch.mul(input=z, other=torch.tensor(3.0)),
        lambda z: z * z, lambda z: z * z.sigmoid(), lambda z: -z, lambda z: z.clamp(min=0), lambda z: z.clamp_min(0.5),
        lambda z: z + torch.ones(300), lambda z: z.add_(torch.ones(300)), lambda z: z * torch.linspace(0, 2, 300),
        lambda z: torch.where(z > 0, z, 0.1 * z), lambda z: z.relu() - (-z).relu(), lambda z: z.masked_fill(z < 0, 0),
        lambda z: torch.cat([z[:, :150], z[:, 150:].relu()], 1), lambda z: z.chunk(2, 1)[1].repeat(1, 2),
        lambda z: sum(z.chunk(2, 1)).repeat(1, 2), lambda z: torch.stack([z, z.relu()]).sum(0),
        lambda z: z.relu().add(z).add(z), lambda z: z.unsqueeze(1).expand(-1, 2, -1).mean(1),
    ],
    ids=[
        "leaky slope", "elu alpha", "softplus beta", "plus 3", "2 plus", "minus 3", "twice", "twice by add", "alpha",
        "3 times", "third", "mul", "mul by name", "mul all by name", "square", "swish", "negative", "clamp",
        "clamp min",
        "plus ones", "plus ones in place", "scales", "where", "difference", "masked", "cat", "chunk", "sum of chunks",
        "stack", "skips", "mean",
    ],
)  # fmt: skip
def test_what_is_expected_of_a_function_is_so_or_nothing_is(function: Callable[[Tensor], Tensor]) -> None:
    """Whatever a forward does: an expected value is there only where the theory knows it."""
    network = he_(Functional(function), generator=seeded(4))
    found = agrees(network, torch.randn(24, 300, generator=seeded(77)))
    assert found.layers[-1].name == "head"
    for layer in found.layers:
        for name in ("signal", "gradient", "correlation"):
            expected = getattr(layer, f"expected_{name}")
            assert math.isnan(expected) or expected == pytest.approx(getattr(layer, name), rel=0.1, abs=0.03), name


@pytest.mark.parametrize(
    ("options", "size"),
    [({}, 8), ({"stride": 2}, 8), ({"padding": 1}, 8), ({"padding": "same"}, 8), ({"padding": 1}, 2)],
    ids=["none", "stride", "padding", "same", "small image"],
)
def test_options_of_a_convolution_are_read_from_keywords(options: dict, size: int) -> None:
    class Called(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(64, 64, 3, 3, generator=seeded(1)) / 24)

        def forward(self, x: Tensor) -> Tensor:
            return functional.conv2d(x, self.weight, **options)

    network, inputs = Called(), torch.randn(8, 64, size, size, generator=seeded(2))
    module = nn.Conv2d(64, 64, 3, bias=False, **options)
    module.weight = network.weight
    wanted, found = (diagnosed(each, inputs).layers for each in (module, network))
    assert found[1].expected_signal == pytest.approx(wanted[1].expected_signal, rel=1e-6)
    assert found[1].expected_signal == pytest.approx(found[1].signal, rel=0.1)


def test_an_activation_of_ones_own_does_not_break_the_trail() -> None:
    class Straight(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, z: Tensor) -> Tensor:
            return z.relu()

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:
            return gradient

    found = agrees(Functional(Straight.apply), torch.randn(6, 300, generator=seeded(1)))
    assert found.layers[-1].name == "head"
    assert math.isnan(found.layers[0].expected_gradient)


def test_the_scale_does_not_depend_on_how_weights_share_it() -> None:
    network = perceptron(7, 9, 9, 9, 3, bias=False)
    before = diagnosed(network, ROWS)
    with torch.no_grad():
        network[2].weight *= 3
        network[4].weight /= 3
    after = diagnosed(network, ROWS)
    assert after.layers[3].signal == pytest.approx(3 * before.layers[3].signal, rel=1e-4)
    assert [each.scale for each in after.layers] == pytest.approx([each.scale for each in before.layers], rel=1e-4)
    for name in ("spread", "correlation", "nearby", "curvature", "structure"):
        pairs = [(getattr(one, name), getattr(two, name)) for one, two in zip(before.layers, after.layers, strict=True)]
        assert [one for one, _ in pairs] == pytest.approx([two for _, two in pairs], rel=1e-3, abs=1e-5, nan_ok=True)


def test_errors_are_the_spread_over_fresh_inputs() -> None:
    """A network drawn once, and the same directions; inputs drawn 40 times: standard errors to a factor of two."""
    network = perceptron(20, 40, 40, 10)
    found = [
        sl.diagnose(network, torch.randn(16, 20, generator=seeded(1000 + draw)), generator=seeded(1)).layers
        for draw in range(40)
    ]
    for name in ("signal", "spread", "gradient", "scale", "correlation"):
        for place in (0, 2, 3, 5):
            layers = [each[place] for each in found]
            spread = torch.tensor([getattr(each, name) for each in layers]).std().item()
            error = sum(each.errors[name] ** 2 for each in layers) ** 0.5 / 40**0.5
            if spread < 1e-6 or (name == "correlation" and place == 5):
                continue  # what is 1 whatever the inputs are
            assert 0.5 < error / spread < 2, (name, place, error, spread)


def test_errors_over_directions_are_their_spread() -> None:
    network = perceptron(20, 40, 40, 10)
    inputs = torch.randn(16, 20, generator=seeded(3))
    found = [sl.diagnose(network, inputs, generator=seeded(seed)).layers[0] for seed in range(40)]
    spread = torch.tensor([each.nearby for each in found]).std().item()
    error = sum(each.errors["nearby"] ** 2 for each in found) ** 0.5 / 40**0.5
    assert 0.5 < error / spread < 2


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("kind", ["linear", "convolution", "linear over positions", "series"])
def test_dead_and_always_on_are_exact(kind: str, in_place: bool) -> None:
    """Of ten units three are never on, two always are, and one is on at a single place only."""
    bias = torch.tensor([-1e3] * 3 + [1e3] * 2 + [0.0] * 4 + [-2.0])
    if kind == "convolution":
        layer, inputs = nn.Conv2d(2, 10, 1), IMAGES.clone()
        inputs[3, :, 2, 5] = 10.0
    elif kind == "series":
        layer, inputs = nn.Conv1d(2, 10, 1), IMAGES.flatten(2).clone()
        inputs[3, :, 9] = 10.0
    elif kind == "linear":
        layer, inputs = nn.Linear(7, 10), ROWS.clone()
        inputs[3] = 10.0
    else:
        layer, inputs = nn.Linear(4, 10), SERIES.clone()
        inputs[3, 2] = 10.0
    with torch.no_grad():
        layer.bias.copy_(bias)
        layer.weight[9] = 0.3 / layer.weight[9].numel()
    network = nn.Sequential(layer, nn.ReLU(inplace=in_place))
    with torch.no_grad():
        on = network(inputs)
    units = on.movedim(1 if kind in ("convolution", "series") else -1, 0).flatten(1) > 0
    assert (~units).all(1).sum() == 3
    assert units.all(1).sum() == 2
    assert units[9].sum() == 1
    found = diagnosed(network, inputs).layers[-1]
    assert found.dead == pytest.approx(0.3)
    assert found.always_on == pytest.approx(0.2)


@pytest.mark.parametrize(("bias", "dead", "always_on"), [(1e3, 0.0, 1.0), (-1e3, 1.0, 0.0)])
def test_a_layer_may_be_all_on_or_all_off(bias: float, dead: float, always_on: float) -> None:
    network = nn.Sequential(nn.Linear(7, 10), nn.ReLU(), nn.Linear(10, 3))
    nn.init.constant_(network[0].bias, bias)
    layer = diagnosed(network, ROWS).layers[2]
    assert (layer.dead, layer.always_on) == (dead, always_on)


def test_smooth_activations_are_never_dead() -> None:
    """Behind a rectifier many entries are exactly 0, and so is what tanh, GELU and the like make of them."""
    for activation in (nn.Tanh(), nn.GELU(), nn.SiLU(), nn.ELU(), nn.LeakyReLU()):
        network = nn.Sequential(nn.Linear(7, 10), nn.ReLU(), activation, nn.Linear(10, 3))
        nn.init.constant_(network[0].bias, -0.5)
        layer = diagnosed(network, ROWS).layers[3]
        assert layer.operation == activation.__class__.__name__.lower().replace("relu", "_relu").strip("_")
        assert math.isnan(layer.dead)


def test_measures_of_one_layer_by_hand() -> None:
    network = perceptron(7, 9, 3)
    found = diagnosed(network, ROWS)
    h, out = (each(ROWS).detach().double() for each in (network[:2], network))
    layer, own = found.layers[2], h.square().sum().item()
    assert layer.signal == pytest.approx(rms(h), rel=1e-5)
    assert layer.largest == pytest.approx(h.abs().max().item(), rel=1e-6)
    assert layer.spread == pytest.approx((h - h.mean(0)).square().sum().item() / own, rel=1e-5)
    far = int((ROWS - ROWS[:1]).norm(dim=1).argmax())
    a, b, c = network[:2](torch.stack([ROWS[0], (ROWS[0] + ROWS[far]) / 2, ROWS[far]])).detach().double()
    assert layer.curvature == pytest.approx(((b - (a + c) / 2).norm() / ((c - a) / 2).norm()).item(), rel=1e-4)
    gradient = torch.randn(4, 3, generator=seeded(9)).double() @ network[2].weight.detach().double()
    assert layer.gradient == pytest.approx(gradient.square().sum(1).mean().sqrt().item(), rel=1e-5)
    scale = layer.gradient * math.sqrt(own / h.shape[1] / out.square().sum().item())
    assert layer.scale == pytest.approx(scale, rel=1e-4)


@pytest.mark.parametrize("kind", ["rows", "images", "tokens", "compiled inside"])
def test_no_warning_is_given(kind: str) -> None:
    network, inputs = {
        "rows": lambda: (perceptron(7, 6, 3), ROWS),
        "images": lambda: (busy_network(), IMAGES),
        "tokens": lambda: (Reader(), TOKENS),
        "compiled inside": lambda: (nn.Sequential(torch.compile(nn.Linear(7, 3), backend="eager"), nn.ReLU()), ROWS),
    }[kind]()
    network(inputs.clone())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sl.diagnose(network, inputs, generator=seeded(1))
