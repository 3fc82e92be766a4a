"""What a diagnosis takes as inputs and targets, and refuses; outputs depend on their own input alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from reading import IMAGES, ROWS, SERIES, TOKENS, Reader, Tied, agrees, diagnosed, perceptron, rms, seeded, signals
from torch import Tensor, nn
from torch.nn import functional

import shattered_lite as sl
from shattered_lite import structure

# Inputs of every kind


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_integers_are_tokens(dtype: torch.dtype) -> None:
    network = Reader()
    found = agrees(network, TOKENS.to(dtype))
    assert (found.layers[0].name, found.layers[0].operation) == ("table", "embedding")
    assert found.layers[0].signal == pytest.approx(rms(network.table(TOKENS)), rel=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        nn.EmbeddingBag(11, 3),
        nn.Sequential(nn.Embedding(11, 3), nn.Flatten(), nn.Softmax(1)),
    ],
    ids=["bag", "rows"],
)
def test_tokens_looked_up_in_another_way(network: nn.Module) -> None:
    found = diagnosed(network, TOKENS)
    assert found.layers[0].gradient > 0
    assert found.layers[0].signal > 0


def test_tokens_that_no_table_takes_are_refused() -> None:
    class OneHot(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(11, 3)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.linear(functional.one_hot(tokens, 11).float().mean(1))

    with pytest.raises(ValueError, match="token"):
        sl.diagnose(OneHot(), TOKENS, generator=seeded(1))


class Several(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rows, self.images, self.head = nn.Linear(7, 5), nn.Conv2d(2, 5, 3), nn.Linear(10, 3)

    def forward(self, rows: Tensor, images: Tensor) -> Tensor:
        return self.head(torch.cat([self.rows(rows).relu(), self.images(images).relu().mean((2, 3))], 1))


class Joined(nn.Module):
    """The same of one tensor."""

    def __init__(self, network: Several) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x[:, :7], x[:, 7:].unflatten(1, (2, 8, 8)))


@pytest.mark.parametrize("kind", ["tuple", "list", "dictionary"])
def test_several_inputs(kind: str) -> None:
    network, rows = Several(), ROWS[:6]
    inputs = {"tuple": (rows, IMAGES), "list": [rows, IMAGES], "dictionary": {"images": IMAGES, "rows": rows}}[kind]
    found = diagnosed(network, inputs, directions=1)
    wanted = sl.input_gradients(Joined(network), torch.cat([rows, IMAGES.flatten(1)], 1), generator=seeded(9)).double()
    of_rows, of_images = wanted[:, :7], wanted[:, 7:]
    if kind == "dictionary":
        of_rows, of_images = of_images, of_rows
    names = {"dictionary": ["inputs['images']", "inputs['rows']"]}.get(kind, ["inputs[0]", "inputs[1]"])
    assert [layer.name for layer in found.layers[:2]] == names
    for layer, gradients in zip(found.layers[:2], (of_rows, of_images), strict=True):
        assert layer.operation == "inputs"
        assert layer.gradient == pytest.approx(gradients.square().sum(1).mean().sqrt().item(), rel=1e-4)
        assert layer.correlation == pytest.approx(float(structure.correlation(gradients)), abs=1e-4)


class Conditioned(nn.Module):
    """Numbers, and the class that they should be of."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.first, self.head = nn.Embedding(11, 7), nn.Linear(7, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.head(self.first(x + self.table(label)).relu())


@pytest.mark.parametrize("order", [("x", "label"), ("label", "x")])
def test_one_of_several_inputs_is_of_integers(order: tuple[str, str]) -> None:
    network, given = Conditioned(), {"x": ROWS, "label": torch.arange(8)}

    class Numbers(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return network.head(network.first(x).relu())

    found = diagnosed(network, {name: given[name] for name in order}, directions=1)
    wanted = sl.input_gradients(Numbers(), ROWS + network.table(given["label"]).detach(), generator=seeded(9)).double()
    assert found.layers[0].gradient == pytest.approx(wanted.square().sum(1).mean().sqrt().item(), rel=1e-4)


class Masked(nn.Module):
    """As language models take them."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(11, 6), nn.Linear(6, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        weight = attention_mask.float().unsqueeze(-1)
        return self.head((self.table(input_ids) * weight).sum(1) / weight.sum(1)).relu()


@pytest.mark.parametrize("order", [("input_ids", "attention_mask"), ("attention_mask", "input_ids")])
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_tokens_and_their_mask_in_any_order(dtype: torch.dtype, order: tuple[str, str]) -> None:
    given = {"input_ids": TOKENS, "attention_mask": torch.ones(6, 5, dtype=dtype)}
    found = diagnosed(Masked(), {name: given[name] for name in order})
    assert found.layers[0].name == "table"
    assert found.layers[0].gradient > 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (ROWS.double(), r"inputs: torch.float64 on cpu, but the network is torch.float32 on cpu; convert .*\.to\("),
        (ROWS.half(), r"inputs: torch.float16 on cpu, but the network is torch.float32 on cpu; convert .*\.to\("),
        (ROWS.to(torch.complex64), "inputs: torch.complex64, .*: dense real numbers are needed"),
        (ROWS.to_sparse(), "inputs: .*sparse_coo.*: dense real numbers are needed"),
        (ROWS.to("meta"), "inputs: .*meta.*: dense real numbers are needed"),
        (ROWS / 0, "inputs: every entry must be finite"),
        (ROWS * math.nan, "inputs: every entry must be finite"),
        (ROWS[:0], r"inputs: shape \(0, 7\)"),
        (ROWS[:, :0], r"inputs: shape \(8, 0\)"),
        (ROWS[0, 0], r"inputs: shape \(\)"),
        (ROWS.to(torch.uint8), "inputs: torch.uint8 has no gradient"),
        (ROWS.tolist(), "inputs: list of something else, but a tensor is needed"),
        (ROWS.numpy(), "inputs: .*a tensor is needed"),
        ([], "inputs: "),
        ({}, "inputs: "),
        (None, "inputs: "),
        (3, "inputs: "),
        ([ROWS, None], "inputs: list of something else, but a tensor is needed"),
    ],
    ids=[
        "float64", "float16", "complex", "sparse", "meta", "infinite", "nan", "no input", "no features", "one number",
        "bytes", "list", "array", "no tensor", "no name", "nothing", "number", "none among them",
    ],
)  # fmt: skip
def test_inputs_that_cannot_be_measured_are_refused(inputs: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(nn.Linear(7, 3), inputs, generator=seeded(1))


def test_several_inputs_of_other_counts_are_refused() -> None:
    class Added(nn.Module):
        def forward(self, one: Tensor, other: Tensor) -> Tensor:
            return one + other.mean(0)

    with pytest.raises(ValueError, match=r"inputs|depends on another input"):
        sl.diagnose(Added(), (ROWS, ROWS[:5]), generator=seeded(1))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.GELU])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision(dtype: torch.dtype, activation: type[nn.Module]) -> None:
    """The numbers of float32 to a few roundings, and the same verdict."""
    network = perceptron(32, 64, 64, 64, 10, activation=activation)
    inputs = torch.randn(24, 32, generator=seeded(6))
    precise = diagnosed(network, inputs, drawn=True)
    coarse = diagnosed(network.to(dtype), inputs.to(dtype))
    assert signals(coarse) == pytest.approx(signals(precise), rel=0.02)
    assert coarse.layers[0].gradient == pytest.approx(precise.layers[0].gradient, rel=0.05)
    assert coarse.layers[0].correlation == pytest.approx(precise.layers[0].correlation, abs=0.05)
    assert precise.cause == "healthy"
    assert coarse.cause == "healthy"


def test_functional_dropout_is_let_be() -> None:
    class Dropping(nn.Module):
        def __init__(self, share: float) -> None:
            super().__init__()
            self.linear, self.share = nn.Linear(7, 3), share

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(functional.dropout(x, self.share))

    agrees(Dropping(0.0), ROWS)
    network, state = Dropping(0.5), torch.get_rng_state()
    found = diagnosed(network, ROWS)
    assert torch.equal(torch.get_rng_state(), state)
    assert found.layers[0].gradient > 0


# Dependence


class Mixing(nn.Module):
    def __init__(self, mix: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.linear, self.mix = nn.Linear(7, 3), mix

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(self.linear(x))


@pytest.mark.parametrize(
    "mix",
    [
        lambda z: z - z.mean(0), lambda z: z.roll(1, 0), lambda z: z.softmax(0), lambda z: z.flip(0),
        lambda z: z.cumsum(0), lambda z: z - z[:1], lambda z: z - z[-1:], lambda z: z + 0.01 * (z @ z.T).relu() @ z,
        lambda z: torch.cat([z[:4], z[4:] - z[4:].mean(0)]),
        lambda z: z - z.mean(0).detach(),
    ],
    ids=[
        "mean", "next", "softmax", "flipped", "sum so far", "less the first", "less the last", "attention",
        "the last alone", "held constant",
    ],
)  # fmt: skip
def test_outputs_that_depend_on_other_inputs_are_refused(mix: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(Mixing(mix), ROWS, generator=seeded(1))


def test_time_where_inputs_should_be_is_refused() -> None:
    class TimeFirst(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.GRU(4, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.recurrent(x)[0]

    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(TimeFirst(), SERIES, generator=seeded(1))


def test_tokens_that_mix_are_refused() -> None:
    network = nn.Sequential(nn.Embedding(11, 7), Mixing(lambda z: z - z.mean(0)))
    with pytest.raises(ValueError, match="output at one input depends on another input"):
        sl.diagnose(network, TOKENS, generator=seeded(1))


@pytest.mark.parametrize("kept", [{"weight": True}, {}], ids=["of parameters", "of nothing"])
def test_outputs_without_a_slope_are_refused(kept: dict) -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if kept:
                self.weight = nn.Parameter(torch.ones(7))

        def forward(self, x: Tensor) -> Tensor:
            counts = (x > 0).float()
            return counts * self.weight if kept else counts

    with pytest.raises(ValueError, match="network"):
        sl.diagnose(Counts(), ROWS, generator=seeded(1))


def test_outputs_that_hear_nothing_of_the_inputs() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.answer = nn.Parameter(torch.ones(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.answer.expand(len(x), 3)

    with pytest.raises(ValueError, match="network"):
        sl.diagnose(Constant(), ROWS, generator=seeded(1))


def test_outputs_that_are_zero_times_the_inputs() -> None:
    found = diagnosed(nn.Sequential(nn.Linear(7, 5), nn.Threshold(1e9, 0.0), nn.Linear(5, 3)), ROWS, drawn=True)
    assert found.layers[0].gradient == 0
    assert found.cause != "healthy"


# Targets


def test_targets_are_compared_with_guessing() -> None:
    network = perceptron(7, 6, 3)
    outputs = network(ROWS).detach().double()
    classes = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0])
    found = diagnosed(network, ROWS, classes, drawn=True)
    assert found.loss == pytest.approx(functional.cross_entropy(outputs, classes).item(), rel=1e-5)
    shares = torch.tensor([4, 2, 2]).double() / 8
    assert found.guessing == pytest.approx(-(shares * shares.log()).sum().item())
    numbers = torch.randn(8, 3, generator=seeded(3))
    found = diagnosed(network, ROWS, numbers)
    assert found.loss == pytest.approx((outputs - numbers).square().mean().item(), rel=1e-5)
    assert found.guessing == pytest.approx(numbers.var(0, correction=0).mean().item(), rel=1e-5)
    assert math.isnan(diagnosed(network, ROWS).loss)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.bool])
def test_class_numbers_of_any_integer_type(dtype: torch.dtype) -> None:
    network, classes = perceptron(7, 6, 2), torch.tensor([0, 1, 1, 0, 1, 0, 1, 1])
    wanted = functional.cross_entropy(network(ROWS).detach().double(), classes).item()
    assert diagnosed(network, ROWS, classes.to(dtype)).loss == pytest.approx(wanted, rel=1e-5)


def test_class_numbers_of_pixels_and_of_tokens() -> None:
    pixels = nn.Conv2d(2, 3, 1)
    classes = torch.randint(3, (6, 8, 8), generator=seeded(1))
    wanted = functional.cross_entropy(pixels(IMAGES).detach(), classes).item()
    assert diagnosed(pixels, IMAGES, classes).loss == pytest.approx(wanted, rel=1e-5)
    words, text = Tied(), torch.randint(11, (6, 5), generator=seeded(2))
    wanted = functional.cross_entropy(words(TOKENS).detach().movedim(-1, 1), text).item()
    assert diagnosed(words, TOKENS, text).loss == pytest.approx(wanted, rel=1e-5)
    ignored = text.clone()
    ignored[:, 0] = -100  # torch's own mark of what does not count
    wanted = functional.cross_entropy(words(TOKENS).detach().movedim(-1, 1), ignored).item()
    assert diagnosed(words, TOKENS, ignored).loss == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (torch.zeros(8, 2), r"targets: shape \(8, 2\), but the outputs have \(8, 3\)"),
        (torch.zeros(8), r"shape \(8,\), but the outputs have \(8, 3\); if they are class .* targets.long\(\)"),
        (torch.zeros(3, 8), r"but the outputs have \(8, 3\); give targets.view\(8, 3\)"),
        (torch.zeros(7, dtype=torch.int64), r"targets: shape \(7,\), but outputs of shape \(8, 3\) need a class"),
        (torch.zeros(8, 3, dtype=torch.int64), r"of shape \(8, 3\) .* of one-hot rows give targets.argmax\(-1\)"),
        (torch.tensor([0, 1, 2, 3, 0, 1, 2, 0]), "targets: from 0 to 3, but the outputs score 3 classes"),
        (torch.tensor([-1, 1, 2, 0, 0, 1, 2, 0]), "targets: from -1 to 2, but the outputs score 3 classes"),
        (torch.zeros(8, 3) / 0, "targets"),
        (torch.zeros(8, 3, dtype=torch.complex64), "targets"),
        ([0, 1, 2, 0, 1, 2, 0, 1], "targets"),
        ("classes", "targets"),
    ],
    ids=["width", "axis", "turned", "count", "one hot", "too large", "negative", "nan", "complex", "list", "word"],
)  # fmt: skip
def test_wrong_targets_are_refused(targets: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(perceptron(7, 6, 3), ROWS, targets, generator=seeded(1))


def test_class_numbers_for_one_number_an_input_are_refused() -> None:
    network = nn.Sequential(nn.Linear(7, 1), nn.Flatten(0))
    with pytest.raises(ValueError, match=r"targets: shape \(8,\), but outputs of shape \(8,\)"):
        sl.diagnose(network, ROWS, torch.tensor([0, 1] * 4), generator=seeded(1))
    with pytest.raises(ValueError, match=r"to one output give targets.float\(\)\[:, None\]"):
        sl.diagnose(network[0], ROWS, torch.tensor([0, 1] * 4), generator=seeded(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": 0}, "directions=0: a whole number from 1"),
        ({"directions": 2.0}, "directions=2.0: a whole number"),
        ({"directions": True}, "directions=True: a whole number"),
        ({"generator": 0}, "generator=0: a torch.Generator is needed"),
        ({"output": 1}, "output=1: the network returns a Tensor of no parts"),
        ({"output": "scores"}, "output='scores': the network returns a Tensor of no parts"),
    ],
)
def test_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sl.diagnose(perceptron(7, 6, 3), ROWS, **options)


def test_one_direction() -> None:
    found = diagnosed(perceptron(7, 6, 3), ROWS, directions=1, drawn=True)
    assert math.isnan(found.layers[0].errors["nearby"])
    assert found.layers[0].errors["correlation"] > 0


def test_directions_are_averaged() -> None:
    """With many, the squared length of a gradient is that of the whole derivative."""
    network = perceptron(7, 6, 3)
    jacobians = torch.stack([torch.autograd.functional.jacobian(network, x) for x in ROWS]).double()
    found = diagnosed(network, ROWS, directions=500).layers[0]
    assert found.gradient == pytest.approx(jacobians.square().sum((1, 2)).mean().sqrt().item(), rel=0.15)  # 500: 4 %
    across = torch.einsum("aoi,boi->ab", jacobians, jacobians)
    own = across.trace()
    assert found.correlation == pytest.approx(((across.sum() - own) / 7 / own).item(), abs=0.05)
