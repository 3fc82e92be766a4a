"""Looks-linear, orthogonal and He initialisation: superposition, singular values, moments, refusals."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from shattered_lite.initializers import he_, looks_linear_, mirrored_, orthogonal_
from shattered_lite.networks import CReLU, fully_connected

ALL = [he_, orthogonal_, looks_linear_, mirrored_]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def dense(depth: int = 200, width: int = 32) -> nn.Sequential:
    return fully_connected("crelu", depth=depth, width=width, in_features=width, out_features=width)


def convolutional(depth: int = 200, channels: int = 4) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(channels, channels, 3, padding=1)]
    for _ in range(depth):
        layers += [CReLU(), nn.Conv2d(2 * channels, channels, 3, padding=1, padding_mode="circular")]
    return nn.Sequential(*layers)


def images(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=rng(seed))


CASES = [(dense, (16, 32)), (convolutional, (4, 4, 5, 5))]


def flip_the_mirror(network: nn.Sequential) -> None:
    """[O, O] in place of [O, -O]: the network computes with absolute values."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            half = layer.weight.shape[0]
            if layer.weight.shape[1] == 2 * half:
                with torch.no_grad():
                    layer.weight[:, half:] *= -1


def superposition_error(network: nn.Module, shape: tuple[int, ...]) -> float:
    x, y = images(*shape, seed=1), images(*shape, seed=2)
    with torch.no_grad():
        together, apart = network(2 * x - 3 * y), 2 * network(x) - 3 * network(y)
    return ((together - apart).norm() / apart.norm()).item()


def norm_error(network: nn.Module, shape: tuple[int, ...]) -> float:
    x = images(*shape, seed=3).flatten(1)
    with torch.no_grad():
        out = network(x.view(shape)).flatten(1)
    return (out.norm(dim=1) / x.norm(dim=1) - 1).abs().max().item()


@pytest.mark.parametrize(("build", "shape"), CASES)
def test_looks_linear_is_linear_and_isometric_at_depth_200(build: Callable[[], nn.Sequential], shape) -> None:
    network = looks_linear_(build(), generator=rng())
    assert superposition_error(network, shape) < 1e-5
    assert norm_error(network, shape) < 1e-4  # 200 layers, each with a rounding error of a few float32 epsilons


@pytest.mark.parametrize(("build", "shape"), CASES)
def test_wrong_sign_passes_the_norm_test_and_fails_superposition(build, shape) -> None:
    network = looks_linear_(build(), generator=rng())
    flip_the_mirror(network)
    assert norm_error(network, shape) < 1e-4
    assert superposition_error(network, shape) > 0.1


@pytest.mark.parametrize("initializer", [he_, orthogonal_])
def test_other_initialisers_do_not_look_linear(initializer) -> None:
    network = initializer(dense(depth=5), generator=rng())
    assert superposition_error(network, (16, 32)) > 0.1


def jacobian(function: Callable[[Tensor], Tensor], *shape: int, seed: int = 4) -> Tensor:
    """Matrix of a map at one random point, column by column through autograd."""
    x = images(*shape, seed=seed).double()
    matrix = torch.autograd.functional.jacobian(lambda v: function(v[None])[0], x)
    return matrix.flatten(-len(shape)).flatten(0, -2)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(6, 6), (4, 9), (9, 4), (1, 5), (5, 1)])
@pytest.mark.parametrize("initializer", [orthogonal_, looks_linear_])
def test_singular_values_of_dense_layers(initializer, fan_in: int, fan_out: int) -> None:
    """All one: an isometry where the layer keeps or widens, O O' = I where it narrows."""
    looks_linear = initializer is looks_linear_
    gate = [CReLU()] if looks_linear else []
    layer = nn.Linear((1 + looks_linear) * fan_in, fan_out)
    network = initializer(nn.Sequential(*gate, layer).double(), generator=rng())
    matrix = jacobian(network, fan_in)
    torch.testing.assert_close(torch.linalg.svdvals(matrix), torch.ones(min(matrix.shape)).double())
    product = matrix @ matrix.mT if fan_out < fan_in else matrix.mT @ matrix
    torch.testing.assert_close(product, torch.eye(min(matrix.shape)).double())
    assert not layer.bias.any()
    if looks_linear:
        assert torch.equal(layer.weight[:, :fan_in], -layer.weight[:, fan_in:])


def spectrum_by_fourier(kernel: Tensor, size: int) -> Tensor:
    """Singular values of a circular convolution: those of its transfer matrix at each frequency."""
    transfer = torch.fft.fft2(kernel, s=(size, size)).permute(2, 3, 0, 1)
    return torch.linalg.svdvals(transfer).flatten().sort().values


@pytest.mark.parametrize(("channels", "out"), [(3, 3), (2, 5), (5, 2)])
@pytest.mark.parametrize("kernel", [1, 3, (3, 5)])
def test_singular_values_of_circular_convolutions(channels: int, out: int, kernel) -> None:
    layer = nn.Conv2d(channels, out, kernel, padding="same", padding_mode="circular").double()
    he_(layer, generator=rng())
    explicit = torch.linalg.svdvals(jacobian(layer, channels, 5, 5))
    torch.testing.assert_close(explicit.sort().values, spectrum_by_fourier(layer.weight, 5))  # the two routes agree
    assert explicit.max() / explicit.min() > 1.5  # and He is no isometry
    orthogonal_(layer, generator=rng())
    ones = torch.ones(25 * min(channels, out)).double()
    torch.testing.assert_close(torch.linalg.svdvals(jacobian(layer, channels, 5, 5)), ones)
    torch.testing.assert_close(spectrum_by_fourier(layer.weight, 5), ones)


def test_looks_linear_convolution_is_an_isometry() -> None:
    layers = [nn.Conv2d(2, 3, 3, padding=1), CReLU(), nn.Conv2d(6, 4, 3, padding=2, dilation=2)]
    network = looks_linear_(nn.Sequential(*layers).double(), generator=rng())
    torch.testing.assert_close(torch.linalg.svdvals(jacobian(network, 2, 4, 4)), torch.ones(32).double())


def test_orthogonal_init_of_the_flattened_kernel_is_no_orthogonal_convolution() -> None:
    """The usual fault: torch.nn.init.orthogonal_ on the whole kernel."""
    layer = nn.Conv2d(3, 3, 3, padding=1, padding_mode="circular").double()
    nn.init.orthogonal_(layer.weight, generator=rng())
    spectrum = spectrum_by_fourier(layer.weight, 5)
    assert spectrum.max() > 1.2
    assert spectrum.min() < 0.8


@pytest.mark.parametrize("layer", [nn.Linear(50, 400), nn.Conv2d(8, 100, 5)])
def test_he_weights_have_their_law(layer: nn.Module) -> None:
    he_(layer, generator=rng())
    fan_in = layer.weight[0].numel()
    weights = layer.weight.detach().double().flatten().numpy() * np.sqrt(fan_in / 2)
    assert stats.kstest(weights, "norm").pvalue > 1e-4
    assert not layer.bias.any()


@pytest.mark.parametrize("initializer", ALL)
def test_only_the_generator_decides_and_the_module_comes_back(initializer) -> None:
    before = torch.get_rng_state()
    networks = [dense(depth=2, width=4) for _ in range(3)]
    torch.set_rng_state(before)
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        assert initializer(network, generator=rng(seed)) is network
    first, again, other = (nn.utils.parameters_to_vector(network.parameters()) for network in networks)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_orthogonal_matrices_are_spread_evenly() -> None:
    """Haar measure: an entry of a random N x N orthogonal matrix has mean 0 and mean square 1/N."""
    entries = torch.stack([orthogonal_(nn.Linear(3, 3), generator=rng(seed)).weight.detach() for seed in range(1_000)])
    for estimates, expected in ((entries, 0), (entries.square(), 1 / 3)):
        error = estimates.std(0) / np.sqrt(len(entries))
        assert ((estimates.mean(0) - expected).abs() < 4.5 * error).all()


def crelu(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 4), nn.Conv2d(4, 4, 1), CReLU(), *layers)


CONVOLUTIONS = [
    (nn.Conv2d(8, 4, 2, padding=1), r"kernel_size=\(2, 2\): .*odd sizes"),
    (nn.Conv2d(8, 4, (3, 4), padding=1), r"kernel_size=\(3, 4\): .*odd sizes"),
    (nn.Conv2d(8, 4, 3, padding=1, stride=2), r"stride=\(2, 2\): .*PixelUnshuffle"),
    (nn.Conv2d(8, 4, 3, padding=1, groups=2), r"groups=2: .*groups=1"),
    (nn.Conv2d(8, 4, 3), r"padding=\(0, 0\): .*padding=\(1, 1\) or 'same'"),
    (nn.Conv2d(8, 4, 3, padding="valid"), r"padding='valid': .*padding=\(1, 1\) or 'same'"),
    (nn.Conv2d(8, 4, 5, padding=1), r"padding=\(1, 1\): .*padding=\(2, 2\) or 'same'"),
    (nn.Conv1d(8, 4, 3, padding=1), r"1d with a weight of shape \(4, 8, 3\).*nn\.Linear and nn\.Conv2d"),
]
REFUSALS = [
    *[(orthogonal_, crelu(layer), f"module: 3 is a Conv.*{message}") for layer, message in CONVOLUTIONS],
    *[(looks_linear_, crelu(layer), f"module: 3 is a Conv.*{message}") for layer, message in CONVOLUTIONS],
    *[(initializer, nn.Sequential(CReLU()), "module: no nn.Linear or nn.Conv2d") for initializer in ALL],
    (looks_linear_, crelu(nn.Linear(7, 4)), "module: 3 is a Linear that follows a CReLU, .* a multiple of 8, not 7"),
    (looks_linear_, nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4)), "module: no CReLU in it"),
    *[
        (looks_linear_, crelu(norm, nn.Linear(8, 4)), rf"module: 3 is a {type(norm).__name__}, which is not linear")
        for norm in (
            *(nn.BatchNorm1d(8), nn.BatchNorm2d(8), nn.InstanceNorm2d(8), nn.LayerNorm(8), nn.GroupNorm(2, 8)),
            *(nn.ReLU(), nn.Dropout(), nn.MaxPool2d(2), nn.AdaptiveMaxPool2d(1)),
        )
    ],
]


@pytest.mark.parametrize(("initializer", "module", "message"), REFUSALS)
def test_what_is_refused_is_named_and_nothing_is_changed(initializer, module: nn.Module, message: str) -> None:
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(ValueError, match=message):
        initializer(module, generator=rng())
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("initializer", ALL)
def test_half_precision_and_missing_biases(initializer) -> None:
    network = nn.Sequential(nn.Linear(4, 4, bias=False), CReLU(), nn.Linear(8, 4, bias=False)).to(torch.bfloat16)
    assert initializer(network, generator=rng())[0].weight.dtype == torch.bfloat16


@pytest.mark.parametrize("initialize", [he_, orthogonal_, looks_linear_])
def test_without_a_generator_torchs_own_decides(initialize):
    first, second, third = (nn.Sequential(nn.Linear(5, 5), CReLU(), nn.Linear(10, 5)) for _ in range(3))
    torch.manual_seed(7)
    initialize(first)
    initialize(second)
    torch.manual_seed(7)
    initialize(third)
    assert torch.equal(first[0].weight, third[0].weight)
    assert not torch.equal(first[0].weight, second[0].weight)
