"""Gradients of a module at many inputs, against batch norm by hand and differentiation of one input at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from shattered_lite import structure
from shattered_lite.initializers import he_
from shattered_lite.networks import convolutional, fully_connected
from shattered_lite.sampling import freeze, input_gradients

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
ROWS = torch.randn(5, 7, generator=torch.Generator().manual_seed(1)).double()
OPTIONS = {"plain": {}, "residual": {"beta": 0.3}, "crelu": {}, "linear": {}}
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shake(network: nn.Module, seed: int = 2) -> nn.Module:
    """Scales, shifts and running averages that are not 1 and 0; float64."""
    for layer in network.modules():
        if isinstance(layer, NORMS):
            for tensor in (layer.weight, layer.running_var):
                if tensor is not None:
                    nn.init.uniform_(tensor, 0.5, 2, generator=seeded(seed))
            for tensor in (layer.bias, layer.running_mean):
                if tensor is not None:
                    nn.init.normal_(tensor, generator=seeded(seed + 1))
    return network.double()


def network_for(inputs: Tensor, kind: str, batch_norm: bool, depth: int = 3) -> nn.Module:
    options = {"out_features": 3, "batch_norm": batch_norm, "depth": depth, **OPTIONS[kind]}
    if inputs.ndim == 2:
        network = fully_connected(kind, width=6, in_features=inputs.shape[1], **options)
    else:
        network = convolutional(kind, width=3, input_shape=tuple(inputs.shape[1:]), **options)
    return shake(he_(network, generator=seeded(2)))


class HeldByHand(nn.Module):
    """A batch norm that divides by what its first call met, in elementary arithmetic."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        self.original, self.mean, self.variance = original, None, None

    def forward(self, values: Tensor) -> Tensor:
        axes = [axis for axis in range(values.ndim) if axis != 1]
        if self.mean is None:
            count = values.numel() / values.shape[1]
            self.mean = values.detach().sum(axes, keepdim=True) / count
            self.variance = (values.detach() - self.mean).square().sum(axes, keepdim=True) / count
        shape = self.mean.shape
        scaled = (values - self.mean) / (self.variance + self.original.eps).sqrt()
        return scaled * self.original.weight.view(shape) + self.original.bias.view(shape)


def one_by_one(network: nn.Module, inputs: Tensor, direction: Tensor) -> Tensor:
    """A copy whose batch norms are replaced by hand, and one backward pass for each input."""
    copied = copy.deepcopy(network)
    for parent in list(copied.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, NORMS):
                setattr(parent, name, HeldByHand(child))
    copied(inputs)
    found = []
    for x in inputs:
        x = x[None].clone().requires_grad_()
        found.append(torch.autograd.grad((copied(x.clone())[0] * direction).sum(), x)[0].flatten())
    return torch.stack(found)


@pytest.mark.parametrize("inputs", [IMAGES, ROWS], ids=["images", "rows"])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", OPTIONS)
def test_gradients_are_those_of_automatic_differentiation(inputs: Tensor, batch_norm: bool, kind: str) -> None:
    network = network_for(inputs, kind, batch_norm)
    found = input_gradients(network, inputs, generator=seeded(3))
    direction = torch.randn(3, generator=seeded(3)).double()
    torch.testing.assert_close(found, one_by_one(network, inputs, direction), rtol=1e-9, atol=1e-12)
    assert found.shape == (len(inputs), inputs[0].numel())
    assert not found.requires_grad


@pytest.mark.parametrize("count", [2, 3, 8, 64, 256])
@pytest.mark.parametrize("depth", [2, 10, 50])
def test_a_frozen_network_does_at_its_inputs_what_training_does(depth: int, count: int) -> None:
    """To rounding, which 50 layers make large: how large, says a change in the last bits of the inputs."""
    network = fully_connected("plain", depth=depth, width=32, in_features=7, out_features=3, batch_norm=True)
    network = shake(he_(network, generator=seeded(4)))
    inputs = torch.randn(count, 7, generator=seeded(5)).double()
    frozen = freeze(network, inputs)(inputs)
    trained = network.train()(inputs)
    nearby = [
        network(inputs * (1 + 1e-14 * torch.randn(inputs.shape, generator=seeded(seed)).double())) for seed in range(8)
    ]
    rounding = max((each - trained).norm() for each in nearby)
    assert (frozen - trained).norm() <= rounding
    assert rounding < 0.01 * trained.norm()  # so that the wrong variance, which is off by 1/(2n), would be seen


@pytest.mark.parametrize("depth", [10, 50])
def test_deep_gradients_are_exact_too(depth: int) -> None:
    network = fully_connected("plain", depth=depth, width=32, in_features=7, out_features=3, batch_norm=True)
    network = shake(he_(network, generator=seeded(6)))
    inputs = torch.randn(64, 7, generator=seeded(7)).double()
    found = input_gradients(network, inputs, generator=seeded(8))
    expected = one_by_one(network, inputs, torch.randn(3, generator=seeded(8)).double())
    assert (found - expected).norm() < 1e-6 * expected.norm()


def test_as_in_evaluation_with_running_averages() -> None:
    network = network_for(IMAGES, "residual", True)
    found = input_gradients(network, IMAGES, statistics="running", generator=seeded(9))
    direction = torch.randn(3, generator=seeded(9)).double()
    network.eval()
    for x, gradient in zip(IMAGES, found, strict=True):
        x = x[None].clone().requires_grad_()
        [expected] = torch.autograd.grad((network(x)[0] * direction).sum(), x)
        torch.testing.assert_close(gradient, expected.flatten(), rtol=1e-9, atol=1e-12)
    own = input_gradients(network, IMAGES, generator=seeded(9))
    assert (own - found).norm() > 0.1 * found.norm()


class Twice(nn.Module):
    """One batch norm used at two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.norm = nn.Linear(7, 6), nn.Linear(6, 6), nn.BatchNorm1d(6)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.second(self.norm(self.first(x)).relu()))


def unshared(network: Twice) -> nn.Module:
    return nn.Sequential(network.first, network.norm, nn.ReLU(), network.second, copy.deepcopy(network.norm))


def test_each_use_of_a_shared_batch_norm_has_statistics_of_its_own() -> None:
    torch.manual_seed(10)
    network = shake(Twice())
    found = input_gradients(network, ROWS, generator=seeded(11))
    direction = torch.randn(6, generator=seeded(11)).double()
    torch.testing.assert_close(found, one_by_one(unshared(network), ROWS, direction), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "norm",
    [nn.SyncBatchNorm(6), nn.BatchNorm1d(6, track_running_stats=False), nn.BatchNorm1d(6, momentum=None)],
    ids=["synchronised", "without averages", "cumulative"],
)
def test_every_batch_norm_is_held(norm: nn.Module) -> None:
    torch.manual_seed(12)
    network = shake(nn.Sequential(nn.Linear(7, 6), norm, nn.ReLU(), nn.Linear(6, 3)))
    found = input_gradients(network, ROWS, generator=seeded(13))
    direction = torch.randn(3, generator=seeded(13)).double()
    torch.testing.assert_close(found, one_by_one(network, ROWS, direction), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tracks", [False, True])
def test_an_instance_norm_sees_each_input_alone(tracks: bool) -> None:
    """As in training: so the gradient goes through its statistics, which no other input moves."""
    torch.manual_seed(14)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.InstanceNorm2d(3, affine=True, track_running_stats=tracks), nn.ReLU(), nn.Flatten()
    ).double()
    found = input_gradients(network, IMAGES, generator=seeded(15))
    direction = torch.randn(network(IMAGES).shape[1], generator=seeded(15)).double()
    network.train()
    for x, gradient in zip(IMAGES, found, strict=True):
        x = x[None].clone().requires_grad_()
        [expected] = torch.autograd.grad((network(x)[0] * direction).sum(), x)
        torch.testing.assert_close(gradient, expected.flatten(), rtol=1e-9, atol=1e-12)


@settings(derandomize=True, deadline=None, max_examples=10)
@given(st.permutations(range(6)))
def test_order_of_the_images_is_order_of_the_gradients(order: list[int]) -> None:
    network = network_for(IMAGES, "plain", True)
    straight, shuffled = (input_gradients(network, each, generator=seeded(4)) for each in (IMAGES, IMAGES[order]))
    torch.testing.assert_close(shuffled, straight[order], rtol=1e-9, atol=1e-12)


class Counting(nn.Module):
    """Keeps a number of calls, in a buffer, and another that it replaces."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = self.last + 1
        return x


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("statistics", ["inputs", "running"])
def test_nothing_is_changed(training: bool, statistics: str) -> None:
    network = nn.Sequential(
        nn.ReLU(inplace=True), network_for(IMAGES, "residual", True), nn.Dropout(), Counting(), FunctionalDropout(0.5)
    )
    network.train(training)
    next(network[1].parameters()).requires_grad_(False)
    seen = []
    network[0].register_forward_hook(lambda module, arguments, output: seen.append(output))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    flags = {name: parameter.requires_grad for name, parameter in network.named_parameters()}
    modes = [module.training for module in network.modules()]
    buffers = dict(network.named_buffers())
    inputs, state = IMAGES.clone(), torch.get_rng_state()
    hooks = [dict(module._forward_hooks) for module in network.modules()]
    input_gradients(network, inputs, statistics=statistics, generator=seeded(5))
    assert torch.equal(inputs, IMAGES)
    assert not inputs.requires_grad
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(buffer is buffers[name] for name, buffer in network.named_buffers())
    assert {name: parameter.requires_grad for name, parameter in network.named_parameters()} == flags
    assert all(parameter.grad is None for parameter in network.parameters())
    assert [module.training for module in network.modules()] == modes
    assert [dict(module._forward_hooks) for module in network.modules()] == hooks
    assert seen


def test_nothing_is_changed_by_a_network_that_fails() -> None:
    class Failing(nn.Module):
        def forward(self, _: Tensor) -> Tensor:
            raise RuntimeError("broken")

    network = nn.Sequential(nn.Linear(7, 3), nn.BatchNorm1d(3), FunctionalDropout(0.5), Failing()).double()
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="broken"):
        input_gradients(network, ROWS, generator=seeded(5))
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert network[1].num_batches_tracked == 0
    assert torch.equal(torch.get_rng_state(), state)


def test_statistics_are_those_of_the_minibatch_and_not_older_ones() -> None:
    network = network_for(IMAGES, "plain", True)
    first = input_gradients(network, IMAGES, generator=seeded(6))
    network.train()(10 * IMAGES)  # moves the running statistics
    again = input_gradients(network, IMAGES, generator=seeded(6))
    torch.testing.assert_close(again, first, rtol=0, atol=0)


def test_only_the_generator_decides() -> None:
    network = network_for(ROWS, "plain", False)
    same = [input_gradients(network, ROWS, generator=seeded(7)) for _ in range(2)]
    other = input_gradients(network, ROWS, generator=seeded(8))
    assert torch.equal(*same)
    assert not torch.allclose(same[0], other)


class LastStep(nn.Module):
    """A recurrent layer's output at the last step."""

    def __init__(self, kind: type[nn.RNNBase], batch_first: bool = True) -> None:
        super().__init__()
        self.recurrent = kind(4, 6, batch_first=batch_first)

    def forward(self, x: Tensor) -> Tensor:
        return self.recurrent(x)[0][:, -1]


class Branch(nn.Module):
    """Another map where the numbers of an input have a positive sum."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(28, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        return self.linear(x) if x.sum() > 0 else -2 * self.linear(x)


class OtherDoor(nn.Module):
    """Batch norm by torch's own function, which takes its arguments in another order."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(28, 8), nn.BatchNorm1d(8)

    def forward(self, x: Tensor) -> Tensor:
        norm = self.norm
        z = self.linear(x.flatten(1))
        return torch.batch_norm(
            z, norm.weight, norm.bias, norm.running_mean, norm.running_var, self.training, 0.1, norm.eps, False
        )


class Checkpointed(nn.Module):
    """Batch norm in two segments that are computed again in the backward pass."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Flatten(), nn.Linear(28, 8), nn.BatchNorm1d(8), nn.Tanh())
        self.second = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Tanh())
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Tensor:
        for segment in (self.first, self.second):
            x = checkpoint(segment, x, use_reentrant=self.reentrant)
        return x


class FunctionalDropout(nn.Module):
    """Dropout that no mode switches off, by default of nothing."""

    def __init__(self, share: float = 0.0) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.share)


SEQUENCES = torch.randn(5, 7, 4, generator=seeded(16)).double()
SEQUENCES -= SEQUENCES.mean()  # so that some have a positive sum, and some a negative one
UNUSUAL: dict[str, Callable[[], nn.Module]] = {
    "recurrent": lambda: LastStep(nn.GRU),
    "simple recurrent": lambda: LastStep(nn.RNN),
    "long short-term memory": lambda: LastStep(nn.LSTM),
    "attention": lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
    "branch": Branch,
    "another door": OtherDoor,
    "checkpoints": lambda: Checkpointed(False),
    "reentrant checkpoints": lambda: Checkpointed(True),
    "weight norm": lambda: nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)), nn.Flatten()),
    "parametrised": lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), nn.Flatten()),
    "spectral norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)),
    "in place": lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 3), nn.ReLU(inplace=True)),
    "one output": lambda: nn.Sequential(nn.Flatten(), nn.Linear(28, 1), nn.Flatten(0)),
    "dense outputs": lambda: nn.Conv1d(7, 2, 3),
    "functional dropout": lambda: nn.Sequential(FunctionalDropout(), nn.Linear(4, 3)),
    "compiled": lambda: torch.compile(nn.Linear(4, 3), backend="eager"),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning", "ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_networks(name: str) -> None:
    torch.manual_seed(17)
    network = UNUSUAL[name]().double()
    with torch.no_grad():  # old weight norm keeps what it computes, and with a graph that can't be copied
        shape = network(SEQUENCES.clone()).shape[1:]  # also moves running averages
    network.eval()
    found = input_gradients(network, SEQUENCES, generator=seeded(18))
    direction = torch.randn(shape, generator=seeded(18)).double()
    if isinstance(network, Checkpointed):
        network = nn.Sequential(network.first, network.second)
    if isinstance(network, OtherDoor):
        network = nn.Sequential(nn.Flatten(), network.linear, network.norm)
    torch.testing.assert_close(found, one_by_one(network, SEQUENCES, direction), rtol=1e-9, atol=1e-12)


def test_many_inputs_are_taken_in_parts() -> None:
    inputs = torch.randn(300, 7, generator=seeded(19)).double()
    network = network_for(ROWS, "plain", True)
    direction = torch.randn(3, generator=seeded(20)).double()
    found = input_gradients(network, inputs, generator=seeded(20))
    torch.testing.assert_close(found, one_by_one(network, inputs, direction), rtol=1e-8, atol=1e-12)


def test_only_batch_norm_has_all_inputs_pass_twice() -> None:
    """What else is looked at, the shape and whether company matters, takes a few inputs, whatever their number."""

    def passed(batch_norm: bool, inputs: int) -> int:
        network, seen = (
            fully_connected("plain", depth=2, width=5, in_features=7, out_features=3, batch_norm=batch_norm).double(),
            [],
        )
        network.register_forward_hook(lambda module, args, output: seen.append(len(output)))
        input_gradients(network, torch.randn(inputs, 7, generator=seeded(0)).double())
        return sum(seen)

    assert passed(False, 300) - passed(False, 200) == 100
    assert passed(True, 300) - passed(True, 200) == 200


def test_autocast_and_inference_mode_do_not_matter() -> None:
    network, inputs = network_for(ROWS, "plain", True).float(), ROWS.float()
    expected = input_gradients(network, inputs, generator=seeded(21))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(input_gradients(network, inputs, generator=seeded(21)), expected)
    with torch.inference_mode():
        assert torch.equal(input_gradients(network, inputs.clone(), generator=seeded(21)), expected)


def test_gradients_go_straight_into_every_measure() -> None:
    gradients = input_gradients(network_for(IMAGES, "plain", True), IMAGES, generator=seeded(22))
    products = gradients @ gradients.T
    across = (products.sum() - products.trace()) / 30
    assert structure.correlation(gradients) == pytest.approx((across / products.trace() * 6).item())
    singular = torch.linalg.svdvals(gradients)
    assert structure.effective_rank(gradients) == pytest.approx((singular.square().sum() / singular[0] ** 2).item())


class Mixing(nn.Module):
    """A batch norm that someone wrote by hand, perhaps behind a look at the numbers, or held constant."""

    def __init__(self, looks: bool = False, detached: bool = False) -> None:
        super().__init__()
        self.looks, self.detached = looks, detached

    def forward(self, x: Tensor) -> Tensor:
        if self.looks:
            assert x.isfinite().all()
        mean = x.mean(0)
        return x - (mean.detach() if self.detached else mean)


class HiddenBranch(nn.Module):
    """One choice for all inputs, by a look at the numbers that cannot be seen."""

    def forward(self, x: Tensor) -> Tensor:
        return x if (x.sum().detach().cpu().__array__() > 0) else -2 * x


class InABranch(nn.Module):
    """Batch norm for some inputs only."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(7)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x) if x.sum() > ROWS.sum() - 1e-9 else x


class OtherNorm(nn.Module):
    """One of two batch norms, as the input decides; all inputs together have a positive sum."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.BatchNorm1d(7), nn.BatchNorm1d(7)

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) if x.sum() > 0 else self.other(10 * x)


class OneHot(nn.Module):
    """Looks nothing up."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.one_hot(x, 7).double().flatten(1)


class Transposed(nn.Module):
    """Time first."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).contiguous()


TOKENS = torch.randint(7, (5, 4), generator=torch.Generator().manual_seed(3))


class CheckpointedTwice(Twice):
    """A shared batch norm that is computed again."""

    def forward(self, x: Tensor) -> Tensor:
        return checkpoint(super().forward, x, use_reentrant=False)


REFUSED = {
    "function": (torch.sin, ROWS, "nn.Module is needed"),
    "scripted": (torch.jit.script(nn.Linear(7, 3)).double(), ROWS, "torch.jit"),
    "lazy": (nn.LazyLinear(3), ROWS, "weight has no size yet; call the network once"),
    "list": (nn.Linear(7, 3), ROWS.tolist(), "inputs: a list, but a tensor is needed"),
    "tokens in no table": (OneHot(), TOKENS, "looks these tokens up in no nn.Embedding"),
    "tokens turned": (
        nn.Sequential(nn.Unflatten(1, (2, 2)), Transposed(), nn.Embedding(7, 3)),
        TOKENS,
        "looks these tokens up in no nn.Embedding",
    ),
    "bytes": (nn.Embedding(7, 3), TOKENS.to(torch.uint8), "inputs: torch.uint8 has no gradient"),
    "no input": (nn.Linear(7, 3), ROWS[:0], r"inputs: shape \(0, 7\)"),
    "one number": (nn.Linear(7, 3), ROWS[0, 0], r"inputs: shape \(\)"),
    "not finite": (nn.Linear(7, 3), ROWS / 0, "inputs: every entry must be finite"),
    "precision": (
        nn.Linear(7, 3),
        ROWS,
        r"inputs: torch.float64 on cpu, but the network is torch.float32 on cpu; .*to\(",
    ),
    "device": (nn.Linear(7, 3, device="meta"), ROWS.float(), "network: weight is on the meta device and has no values"),
    "labels": (nn.Flatten(0), ROWS, r"returns torch.float64 of shape \(35,\)"),
    "detached": (nn.Threshold(1e9, 0.0), ROWS, None),
    "mixing": (Mixing(), ROWS, "output at one input depends on another input"),
    "mixing behind a look": (Mixing(looks=True), ROWS, "depends on another input"),
    "mixing held constant": (Mixing(detached=True), ROWS, "depends on another input"),
    "mixing of the last": (Mixing(), torch.cat([torch.zeros_like(ROWS[:3]), ROWS]), "depends on another input"),
    "hidden branch": (HiddenBranch(), ROWS + 1, "depends on another input"),
    "complex": (nn.Linear(7, 3), ROWS.cfloat(), "inputs: torch.complex64, .*: dense real numbers are needed"),
    "other norm in a branch": (OtherNorm().double(), ROWS - ROWS.mean() + 0.1, "in another order"),
    "time first": (LastStep(nn.GRU, batch_first=False).double(), SEQUENCES, "depends on another input"),
    "one image": (
        nn.Sequential(nn.Linear(7, 3), nn.BatchNorm1d(3)).double(),
        ROWS[:1],
        "more than 1 value per channel",
    ),
    "in a branch": (InABranch().double(), ROWS, "batch norm was used 1 times, now 0 times"),
    "checkpointed twice": (CheckpointedTwice().double(), ROWS, "under gradient checkpointing"),
}


@pytest.mark.parametrize("name", [name for name, (*_, message) in REFUSED.items() if message])
def test_what_cannot_be_measured_is_refused(name: str) -> None:
    network, inputs, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        input_gradients(network, inputs, generator=seeded(23))


@dataclass
class Answer:
    """What some networks return."""

    labels: Tensor
    scores: Tensor
    features: Tensor


class Answering(nn.Module):
    """Labels, a vector for each input, and another."""

    def __init__(self, kind: Callable[[Answer], object]) -> None:
        super().__init__()
        self.kind = kind
        self.first, self.second = nn.Linear(7, 3).double(), nn.Linear(7, 2).double()
        he_(self, generator=seeded(26))

    def forward(self, x: Tensor) -> object:
        scores = self.first(x).relu()
        return self.kind(Answer(scores.argmax(1), scores, self.second(x).tanh()))


KINDS: dict[str, Callable[[Answer], object]] = {
    "dataclass": lambda answer: answer,
    "dictionary": lambda answer: dict(vars(answer)),
    "tuple": lambda answer: tuple(vars(answer).values()),
    "list": lambda answer: list(vars(answer).values()),
    "tuple in a tuple": lambda answer: (answer.labels, answer.scores, (answer.features, answer.labels)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_several_outputs_is_measured_as_if_it_were_the_only_one(kind: str) -> None:
    """By default the first that can be; else as asked for, by name, place or function."""
    network = Answering(KINDS[kind])
    first = nn.Sequential(network.first, nn.ReLU())
    second = nn.Sequential(network.second, nn.Tanh())
    by_name = kind in ("dataclass", "dictionary")
    inside = kind == "tuple in a tuple"
    ways = {
        first: [None, "scores" if by_name else 1],
        second: ["features" if by_name else (lambda returned: returned[2][0]) if inside else 2],
    }
    for alone, outputs in ways.items():
        wanted = input_gradients(alone, ROWS, generator=seeded(27))
        for output in outputs:
            assert torch.equal(input_gradients(network, ROWS, output=output, generator=seeded(27)), wanted)


def test_a_recurrent_layer_needs_no_wrapping() -> None:
    network = LastStep(nn.GRU).double()
    found, wanted = (
        input_gradients(each, SEQUENCES, output=output, generator=seeded(28))
        for each, output in ((network.recurrent, lambda returned: returned[0][:, -1]), (network, None))
    )
    assert torch.allclose(found, wanted)


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("dictionary", "logits", r"output='logits': .* a dict of 'labels': torch.int64 of shape \(5,\), 'scores'"),
        ("tuple", 3, "output=3: the network returns a tuple of 0: torch.int64"),
        ("tuple", "scores", "output='scores': .* a tuple"),
        ("tuple", 0, "returns torch.int64 of shape"),
        ("tuple in a tuple", 2, "returns a tuple, but a tensor is needed; pick one with output="),
        ("dataclass", lambda answer: answer.scores.sum(), "a row for each of 5 inputs"),
    ],
)
def test_an_output_that_is_not_there_is_named(kind: str, output: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        input_gradients(Answering(KINDS[kind]), ROWS, output=output, generator=seeded(29))


def test_of_one_tensor_nothing_can_be_picked() -> None:
    with pytest.raises(ValueError, match="output='scores': the network returns a Tensor of no parts"):
        input_gradients(nn.Linear(7, 3).double(), ROWS, output="scores", generator=seeded(29))


class Reader(nn.Module):
    """A small transformer that looks up tokens and places, with a head for the mean."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(7, 8), nn.Embedding(4, 8)
        self.behind = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def embedded(self, vectors: Tensor) -> Tensor:
        places = torch.arange(vectors.shape[1]).expand(len(vectors), -1)
        return self.head(self.behind(vectors + self.places(places)).mean(1))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.embedded(self.table(tokens))


class Behind(nn.Module):
    """The same from the vectors of the tokens on."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, vectors: Tensor) -> Tensor:
        return self.reader.embedded(vectors)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_the_gradient_of_tokens_is_that_by_their_vectors(dtype: torch.dtype) -> None:
    torch.manual_seed(30)
    reader = Reader().double()
    tokens, before = TOKENS.to(dtype), copy.deepcopy(reader.state_dict())
    found = input_gradients(reader, tokens, generator=seeded(31))
    wanted = input_gradients(Behind(reader), reader.table(tokens).detach(), generator=seeded(31))
    assert found.shape == (5, 4 * 8)
    assert torch.equal(found, wanted)
    assert all(torch.equal(tensor, before[name]) for name, tensor in reader.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in reader.parameters())


class Flattening(Reader):
    """Looks up all tokens of all inputs in one row."""

    def forward(self, tokens: Tensor) -> Tensor:
        return self.embedded(self.table(tokens.flatten()).view(*tokens.shape, -1))


def test_tokens_may_be_flattened_before_they_are_looked_up() -> None:
    torch.manual_seed(32)
    reader = Flattening().double()
    same = Reader().double()
    same.load_state_dict(reader.state_dict())
    found = input_gradients(reader, TOKENS, generator=seeded(33))
    assert torch.equal(found, input_gradients(same, TOKENS, generator=seeded(33)))


class MixingTokens(Reader):
    """Every input gets a part of the next."""

    def forward(self, tokens: Tensor) -> Tensor:
        vectors = self.table(tokens)
        return self.embedded(vectors + 0.1 * vectors.roll(1, 0))


def test_tokens_that_mix_are_refused() -> None:
    with pytest.raises(ValueError, match="depends on another input"):
        input_gradients(MixingTokens().double(), TOKENS, generator=seeded(34))


class Detached(nn.Module):
    """Counts, which have no slope."""

    def forward(self, x: Tensor) -> Tensor:
        return (x > 0).double()


def test_outputs_without_a_slope_are_refused() -> None:
    with pytest.raises(ValueError, match="do not depend on its inputs by steps that can be differentiated"):
        input_gradients(Detached(), ROWS, generator=seeded(24))


def test_a_flat_network_has_gradients_of_zero() -> None:
    found = input_gradients(nn.Threshold(1e9, 0.0), ROWS, generator=seeded(24))
    assert torch.equal(found, torch.zeros_like(ROWS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistics": "batch"}, "statistics='batch': choose one of 'inputs', 'running'"),
        ({"generator": 0}, "generator=0: a torch.Generator is needed"),
    ],
)
def test_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        input_gradients(nn.Linear(7, 3).double(), ROWS, **{"generator": seeded(25)} | options)


def test_running_averages_must_be_there() -> None:
    network = nn.Sequential(nn.Linear(7, 3), nn.BatchNorm1d(3, track_running_stats=False)).double()
    with pytest.raises(ValueError, match=r"statistics='running': .* keeps no averages; choose 'inputs'"):
        input_gradients(network, ROWS, statistics="running", generator=seeded(26))


def test_a_frozen_network_follows_its_parameters_and_keeps_its_statistics() -> None:
    network = network_for(ROWS, "plain", True)
    frozen = freeze(network, ROWS)
    before = frozen(ROWS[:1])
    network.train()(100 * ROWS)
    assert torch.equal(frozen(ROWS[:1]), before)
    with torch.no_grad():
        network[-1][-1].weight.mul_(2)
    torch.testing.assert_close(frozen(ROWS[:1]), 2 * before)
    assert network.training


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_frozen_network_refuses_checkpoints(reentrant: bool) -> None:
    torch.manual_seed(27)
    network = freeze(Checkpointed(reentrant).double(), SEQUENCES)
    with torch.no_grad():
        network(SEQUENCES)
    with pytest.raises((RuntimeError, ValueError), match=r"freeze: .*gradient checkpointing"):
        network(SEQUENCES.clone().requires_grad_())


def test_a_frozen_network_can_be_measured_and_frozen_again() -> None:
    """It has no batch norm left: the statistics stay those of its own inputs."""
    network = network_for(ROWS, "plain", True)
    frozen, others = freeze(network, ROWS), 3 * ROWS + 1
    torch.testing.assert_close(freeze(frozen, others)(others), frozen(others), rtol=0, atol=0)
    found = input_gradients(frozen, others, generator=seeded(28))
    direction = torch.randn(3, generator=seeded(28)).double()
    for x, gradient in zip(others, found, strict=True):
        x = x[None].clone().requires_grad_()
        [expected] = torch.autograd.grad((frozen(x)[0] * direction).sum(), x)
        torch.testing.assert_close(gradient, expected.flatten(), rtol=1e-9, atol=1e-12)


def test_freezing_changes_nothing() -> None:
    network = nn.Sequential(network_for(IMAGES, "plain", True), Counting(), FunctionalDropout(0.5))
    before, state = {name: tensor.clone() for name, tensor in network.state_dict().items()}, torch.get_rng_state()
    freeze(network, IMAGES)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(module.training for module in network.modules())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_a_backward_pass_that_is_still_to_come_is_not_broken() -> None:
    network = network_for(ROWS, "plain", True)
    loss = network(ROWS).square().mean()
    input_gradients(network, ROWS, generator=seeded(29))
    loss.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_modes_are_set_without_what_a_network_does_when_asked() -> None:
    """Some merge weights in ``train`` and ``eval``."""

    class Merging(nn.Linear):
        calls = 0

        def train(self, mode: bool = True) -> Merging:
            Merging.calls += 1
            return super().train(mode)

    network = Merging(7, 3).double()
    input_gradients(network, ROWS, generator=seeded(30))
    assert Merging.calls == 0


def test_statistics_do_not_overflow_in_half_precision() -> None:
    network = nn.Sequential(nn.Linear(7, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)).half()
    inputs = (300 * ROWS).half()
    found = input_gradients(network, inputs, generator=seeded(31)).double()
    precise = input_gradients(network.double(), inputs.double(), generator=seeded(31))
    assert (found - precise).norm() < 0.02 * precise.norm()


@pytest.mark.parametrize("inputs", [ROWS.tolist(), torch.zeros(5, 7, dtype=torch.int64), ROWS / 0])
def test_freeze_asks_for_the_same_inputs(inputs: object) -> None:
    with pytest.raises(ValueError, match="inputs: "):
        freeze(network_for(ROWS, "plain", True), inputs)


def test_the_settings_of_cudnn_stay() -> None:
    before = {
        name: getattr(torch.backends.cudnn, name) for name in ("enabled", "allow_tf32", "deterministic", "benchmark")
    }
    seen = []
    network = LastStep(nn.GRU).double()
    network.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.enabled))
    input_gradients(network, SEQUENCES, generator=seeded(32))
    assert not any(seen)
    assert {name: getattr(torch.backends.cudnn, name) for name in before} == before


def test_without_a_generator_torchs_own_decides_and_stays():
    network, x = nn.Linear(4, 3), torch.randn(5, 4)
    torch.manual_seed(3)
    state = torch.get_rng_state()
    found = input_gradients(network, x)
    assert torch.equal(torch.get_rng_state(), state)
    again = input_gradients(network, x, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(found, again)
