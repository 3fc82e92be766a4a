"""A diagnosis of modules of every make: in place, with several outputs, used twice, normalised, of zeros."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from reading import IMAGES, ROWS, TOKENS, Tied, agrees, diagnosed, perceptron, rms, seeded, signals
from torch import Tensor, nn

import shattered_lite as sl
from shattered_lite.initializers import he_

# Operations in place, and tensors that are written into


class SkipOfMutated(nn.Module):
    """The skip takes what the rectifier has already changed."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(7, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        return self.head(z + self.second(self.relu(z)))


def test_a_skip_sees_what_was_changed_in_place() -> None:
    network = SkipOfMutated()
    found = agrees(network, ROWS)
    with torch.no_grad():
        z = network.first(ROWS)
        on = z.relu()
        added = on + network.second(on)
        wanted = [rms(each) for each in (ROWS, z, on, network.second(on), added, network.head(added))]
    assert signals(found) == pytest.approx(wanted, rel=1e-5)
    assert [layer.operation for layer in found.layers] == ["inputs", "linear", "relu", "linear", "add", "linear"]


def test_a_rectifier_in_place_may_come_first() -> None:
    network, inputs = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(7, 3), nn.ReLU(inplace=True)), ROWS.clone()
    found = agrees(network, inputs)
    assert torch.equal(inputs, ROWS)
    assert found.layers[0].signal == pytest.approx(rms(ROWS))
    assert found.layers[1].signal == pytest.approx(rms(ROWS.relu()))


def test_in_place_or_not_is_the_same() -> None:
    network = perceptron(7, 9, 9, 3)
    in_place = copy.deepcopy(network)
    for layer in in_place.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = True
    one, other = (diagnosed(each, ROWS).to_dict() for each in (network, in_place))
    assert one == other


class WritesIntoFresh(nn.Module):
    """Fills a tensor column by column."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.first, self.second, self.head = nn.Linear(7, 2), nn.Linear(7, 4), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        made = x.new_zeros(len(x), 6)
        if self.way == "index":
            made[:, :2] = self.first(x).relu()
            made[:, 2:] = self.second(x).relu()
        elif self.way == "copy":
            made.copy_(torch.cat([self.first(x), self.second(x)], 1).relu())
        else:
            made = made.index_copy(1, torch.arange(2), self.first(x).relu())
        return self.head(made)


@pytest.mark.parametrize("way", ["index", "copy", "index_copy"])
def test_writes_into_fresh_tensors(way: str) -> None:
    found = agrees(WritesIntoFresh(way), ROWS)
    assert found.layers[-1].name == "head"


def test_what_is_written_into_may_be_returned() -> None:
    class Written(WritesIntoFresh):
        def forward(self, x: Tensor) -> Tensor:
            made = x.new_zeros(len(x), 2)
            made[:] = self.first(x)
            return made

    agrees(Written("index"), ROWS)


# Outputs


@dataclass
class Answer:
    labels: Tensor
    scores: Tensor
    features: Tensor


class NamedAnswer(NamedTuple):
    labels: Tensor
    scores: Tensor
    features: Tensor


class Answering(nn.Module):
    def __init__(self, kind: Callable[[Answer], object]) -> None:
        super().__init__()
        self.kind, self.first, self.second = kind, nn.Linear(7, 3), nn.Linear(7, 2)

    def forward(self, x: Tensor) -> object:
        scores = self.first(x).relu()
        return self.kind(Answer(scores.argmax(1), scores, self.second(x).tanh()))


KINDS: dict[str, Callable[[Answer], object]] = {
    "dataclass": lambda answer: answer,
    "dictionary": lambda answer: dict(vars(answer)),
    "tuple": lambda answer: tuple(vars(answer).values()),
    "list": lambda answer: list(vars(answer).values()),
    "named tuple": lambda answer: NamedAnswer(**vars(answer)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_several_outputs(kind: str) -> None:
    network = Answering(KINDS[kind])
    one = nn.Sequential(network.first, nn.ReLU())
    other = nn.Sequential(network.second, nn.Tanh())
    by_name = kind in ("dataclass", "dictionary")
    for alone, output in (
        (one, None),
        (one, "scores" if by_name else 1),
        (other, "features" if by_name else 2),
        (other, lambda returned: _values(returned)[2]),
    ):
        wanted = sl.input_gradients(alone, ROWS, generator=seeded(9)).double()
        found = diagnosed(network, ROWS, output=output, directions=1).layers[0]
        assert found.gradient == pytest.approx(wanted.square().sum(1).mean().sqrt().item(), rel=1e-5)


def _values(returned: object) -> list[Tensor]:
    if isinstance(returned, tuple | list):
        return list(returned)
    return list((returned if isinstance(returned, dict) else vars(returned)).values())


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("dictionary", "logits", r"output='logits': .* a dict of 'labels': torch.int64 of shape \(8,\), 'scores'"),
        ("tuple", 3, "output=3: the network returns a tuple of 0: torch.int64"),
        ("tuple", 0, "returns torch.int64 of shape"),
        ("dataclass", lambda answer: answer.scores.sum(), "a row for each of 8 inputs"),
        ("dataclass", lambda answer: answer.scores.shape, "returns a Size, but a tensor is needed"),
        ("dataclass", lambda answer: answer.scores.detach(), "output|network"),
        ("dataclass", lambda answer: answer.scores.to(torch.complex64), "returns torch.complex64"),
    ],
)
def test_an_output_that_cannot_be_measured_is_refused(kind: str, output: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(Answering(KINDS[kind]), ROWS, output=output, generator=seeded(9))


def test_one_number_for_each_input() -> None:
    found = agrees(nn.Sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)), ROWS)
    assert found.inputs == 8


def test_outputs_of_four_axes() -> None:
    found = agrees(nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1)), IMAGES)
    assert [layer.operation for layer in found.layers] == ["inputs", "conv2d", "relu", "conv2d"]


# Modules used twice, and weights that are tied


def test_each_call_of_a_module_has_a_line_of_its_own() -> None:
    layer = nn.Linear(7, 7)
    network = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), layer)
    found = agrees(network, ROWS)
    z = [layer(ROWS)]
    for _ in range(2):
        z.append(layer(z[-1].relu()))
    linear = [each for each in found.layers if each.operation == "linear"]
    assert [each.name for each in linear] == ["0", "0 (call 2)", "0 (call 3)"]
    assert [each.signal for each in linear] == pytest.approx([rms(each) for each in z], rel=1e-5)


def test_calls_under_two_names_are_of_one_module() -> None:
    network = nn.Module()
    network.one = network.two = nn.Linear(7, 7)
    network.forward = lambda x: network.two(network.one(x).relu())
    found = agrees(network, ROWS)
    assert [each.name for each in found.layers if each.operation == "linear"] == ["one", "one (call 2)"]


def test_tied_weights() -> None:
    network = Tied()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    agrees(network, TOKENS)
    assert network.head.weight is network.table.weight
    assert network.head.weight.requires_grad
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


# Complex numbers between real ones


class Fourier(nn.Module):
    """A filter over the whole line, by its spectrum."""

    def __init__(self) -> None:
        super().__init__()
        self.filter, self.head = nn.Parameter(torch.randn(7, generator=seeded(9))), nn.Linear(7, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(self.filter), 7).relu())


def test_a_spectrum_on_the_way_is_measured_as_real_and_imaginary_parts() -> None:
    network = Fourier()
    found = agrees(network, ROWS)
    with torch.no_grad():
        product = torch.fft.rfft(ROWS) * torch.fft.rfft(network.filter)
    [layer] = [each for each in found.layers if each.operation == "mul"]
    assert layer.signal == pytest.approx(rms(torch.view_as_real(product)))


# Norms


@pytest.mark.parametrize(
    "norm",
    [
        nn.SyncBatchNorm(6), nn.BatchNorm1d(6, track_running_stats=False), nn.BatchNorm1d(6, momentum=None),
        nn.BatchNorm1d(6, affine=False), nn.LayerNorm(6), nn.GroupNorm(2, 6), nn.RMSNorm(6),
    ],
    ids=["synchronised", "without averages", "cumulative", "without scales", "layer", "group", "root mean square"],
)  # fmt: skip
def test_every_norm_of_rows(norm: nn.Module) -> None:
    network = he_(nn.Sequential(nn.Linear(7, 6), norm, nn.ReLU(), nn.Linear(6, 3)), generator=seeded(5))
    agrees(network, ROWS)


@pytest.mark.parametrize("tracks", [True, False])
def test_instance_norm_sees_each_input_alone(tracks: bool) -> None:
    norm = nn.InstanceNorm2d(4, affine=True, track_running_stats=tracks)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    found = agrees(network, IMAGES)
    [layer] = [each for each in found.layers if each.operation == "instance_norm"]
    assert layer.signal == pytest.approx(1, abs=1e-3)


def test_batch_norm_uses_the_biased_variance_of_these_inputs() -> None:
    norm = nn.BatchNorm1d(7)
    norm.running_var.fill_(100.0)
    found = diagnosed(nn.Sequential(norm, nn.Linear(7, 3)), 5 + 3 * ROWS)
    assert found.layers[1].signal == pytest.approx(1, abs=1e-5)
    assert found.layers[1].spread == pytest.approx(1, abs=1e-5)


def test_batch_norm_of_one_input_is_refused() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.BatchNorm1d(6))
    with pytest.raises(ValueError, match=r"inputs: .*more than 1 value per channel"):
        sl.diagnose(network, ROWS[:1], generator=seeded(1))


def test_batch_norm_used_twice_has_statistics_of_each_use() -> None:
    first, second, norm = nn.Linear(7, 6), nn.Linear(6, 6), nn.BatchNorm1d(6)
    twice = nn.Sequential(first, norm, nn.ReLU(), second, norm)
    found = agrees(twice, ROWS, nn.Sequential(first, norm, nn.ReLU(), second, copy.deepcopy(norm)))
    assert [each.name for each in found.layers if each.operation == "batch_norm"] == ["1", "1 (call 2)"]


def test_the_theory_reads_the_epsilon_of_a_norm() -> None:
    """Faint signals behind a norm with a large epsilon: the norm's slope is 1 / (variance + epsilon)."""
    for norm in (nn.BatchNorm1d(300, eps=1.0), nn.LayerNorm(300, eps=1.0), nn.GroupNorm(2, 300, eps=1.0)):
        network = he_(nn.Sequential(nn.Linear(300, 300), norm, nn.Linear(300, 300)), generator=seeded(6))
        found = diagnosed(network, 0.01 * torch.randn(24, 300, generator=seeded(7)))
        assert found.layers[0].gradient == pytest.approx(found.layers[0].expected_gradient, rel=0.2)


# Reparametrised weights


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize(
    "reparametrise",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.parametrizations.orthogonal,
        lambda layer: torch.nn.utils.prune.random_unstructured(layer, "weight", 0.3),
    ],
    ids=["old weight norm", "old spectral norm", "weight norm", "spectral norm", "orthogonal", "pruned"],
)
def test_reparametrised_weights(reparametrise: Callable[[nn.Module], nn.Module]) -> None:
    import torch.nn.utils.prune

    network = nn.Sequential(reparametrise(nn.Linear(7, 6)), nn.ReLU(), reparametrise(nn.Linear(6, 3)))
    network(ROWS).sum().backward()  # as in training: an old weight norm keeps a weight that has a history
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    grads = {name: each.grad.clone() for name, each in network.named_parameters()}
    found = agrees(network, ROWS)
    assert not math.isnan(found.layers[1].expected_signal)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(torch.equal(each.grad, grads[name]) for name, each in network.named_parameters())
    network(ROWS).sum().backward()


# Zeros by design


def test_a_zero_head_is_named_and_the_features_are_measured() -> None:
    network = perceptron(7, 6, 6, 3)
    wanted = diagnosed(network[:-1], ROWS, directions=100)
    nn.init.zeros_(network[-1].weight)
    nn.init.zeros_(network[-1].bias)
    found = diagnosed(network, ROWS, directions=100, drawn=True)
    assert found.cause != "vanishing"
    assert any("Zero at the start, by design: 4" in note for note in found.notes)
    assert any("No gradient of the outputs comes back" in note for note in found.notes)
    assert found.layers[0].gradient == pytest.approx(wanted.layers[0].gradient, rel=0.25)  # 100 directions: 7 %
    assert found.layers[0].correlation == pytest.approx(wanted.layers[0].correlation, abs=0.1)


def test_a_zero_head_with_a_bias_is_named_too() -> None:
    network = perceptron(7, 6, 6, 3)
    nn.init.zeros_(network[-1].weight)
    nn.init.constant_(network[-1].bias, -2.0)  # a prior for rare classes, as detectors have it
    assert diagnosed(perceptron(7, 6, 6, 3), ROWS).cause == "healthy"
    found = diagnosed(network, ROWS)
    assert found.cause != "vanishing"
    assert any("Zero at the start" in note for note in found.notes)


class ReZero(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch, self.factor = perceptron(width, width, width), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.factor * self.branch(x)


def test_rezero_is_zero_by_design() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.ReLU(), *[ReZero(6) for _ in range(3)], nn.Linear(6, 3))
    found = agrees(network, ROWS)
    assert any("Zero at the start, by design" in note and "2" in note for note in found.notes)
    assert found.cause not in ("vanishing", "dead")


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(6), nn.LayerNorm(6), nn.GroupNorm(2, 6)])
def test_a_gain_of_zero_before_a_head_of_zero_is_never_left(norm: nn.Module) -> None:
    network = nn.Sequential(nn.Linear(7, 6), norm, nn.ReLU(), nn.Linear(6, 3))
    for weights in (norm.weight, network[3].weight, network[3].bias):
        nn.init.zeros_(weights)
    assert diagnosed(network, ROWS).cause == "zero by design"


def test_a_branch_whose_last_layer_is_zero() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.ReLU(), *[ReZero(6) for _ in range(2)], nn.Linear(6, 3))
    for block in network[2:4]:
        nn.init.ones_(block.factor)
        nn.init.zeros_(block.branch[-1].weight)
        nn.init.zeros_(block.branch[-1].bias)
    found = agrees(network, ROWS)
    assert any("2.branch.2" in note for note in found.notes)


def test_a_network_that_is_one_layer_of_zeros() -> None:
    network = nn.Linear(7, 3)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    found = diagnosed(network, ROWS, drawn=True)
    assert any("Zero at the start" in note for note in found.notes)
