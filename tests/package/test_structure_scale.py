"""The gradient scale coefficient: against its definition, and what it does not depend on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from shattered_lite import checks
from shattered_lite.structure import gradient_scale_coefficient

quick = settings(derandomize=True, deadline=None, max_examples=40)
sizes = st.tuples(*[st.integers(1, 6)] * 4)
seeds = st.integers(0, 10**6)
scales = st.floats(1e-3, 1e3)


class Net:
    """Two layers with a hyperbolic tangent between, at some inputs, with the rows of all Jacobians."""

    def __init__(self, shape: tuple[int, int, int, int], seed: int) -> None:
        inputs, features, width, outputs = shape
        draw = torch.Generator().manual_seed(seed)
        self.z = torch.randn(inputs, features, generator=draw, dtype=torch.float64)
        self.V = torch.randn(width, features, generator=draw, dtype=torch.float64)
        self.W = torch.randn(outputs, width, generator=draw, dtype=torch.float64)

    def of(self, z: Tensor) -> Tensor:
        return torch.tanh(z @ self.V.T) @ self.W.T

    def jacobians(self) -> Tensor:
        return torch.stack([torch.func.jacrev(self.of)(z) for z in self.z])

    def coefficient(self) -> Tensor:
        return gradient_scale_coefficient(self.z, self.of(self.z), self.jacobians().flatten(0, 1))


@quick
@given(sizes, seeds)
def test_it_is_the_quadratic_mean_of_the_jacobian_in_units_of_the_signals(shape, seed: int) -> None:
    """By singular values, the definition of Philipp et al."""
    net = Net(shape, seed)
    squares = torch.linalg.svdvals(net.jacobians()).square().sum(-1) / shape[1]
    expected = squares.mean() * net.z.square().sum(-1).mean() / net.of(net.z).square().sum(-1).mean()
    assert net.coefficient().item() == pytest.approx(expected.item() ** 0.5, rel=1e-9)


def test_it_is_the_change_of_outputs_over_the_change_of_signals() -> None:
    """Each relative to its size, when the signals change a little, at random."""
    net, draw = Net((5, 6, 4, 3), 0), torch.Generator().manual_seed(0)
    change = 1e-6 * torch.randn(20_000, 5, 6, generator=draw, dtype=torch.float64)
    found = (net.of(net.z + change) - net.of(net.z)).square().sum(-1).mean() / change.square().sum(-1).mean()
    relative = found * net.z.square().sum(-1).mean() / net.of(net.z).square().sum(-1).mean()
    assert net.coefficient().item() == pytest.approx(relative.item() ** 0.5, rel=0.01)


def test_random_unit_combinations_will_do() -> None:
    net, draw = Net((2, 6, 4, 3), 1), torch.Generator().manual_seed(0)
    v = torch.nn.functional.normalize(torch.randn(2, 50_000, 3, generator=draw, dtype=torch.float64), dim=-1)
    gradients = (v @ net.jacobians()).flatten(0, 1)
    found = gradient_scale_coefficient(net.z, net.of(net.z), gradients)
    assert found.item() == pytest.approx(net.coefficient().item(), rel=0.01)


@quick
@given(sizes, seeds, scales, scales)
def test_units_do_not_matter(shape, seed: int, of_signals: float, of_outputs: float) -> None:
    """Signals in another unit, which the next layer takes back; and outputs in another."""
    net = Net(shape, seed)
    before = net.coefficient()
    net.z, net.V, net.W = of_signals * net.z, net.V / of_signals, of_outputs * net.W
    torch.testing.assert_close(net.coefficient(), before, rtol=1e-9, atol=0)


@quick
@given(sizes, seeds)
def test_bases_do_not_matter(shape, seed: int) -> None:
    net = Net(shape, seed)
    before = net.coefficient()
    turn, back = (torch.linalg.qr(torch.randn(n, n, dtype=torch.float64))[0] for n in (shape[1], shape[3]))
    net.z, net.V, net.W = net.z @ turn, net.V @ turn, back @ net.W
    torch.testing.assert_close(net.coefficient(), before, rtol=1e-9, atol=0)


@quick
@given(sizes, seeds, st.integers(2, 4))
def test_copies_of_units_count_as_independent_changes(shape, seed: int, copies: int) -> None:
    """Each unit copied, and the copies' mean taken behind: random changes of the copies cancel in part."""
    net = Net(shape, seed)
    before = net.coefficient()
    net.z, net.V = net.z.repeat(1, copies), net.V.repeat(1, copies) / copies
    torch.testing.assert_close(net.coefficient(), before / copies**0.5, rtol=1e-9, atol=0)


@pytest.mark.parametrize("widths", [(3, 40, 7), (30, 5, 30), (12, 12, 12)])
@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_width_does_not_matter_for_random_layers(widths: tuple[int, int, int], scale: float) -> None:
    """It is one for linear layers of independent weights, of any widths and variance, as a ratio of means."""
    networks, draw = 4_000, torch.Generator().manual_seed(0)
    n, width, m = widths
    z = torch.randn(networks, 2, n, generator=draw)
    W = torch.randn(networks, n, width, generator=draw) @ (scale * torch.randn(networks, width, m, generator=draw))
    y = z @ W
    squares = gradient_scale_coefficient(z, y, W.mT.repeat(1, 2, 1)) ** 2
    mean_square = y.double().square().mean((-2, -1))
    checks.agrees(torch.stack([squares * mean_square, mean_square], 1), 1.0, f"widths {widths}, scale {scale}")


def test_each_network_has_its_own() -> None:
    nets = [Net((3, 4, 5, 2), seed) for seed in range(6)]
    signals, outputs = torch.stack([n.z for n in nets]), torch.stack([n.of(n.z) for n in nets])
    gradients = torch.stack([n.jacobians().flatten(0, 1) for n in nets])
    together = gradient_scale_coefficient(
        signals.unflatten(0, (2, 3)), outputs.unflatten(0, (2, 3)), gradients.unflatten(0, (2, 3))
    )
    assert together.shape == (2, 3)
    torch.testing.assert_close(together.flatten(), torch.stack([n.coefficient() for n in nets]))


def test_it_is_one_for_an_orthogonal_map() -> None:
    z, (turn, _) = torch.randn(7, 5), torch.linalg.qr(torch.randn(5, 5))
    assert gradient_scale_coefficient(z, z @ turn.T, turn.repeat(7, 1)).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_overflow_nor_vanish(scale: float) -> None:
    net = Net((3, 4, 5, 2), 0)
    jacobians = net.jacobians().flatten(0, 1)
    found = gradient_scale_coefficient(scale * net.z, net.of(net.z), jacobians / scale)
    torch.testing.assert_close(found, net.coefficient(), rtol=1e-9, atol=0)


def test_no_gradient_is_no_change() -> None:
    assert gradient_scale_coefficient(torch.ones(2, 3), torch.ones(2, 1), torch.zeros(2, 3)) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signals": torch.ones(3)}, r"signals: shape \(3,\), but 2 axes or more"),
        ({"outputs": torch.ones(4, 2)}, r"outputs: shape \(4, 2\), but signals of shape \(2, 3\) need \(2, outputs\)"),
        ({"outputs": torch.ones(5, 2, 4)}, r"outputs: shape \(5, 2, 4\), but signals"),
        (
            {"gradients": torch.ones(4, 2)},
            r"gradients: shape \(4, 2\), but .* need \(samples, 3\), samples a multiple of 2",
        ),
        ({"gradients": torch.ones(3, 3)}, r"gradients: shape \(3, 3\), but .* a multiple of 2"),
        ({"gradients": torch.ones(1, 2, 3)}, r"gradients: shape \(1, 2, 3\), but signals"),
        (
            {"signals": torch.zeros(2, 3)},
            "signals: every one is zero, so nothing can be measured relative to their size",
        ),
        ({"outputs": torch.zeros(2, 4)}, "outputs: every one is zero"),
        ({"gradients": torch.full((2, 3), torch.nan)}, "gradients: dtype torch.float32, but finite real numbers"),
        ({"gradients": [[1.0]]}, "gradients: list, but a tensor is needed"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    fitting = {"signals": torch.ones(2, 3), "outputs": torch.ones(2, 4), "gradients": torch.ones(4, 3)}
    with pytest.raises(ValueError, match=message):
        gradient_scale_coefficient(**fitting | change)
