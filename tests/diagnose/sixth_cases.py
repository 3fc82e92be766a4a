"""Networks as people build and initialise them, which train, and networks made sick in ways that happen to people, each
with its cure; written by someone who had not seen how the diagnosis works.

Targets are class numbers, or, where a network puts out quantities, floating-point numbers of the shape of its output
(whose loss is the mean squared error).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, _torchvision, images, made, rows, sequences, tokens
from sick import Sick, early, he, initialised, mlp, parity, scaled
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

Batch = tuple[Tensor, Tensor]

# What the healthy networks are fed.


def noised(seed: int) -> Batch:
    """Images under noise of a level of their own, a fourth channel that holds the level, and the noise."""
    clean = images(seed, 16, 16, noise=0.1)[0]
    generator = torch.Generator().manual_seed(seed + 1)
    level = torch.rand(16, 1, 1, 1, generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    mixed = (torch.pi / 2 * level).cos() * clean + (torch.pi / 2 * level).sin() * noise
    return torch.cat([mixed, level.expand(-1, 1, 16, 16)], 1), noise


def itself(seed: int) -> Batch:
    """Noisy images, which are to be put out again."""
    inputs = images(seed, 32, 16, noise=0.2)[0]
    return inputs, inputs


def picture(seed: int) -> Batch:
    """Places in a square, and the grey value there of a picture with fine detail."""
    places = 2 * torch.rand(64, 2, generator=torch.Generator().manual_seed(seed)) - 1
    across, down = places.unbind(1)
    values = (9 * across).sin() + (7 * down + 3 * across).cos() + (12 * across * down).sin()
    return places, values.unsqueeze(1)


def heat(seed: int) -> Batch:
    """Places and times, and the temperature there of a rod that cools down."""
    generator = torch.Generator().manual_seed(seed)
    place = 2 * torch.rand(64, generator=generator) - 1
    time = torch.rand(64, generator=generator)
    warm = -(torch.pi * place).sin() * (-time).exp() + 0.5 * (3 * torch.pi * place).sin() * (-3 * time).exp()
    return torch.stack([place, time], 1), warm.unsqueeze(1)


def formula(seed: int) -> Batch:
    """Points in a square, and a formula of the paper on Kolmogorov-Arnold networks."""
    points = 2 * torch.rand(64, 2, generator=torch.Generator().manual_seed(seed)) - 1
    return points, ((torch.pi * points[:, :1]).sin() + points[:, 1:] ** 2).exp()


def clouds(seed: int, batch: int = 32, points: int = 96) -> Batch:
    """Points on a ball, a box, a cylinder or a cone, turned about the upright axis."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % 4
    raw = torch.randn(batch, points, 3, generator=generator)
    ball = raw / raw.norm(dim=2, keepdim=True)
    box = raw / raw.abs().amax(2, keepdim=True)
    height = 2 * torch.rand(batch, points, 1, generator=generator) - 1
    ring = raw[:, :, :2] / raw[:, :, :2].norm(dim=2, keepdim=True)
    kinds = torch.stack([ball, box, torch.cat([ring, height], 2), torch.cat([ring * (1 - height) / 2, height], 2)])
    turn = 2 * torch.pi * torch.rand(batch, 1, generator=generator)
    x, y, z = kinds[labels, torch.arange(batch)].unbind(2)
    return torch.stack([x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos(), z], 2), labels


def pairs(seed: int) -> Batch:
    """Two images each, and whether they are of one class."""
    first, labels = images(seed, 32, 16, noise=0.4)
    second, others = images(seed + 5000, 32, 16, noise=0.4)
    alike = torch.rand(32, generator=torch.Generator().manual_seed(seed)) < 0.5
    partner = torch.stack([(others == label).nonzero()[0, 0] for label in labels])
    second = torch.where(alike.view(-1, 1, 1, 1), second[partner], second)
    return torch.stack([first, second], 1), (alike | (others == labels)).long()


def tastes(seed: int, people: int = 30, batch: int = 64) -> Batch:
    """A person's and a film's number, and whether the one likes the other."""
    taste = torch.randn(2, people, 3, generator=torch.Generator().manual_seed(0))
    numbers = torch.randint(people, (batch, 2), generator=torch.Generator().manual_seed(seed))
    return numbers, ((taste[0, numbers[:, 0]] * taste[1, numbers[:, 1]]).sum(1) > 0).long()


def reversed_curves(seed: int) -> Batch:
    """Series upside down and backwards, with other class numbers."""
    inputs, labels = sequences(seed)
    return -inputs.flip(1), (3 * labels + 1) % CLASSES


# The networks that train.


class TimedBlock(nn.Module):
    """A diffusion model's residual block: the time is added in the middle, and the last convolution starts at zero."""

    def __init__(self, before: int, after: int, time: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(4, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(time, after))
        self.second = nn.Sequential(nn.GroupNorm(4, after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1))
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        for parameter in self.second[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """The block's features."""
        hidden = self.first(x) + self.time(time)[:, :, None, None]
        out: Tensor = self.skip(x) + self.second(hidden)
        return out


class Denoiser(nn.Module):
    """DDPM's U-Net, small: the fourth channel of its input holds the noise level."""

    def __init__(self, width: int = 16, time: int = 32) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(16, time), nn.SiLU(), nn.Linear(time, time))
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.high = TimedBlock(width, width, time)
        self.down = nn.Conv2d(width, width, 3, 2, padding=1)
        self.low = nn.ModuleList([TimedBlock(width, 2 * width, time), TimedBlock(2 * width, 2 * width, time)])
        self.up = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.last = TimedBlock(3 * width, width, time)
        self.out = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))
        for parameter in self.out[2].parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """The noise in each image."""
        angle = x[:, 3, 0, :1] * torch.logspace(0, 3, 8, base=2.0, device=x.device)
        time = self.time(torch.cat([angle.sin(), angle.cos()], 1))
        high = self.high(self.enter(x[:, :3]), time)
        low = self.down(high)
        for block in self.low:
            low = block(low, time)
        x = torch.cat([high, self.up(F.interpolate(low, scale_factor=2.0))], 1)
        out: Tensor = self.out(self.last(x, time))
        return out


class VariationalAutoencoder(nn.Module):
    """Convolutions down to the mean and variance of a code, and transposed ones up from a sample of it."""

    def __init__(self, code: int = 12) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.Flatten()
        )
        self.mean, self.log_variance = nn.Linear(512, code), nn.Linear(512, code)
        self.decode = nn.Sequential(
            nn.Linear(code, 512),
            nn.ReLU(),
            nn.Unflatten(1, (32, 4, 4)),
            nn.ConvTranspose2d(32, 16, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 3, 4, 2, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Images from a sample of each image's code."""
        x = self.encode(x)
        mean = self.mean(x)
        out: Tensor = self.decode(mean + (0.5 * self.log_variance(x)).exp() * torch.randn_like(mean))
        return out


class Sine(nn.Module):
    """A layer of sines, initialised as in the paper on SIREN."""

    def __init__(self, before: int, after: int, first: bool, omega: float = 30.0) -> None:
        super().__init__()
        self.omega = omega
        self.linear = nn.Linear(before, after)
        bound = 1 / before if first else math.sqrt(6 / before) / omega
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The sines."""
        return torch.sin(self.omega * self.linear(x))


def sines(omega: float, width: int = 64) -> nn.Module:
    """A SIREN of three hidden layers, whose first has a frequency of choice."""
    last = nn.Linear(width, 1)
    nn.init.uniform_(last.weight, -math.sqrt(6 / width) / 30, math.sqrt(6 / width) / 30)
    return nn.Sequential(Sine(2, width, True, omega), Sine(width, width, False), Sine(width, width, False), last)


class KolmogorovArnold(nn.Module):
    """A layer of FastKAN: radial functions of each normalised input, mixed, beside a layer of SiLU."""

    def __init__(self, before: int, after: int, centres: int = 8) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(before) if before > 2 else nn.Identity()
        self.register_buffer("centres", torch.linspace(-2, 2, centres))
        self.spline = nn.Linear(before * centres, after, bias=False)
        nn.init.trunc_normal_(self.spline.weight, std=0.1)
        self.base = nn.Linear(before, after)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's sums of functions."""
        apart = (self.norm(x).unsqueeze(2) - self.centres) / (4 / 7)
        out: Tensor = self.spline((-(apart**2)).exp().flatten(1)) + self.base(F.silu(x))
        return out


class Adapted(nn.Module):
    """A frozen linear layer, and beside it two thin ones that learn (LoRA), of which the second starts at zero."""

    def __init__(self, base: nn.Linear, first_too: bool, rank: int = 4) -> None:
        super().__init__()
        self.base = base
        for parameter in base.parameters():
            parameter.requires_grad = False
        self.down = nn.Parameter(torch.zeros(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        if not first_too:
            nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, x: Tensor) -> Tensor:
        """The frozen layer's output, adapted."""
        out: Tensor = self.base(x) + 4.0 * (x @ self.down.T @ self.up.T)
        return out


class PlainBlock(nn.Module):
    """A transformer's block with attention by hand, normalised first."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The block's tokens."""
        normed = self.norms[0](x)
        asks, keys, values = (
            layer(normed).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        x = x + self.out(F.scaled_dot_product_attention(asks, keys, values).transpose(1, 2).flatten(2))
        out: Tensor = x + self.narrow(F.gelu(self.wide(self.norms[1](x))))
        return out


class SeriesEncoder(nn.Module):
    """Three blocks on the steps of a series, averaged for a class."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.position = nn.Parameter(0.02 * torch.randn(24, width))
        self.blocks = nn.Sequential(*[PlainBlock(width) for _ in range(3)])
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.blocks(self.embed(x) + self.position).mean(1))
        return out


def adapted(first_too: bool, seed: int, new_head: bool) -> nn.Module:
    """An encoder trained on one task for a while, then frozen and given adapters, and maybe a new head."""
    model = SeriesEncoder()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(60):
        inputs, labels = sequences(seed + 7 * step)
        optimiser.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimiser.step()
    optimiser.zero_grad()
    for parameter in model.parameters():
        parameter.requires_grad = False
    for block in model.blocks.children():
        for name in ("query", "value", "wide", "narrow"):
            setattr(block, name, Adapted(getattr(block, name), first_too))
    if new_head:
        model.head = nn.Sequential(nn.LayerNorm(48), nn.Linear(48, CLASSES))
    return model


class Quantise(nn.Module):
    """A tensor in a few steps of learnt size, whose gradient passes straight through (LSQ)."""

    def __init__(self, low: int, high: int, size: float) -> None:
        super().__init__()
        self.low, self.high = low, high
        self.size = nn.Parameter(torch.tensor(size))

    def forward(self, x: Tensor) -> Tensor:
        """The tensor in steps."""
        parts = (x / self.size).clamp(self.low, self.high)
        out: Tensor = (parts + (parts.round() - parts).detach()) * self.size
        return out


class QuantisedConvolution(nn.Module):
    """A convolution with weights of four bits, batch norm, and a rectifier of four bits."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.weights = Quantise(-8, 7, 2 * self.convolution.weight.abs().mean().item() / 7**0.5)
        self.norm = nn.BatchNorm2d(after)
        self.activations = Quantise(0, 15, 0.2)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """The layer's features, in steps."""
        x = F.conv2d(x, self.weights(self.convolution.weight), stride=self.stride, padding=1)
        out: Tensor = self.activations(F.relu(self.norm(x)))
        return out


class Causal(nn.Module):
    """A causal dilated convolution with weight norm, a rectifier and dropout, twice, beside a skip (TCN)."""

    def __init__(self, before: int, after: int, dilation: int) -> None:
        super().__init__()
        self.padding = 2 * dilation
        self.first = weight_norm(nn.Conv1d(before, after, 3, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(after, after, 3, dilation=dilation))
        self.skip = nn.Conv1d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The block's features."""
        hidden = F.dropout(F.relu(self.first(F.pad(x, (self.padding, 0)))), 0.1, self.training)
        hidden = F.dropout(F.relu(self.second(F.pad(hidden, (self.padding, 0)))), 0.1, self.training)
        return F.relu(hidden + self.skip(x))


class TemporalConvolutions(nn.Module):
    """A TCN of four blocks on a series, and a linear head on its last step."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[Causal(width if level else 8, width, 2**level) for level in range(4)])
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.blocks(x.transpose(1, 2))[:, :, -1])
        return out


class Coupling(nn.Module):
    """An affine coupling of RealNVP: one half of the features scales and shifts the other, not at all to begin with."""

    def __init__(self, features: int, swapped: bool) -> None:
        super().__init__()
        self.swapped = swapped
        self.change = nn.Sequential(nn.Linear(features // 2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.last = nn.Linear(64, features)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The features, and the logarithm of the change of volume."""
        kept, other = x.chunk(2, 1)[:: -1 if self.swapped else 1]
        scale, shift = self.last(self.change(kept)).chunk(2, 1)
        scale = scale.tanh()
        other = other * scale.exp() + shift
        return torch.cat([other, kept] if self.swapped else [kept, other], 1), scale.sum(1)


class FlowGMM(nn.Module):
    """A normalising flow to a mixture of Gaussians, one for each class, whose log-densities are the scores."""

    means: Tensor

    def __init__(self, features: int = 16, classes: int = 4) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(Coupling(features, bool(number % 2)) for number in range(6))
        self.register_buffer("means", torch.randn(classes, features))

    def forward(self, x: Tensor) -> Tensor:
        """The log-density of each class, at each vector."""
        volume = x.new_zeros(x.shape[0])
        for coupling in self.couplings:
            x, change = coupling(x)
            volume = volume + change
        return volume.unsqueeze(1) - 0.5 * (x.unsqueeze(1) - self.means).square().sum(2)


class PointNet(nn.Module):
    """PointNet, small: a transform that starts at the identity, layers shared by all points, and their maximum."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.look = nn.Sequential(*self._shared(3, 32), *self._shared(32, 64))
        self.turn = nn.Linear(64, 9)
        nn.init.zeros_(self.turn.weight)
        self.turn.bias.data.copy_(torch.eye(3).flatten())
        self.features = nn.Sequential(*self._shared(3, 32), *self._shared(32, 64), *self._shared(64, 128))
        self.head = nn.Sequential(
            nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, classes)
        )

    @staticmethod
    def _shared(before: int, after: int) -> list[nn.Module]:
        """A layer on each point."""
        return [nn.Conv1d(before, after, 1), nn.BatchNorm1d(after), nn.ReLU()]

    def forward(self, cloud: Tensor) -> Tensor:
        """The scores of the classes, for each cloud."""
        turn = self.turn(self.look(cloud.transpose(1, 2)).amax(2)).view(-1, 3, 3)
        out: Tensor = self.head(self.features((cloud @ turn).transpose(1, 2)).amax(2))
        return out


class ConformerBlock(nn.Module):
    """Half a feedforward, attention, a gated depthwise convolution over time, and the other half."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.halves = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 4 * width),
                nn.SiLU(),
                nn.Dropout(0.1),
                nn.Linear(4 * width, width),
                nn.Dropout(0.1),
            )
            for _ in range(2)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention = nn.MultiheadAttention(width, 4, dropout=0.1, batch_first=True)
        self.convolution = nn.Sequential(
            nn.Conv1d(width, 2 * width, 1),
            nn.GLU(1),
            nn.Conv1d(width, width, 7, padding=3, groups=width),
            nn.BatchNorm1d(width),
            nn.SiLU(),
            nn.Conv1d(width, width, 1),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The block's frames."""
        x = x + 0.5 * self.halves[0](x)
        normed = self.norms[0](x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        x = x + self.convolution(self.norms[1](x).transpose(1, 2)).transpose(1, 2)
        out: Tensor = self.norms[2](x + 0.5 * self.halves[1](x))
        return out


class Conformer(nn.Module):
    """Conformer on frames of a spectrogram, at half their rate, averaged for a word."""

    def __init__(self, bands: int = 20, width: int = 32) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv1d(bands, width, 3, 2, padding=1), nn.ReLU())
        self.blocks = nn.Sequential(*[ConformerBlock(width) for _ in range(3)])
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the words, for each recording."""
        out: Tensor = self.head(self.blocks(self.enter(x.transpose(1, 2)).transpose(1, 2)).mean(1))
        return out


class NeuMF(nn.Module):
    """Neural matrix factorisation: a product of embeddings, beside a perceptron on others; as its paper starts it."""

    def __init__(self, people: int = 30, width: int = 16) -> None:
        super().__init__()
        self.products = nn.ModuleList(nn.Embedding(people, width) for _ in range(2))
        self.sides = nn.ModuleList(nn.Embedding(people, width) for _ in range(2))
        for embedding in [*self.products, *self.sides]:
            nn.init.normal_(embedding.weight, std=0.01)
        self.deep = nn.Sequential(
            nn.Linear(2 * width, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU()
        )
        for layer in self.deep:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.head = nn.Linear(width + 8, 2)

    def forward(self, numbers: Tensor) -> Tensor:
        """The scores of dislike and like."""
        person, film = numbers.unbind(1)
        product = self.products[0](person) * self.products[1](film)
        deep = self.deep(torch.cat([self.sides[0](person), self.sides[1](film)], 1))
        out: Tensor = self.head(torch.cat([product, deep], 1))
        return out


class Siamese(nn.Module):
    """Koch's siamese network, small: the same convolutions on both images, and a layer on the difference's size."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            nn.Conv2d(3, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(800, 64),
            nn.Sigmoid(),
        )
        self.head = nn.Linear(64, 2)

    def forward(self, both: Tensor) -> Tensor:
        """The scores of different and same."""
        out: Tensor = self.head((self.tower(both[:, 0]) - self.tower(both[:, 1])).abs())
        return out


class RootMeanSquare(nn.Module):
    """RMSNorm, which computes the mean square with some precision."""

    def __init__(self, width: int, kind: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.kind = kind
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """The features, normalised."""
        size = (x.to(self.kind).square().mean(-1, keepdim=True) + 1e-6).sqrt()
        out: Tensor = x / size.to(x.dtype) * self.weight
        return out


class SwitchLayer(nn.Module):
    """Gated experts, of which each token visits the one its router likes best, weighted by how much."""

    def __init__(self, width: int, experts: int) -> None:
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.gates, self.wide, self.narrow = (
            nn.ModuleList(nn.Linear(before, after, bias=False) for _ in range(experts))
            for before, after in ((width, 2 * width), (width, 2 * width), (2 * width, width))
        )

    def forward(self, x: Tensor) -> Tensor:
        """The answer to each token of the expert it visits."""
        weight, choice = self.router(x).softmax(-1).max(-1)
        out: Tensor = torch.zeros_like(x)
        for number, (gate, wide, narrow) in enumerate(zip(self.gates, self.wide, self.narrow, strict=True)):
            mine = choice == number
            visitors = x[mine]
            answers = narrow(F.silu(gate(visitors)) * wide(visitors))
            out = out.masked_scatter(mine.unsqueeze(-1), answers)
        out = out * weight.unsqueeze(-1)
        return out


class SwitchBlock(nn.Module):
    """Causal attention with rotary positions, and a layer of experts, each normalised first."""

    def __init__(self, width: int, heads: int = 4, experts: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(RootMeanSquare(width) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.experts = SwitchLayer(width, experts)

    def _turned(self, x: Tensor) -> Tensor:
        """Queries or keys, turned by their positions."""
        rates = 100.0 ** -torch.linspace(0, 1, x.shape[3] // 2, device=x.device)
        angle = torch.arange(x.shape[2], device=x.device).unsqueeze(1) * rates
        even, odd = x.chunk(2, 3)
        return torch.cat([even * angle.cos() - odd * angle.sin(), even * angle.sin() + odd * angle.cos()], 3)

    def forward(self, x: Tensor) -> Tensor:
        """The block's tokens."""
        asks, keys, values = self.qkv(self.norms[0](x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(self._turned(asks), self._turned(keys), values, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        out: Tensor = x + self.experts(self.norms[1](x))
        return out


class SwitchModel(nn.Module):
    """A language model of switched experts in the style of Mixtral, whose weights start with a deviation of 0.02."""

    def __init__(self, width: int = 48, layers: int = 2) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, width)
        self.blocks = nn.Sequential(*[SwitchBlock(width) for _ in range(layers)])
        self.norm = RootMeanSquare(width)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        out: Tensor = self.head(self.norm(self.blocks(self.token(text))))
        return out


class IdentityRNN(nn.Module):
    """A recurrent network of rectifiers whose recurrent weights start as the identity (IRNN)."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.rnn = nn.RNN(8, width, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(width, CLASSES)
        for name, parameter in self.rnn.named_parameters():
            if name.startswith("weight_hh"):
                nn.init.eye_(parameter)
            else:
                nn.init.normal_(parameter, std=0.001 if name.startswith("weight") else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.rnn(x)[0][:, -1])
        return out


def denoiser(seed: int) -> Case:
    """A denoiser of a diffusion model."""
    return made(seed, Denoiser, noised(seed))


def variational_autoencoder(seed: int) -> Case:
    """A variational autoencoder of convolutions."""
    return made(seed, VariationalAutoencoder, itself(seed))


def siren(seed: int) -> Case:
    """A SIREN that paints a picture."""
    return made(seed, lambda: sines(30.0), picture(seed))


def fast_kan(seed: int) -> Case:
    """A Kolmogorov-Arnold network of radial functions."""
    return made(seed, lambda: nn.Sequential(KolmogorovArnold(2, 12), KolmogorovArnold(12, 1)), formula(seed))


def lora(seed: int) -> Case:
    """A trained and frozen encoder with low-rank adapters and a new head, on another task."""
    return made(seed, lambda: adapted(False, seed, new_head=True), reversed_curves(seed))


def quantised(seed: int) -> Case:
    """Convolutions of four bits, trained as such."""

    def build() -> nn.Module:
        layers = [QuantisedConvolution(3, 16, 1), QuantisedConvolution(16, 32, 2), QuantisedConvolution(32, 32, 2)]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, CLASSES))

    return made(seed, build, images(seed, 32, 16))


def temporal_convolutions(seed: int) -> Case:
    """A TCN with weight norm."""
    return made(seed, TemporalConvolutions, sequences(seed))


def flow_gmm(seed: int) -> Case:
    """A normalising flow as a classifier of features whose products matter."""
    return made(seed, FlowGMM, parity(seed))


def point_net(seed: int) -> Case:
    """PointNet on four solids."""
    return made(seed, PointNet, clouds(seed))


def conformer(seed: int) -> Case:
    """Conformer on short recordings."""
    return made(seed, Conformer, sequences(seed, batch=16, length=40, features=20))


def neu_mf(seed: int) -> Case:
    """Neural matrix factorisation, whose embeddings start small."""
    return made(seed, NeuMF, tastes(seed))


def siamese(seed: int) -> Case:
    """A siamese network on pairs of images."""
    return made(seed, Siamese, pairs(seed))


def physics_informed(seed: int) -> Case:
    """Raissi's perceptron of eight layers of twenty tanh, by Xavier's initialisation, on the solution's values."""
    return made(
        seed,
        lambda: initialised(mlp(8, nn.Tanh, width=20, features=2, classes=1), nn.init.xavier_normal_),
        heat(seed),
    )


def switch_model(seed: int) -> Case:
    """A causal language model of switched experts."""
    return made(seed, SwitchModel, tokens(seed))


def identity_rnn(seed: int) -> Case:
    """An IRNN on time series."""
    return made(seed, IdentityRNN, sequences(seed))


def torchvision_squeezenet(seed: int) -> Case:
    """SqueezeNet 1.1, which has no norms, and rectifies its scores before it averages them."""
    models = _torchvision()
    return made(seed, lambda: models.squeezenet1_1(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_shufflenet(seed: int) -> Case:
    """ShuffleNet v2 at half width."""
    models = _torchvision()
    return made(seed, lambda: models.shufflenet_v2_x0_5(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_swin(seed: int) -> Case:
    """A Swin transformer of two stages."""
    models = _torchvision()
    return made(
        seed,
        lambda: models.SwinTransformer(
            patch_size=[2, 2],
            embed_dim=32,
            depths=[2, 2],
            num_heads=[2, 4],
            window_size=[4, 4],
            stochastic_depth_prob=0.1,
            num_classes=CLASSES,
        ),
        images(seed, 16, 32),
    )


def timm_resmlp(seed: int) -> Case:
    """ResMLP of six blocks: affine maps for norms, and scaled branches."""
    _torchvision()
    from timm.models.mlp_mixer import Affine, MlpMixer, ResBlock

    return made(
        seed,
        lambda: MlpMixer(
            num_classes=CLASSES,
            img_size=32,
            patch_size=8,
            num_blocks=6,
            embed_dim=64,
            mlp_ratio=4,
            block_layer=ResBlock,
            norm_layer=Affine,
        ),
        images(seed, 16, 32),
    )


def timm_sequencer(seed: int) -> Case:
    """Sequencer of few layers: LSTMs along rows and columns in place of attention."""
    _torchvision()
    from timm.models.sequencer import Sequencer2d

    return made(
        seed,
        lambda: Sequencer2d(
            num_classes=CLASSES,
            img_size=32,
            layers=(2, 2),
            patch_sizes=(4, 2),
            embed_dims=(32, 64),
            hidden_sizes=(8, 16),
            mlp_ratios=(3.0, 3.0),
        ),
        images(seed, 16, 32),
    )


HEALTHY_SIXTH: dict[str, Callable[[int], Case]] = {
    "denoiser": denoiser,
    "variational_autoencoder": variational_autoencoder,
    "siren": siren,
    "fast_kan": fast_kan,
    "lora": lora,
    "quantised": quantised,
    "temporal_convolutions": temporal_convolutions,
    "flow_gmm": flow_gmm,
    "point_net": point_net,
    "conformer": conformer,
    "neu_mf": neu_mf,
    "siamese": siamese,
    "physics_informed": physics_informed,
    "switch_model": switch_model,
    "identity_rnn": identity_rnn,
    "torchvision_squeezenet": torchvision_squeezenet,
    "torchvision_shufflenet": torchvision_shufflenet,
    "torchvision_swin": torchvision_swin,
    "timm_resmlp": timm_resmlp,
    "timm_sequencer": timm_sequencer,
}


# What the sick networks are fed.


def valuations(seed: int, standardised: bool) -> Batch:
    """A table of sixteen columns, and a price for each row: standardised, or in yen."""
    inputs = torch.randn(32, 16, generator=torch.Generator().manual_seed(seed))
    price = (inputs[:, :1] + inputs[:, 1:2] * inputs[:, 2:3] + (2 * inputs[:, 3:4]).sin()) / 1.6
    return inputs, price if standardised else 3.5e7 + 1.2e7 * price


def corners(seed: int) -> Batch:
    """Noisy images whose class is the product of the signs of two bright or dark corners, and of two others."""
    generator = torch.Generator().manual_seed(seed)
    signs = 2 * torch.randint(2, (32, 4), generator=generator) - 1
    inputs = 0.3 * torch.randn(32, 3, 8, 8, generator=generator)
    for number, (row, column) in enumerate(((0, 0), (0, 4), (4, 0), (4, 4))):
        inputs[:, :, row : row + 4, column : column + 4] += signs[:, number, None, None, None]
    return inputs, (signs[:, 0] * signs[:, 1] > 0).long() + 2 * (signs[:, 2] * signs[:, 3] > 0).long()


def graphs(seed: int, nodes: int = 24, batch: int = 16) -> Batch:
    """Graphs of two communities, their nodes' noisy features before their neighbours, and a class for each graph.

    The features of all nodes have the class's mean, and each node is linked to itself, too.
    """
    means = torch.randn(CLASSES, 8, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % CLASSES
    features = means[labels].unsqueeze(1) + torch.randn(batch, nodes, 8, generator=generator)
    side = torch.arange(nodes) % 2
    chance = torch.where(side.unsqueeze(0) == side.unsqueeze(1), 0.8, 0.4)
    links = (torch.rand(batch, nodes, nodes, generator=generator) < chance).float().triu(1)
    return torch.cat([features, links + links.transpose(1, 2) + torch.eye(nodes)], 2), labels


def communities(seed: int, nodes: int = 24, batch: int = 16) -> Batch:
    """Graphs of three communities, their nodes' noisy features before their neighbours, and each node's community."""
    generator = torch.Generator().manual_seed(seed)
    side = torch.randint(3, (batch, nodes), generator=generator)
    means = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    features = means[side] + 1.5 * torch.randn(batch, nodes, 8, generator=generator)
    chance = torch.where(side.unsqueeze(1) == side.unsqueeze(2), 0.6, 0.1)
    links = (torch.rand(batch, nodes, nodes, generator=generator) < chance).float().triu(1)
    return torch.cat([features, links + links.transpose(1, 2) + torch.eye(nodes)], 2), side


def doubtful(seed: int) -> Batch:
    """Feature vectors, a quarter of whose labels are drawn by lot."""
    inputs, labels = rows(seed, batch=64)
    generator = torch.Generator().manual_seed(seed + 1)
    wrong = torch.rand(64, generator=generator) < 0.25
    return inputs, torch.where(wrong, torch.randint(CLASSES, (64,), generator=generator), labels)


# The sick networks.


class Settled(nn.Module):
    """Convolutions of stride two down to one pixel, each with group norm of so many groups, or a group a channel."""

    def __init__(self, groups: int, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer in range(4):
            layers += [nn.Conv2d(width if layer else 3, width, 3, 2, padding=1), nn.GroupNorm(groups, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        out: Tensor = self.head(self.layers(x).flatten(1))
        return out


class GraphConvolutions(nn.Module):
    """Layers on the nodes of a graph, each after it has summed up or averaged its neighbours, with skips or without."""

    def __init__(self, depth: int, mean: bool, skips: bool, nodewise: int = 0, width: int = 32) -> None:
        super().__init__()
        self.mean, self.skips, self.nodewise = mean, skips, nodewise
        self.embed = nn.Linear(8, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.head = nn.Linear(width, nodewise or CLASSES)
        initialised(self, he)

    def forward(self, graph: Tensor) -> Tensor:
        """The scores of the classes, for each graph or node."""
        x, links = self.embed(graph[:, :, :8]), graph[:, :, 8:]
        if self.mean:
            links = links / links.sum(2, keepdim=True)
        for layer in self.layers:
            new = F.relu(layer(links @ x))
            x = x + 0.3 * new if self.skips else new
        out: Tensor = self.head(x if self.nodewise else x.mean(1))
        return out


class Decaying(nn.Module):
    """A linear recurrence for each channel, which keeps a part of its state at each step, and gated outputs."""

    def __init__(self, low: float, high: float, width: int = 64) -> None:
        super().__init__()
        keep = torch.linspace(low, high, width)
        self.keep = nn.Parameter(torch.log(keep / (1 - keep)))
        self.enter = nn.Linear(8, width)
        self.head = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        keep = self.keep.sigmoid()
        x = self.enter(x)
        state = torch.zeros_like(x[:, 0])
        for step in range(x.shape[1]):
            state = keep * state + (1 - keep**2).sqrt() * x[:, step]
        out: Tensor = self.head(state)
        return out


class Factors(nn.Module):
    """Matrix factorisation: the product of a person's and a film's factors."""

    def __init__(self, std: float, people: int = 30, width: int = 16) -> None:
        super().__init__()
        self.person, self.film = nn.Embedding(people, width), nn.Embedding(people, width)
        nn.init.normal_(self.person.weight, std=std)
        nn.init.normal_(self.film.weight, std=std)

    def forward(self, numbers: Tensor) -> Tensor:
        """The scores of dislike and like."""
        person, film = numbers.unbind(1)
        score = (self.person(person) * self.film(film)).sum(1, keepdim=True)
        return torch.cat([-score, score], 1)


class TiedModel(nn.Module):
    """A language model whose embedding is its head too, in Vaswani's manner times the root of the width."""

    def __init__(self, std: float, width: int = 128) -> None:
        super().__init__()
        self.width = width
        self.token = nn.Embedding(VOCABULARY, width)
        nn.init.normal_(self.token.weight, std=std)
        self.position = nn.Parameter(0.02 * torch.randn(24, width))
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(3))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        x = self.width**0.5 * self.token(text) + self.position
        for layer in self.layers:
            x = x + F.gelu(layer(x))
        return F.linear(x, self.token.weight)


class Averaged(nn.Module):
    """Residual blocks without norms, each of which adds a tenth of its branch, or averages it with the skip."""

    def __init__(self, halved: bool, depth: int = 60, width: int = 64) -> None:
        super().__init__()
        self.halved = halved
        self.embed = nn.Linear(32, width)
        self.layers = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(depth))
        self.head = nn.Linear(width, CLASSES)
        nn.init.zeros_(self.embed.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for layer in self.layers:
            new = layer(x).tanh()
            x = 0.5 * (x + new) if self.halved else x + 0.1 * new
        out: Tensor = self.head(x)
        return out


class ScaledLayers(nn.Module):
    """Normalised residual branches behind a scale for each channel, which learns, or is fixed."""

    scales: Tensor

    def __init__(self, scale: float, depth: int = 6, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Linear(16, width)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(depth)
        )
        self.register_buffer("scales", torch.full((depth, width), scale))
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.embed(x)
        for branch, scale in zip(self.branches, self.scales, strict=True):
            x = x + scale * branch(x)
        out: Tensor = self.head(x)
        return out


def detector(bias: float, width: int = 16) -> nn.Module:
    """Convolutions with a stride, as a detector has them, whose biases all start at one value."""
    layers: list[nn.Module] = []
    for layer in range(4):
        layers += [nn.Conv2d(width if layer else 3, width, 3, 2 if layer % 2 else 1, padding=1), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * width, CLASSES)]
    model: nn.Module = initialised(nn.Sequential(*layers), he, bias)
    return model


class Codes(nn.Module):
    """An encoder, the nearest of a few codes to each of its outputs, and a decoder of the codes (VQ-VAE)."""

    codes: Tensor

    def __init__(self, straight_through: bool, codes: int = 16, width: int = 16) -> None:
        super().__init__()
        self.straight_through = straight_through
        self.encode = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, width), nn.LayerNorm(width))
        self.register_buffer("codes", torch.randn(codes, width))
        self.decode = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.encode(x)
        code = self.codes[torch.cdist(x, self.codes).argmin(1)]
        out: Tensor = self.decode(x + (code - x).detach() if self.straight_through else code)
        return out


def counters(kind: torch.dtype, width: int = 64) -> nn.Module:
    """A perceptron with RMSNorm, whose mean squares are computed with some precision."""
    layers: list[nn.Module] = []
    for before in (32, width, width):
        layers += [nn.Linear(before, width), RootMeanSquare(width, kind), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


class Cosines(nn.Module):
    """The cosines between features and a direction for each class, divided by a temperature."""

    def __init__(self, temperature: float, width: int = 64) -> None:
        super().__init__()
        self.features = mlp(2, classes=width)
        self.directions = nn.Parameter(torch.randn(CLASSES, width))
        self.temperature = temperature

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        return F.normalize(self.features(x), dim=1) @ F.normalize(self.directions, dim=1).T / self.temperature


class Waves(nn.Module):
    """Sines and cosines of places at random frequencies, and a perceptron on them."""

    frequencies: Tensor

    def __init__(self, frequency: float, waves: int = 64) -> None:
        super().__init__()
        self.register_buffer("frequencies", 2 * torch.pi * frequency * torch.randn(2, waves))
        self.layers = mlp(3, features=2 * waves, classes=1)

    def forward(self, x: Tensor) -> Tensor:
        """The value at each place."""
        angle = x @ self.frequencies
        out: Tensor = self.layers(torch.cat([angle.sin(), angle.cos()], 1))
        return out


class Staged(nn.Module):
    """Three stages of convolutions with batch norm, each of twice the width and half the size of the one before."""

    def __init__(self, depth: int, scale: float, width: int = 8) -> None:
        super().__init__()
        self.scale = scale
        self.changes = nn.ModuleList()
        self.stages = nn.ModuleList()
        for stage in range(3):
            channels = width * 2**stage
            before = channels // 2 if stage else 3
            self.changes.append(nn.Conv2d(before, channels, 3, 2 if stage else 1, padding=1, bias=False))
            self.stages.append(
                nn.ModuleList(
                    nn.Sequential(
                        nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)
                    )
                    for _ in range(depth)
                )
            )
        self.head = nn.Sequential(nn.BatchNorm2d(4 * width), nn.ReLU())
        self.scores = nn.Linear(4 * width, CLASSES)
        initialised(self, he)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        for change, stage in zip(self.changes, self.stages, strict=True):
            x = change(x)
            for layer in stage.children():
                x = x + self.scale * layer(x) if self.scale else layer(x)
        out: Tensor = self.scores(self.head(x).mean((2, 3)))
        return out


class Square(nn.Module):
    """The square of each feature."""

    def forward(self, x: Tensor) -> Tensor:
        """The squares."""
        return x * x


def broken(rate: float, seed: int) -> Case:
    """A convolutional network on images, after ten steps of Adam at some rate."""

    def build() -> nn.Module:
        model = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, CLASSES),
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        for step in range(10):
            inputs, labels = images(seed + 100 * step, 32, 16)
            optimiser.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimiser.step()
        optimiser.zero_grad()
        return model

    return made(seed, build, images(seed, 32, 16))


def flat_convolutions(act: Callable[[], nn.Module], width: int = 16) -> nn.Module:
    """Three convolutions on small images, and a head of two layers."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        act(),
        nn.Conv2d(width, width, 3, 2, padding=1),
        act(),
        nn.Conv2d(width, width, 3, padding=1),
        act(),
        nn.Flatten(),
        nn.Linear(16 * width, 64),
        act(),
        nn.Linear(64, 4),
    )


def _pair(
    sick: Callable[[], nn.Module],
    cured: Callable[[], nn.Module],
    cause: str | tuple[str, ...],
    remedy: str,
    batch: Callable[[int], Batch],
    cured_batch: Callable[[int], Batch] | None = None,
) -> Sick:
    """Join the two networks to their batches: the same one, unless the remedy changes the inputs or targets."""
    return Sick(
        lambda seed: made(seed, sick, batch(seed)),
        cause,
        lambda seed: made(seed, cured, (cured_batch or batch)(seed)),
        remedy,
    )


SICK_SIXTH: dict[str, Sick] = {
    # Measured: a loss of 1e15; gradients of 3e5 to 6e7 (cured 1e-2 to 7e-1).
    "prices_as_targets": _pair(
        lambda: mlp(2, features=16, classes=1),
        lambda: mlp(2, features=16, classes=1),
        "exploding",
        "Standardise the targets.",
        lambda seed: valuations(seed, standardised=False),
        lambda seed: valuations(seed, standardised=True),
    ),
    # Measured: inputs' gradients stay the same (cosine 1 to fifteen digits), however the inputs are moved.
    "leaky_slope_of_one": _pair(
        lambda: initialised(flat_convolutions(lambda: nn.LeakyReLU(1.0)), he),
        lambda: initialised(flat_convolutions(lambda: nn.LeakyReLU(0.1)), he),
        "linear",
        "Give the rectifiers a slope well below 1.",
        corners,
    ),
    # Measured: the last norm puts out 2e-6, so that scores vary by 7e-7 between images; gradients before it are 1e-7.
    "group_norm_at_one_pixel": _pair(
        lambda: Settled(32),
        lambda: Settled(4),
        ("collapsed", "vanishing"),
        "Give each group of the norm several channels: one channel of one pixel is its own mean.",
        lambda seed: images(seed, 32, 16),
    ),
    # Measured: features grow from 2 to 3e9, about fourteenfold a layer, and gradients with them.
    "graph_summed": _pair(
        lambda: GraphConvolutions(8, mean=False, skips=False),
        lambda: GraphConvolutions(8, mean=True, skips=True),
        "exploding",
        "Divide each node's sum by its number of neighbours, and give the layers skips.",
        graphs,
    ),
    # Measured: features vary between inputs by a fifth of their size, and their cosine is 0.98.
    "graph_smoothed": _pair(
        lambda: GraphConvolutions(24, mean=True, skips=False, nodewise=3),
        lambda: GraphConvolutions(3, mean=True, skips=True, nodewise=3),
        "collapsed",
        "Use few layers, with skips.",
        communities,
    ),
    # Measured: inputs' gradients are 1e-4 at the last step, and 4e-13 to 1e-7 in the first two thirds.
    "recurrence_forgets": _pair(
        lambda: Decaying(0.05, 0.5),
        lambda: Decaying(0.9, 0.999),
        "vanishing",
        "Start the decays near 1.",
        lambda seed: early(seed, length=30),
    ),
    # Measured: every gradient is exactly zero, though the frozen network hands back 3e-3 to its inputs.
    "lora_zero_twice": Sick(
        lambda seed: made(seed, lambda: adapted(True, seed, new_head=False), reversed_curves(seed)),
        "zero by design",
        lambda seed: made(seed, lambda: adapted(False, seed, new_head=False), reversed_curves(seed)),
        "Start only the second of the adapter's layers at zero.",
    ),
    # Measured: every output and every gradient is exactly zero.
    "factors_all_zero": _pair(
        lambda: Factors(0.0),
        lambda: Factors(0.1),
        "zero by design",
        "Start the factors at small random numbers.",
        tastes,
    ),
    # Measured: all units of a layer are equal; as all rows of the head are, too, hidden gradients cancel to 1e-10.
    "units_all_alike": _pair(
        lambda: initialised(mlp(3), lambda w: nn.init.constant_(w, 0.03)),
        lambda: initialised(mlp(3), he),
        ("collapsed", "vanishing"),
        "Draw the weights at random.",
        rows,
    ),
    # Measured: scores of 320 and a loss of 1500, where guessing costs 3.5.
    "embedding_tied_and_multiplied": _pair(
        lambda: TiedModel(1.0),
        lambda: TiedModel(128**-0.5),
        "exploding",
        "Start the tied embedding with a deviation of one over the root of the width.",
        tokens,
    ),
    # Measured: features fall to 2e-14 and gradients to 1e-17, while features' cosines stay below 0.12.
    "averaged_skips": _pair(
        lambda: Averaged(halved=True),
        lambda: Averaged(halved=False),
        "vanishing",
        "Add a scaled branch to the skip, and leave the skip whole.",
        rows,
    ),
    # Measured: branches' gradients are 2e-9, and inputs' gradients the same everywhere (cosine 1 to fifteen digits).
    "layer_scale_frozen": _pair(
        lambda: ScaledLayers(1e-6),
        lambda: ScaledLayers(0.5),
        ("vanishing", "linear"),
        "Let the scales learn, or fix them well above zero.",
        parity,
    ),
    # Measured: from the second rectifier on, no unit passes anything for any image; all gradients but one are zero.
    "prior_bias_everywhere": _pair(
        lambda: detector(-math.log(99)),
        lambda: detector(0.0),
        "dead",
        "Give the prior's bias to the last layer alone.",
        lambda seed: images(seed, 32, 16),
    ),
    # Measured: the encoder's parameters get no gradient at all, and the features are of good size.
    "codes_without_gradient": _pair(
        lambda: Codes(straight_through=False),
        lambda: Codes(straight_through=True),
        "dead",
        "Pass the gradient straight through the choice of a code.",
        parity,
    ),
    # Measured: mean squares overflow to infinity, so that the first norm's units are zero for every input, and
    # so are the gradients behind them.
    "mean_square_in_half_precision": _pair(
        lambda: counters(torch.float16),
        lambda: counters(torch.float32),
        ("dead", "collapsed"),
        "Compute the mean squares with single precision.",
        lambda seed: scaled(rows(seed), 1000.0),
    ),
    # Measured: scores of 1e4, a loss of 2e4, and gradients of 4e2 to 1e4 (cured at most 1).
    "temperature_near_zero": _pair(
        lambda: Cosines(1e-5),
        lambda: Cosines(0.07),
        "exploding",
        "Divide the cosines by 0.07.",
        doubtful,
    ),
    # Measured: inputs' gradients have a cosine of 0.2 after a change of 0.001 (cured 0.996); features and the
    # parameters' gradients are as large as the cured network's.
    "frequencies_too_high": _pair(
        lambda: Waves(200.0),
        lambda: Waves(1.0),
        "shattered",
        "Draw frequencies as high as the detail of the picture.",
        picture,
    ),
    # Measured: inputs' gradients have a cosine of 0 after a change of 0.001 (cured 1); gradients also grow by 1e5
    # on their way down.
    "plain_of_three_stages": _pair(
        lambda: Staged(32, 0.0),
        lambda: Staged(32, 0.1),
        ("shattered", "exploding"),
        "Give the layers scaled skips.",
        lambda seed: images(seed, 32, 8, noise=1.3),
    ),
    # Measured: features grow from 1 to 2e9, and gradients reach 1e8.
    "squares": _pair(
        lambda: initialised(mlp(4, Square), he),
        lambda: initialised(mlp(4, nn.ReLU), he),
        "exploding",
        "Use rectifiers.",
        rows,
    ),
    # Measured: the last two rectifiers pass nothing for any image, and all gradients but the last bias's are zero.
    "dead_after_adam": Sick(
        lambda seed: broken(1.0, seed),
        "dead",
        lambda seed: broken(1e-3, seed),
        "Start again with a smaller learning rate.",
    ),
}
