"""Which layers the initialisers act on, and which they refuse by name: nothing is skipped in silence."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from shattered_lite.initializers import he_, looks_linear_, mirrored_, orthogonal_
from shattered_lite.networks import CReLU

ALL = [he_, orthogonal_, looks_linear_, mirrored_]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def quietly(wrap: Callable, *arguments, **options) -> nn.Module:
    """The old norms warn of their age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return wrap(*arguments, **options)


def old(layer: nn.Module, **options) -> nn.Module:
    return quietly(nn.utils.weight_norm, layer, **options)


def new(layer: nn.Module, **options) -> nn.Module:
    return parametrizations.weight_norm(layer, **options)


@torch.no_grad()
def effective_weight(layer: nn.Module) -> Tensor:
    """What the layer multiplies by, read from its answers to unit vectors, or to one bright pixel in each channel."""
    if isinstance(layer, nn.Linear):
        return layer(torch.eye(layer.in_features)).mT
    images = torch.zeros(layer.in_channels, layer.in_channels, *layer.kernel_size)
    middle = tuple(size // 2 for size in layer.kernel_size)
    for channel, image in enumerate(images):
        image[channel][middle] = 1.0
    return layer(images).flip(-1, -2).transpose(0, 1)


def network(wrap: Callable[[nn.Module], nn.Module] = lambda layer: layer) -> nn.Sequential:
    gated = [wrap(nn.Linear(6, 5)), CReLU(), wrap(nn.Linear(10, 4)), nn.Unflatten(1, (4, 1, 1))]
    return nn.Sequential(*gated, wrap(nn.Conv2d(4, 3, (3, 5), padding="same")), CReLU(), wrap(nn.Conv2d(6, 7, 1)))


WRAPS = {
    "old": old,
    "new": new,
    "old, one length a column": lambda layer: old(layer, dim=1),
    "new, one length a column": lambda layer: new(layer, dim=1),
    "old, one length": lambda layer: old(layer, dim=None),
    "new, one length": lambda layer: new(layer, dim=None),
    # only one row of the kernel is not zero in an orthogonal convolution
    "old, one length a row of the kernel": lambda layer: old(layer, dim=2 if isinstance(layer, nn.Conv2d) else 0),
    "new, one length a row of the kernel": lambda layer: new(layer, dim=2 if isinstance(layer, nn.Conv2d) else 0),
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize("initializer", ALL)
def test_under_weight_norm_a_layer_multiplies_by_what_a_plain_one_would(initializer, wrap) -> None:
    plain, normed = initializer(network(), generator=rng()), network(wrap)
    for parameter in normed.parameters():
        nn.init.normal_(parameter, std=3.0, generator=rng(1))  # no trace of it may be left
    initializer(normed, generator=rng())
    for index in (0, 2, 4, 6):
        expected = effective_weight(plain[index])
        assert expected.abs().sum() > 1
        torch.testing.assert_close(normed[index].weight, expected)  # at once, and after each kind of forward pass
        for training in (True, False):
            torch.testing.assert_close(effective_weight(normed[index].train(training)), expected)
            torch.testing.assert_close(normed[index].weight, expected)


@pytest.mark.parametrize("wrap", [old, new])
def test_he_weights_have_their_law_under_weight_norm(wrap) -> None:
    layer = he_(wrap(nn.Linear(50, 400)), generator=rng())
    weights = effective_weight(layer).double().flatten().numpy() * np.sqrt(50 / 2)
    assert stats.kstest(weights, "norm").pvalue > 1e-4


@pytest.mark.parametrize("wrap", [old, new])
def test_looks_linear_under_weight_norm_is_an_isometry(wrap) -> None:
    layers = [wrap(nn.Linear(6, 6))]
    for _ in range(30):
        layers += [CReLU(), wrap(nn.Linear(12, 6))]
    deep = nn.Sequential(*layers).double()
    x = torch.randn(2, 6, generator=rng(1), dtype=torch.float64)
    looks_linear_(deep, example=x, generator=rng())
    first, other = (torch.autograd.functional.jacobian(deep, each[None]).view(6, 6) for each in x)
    torch.testing.assert_close(torch.linalg.svdvals(first), torch.ones(6).double())
    torch.testing.assert_close(first, other)


@pytest.mark.parametrize("wrap", [lambda layer: layer, old, new])
@pytest.mark.parametrize("initializer", ALL)
def test_flags_modes_dtypes_objects_and_layouts_stay(initializer, wrap) -> None:
    module = network(wrap).to(torch.bfloat16).to(memory_format=torch.channels_last)
    module[2].eval()
    module[4].requires_grad_(False)

    def layout() -> list[tuple]:
        return [(id(p), p.data_ptr(), p.requires_grad, p.dtype, p.stride()) for p in module.parameters()]

    before = layout(), [child.training for child in module.modules()], torch.get_rng_state()
    initializer(module, generator=rng())
    assert (layout(), [child.training for child in module.modules()]) == before[:2]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert not any(module[index].bias.any() for index in (0, 2, 4, 6))


def test_scales_of_normalisation_are_left() -> None:
    norms = [nn.LayerNorm((4, 3, 3)), nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.RMSNorm((4, 3, 3)), nn.PReLU(4)]
    for parameter in nn.ModuleList(norms).parameters():
        nn.init.constant_(parameter, 3.0)
    he_(nn.Sequential(nn.Conv2d(4, 4, 3), *norms), generator=rng())
    assert all((parameter == 3).all() for norm in norms for parameter in norm.parameters())


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(4, 4))


class Scaled(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


class Standardised(nn.Conv2d):
    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(x, weight - weight.mean(), bias)


class LowRank(nn.Linear):
    """Its hook adds a product of two narrow matrices."""

    def __init__(self) -> None:
        super().__init__(4, 4)
        self.up, self.down = nn.Parameter(torch.randn(4, 1)), nn.Parameter(torch.randn(1, 4))
        self.register_forward_hook(lambda layer, x, y: y + x[0] @ layer.down.mT @ layer.up.mT)


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x @ x


def patched() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.forward = lambda x: x
    return layer


def reparametrized(layer: nn.Module, name: str) -> nn.Module:
    parametrize.register_parametrization(layer, name, Square())
    return layer


def computed_elsewhere() -> nn.Module:
    layer = nn.Linear(4, 4, bias=False)
    weight = layer.weight.detach()
    del layer.weight
    layer.weight = weight
    return layer


def of_integers() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.weight = nn.Parameter(torch.ones(4, 4, dtype=torch.int8), requires_grad=False)
    return layer


UNKNOWN = {
    "1 is a ParametrizedLinear .*spectral_norm": lambda: parametrizations.spectral_norm(nn.Linear(4, 4)),
    "1 is a ParametrizedConv2d .*spectral_norm": lambda: parametrizations.spectral_norm(nn.Conv2d(4, 4, 3, padding=1)),
    "1 is a Linear with the parameters .*weight_orig.*spectral_norm": lambda: quietly(
        nn.utils.spectral_norm, nn.Linear(4, 4)
    ),
    "1 is a Conv2d with the parameters .*weight_orig.*spectral_norm": lambda: quietly(
        nn.utils.spectral_norm, nn.Conv2d(4, 4, 1)
    ),
    "1 is a ParametrizedLinear .*parametrization": lambda: parametrizations.orthogonal(nn.Linear(4, 4)),
    "1 is a ParametrizedLinear .*original1": lambda: reparametrized(new(nn.Linear(4, 4)), "weight"),
    "1 is a Linear .*bias_g": lambda: old(nn.Linear(4, 4), name="bias"),
    "1 is a Linear .*pruning": lambda: prune.random_unstructured(nn.Linear(4, 4), "weight", 0.5),
    "1 is a Linear .*weight_v_orig": lambda: prune.random_unstructured(old(nn.Linear(4, 4)), "weight_v", 0.5),
    "1 is a Linear with the parameters : ": computed_elsewhere,
    "1 is a LowRank with the parameters .*up, down": LowRank,
    "1 is a Scaled with a forward of its own": lambda: Scaled(4, 4),
    "1 is a Linear with a forward of its own": patched,
    "1 is a Standardised with a _conv_forward of its own": lambda: Standardised(4, 4, 1),
    r"1 is a MultiheadAttention with a in_proj_weight of shape \(12, 4\)": lambda: nn.MultiheadAttention(4, 2),
    "1 is a MultiheadAttention with a q_proj_weight": lambda: nn.MultiheadAttention(4, 2, kdim=3, add_bias_kv=True),
    "1.self_attn is a MultiheadAttention": lambda: nn.TransformerEncoderLayer(4, 2, 8),
    "1 is a RNN with a weight_ih_l0": lambda: nn.RNN(4, 4),
    "1 is a LSTM with a weight_ih_l0": lambda: nn.LSTM(4, 4, proj_size=2),
    "1 is a GRU with a weight_ih_l0": lambda: nn.GRU(4, 4, bidirectional=True),
    "1 is a LSTM with a weight_ih_l0 ": lambda: old(nn.LSTM(4, 4), name="weight_hh_l0"),
    "1 is a RNNCell with a weight_ih": lambda: nn.RNNCell(4, 4),
    "1 is a LSTMCell with a weight_ih": lambda: nn.LSTMCell(4, 4),
    "1 is a GRUCell with a weight_ih": lambda: nn.GRUCell(4, 4),
    r"1 is a Conv1d with a weight of shape \(4, 4, 3\)": lambda: nn.Conv1d(4, 4, 3, padding=1),
    "1 is a Conv3d with a weight": lambda: nn.Conv3d(4, 4, 3, padding=1),
    "1 is a ConvTranspose2d with a weight": lambda: nn.ConvTranspose2d(4, 4, 3),
    r"1 is a Bilinear with a weight of shape \(4, 4, 4\)": lambda: nn.Bilinear(4, 4, 4),
    "1 is a Embedding with a weight": lambda: nn.Embedding(4, 4),
    "1.0 is a Own with a matrix": lambda: nn.Sequential(Own()),
    "1.parametrizations.matrix is a ParametrizationList with a original": lambda: reparametrized(Own(), "matrix"),
    "1 is a ParameterList with a 0 of": lambda: nn.ParameterList([torch.randn(2, 2)]),
    "1 is a LazyLinear, whose weight has no shape yet; pass a batch": lambda: nn.LazyLinear(4),
    "1 is a LazyConv2d, whose weight has no shape yet; pass a batch": lambda: nn.LazyConv2d(4, 1),
    "1 is a LazyBatchNorm1d, whose weight has no shape yet": lambda: nn.LazyBatchNorm1d(),
    "1 is a Linear, whose weight is torch.float32 on the device meta; .*to_empty": lambda: nn.Linear(
        4, 4, device="meta"
    ),
    "1 is a Linear, whose weight is torch.complex64 on the device cpu; real": lambda: nn.Linear(
        4, 4, dtype=torch.complex64
    ),
    "1 is a Linear, whose weight is torch.int8 on the device cpu; real": lambda: of_integers(),
    "1 is a Linear, whose weight is torch.float8_e4m3fn": lambda: nn.Linear(4, 4).to(torch.float8_e4m3fn),
}


def contents(module: nn.Module) -> dict[str, Tensor]:
    """Parameters, buffers, and the weight that the old weight norm keeps beside them."""
    kept = {f"{name}.weight": vars(child).get("weight") for name, child in module.named_modules()}
    known = {name: tensor for name, tensor in {**module.state_dict(), **kept}.items() if isinstance(tensor, Tensor)}
    return {n: t.detach().clone() for n, t in known.items() if not nn.parameter.is_lazy(t) and not t.is_meta}


def assert_refused_and_unchanged(message: str, initializer, module: nn.Module, **options) -> None:
    generator = rng()
    before, states = contents(module), (generator.get_state(), torch.get_rng_state())
    with pytest.raises(ValueError, match=message):
        initializer(module, generator=generator, **options)
    after = contents(module)
    assert after.keys() == before.keys()
    assert all(
        torch.equal(after[name].flatten().view(torch.uint8), before[name].flatten().view(torch.uint8))
        for name in before
    )
    assert all(map(torch.equal, (generator.get_state(), torch.get_rng_state()), states))


@pytest.mark.parametrize(("message", "build"), UNKNOWN.items(), ids=UNKNOWN)
@pytest.mark.parametrize("initializer", ALL)
def test_a_layer_that_is_not_known_is_named_and_nothing_is_changed(initializer, message: str, build) -> None:
    module = nn.Sequential(old(nn.Linear(4, 4)), build(), CReLU(), nn.Linear(8, 4))
    assert_refused_and_unchanged(f"module: {message}", initializer, module)


@pytest.mark.parametrize("initializer", ALL)
def test_a_module_that_is_itself_the_layer(initializer) -> None:
    assert_refused_and_unchanged("module: it is a LSTM with", initializer, nn.LSTM(4, 4))


@pytest.mark.parametrize("initializer", ALL)
def test_arguments_of_another_type(initializer) -> None:
    with pytest.raises(ValueError, match=r"module=tensor.*: an nn\.Module is needed; torch\.nn\.init"):
        initializer(torch.ones(2), generator=rng())
    layer = nn.Linear(2, 2)
    for generator in (0, np.random.default_rng(0)):
        with pytest.raises(ValueError, match=r"generator=.*: .* torch\.Generator\(\)\.manual_seed\(0\)"):
            initializer(layer, generator=generator)


class Tied(nn.Module):
    """Two layers with one weight, and biases of their own; the second follows a CReLU if it is gated."""

    def __init__(self, first: nn.Linear, other: nn.Linear, *, gated: bool = False) -> None:
        super().__init__()
        self.first = first
        self.gates = nn.ModuleList([CReLU()] * gated)
        self.other = other
        other.weight = first.weight


def test_a_weight_that_layers_share_is_drawn_once() -> None:
    layers = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
    shared = nn.Sequential(Tied(*layers[:2]), layers[2], layers[0])
    he_(shared, generator=rng())
    alone = he_(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), generator=rng())
    assert torch.equal(effective_weight(layers[0]), effective_weight(alone[0]))
    assert torch.equal(effective_weight(layers[2]), effective_weight(alone[1]))  # no draw in between
    assert layers[0].weight is layers[1].weight
    assert not any(layer.bias.any() for layer in layers)


def test_directions_that_are_shared_and_lengths_that_are_not() -> None:
    one, other = new(nn.Linear(4, 4)), new(nn.Linear(4, 4))
    other.parametrizations.weight.original1 = one.parametrizations.weight.original1
    orthogonal_(nn.Sequential(one, other), generator=rng())
    for layer in (one, other):
        torch.testing.assert_close(torch.linalg.svdvals(effective_weight(layer)), torch.ones(4))


def test_one_weight_in_two_roles_is_refused_where_the_roles_differ() -> None:
    tied = nn.Sequential(Tied(nn.Linear(4, 2), nn.Linear(4, 2), gated=True), nn.Linear(2, 2))
    message = "module: 0.other is a Linear with the weight of 0.first, but only one of them follows a CReLU"
    assert_refused_and_unchanged(message, looks_linear_, tied)
    orthogonal_(tied, generator=rng())
    torch.testing.assert_close(torch.linalg.svdvals(tied[0].other.weight.detach()), torch.ones(2))


@pytest.mark.parametrize("initializer", ALL)
def test_a_transposed_copy_in_the_same_memory_is_refused(initializer) -> None:
    encoder, decoder = nn.Linear(4, 2), nn.Linear(2, 4)
    decoder.weight.data = encoder.weight.data.mT
    message = "module: 1 is a Linear, whose weight is that of 0 in another shape"
    assert_refused_and_unchanged(message, initializer, nn.Sequential(encoder, decoder))


def test_a_shared_layer_in_a_looks_linear_network() -> None:
    layer = nn.Linear(8, 4)
    shared = nn.Sequential(nn.Linear(4, 4), CReLU(), layer, CReLU(), layer)
    twin = copy.deepcopy(shared)
    looks_linear_(shared, example=torch.randn(3, 4, generator=rng(1)), generator=rng())
    assert torch.equal(layer.weight[:, :4], -layer.weight[:, 4:])
    looks_linear_(twin[:3], generator=rng())
    assert torch.equal(twin[2].weight, layer.weight)
