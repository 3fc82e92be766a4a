"""Rectifier networks of others made looks-linear: linear at the start, isometric, or refused by name."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from shattered_lite import CReLU, input_gradients, looks_linear_, structure
from shattered_lite.initializers import to_crelu

ROWS = torch.randn(7, 6, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randn(7, 2, 8, 8, generator=torch.Generator().manual_seed(1))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Dense(nn.Module):
    """Two hidden layers with a rectifier of any spelling, and a sum of what was not rectified."""

    def __init__(self, rectify: Callable[[Tensor], Tensor] = torch.relu, *, skip: bool = False) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(6, 6), nn.Linear(6, 6, bias=False), nn.Linear(6, 6)
        self.rectify, self.skip = rectify, skip

    def forward(self, x: Tensor) -> Tensor:
        z = self.first(x)
        after = self.second(self.rectify(z))
        z = z + after if self.skip else after
        return self.third(self.rectify(z))


class Viewed(nn.Module):
    """Convolutions, a mean over pixels, and a head behind a view of one number read off a shape."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.deep = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(16, 4, 5, padding="same")
        self.fold, self.head = nn.PixelUnshuffle(2), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.deep(self.fold(functional.relu(self.stem(x))))
        x = functional.adaptive_avg_pool2d(x.relu_(), 1)
        return self.head(x.view(x.shape[0], -1))


class Averaged(nn.Module):
    """Convolutions, and a mean over pixels, as somebody spells it."""

    def __init__(self, average) -> None:
        super().__init__()
        self.stem, self.deep, self.head = *(nn.Conv2d(n, 4, 3, padding=1) for n in (2, 4)), nn.Linear(4, 3)
        self.average = average

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.average(self.deep(self.stem(x).relu()).relu()))


SPELLINGS = {
    "module": nn.ReLU(),
    "module in place": nn.ReLU(inplace=True),
    "torch": torch.relu,
    "functional": functional.relu,
    "functional in place": lambda z: functional.relu(z, inplace=True),
    "method": lambda z: z.relu(),
    "method in place": lambda z: z.relu_(),
}
NETWORKS = {
    **{name: (Dense(rectify), ROWS) for name, rectify in SPELLINGS.items()},
    "skip": (Dense(skip=True), ROWS),
    "nested": (nn.Sequential(nn.Sequential(nn.Linear(6, 9), nn.ReLU()), nn.Identity(), nn.Linear(9, 4)), ROWS),
    "images": (Viewed(), IMAGES),
    "mean": (Averaged(lambda x: x.mean((2, 3))), IMAGES),
    "mean from behind": (Averaged(lambda x: torch.mean(x, dim=[-1, -2])), IMAGES),
    "pooled": (
        nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 3)),
        IMAGES,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_copy_is_linear_at_its_start_and_the_original_is_left_alone(name: str) -> None:
    network, inputs = NETWORKS[name]
    before, text = copy.deepcopy(network.state_dict()), str(network)
    found = to_crelu(network, generator=seeded(2)).double()
    x, y = inputs.double(), 0.5 * inputs.double().flip(0)
    assert found(x).shape == network(inputs).shape
    assert torch.allclose(found(2 * x - 4 * y), 2 * found(x) - 4 * found(y) + 3 * found(0 * x), atol=1e-5)
    assert found(x).abs().max() > 0.01
    assert str(network) == text
    assert all(torch.equal(tensor, before[key]) for key, tensor in network.state_dict().items())
    assert not any(isinstance(module, nn.ReLU) for module in found.modules())
    names = {key.rsplit(".", 1)[0] for key in before}
    assert {key.rsplit(".", 1)[0] for key in found.state_dict()} == names


def test_it_is_what_one_would_have_built_by_hand() -> None:
    network = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3))
    by_hand = nn.Sequential(nn.Linear(6, 6), CReLU(), nn.Linear(12, 6), CReLU(), nn.Linear(12, 3))
    looks_linear_(by_hand, generator=seeded(3))
    assert torch.equal(to_crelu(network, generator=seeded(3))(ROWS), by_hand(ROWS))


def test_its_gradients_agree_at_all_inputs_where_the_originals_do_not() -> None:
    network = nn.Sequential(*[layer for _ in range(20) for layer in (nn.Linear(6, 6), nn.ReLU())], nn.Linear(6, 6))
    found = to_crelu(network, generator=seeded(4)).double()
    gradients = input_gradients(found, ROWS.double(), generator=seeded(5))
    assert structure.correlation(gradients).item() == pytest.approx(1, abs=1e-5)
    lengths = torch.pdist(found(ROWS.double())) / torch.pdist(ROWS.double())
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-5)


class Shared(Dense):
    """One layer twice."""

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.second(x).relu())


class AddedLate(Dense):
    """A skip around what was rectified."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.third(x + self.second(x))


class Branching(Dense):
    """Asks its input for a number."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.sum() > 0 else x


class Sliced(Dense):
    """Takes a part of a rectified signal."""

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x).relu()[:, :6])


class Flattened(nn.Module):
    """A rectified image as a vector, in one of many ways."""

    def __init__(self, flatten: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.stem, self.flatten, self.head = nn.Conv2d(2, 4, 3, padding=1), flatten, nn.Linear(256, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.flatten(functional.relu(input=self.stem(x))))


FLATTENED = {
    "flatten": lambda z: z.flatten(1),
    "torch.flatten": lambda z: torch.flatten(z, 1),
    "named": lambda z: torch.flatten(z, start_dim=1),
    "view": lambda z: z.view(z.size(0), -1),
    "reshape": lambda z: z.reshape(z.shape[0], -1),
    "module": nn.Flatten(),
}


@pytest.mark.parametrize("name", FLATTENED)
def test_an_image_may_be_flattened_in_many_ways(name: str) -> None:
    found = to_crelu(Flattened(FLATTENED[name]), generator=seeded(7))
    assert torch.allclose(found(IMAGES) + found(-IMAGES), torch.zeros(7, 3), atol=1e-5)
    assert found(IMAGES).abs().max() > 0.01


def test_what_was_frozen_stays_frozen() -> None:
    network = Dense()
    network.second.requires_grad_(False)
    found = to_crelu(network, generator=seeded(8))
    assert [each.weight.requires_grad for each in (found.first, found.second, found.third)] == [True, False, True]


def tied() -> nn.Module:
    network = Dense()
    network.third.weight = network.first.weight
    return network


def convolutions(*between: nn.Module, **options: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), *between, nn.Conv2d(4, 4, 3, **{"padding": 1} | options))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (torch.relu, "an nn.Module is needed"),
        (nn.Sequential(nn.Linear(6, 6)), "no rectifier in it"),
        (nn.Sequential(nn.ReLU()), "no nn.Linear or nn.Conv2d"),
        (nn.Sequential(nn.Linear(6, 6), nn.ReLU()), "its output, which takes a rectified signal"),
        (nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.ReLU(), nn.Linear(6, 6)), "2 is a ReLU, which takes what is rec"),
        (nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6)), "1 is a Tanh, which is not known to be linear"),
        (convolutions(nn.ReLU(), nn.MaxPool2d(2)), "2 is a MaxPool2d, which is not known to be linear"),
        (convolutions(nn.BatchNorm2d(4), nn.ReLU()), "1 is a BatchNorm2d, which is not known to be linear"),
        (convolutions(nn.ReLU(), stride=2), "2 is a Conv2d with stride="),
        (convolutions(nn.ReLU(), groups=2), "2 is a Conv2d with groups=2"),
        (nn.Sequential(weight_norm(nn.Linear(6, 6)), nn.ReLU(), nn.Linear(6, 6)), "0 is a .*Linear under weight norm"),
        (nn.LSTM(6, 6), "with a weight_ih_l0"),
        (AddedLate(), "add, which takes a rectified signal, and a layer must come between"),
        (Sliced(), "getitem, which is not known to be linear"),
        (Flattened(lambda z: z.view(-1, 256)), r"view, which must flatten each input, .*\(inputs, -1\)"),
        (Flattened(lambda z: z.view(z.shape[0], 256)), "view, which must flatten each input"),
        (Flattened(torch.flatten), "flatten, which must flatten each input"),
        (Flattened(nn.Flatten(0)), "flatten is a Flatten, which must flatten each input"),
        (Shared(), "second is a Linear, which is used more than once"),
        (tied(), "third is a Linear with the weight of first"),
        (Branching(), "cannot be read .* it may branch on numbers"),
        (Dense(functional.gelu), "gelu, which is not known to be linear"),
    ],
)
def test_what_cannot_look_linear_is_refused_by_name(network: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_crelu(network, generator=seeded(6))


def test_the_generator_is_named() -> None:
    with pytest.raises(ValueError, match=r"generator=1: a torch\.Generator is needed"):
        to_crelu(Dense(), generator=1)
