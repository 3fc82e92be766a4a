"""Is a network linear after ``looks_linear_``? What its structure tells, and what an example does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from test_initializers_layers import assert_refused_and_unchanged, old, rng
from torch import Tensor, nn

from shattered_lite.initializers import looks_linear_
from shattered_lite.networks import CReLU, convolutional, fully_connected


class Wrapped(nn.Module):
    """A looks-linear network with something of its own in the forward pass."""

    def __init__(self, after: Callable[[nn.Module, Tensor], object], gate: nn.Module | None = None) -> None:
        super().__init__()
        self.inner = nn.Sequential(old(nn.Linear(4, 4)), gate or CReLU(), old(nn.Linear(8, 4)))
        self.after = after
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> object:
        return self.after(self, self.inner(x))


class WrongSign(CReLU):
    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z.relu(), z.clamp(max=0)], dim=1)


class Halves(nn.Module):
    """A concatenated rectifier of one's own."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([F.relu(z), F.relu(-z)], dim=1)


class BackToFront(nn.Module):
    """Its layers are registered in one order and used in another."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.gate, self.first = nn.Linear(8, 8), CReLU(), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.gate(self.first(torch.cat([x, x], dim=1))).view(-1, 2, 8).sum(1))


def follow(module: Wrapped, z: Tensor) -> Tensor:
    """What is left behind in a buffer would make the next answer another one."""
    module.mean.lerp_(z.mean(0), 0.1)
    return z - module.mean


NOT_LINEAR = {
    "relu": lambda m, z: F.relu(z),
    "tanh": lambda m, z: torch.tanh(z),  # odd, so f(x) + f(-x) = 2 f(0) does not tell
    "tanh and a constant": lambda m, z: 1 + torch.tanh(z),
    "absolute value": lambda m, z: z.abs(),
    "cube": lambda m, z: z**3,
    "nearly the identity": lambda m, z: F.leaky_relu(z, 0.9999),
    "largest of two": lambda m, z: F.max_pool1d(z, 2),
    "functional layer norm": lambda m, z: F.layer_norm(z, (4,)),
    "functional batch norm": lambda m, z: F.batch_norm(z, None, None, training=True),
    "product of examples": lambda m, z: z * z.flip(0),
    "not a number": lambda m, z: z * torch.nan,
    "overflow": lambda m, z: z.exp().exp() * 1e300,
}
LINEAR = {
    "linear": lambda m, z: z,
    "affine": lambda m, z: z + 1,
    "a large constant": lambda m, z: z + 1e6,
    "mixes examples": lambda m, z: z - z.mean(0),
    "counts": lambda m, z: (m.count.add_(1), setattr(m, "seen", z), z)[-1],
    "moves a mean": follow,
    "answers in half precision": lambda m, z: z.half(),
    "in place": lambda m, z: z.mul_(2),
    "concatenated and joined": lambda m, z: F.relu(z) - F.relu(-z),
}


def example(*shape: int, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Tensor:
    return (scale * torch.randn(*(shape or (8, 4)), generator=rng(1))).to(dtype)


@pytest.mark.parametrize("after", NOT_LINEAR.values(), ids=NOT_LINEAR)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_an_example_shows_what_is_not_linear(after, dtype: torch.dtype) -> None:
    module = Wrapped(after).to(dtype)
    looks_linear_(module, generator=rng())  # the structure cannot tell
    message = "module: not linear on example, .*F.relu.*CReLU written as a function, or with the wrong sign.*order"
    assert_refused_and_unchanged(message, looks_linear_, Wrapped(after).to(dtype), example=example(dtype=dtype))


@pytest.mark.parametrize("inputs", [torch.ones(1, 4), -torch.ones(3, 4), torch.eye(4), example(1, 4).abs()])
@pytest.mark.parametrize("name", ["relu", "tanh", "absolute value", "cube"])
def test_examples_with_little_in_them(name: str, inputs: Tensor) -> None:
    """One input, equal numbers, no negative ones: still enough."""
    assert_refused_and_unchanged("not linear on example", looks_linear_, Wrapped(NOT_LINEAR[name]), example=inputs)


@pytest.mark.parametrize("module", [Wrapped(lambda m, z: z, WrongSign()), BackToFront()])
def test_a_wrong_mirror_and_another_order(module: nn.Module) -> None:
    inputs = example(8, 4) if isinstance(module, Wrapped) else example(8, 8)
    looks_linear_(module, generator=rng())
    assert_refused_and_unchanged("not linear on example", looks_linear_, module, example=inputs)


@pytest.mark.parametrize("after", LINEAR.values(), ids=LINEAR)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_what_is_linear_passes_and_nothing_but_the_weights_changes(after, dtype: torch.dtype) -> None:
    module, twin, state, inputs = Wrapped(after), Wrapped(after), torch.get_rng_state(), example(dtype=dtype)
    module.inner[2].eval()
    kept = inputs.clone()
    generator = rng()
    assert looks_linear_(module.to(dtype), example=inputs, generator=generator) is module
    reference = rng()
    looks_linear_(twin.to(dtype), generator=reference)
    for name, tensor in twin.state_dict().items():
        assert torch.equal(module.state_dict()[name], tensor), name
    assert torch.equal(module.inner[0].weight, twin.inner[0].weight)
    assert module.inner[0].weight.dtype == dtype
    assert not module.count.any()
    assert not module.mean.any()
    assert not hasattr(module, "seen")
    assert [child.training for child in module.modules()] == [True, True, True, True, False]
    assert torch.equal(inputs, kept)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(generator.get_state(), reference.get_state())


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: fully_connected("crelu", depth=200, width=32, in_features=16, out_features=10), (4, 16)),
        (lambda: convolutional("crelu", depth=60, width=4, input_shape=(3, 8, 8), out_features=10), (2, 3, 8, 8)),
    ],
)
def test_very_deep_networks_of_any_precision_and_scale_pass(build, shape, dtype, scale: float) -> None:
    network = build().to(dtype)
    looks_linear_(network, example=example(*shape, dtype=dtype, scale=scale), generator=rng())
    assert network[0][0].weight.any() if isinstance(network[0], nn.Sequential) else network[0].weight.any()


@pytest.mark.parametrize("after", [lambda m, z: F.dropout(z, 0.1), lambda m, z: z + torch.randn_like(z)])
def test_a_random_network_is_said_to_be_random(after) -> None:
    message = "module: two outputs for one example, so it is random: F.dropout"
    assert_refused_and_unchanged(message, looks_linear_, Wrapped(after), example=example())


def test_the_mode_of_the_module_is_the_mode_of_the_trial() -> None:
    module = Wrapped(lambda m, z: F.dropout(z, 0.5, m.training))
    assert_refused_and_unchanged("it is random", looks_linear_, module, example=example())
    looks_linear_(module.eval(), example=example(), generator=rng())
    assert not module.training


OTHER_OUTPUTS = [
    (lambda m, z: (z, z), "module: its output for example is tuple; one real"),
    (lambda m, z: {"logits": z}, "module: its output for example is dict; one real"),
    (lambda m, z: z.argmax(1), r"module: its output for example is torch\.int64; one real"),
    (lambda m, z: 0 * z, "module: the same output for example as for zeros"),
    (
        lambda m, z: z.float() @ torch.ones(4, 1).double(),
        r"example of shape \(8, 4\): in float64 the module fails on it",
    ),
]


@pytest.mark.parametrize(("after", "message"), OTHER_OUTPUTS)
def test_what_cannot_be_tried(after, message: str) -> None:
    assert_refused_and_unchanged(message, looks_linear_, Wrapped(after), example=example())


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (torch.zeros(3, 4), "example=tensor.*: .* finite and not all zero"),
        (torch.tensor([[1.0, torch.nan, 0, 0]]), "example=tensor.*: .* finite"),
        (torch.ones(0, 4), "example=tensor.*not all zero"),
        (torch.ones(3, 4, dtype=torch.int64), "example=tensor.*: one real floating-point tensor"),
        (3.0, r"example=3\.0: one real"),
        ([[1.0] * 4], r"example=\[\[1\.0.*: one real"),
        (torch.ones(3, 5), r"example of shape \(3, 5\): in float64 the module fails on it, mat1 and mat2"),
    ],
)
def test_what_is_no_example(inputs, message: str) -> None:
    assert_refused_and_unchanged(f"(?s){message}", looks_linear_, Wrapped(lambda m, z: z), example=inputs)


class Swish(nn.SiLU):
    """A gate of one's own, of a kind that torch has."""


NO_CRELU = [
    (nn.ReLU(), r"\(1 is a ReLU\)"),
    (nn.LeakyReLU(), r"\(1 is a LeakyReLU\)"),
    (nn.Sequential(Swish()), r"\(1\.0 is a Swish\)"),
    (Halves(), "not a class or function of your own; put one in the place of each rectifier, which"),
]


@pytest.mark.parametrize(("gate", "where"), NO_CRELU)
def test_a_network_without_crelu_is_told_where_to_put_one(gate: nn.Module, where: str) -> None:
    message = rf"module: no CReLU in it\. Only .*shattered_lite\.CReLU.*{where}.*nn\.Linear\(2 \* width"
    module = nn.Sequential(nn.Linear(4, 4), gate, nn.Linear(8, 4))
    assert_refused_and_unchanged(message, looks_linear_, module)


STRUCTURES = [
    ([CReLU(), nn.Linear(8, 4), nn.ReLU()], "3 is a ReLU, which is not linear; put a CReLU in its place.*2 . width"),
    ([CReLU(), nn.Linear(8, 4), Swish()], "3 is a Swish, which is not linear; leave it out"),
    ([CReLU(), nn.Linear(8, 4), nn.LPPool1d(2, 2)], "3 is a LPPool1d, which is not linear"),
    ([CReLU(), nn.Linear(8, 4), nn.FractionalMaxPool2d(2, 2)], "3 is a FractionalMaxPool2d, which is not linear"),
    ([CReLU(), CReLU(), nn.Linear(16, 4)], "1 is a CReLU, but the next step is no layer.*order in which data passes"),
    ([CReLU(), nn.Linear(8, 4), CReLU()], "3 is a CReLU, but the next step is no layer"),
    (
        [nn.Linear(8, 4), CReLU(), nn.Linear(8, 4)],
        r"1 is a Linear that takes twice the 4.*shattered_lite\.CReLU stands between",
    ),
    ([nn.Sequential(CReLU(), nn.Linear(9, 4))], "1.1 is a Linear that follows a CReLU, so .* multiple of 8, not 9"),
]


@pytest.mark.parametrize(("layers", "message"), STRUCTURES)
def test_what_the_structure_tells(layers: list[nn.Module], message: str) -> None:
    assert_refused_and_unchanged(f"module: {message}", looks_linear_, nn.Sequential(nn.Linear(4, 4), *layers))
