"""A second set of cases that a diagnosis was not tuned on: networks that train, and sick ones, each with its cure.

As in the other files, every factory takes a seed and returns a model in training mode, a batch of inputs and its
targets: class numbers (one for each input or token), or floating-point numbers of the output's shape, to be met in the
mean square. The denoiser of diffusion takes two inputs, as a tuple: `model(*inputs)`. The first axis counts the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, images, made, rows, sequences, tokens
from held_out import field, joined, shells
from sick import LastStep, Sick, _sick, early, he, initialised, mlp, parity
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

# Data


def grey(seed: int, batch: int = 32, size: int = 16) -> tuple[Tensor, Tensor]:
    """Images as ToTensor gives them, between 0 and 1, which nobody normalised."""
    inputs, labels = images(seed, batch, size)
    return (0.45 + 0.22 * inputs).clamp(0, 1), labels


def units(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Feature vectors in some unit in which their root mean square is 30."""
    inputs, labels = rows(seed, batch)
    return 30.0 * inputs, labels


def clouds(seed: int, batch: int = 32, points: int = 48) -> tuple[Tensor, Tensor]:
    """Point clouds in metres, a few decimetres across, turned at random: a ball, a box, a ring, a rod or a plate."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(5, (batch,), generator=generator)
    ball = F.normalize(torch.randn(batch, points, 3, generator=generator), dim=2)
    box = 2 * torch.rand(batch, points, 3, generator=generator) - 1
    box = box / box.abs().amax(2, keepdim=True)
    ring = F.normalize(ball * torch.tensor([1.0, 1.0, 0.0]), dim=2)
    rod = box * torch.tensor([0.1, 0.1, 1.7])
    plate = box * torch.tensor([1.2, 1.2, 0.05])
    shapes = torch.stack([1.2 * ball, box, 1.4 * ring, rod, plate])[labels, torch.arange(batch)]
    turn, _ = torch.linalg.qr(torch.randn(batch, 3, 3, generator=generator))
    return 0.15 * shapes @ turn + 0.01 * torch.randn(batch, points, 3, generator=generator), labels


def univariate(seed: int) -> tuple[Tensor, Tensor]:
    """Time series of one variable."""
    return sequences(seed, 32, length=24, features=1)


def pressures(seed: int) -> tuple[Tensor, Tensor]:
    """The air's pressure at eight stations, in pascals."""
    inputs, labels = sequences(seed)
    return 101325.0 + 100.0 * inputs, labels


def diffused(seed: int, batch: int = 64) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Feature vectors mixed with noise, the time of the mixing, and the noise."""
    clean, _ = rows(seed, batch)
    generator = torch.Generator().manual_seed(seed + 1)
    time = torch.rand(batch, generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    angle = 0.5 * math.pi * time[:, None]
    return (angle.cos() * clean + angle.sin() * noise, time), noise


# Networks that train


class RMSBlock(nn.Module):
    """A block of a Llama-like decoder: RMSNorm before causal attention, and before a SwiGLU."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.RMSNorm(width), nn.RMSNorm(width)])
        self.mix = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(2 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """The block's tokens."""
        batch, length, width = x.shape
        parts = self.mix(self.norms[0](x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        value, gate = self.up(self.norms[1](x)).chunk(2, 2)
        out: Tensor = x + self.down(value * F.silu(gate))
        return out


class Llama(nn.Module):
    """A decoder of twelve such blocks: scores (batch, position, vocabulary) of the next token."""

    def __init__(self, width: int = 48, blocks: int = 12, length: int = 24) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, width)
        self.position = nn.Parameter(0.1 * torch.randn(length, width))
        self.blocks = nn.Sequential(*[RMSBlock(width) for _ in range(blocks)])
        self.head = nn.Sequential(nn.RMSNorm(width), nn.Linear(width, VOCABULARY, bias=False))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        out: Tensor = self.head(self.blocks(self.token(text) + self.position[: text.shape[1]]))
        return out


class FixupBlock(nn.Module):
    """A residual block without norms: its first layer scaled down by the depth, its last one at zero."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(())) for _ in range(4))
        self.gain = nn.Parameter(torch.ones(()))
        self.first = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        nn.init.normal_(self.first.weight, std=math.sqrt(2 / (9 * width)) / math.sqrt(blocks))
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The block's channels, at each pixel."""
        inside = F.relu(self.first(x + self.biases[0]) + self.biases[1])
        inside = self.gain * self.second(inside + self.biases[2]) + self.biases[3]
        return F.relu(x + inside)


def fixup_network(blocks: int = 8, width: int = 24) -> nn.Module:
    """A residual network by Fixup, whose head starts at zero as well."""
    stem = nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False)
    he(stem.weight)
    head = nn.Linear(width, CLASSES)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    layers = [FixupBlock(width, blocks) for _ in range(blocks)]
    return nn.Sequential(stem, nn.ReLU(), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def policy(width: int = 64) -> nn.Module:
    """A network as reinforcement learning has it: orthogonal weights, tanh, and a head with a std of 1e-3."""
    model = nn.Sequential(nn.Linear(6, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 3))
    for layer in (model[0], model[2]):
        nn.init.orthogonal_(layer.weight, gain=math.sqrt(2))
        nn.init.zeros_(layer.bias)
    nn.init.normal_(model[4].weight, std=1e-3)
    nn.init.zeros_(model[4].bias)
    return model


class Highway(nn.Module):
    """Layers that a sigmoid gate mixes with their input; the gates start almost closed."""

    def __init__(self, depth: int = 12, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Linear(32, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.head = nn.Linear(width, CLASSES)
        for gate in self.gates:
            nn.init.constant_(gate.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for layer, gate in zip(self.layers, self.gates, strict=True):
            opened = gate(x).sigmoid()
            x = opened * F.relu(layer(x)) + (1 - opened) * x
        out: Tensor = self.head(x)
        return out


class IRNN(nn.Module):
    """A rectified recurrent network whose recurrent weights start as the identity, read at the last step."""

    def __init__(self, features: int = 8, width: int = 48) -> None:
        super().__init__()
        self.recurrent = nn.RNN(features, width, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(width, CLASSES)
        nn.init.normal_(self.recurrent.weight_ih_l0, std=0.03)
        nn.init.eye_(self.recurrent.weight_hh_l0)
        nn.init.zeros_(self.recurrent.bias_ih_l0)
        nn.init.zeros_(self.recurrent.bias_hh_l0)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.recurrent(x)[0][:, -1])
        return out


class PointNet(nn.Module):
    """The same layers for each point, the maximum over the points, and a head."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, width), (width, 2 * width)):
            layers += [nn.Conv1d(before, after, 1), nn.BatchNorm1d(after), nn.ReLU()]
        self.points = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 5))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the shapes, for each cloud."""
        out: Tensor = self.head(self.points(x.transpose(1, 2)).amax(2))
        return out


def lenet() -> nn.Module:
    """LeNet-5 with rectifiers, max pooling and dropout, as torch initialises it."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(400, 120), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, CLASSES),
    )  # fmt: skip


def batch_norm_20(seed: int) -> Case:
    """A plain perceptron of 20 layers with batch norm."""
    return made(seed, lambda: initialised(mlp(20, norm=nn.BatchNorm1d), he), rows(seed, 64))


def tanh_orthogonal_30(seed: int) -> Case:
    """A plain tanh network of 30 layers with orthogonal weights."""
    return made(seed, lambda: initialised(mlp(30, nn.Tanh), nn.init.orthogonal_), rows(seed))


def pixels_he_10(seed: int) -> Case:
    """A plain network of ten rectified layers, He-initialised, on pixels between 0 and 1."""
    return made(
        seed, lambda: nn.Sequential(nn.Flatten(), initialised(mlp(10, width=128, features=768), he)), grey(seed)
    )


def llama_12(seed: int) -> Case:
    """A pre-norm decoder of twelve blocks with RMSNorm and SwiGLU."""
    return made(seed, Llama, tokens(seed))


def fixup(seed: int) -> Case:
    """A residual network by Fixup."""
    return made(seed, fixup_network, images(seed, 32, 16))


def tiny_head(seed: int) -> Case:
    """A tanh network whose head starts at a std of 1e-3."""
    return made(seed, policy, shells(seed))


def deep_narrow(seed: int) -> Case:
    """Sixteen layers of twelve units with ELU."""
    return made(seed, lambda: initialised(mlp(16, nn.ELU, width=12, features=6, classes=3), he), shells(seed))


def irnn_100(seed: int) -> Case:
    """An IRNN over 100 steps."""
    return made(seed, IRNN, sequences(seed, length=100))


def highway(seed: int) -> Case:
    """A highway network of twelve layers."""
    return made(seed, Highway, rows(seed))


def lenet_dropout(seed: int) -> Case:
    """LeNet with max pooling and dropout."""
    return made(seed, lenet, images(seed, 32, 32))


def units_of_30(seed: int) -> Case:
    """A default perceptron of three hidden layers, on inputs of rms 30."""
    return made(seed, lambda: mlp(3), units(seed))


def pointnet(seed: int) -> Case:
    """PointNet on coordinates in metres, of rms 0.1 or so."""
    return made(seed, PointNet, clouds(seed))


HEALTHY_LAST: dict[str, Callable[[int], Case]] = {
    "batch_norm_20": batch_norm_20,
    "tanh_orthogonal_30": tanh_orthogonal_30,
    "pixels_he_10": pixels_he_10,
    "llama_12": llama_12,
    "fixup": fixup,
    "tiny_head": tiny_head,
    "deep_narrow": deep_narrow,
    "irnn_100": irnn_100,
    "highway": highway,
    "lenet_dropout": lenet_dropout,
    "units_of_30": units_of_30,
    "pointnet": pointnet,
}

# Of these, some start with a head or branches at exactly zero, as their authors chose: a diagnosis may say so.
ZERO_AT_START_LAST = frozenset({"fixup"})


# Sick networks


def lipschitz(bounded: bool, depth: int = 24, width: int = 64) -> nn.Module:
    """A plain rectified network, with spectral norm on each of its layers, or a layer norm behind it."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        linear = nn.Linear(width if layer else 32, width)
        he(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [spectral_norm(linear)] if bounded else [linear, nn.LayerNorm(width)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


class Averaged(nn.Module):
    """Residual blocks whose skip and branch are averaged, or added."""

    def __init__(self, by: float, depth: int = 40, width: int = 64) -> None:
        super().__init__()
        self.by = by
        self.embed = nn.Linear(32, width)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width, bias=False), nn.ReLU(), nn.Linear(width, width, bias=False))
            for _ in range(depth)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for branch in self.branches:
            x = self.by * (x + branch(x))
        out: Tensor = self.head(x)
        return out


class Univariate(nn.Module):
    """Convolutions over a series of one variable, with a layer norm before or after its embedding."""

    def __init__(self, norm_first: bool, width: int = 32) -> None:
        super().__init__()
        norm = nn.LayerNorm(1 if norm_first else width)
        embed = nn.Linear(1, width)
        self.embed = nn.Sequential(norm, embed) if norm_first else nn.Sequential(embed, norm)
        self.convolutions = nn.Sequential(
            nn.Conv1d(width, width, 5, padding=2), nn.GELU(), nn.Conv1d(width, width, 5, padding=2), nn.GELU()
        )
        self.head = nn.Linear(24 * width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.convolutions(self.embed(x).transpose(1, 2)).flatten(1))
        return out


class Forecaster(nn.Module):
    """A stacked LSTM as torch initialises it, read at the last step; it may standardise its inputs first."""

    def __init__(self, standardises: bool, width: int = 48) -> None:
        super().__init__()
        self.standardises = standardises
        self.recurrent = nn.LSTM(8, width, num_layers=2, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        if self.standardises:
            x = (x - 101325.0) / 100.0
        out: Tensor = self.head(self.recurrent(x)[0][:, -1])
        return out


class Square(nn.Module):
    """The square, as an activation that homomorphic encryption can compute."""

    def forward(self, x: Tensor) -> Tensor:
        """The squares."""
        return x * x


class Branched(nn.Module):
    """Residual blocks of two linear layers and dropout, between which there is an activation, or none."""

    def __init__(self, act: Callable[[], nn.Module], depth: int = 4, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Linear(16, width)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), act(), nn.Dropout(0.1), nn.Linear(2 * width, width))
            for _ in range(depth)
        )
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for branch in self.branches:
            x = x + branch(x)
        out: Tensor = self.head(x)
        return out


class RadialBasis(nn.Module):
    """Radial basis functions of flattened images, of some width, and a linear head."""

    def __init__(self, gamma: float, features: int = 768, centres: int = 128) -> None:
        super().__init__()
        self.gamma = gamma
        self.centres = nn.Parameter(torch.randn(centres, features))
        self.head = nn.Linear(centres, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        x = x.flatten(1)
        squares = (x * x).sum(1, keepdim=True) - 2 * x @ self.centres.T + (self.centres * self.centres).sum(1)
        out: Tensor = self.head((-self.gamma * squares).exp())
        return out


class Denoiser(nn.Module):
    """A denoiser with adaLN-Zero: norms that the time scales and shifts, branches it gates, a head at zero.

    The scales are added to 1, or, in the last norm, forgotten to be.
    """

    def __init__(self, one: float, depth: int = 3, width: int = 96) -> None:
        super().__init__()
        self.one = one
        self.embed = nn.Linear(32, width)
        self.time = nn.Sequential(nn.Linear(16, width), nn.SiLU())
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(depth + 1))
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(depth)
        )
        self.modulations = nn.ModuleList(nn.Linear(width, (3 if k < depth else 2) * width) for k in range(depth + 1))
        self.head = nn.Linear(width, 32)
        for zero in (*self.modulations, self.head):
            nn.init.zeros_(zero.weight)
            nn.init.zeros_(zero.bias)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """The noise in each vector."""
        phases = math.pi * time[:, None] * 2.0 ** torch.arange(-2, 6, device=time.device)
        when = self.time(torch.cat([phases.sin(), phases.cos()], 1))
        x = self.embed(x)
        for norm, branch, modulation in zip(self.norms, self.branches, self.modulations, strict=False):
            shift, scale, gate = modulation(when).chunk(3, 1)
            x = x + gate * branch(norm(x) * (1 + scale) + shift)
        shift, scale = self.modulations[-1](when).chunk(2, 1)
        out: Tensor = self.head(self.norms[-1](x) * (self.one + scale) + shift)
        return out


def recurrent(gain: float, hidden: int = 64) -> nn.Module:
    """A tanh recurrent network, read at the last step, whose recurrent weights start orthogonal, times a gain."""
    layer = nn.RNN(8, hidden, batch_first=True)
    nn.init.orthogonal_(layer.weight_hh_l0, gain=gain)
    return LastStep(layer)


class FourierFeatures(nn.Module):
    """Random Fourier features of coordinates, at some scale of frequencies, and a perceptron on them."""

    frequencies: Tensor

    def __init__(self, scale: float, features: int = 64, width: int = 64) -> None:
        super().__init__()
        self.register_buffer("frequencies", scale * torch.randn(2, features))
        self.net = nn.Sequential(
            nn.Linear(2 * features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The colours, at each place."""
        phases = 2 * math.pi * x @ self.frequencies
        out: Tensor = self.net(torch.cat([phases.sin(), phases.cos()], 1))
        return out


SICK_LAST: dict[str, Sick] = {
    "spectral_norm_24": _sick(
        lambda: lipschitz(bounded=True),
        lambda: lipschitz(bounded=False),
        "vanishing",
        "Normalise the layers without spectral norms, which shrink what passes each rectified layer.",
    ),
    "skips_averaged": _sick(
        lambda: Averaged(0.5),
        lambda: Averaged(1.0),
        "vanishing",
        "Add the skip and the branch instead of averaging them.",
    ),
    "softmax_hidden": _sick(
        lambda: mlp(4, lambda: nn.Softmax(dim=1), width=128),
        lambda: mlp(4, width=128),
        ("collapsed", "vanishing"),
        "Use a rectifier in the hidden layers, and softmax in the loss alone.",
    ),
    "layer_norm_of_one": _sick(
        lambda: Univariate(norm_first=True),
        lambda: Univariate(norm_first=False),
        "collapsed",
        "Normalise after the embedding: a layer norm over one variable makes it zero.",
        univariate,
    ),
    "lstm_in_pascals": _sick(
        lambda: Forecaster(standardises=False),
        lambda: Forecaster(standardises=True),
        ("collapsed", "vanishing"),
        "Standardise the inputs.",
        pressures,
    ),
    "uniform_by_default": _sick(
        lambda: initialised(mlp(5), nn.init.uniform_),
        lambda: initialised(mlp(5), lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("exploding", "collapsed"),
        "Centre the weights on zero and scale them by each layer's number of inputs (kaiming_uniform_).",
    ),
    "squares": _sick(
        lambda: initialised(mlp(5, Square), nn.init.xavier_normal_),
        lambda: initialised(mlp(5, Square, nn.LayerNorm), nn.init.xavier_normal_),
        "exploding",
        "Normalise before each square.",
    ),
    "orthogonal_gain_2": _sick(
        lambda: initialised(mlp(80), lambda w: nn.init.orthogonal_(w, gain=2.0)),
        lambda: initialised(mlp(80), lambda w: nn.init.orthogonal_(w, gain=math.sqrt(2))),
        "exploding",
        "Use the rectifier's gain, the square root of 2.",
    ),
    "branches_without_act": _sick(
        lambda: Branched(nn.Identity),
        lambda: Branched(nn.GELU),
        "linear",
        "Put a nonlinearity between the two layers of each branch.",
        parity,
    ),
    "rbf_too_narrow": _sick(
        lambda: RadialBasis(1.0),
        lambda: RadialBasis(1 / 768),
        ("dead", "vanishing", "collapsed"),
        "Divide the squared distances by the number of features.",
        lambda seed: images(seed, 32, 16),
    ),
    "softshrink_of_a_half": _sick(
        lambda: mlp(4, nn.Softshrink),
        lambda: mlp(4, lambda: nn.Softshrink(0.02)),
        ("dead", "vanishing"),
        "Shrink by far less than the units' values, which are about 0.1 here, or use a rectifier.",
    ),
    "adaln_without_one": Sick(
        lambda seed: joined(seed, lambda: Denoiser(0.0), *diffused(seed)),
        "zero by design",
        lambda seed: joined(seed, lambda: Denoiser(1.0), *diffused(seed)),
        "Add 1 to the scale of the last norm, so that only the head starts at zero.",
    ),
    "rnn_gain_5": _sick(
        lambda: recurrent(5.0),
        lambda: recurrent(1.0),
        ("shattered", "exploding"),
        "Start the recurrent weights as an orthogonal matrix with a gain of 1, also before tanh.",
        lambda seed: early(seed, length=30),
    ),
    "fourier_too_fine": _sick(
        lambda: FourierFeatures(300.0),
        lambda: FourierFeatures(1.0),
        ("shattered", "exploding"),
        "Choose frequencies of the picture's own scale.",
        field,
    ),
}
