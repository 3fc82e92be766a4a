"""Networks made sick in ways that happen to people, each with the word an expert would use and the same network cured.

Trained on fresh batches of the same kind as its own, a sick network's loss doesn't fall, and the cured one's does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from healthy import CLASSES, Case, images, made, rows, sequences
from torch import Tensor, nn


class Sick(NamedTuple):
    """A sick network by seed, the right word for it (or words, the first one to be named first), and its cure."""

    factory: Callable[[int], Case]
    cause: str | tuple[str, ...]
    cured: Callable[[int], Case]
    remedy: str


def parity(seed: int, batch: int = 32, features: int = 16) -> tuple[Tensor, Tensor]:
    """Feature vectors of four classes with the same mean: a class is the signs of two products of features."""
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(2, (batch, 4), generator=generator)
    inputs = 0.4 * torch.randn(batch, features, generator=generator)
    inputs[:, :4] += 2.0 * (2 * signs - 1)
    return inputs, 2 * (signs[:, 0] ^ signs[:, 1]) + (signs[:, 2] ^ signs[:, 3])


def early(seed: int, batch: int = 32, length: int = 60) -> tuple[Tensor, Tensor]:
    """Time series that show their class in the first six steps, and are noise from then on."""
    inputs, labels = sequences(seed, batch, length=6)
    generator = torch.Generator().manual_seed(seed + 1)
    noise = 0.5 * torch.randn(batch, length - 6, inputs.shape[2], generator=generator)
    return torch.cat([inputs, noise], 1), labels


def pixels(seed: int, contrast: float = 0.1) -> tuple[Tensor, Tensor]:
    """Feature vectors as grey values between 0 and 1, around a half: not centred."""
    inputs, labels = rows(seed)
    return (0.5 + contrast * inputs).clamp(0, 1), labels


def scaled(batch: tuple[Tensor, Tensor], by: float) -> tuple[Tensor, Tensor]:
    """The same batch in other units."""
    return by * batch[0], batch[1]


def mlp(
    depth: int,
    act: Callable[[], nn.Module] = nn.ReLU,
    norm: Callable[[int], nn.Module] | None = None,
    width: int = 64,
    features: int = 32,
    classes: int = CLASSES,
) -> nn.Sequential:
    """A plain multilayer perceptron of so many hidden layers, initialised by torch's default."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers.append(nn.Linear(width if layer else features, width))
        if norm is not None:
            layers.append(norm(width))
        layers.append(act())
    return nn.Sequential(*layers, nn.Linear(width, classes))


def initialised(model: nn.Module, weights: Callable[[Tensor], object], bias: float = 0.0) -> nn.Module:
    """The model after its linear layers and convolutions got other weights, and all biases one value."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            weights(module.weight)
            if module.bias is not None:
                nn.init.constant_(module.bias, bias)
    return model


def he(weight: Tensor) -> Tensor:
    """He's initialisation for rectifiers."""
    return nn.init.kaiming_normal_(weight, nonlinearity="relu")


class ResidualMLP(nn.Module):
    """Residual blocks of two linear layers, each scaled on its branch, with or without a norm before them."""

    def __init__(
        self, depth: int, scale: float = 1.0, norm: bool = False, width: int = 64, features: int = 32, classes: int = 10
    ) -> None:
        super().__init__()
        self.scale = scale
        self.embed = nn.Linear(features, width)
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width) if norm else nn.Identity(),
                nn.Linear(width, width),
                nn.ReLU(),
                nn.Linear(width, width),
            )
            for _ in range(depth)
        )
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for branch in self.branches:
            x = x + self.scale * branch(x)
        out: Tensor = self.head(x)
        return out


class PlainConvolutions(nn.Module):
    """Convolutions of one width in series, each a branch of some scale beside a skip, or without skips at 0."""

    def __init__(self, depth: int, width: int = 16, norm: bool = True, scale: float = 0.0, pool: int = 1) -> None:
        super().__init__()
        self.scale = scale
        self.pool = pool
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=not norm),
                nn.BatchNorm2d(width) if norm else nn.Identity(),
                nn.ReLU(),
            )
            for _ in range(depth)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        x = self.stem(x)
        for number, layer in enumerate(self.layers):
            x = x + self.scale * layer(x) if self.scale else layer(x)
            if self.pool > 1 and number % 4 == 3:
                x = F.max_pool2d(x, self.pool)
        out: Tensor = self.head(x.mean((2, 3)))
        return out


class Perceptron(nn.Module):
    """Linear layers whose nonlinearity is computed, and its result kept or thrown away."""

    def __init__(self, keeps: bool, depth: int = 5, width: int = 64, features: int = 16) -> None:
        super().__init__()
        self.keeps = keeps
        self.layers = nn.ModuleList(nn.Linear(width if layer else features, width) for layer in range(depth))
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        for layer in self.layers:
            x = layer(x)
            active = F.relu(x)
            x = active if self.keeps else x
        out: Tensor = self.head(x)
        return out


class Block(nn.Module):
    """A block of a transformer, with its skip connections or without."""

    def __init__(self, width: int, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.feedforward = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """The block's tokens."""
        normed = self.norms[0](x)
        attended = self.attention(normed, normed, normed, need_weights=False)[0]
        x = x + attended if self.skips else attended
        fed = self.feedforward(self.norms[1](x))
        return x + fed if self.skips else fed


class Transformer(nn.Module):
    """A transformer over time steps, averaged for a class."""

    def __init__(self, skips: bool, depth: int = 24, length: int = 12, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.Sequential(*[Block(width, skips) for _ in range(depth)])
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.blocks(self.embed(x) + self.position).mean(1))
        return out


class LastStep(nn.Module):
    """A recurrent network of torch.nn, and a linear head on its output at the last step."""

    def __init__(self, recurrent: nn.RNNBase) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Linear(recurrent.hidden_size, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.recurrent(x)[0][:, -1])
        return out


def lstm(forget_bias: float, hidden: int = 64) -> nn.Module:
    """An LSTM whose forget gates start at a given bias."""
    recurrent = nn.LSTM(8, hidden, batch_first=True)
    with torch.no_grad():
        recurrent.bias_ih_l0[hidden : 2 * hidden] = forget_bias
        recurrent.bias_hh_l0[hidden : 2 * hidden] = 0.0
    return LastStep(recurrent)


def rnn(nonlinearity: str, weights: Callable[[Tensor], object]) -> nn.Module:
    """A simple recurrent network whose recurrent weights start as given."""
    recurrent = nn.RNN(8, 64, nonlinearity=nonlinearity, batch_first=True)
    weights(recurrent.weight_hh_l0)
    return LastStep(recurrent)


def gammas(model: nn.Module, value: float) -> nn.Module:
    """The model after the gammas of its norms got one value."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm):
            nn.init.constant_(module.weight, value)
    return model


def zeroed_branches(scale: float) -> nn.Module:
    """A residual network whose branches' layers, all of them, are scaled; at 0, as its author meant to start it."""
    model = ResidualMLP(6, norm=True, features=16, classes=4)
    for branch in model.branches:
        for module in branch.modules():
            if isinstance(module, nn.Linear):
                module.weight.data *= scale
                module.bias.data.zero_()
    return model


def zeroed_head(both: bool) -> nn.Module:
    """A trunk and a head of two layers, whose weights are zero, or small in its last layer alone."""
    trunk = mlp(3, norm=nn.LayerNorm)
    head = nn.Sequential(nn.Linear(CLASSES, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    if both:
        for layer in (head[0], head[2]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
    else:
        nn.init.normal_(head[2].weight, std=0.01)
        nn.init.zeros_(head[2].bias)
    return nn.Sequential(trunk, head)


def stepped(rate: float, seed: int) -> Case:
    """A perceptron of one hidden layer on grey values, after twenty steps of gradient descent at some rate."""
    case = made(seed, lambda: mlp(1), pixels(seed))
    optimiser = torch.optim.SGD(case.model.parameters(), lr=rate)
    for step in range(20):
        inputs, labels = pixels(seed + 100 * step)
        optimiser.zero_grad()
        F.cross_entropy(case.model(inputs), labels).backward()
        optimiser.step()
    optimiser.zero_grad()
    return case


def _sick(
    sick: Callable[[], nn.Module],
    cured: Callable[[], nn.Module],
    cause: str | tuple[str, ...],
    remedy: str,
    batch: Callable[[int], tuple[Tensor, Tensor]] = rows,
    cured_batch: Callable[[int], tuple[Tensor, Tensor]] | None = None,
) -> Sick:
    """Join the two networks to their batches: the same one, unless the remedy changes the inputs."""
    return Sick(
        lambda seed: made(seed, sick, batch(seed)),
        cause,
        lambda seed: made(seed, cured, (cured_batch or batch)(seed)),
        remedy,
    )


SICK: dict[str, Sick] = {
    "default_linear_50": _sick(
        lambda: mlp(50),
        lambda: ResidualMLP(25, scale=0.2),
        ("vanishing", "collapsed"),
        "Give the stack residual connections with scaled branches.",
    ),
    "xavier_without_gain": _sick(
        lambda: initialised(mlp(70), nn.init.xavier_normal_),
        lambda: initialised(ResidualMLP(35, scale=0.1), he),
        "vanishing",
        "Initialise with the rectifier's gain, the square root of 2, and at this depth add scaled residual branches.",
    ),
    "sigmoids": _sick(
        lambda: initialised(mlp(16, nn.Sigmoid), nn.init.xavier_normal_),
        lambda: initialised(mlp(16, nn.Tanh), nn.init.xavier_normal_),
        ("vanishing", "collapsed"),
        "Replace the sigmoids by tanh.",
    ),
    "vgg_of_std_0.01": _sick(
        lambda: initialised(PlainConvolutions(20, norm=False, pool=2), lambda w: nn.init.normal_(w, std=0.01)),
        lambda: initialised(PlainConvolutions(20, pool=2), he),
        "vanishing",
        "Initialise by each layer's number of inputs (kaiming_normal_), and add batch norm.",
        lambda seed: images(seed, 16, 32),
    ),
    "inputs_tiny": _sick(
        lambda: initialised(mlp(8), he),
        lambda: initialised(mlp(8), he),
        "vanishing",
        "Standardise the inputs.",
        lambda seed: scaled(rows(seed), 1e-4),
        rows,
    ),
    "inputs_huge": _sick(
        lambda: initialised(mlp(8), he),
        lambda: initialised(mlp(8), he),
        "exploding",
        "Standardise the inputs.",
        lambda seed: scaled(rows(seed), 1e4),
        rows,
    ),
    "weights_of_std_1": _sick(
        lambda: initialised(mlp(10), nn.init.normal_),
        lambda: initialised(mlp(10), he),
        "exploding",
        "Divide the weights by the square root of half of each layer's number of inputs (kaiming_normal_).",
    ),
    "residual_unscaled": _sick(
        lambda: initialised(ResidualMLP(40), he),
        lambda: initialised(ResidualMLP(40, scale=1 / 40), he),
        "exploding",
        "Scale each branch by one over the number of blocks.",
    ),
    "rnn_exploding": _sick(
        lambda: rnn("relu", lambda w: nn.init.normal_(w, std=0.3)),
        lambda: rnn("tanh", nn.init.orthogonal_),
        "exploding",
        "Bound the state by tanh, and start the recurrent weights as an orthogonal matrix.",
        early,
    ),
    "rnn_vanishing": _sick(
        lambda: rnn("tanh", lambda w: w),
        lambda: rnn("tanh", nn.init.orthogonal_),
        "vanishing",
        "Start the recurrent weights as an orthogonal matrix.",
        early,
    ),
    "lstm_forgetful": _sick(
        lambda: lstm(-3.0),
        lambda: lstm(5.0),
        "vanishing",
        "Start the forget gates open, with a bias by the length of the sequence.",
        early,
    ),
    "gamma_near_zero": _sick(
        lambda: gammas(mlp(12, norm=nn.BatchNorm1d), 1e-4),
        lambda: gammas(mlp(12, norm=nn.BatchNorm1d), 1.0),
        "vanishing",
        "Start every gamma at 1.",
    ),
    "biases_of_minus_8": _sick(
        lambda: initialised(mlp(6), he, bias=-8.0),
        lambda: initialised(mlp(6), he),
        "dead",
        "Start the biases at zero.",
    ),
    "dead_after_large_steps": Sick(
        lambda seed: stepped(10.0, seed),
        "dead",
        lambda seed: stepped(0.1, seed),
        "Start again with a smaller learning rate.",
    ),
    "uncentred_pixels": _sick(
        lambda: initialised(mlp(60), he),
        lambda: initialised(ResidualMLP(30, scale=0.1, norm=True), he),
        "collapsed",
        "Standardise the inputs, and give the stack normalised and scaled residual branches.",
        lambda seed: pixels(seed, contrast=0.03),
        rows,
    ),
    "transformer_without_skips": _sick(
        lambda: Transformer(skips=False),
        lambda: Transformer(skips=True),
        "collapsed",
        "Put the skip connections back.",
        lambda seed: sequences(seed, length=12),
    ),
    "batch_norm_80": _sick(
        lambda: initialised(mlp(80, norm=nn.BatchNorm1d), he),
        lambda: initialised(ResidualMLP(40, scale=0.1, norm=True), he),
        ("shattered", "exploding"),
        "Give the stack residual connections with scaled branches.",
    ),
    "convolutions_60": _sick(
        lambda: initialised(PlainConvolutions(60), he),
        lambda: initialised(PlainConvolutions(60, scale=0.05), he),
        "shattered",
        "Give the stack residual connections with scaled branches.",
        lambda seed: images(seed, 32, 8, noise=1.3),
    ),
    "nonlinearities_forgotten": _sick(
        lambda: mlp(5, nn.Identity, features=16, classes=4),
        lambda: mlp(5, nn.ReLU, features=16, classes=4),
        "linear",
        "Put a nonlinearity after each hidden layer.",
        parity,
    ),
    "nonlinearity_thrown_away": _sick(
        lambda: Perceptron(keeps=False),
        lambda: Perceptron(keeps=True),
        "linear",
        "Assign what the nonlinearity returns.",
        parity,
    ),
    "branches_all_zero": _sick(
        lambda: zeroed_branches(0.0),
        lambda: zeroed_branches(1.0),
        ("zero by design", "linear"),
        "Leave the branches as torch initialises them, or set only their last layers to zero.",
        parity,
    ),
    "head_all_zero": _sick(
        lambda: zeroed_head(both=True),
        lambda: zeroed_head(both=False),
        "zero by design",
        "Let only the head's last layer start at zero, or small.",
    ),
}
