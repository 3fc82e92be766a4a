"""A twelfth set of cases: ten healthy networks, and ten sick ones with their cures."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, images, made, rows, seeded, sequences
from sick import Sick
from torch import Tensor, nn


def _joined(seed: int, build: Callable[[], nn.Module], inputs: Any, targets: Tensor) -> Case:
    """Build a model from a seed, and join it to inputs of any form and their targets."""
    with seeded(seed):
        model = build()
    return Case(model.train(), inputs, targets)


def _standardised(values: Tensor) -> Tensor:
    """The same values with mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()


# ---------------------------------------------------------------------------------------------------------- healthy


class NeuralProcess(nn.Module):
    """A conditional neural process: observed points are encoded and averaged, and others predicted from the mean."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
        )
        self.decode = nn.Sequential(
            nn.Linear(width + 1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
        )

    def forward(self, seen_at: Tensor, seen: Tensor, asked_at: Tensor) -> Tensor:
        """The values of the curve at the places asked for."""
        summary = self.encode(torch.stack([seen_at, seen], -1)).mean(1, keepdim=True)
        joined = torch.cat([summary.expand(-1, asked_at.shape[1], -1), asked_at.unsqueeze(-1)], -1)
        out: Tensor = self.decode(joined).squeeze(-1)
        return out


def conditional_neural_process(seed: int) -> Case:
    """A conditional neural process that completes sine curves of random height and phase."""
    generator = torch.Generator().manual_seed(seed)
    height = 0.5 + torch.rand(32, 1, generator=generator)
    phase = 2 * math.pi * torch.rand(32, 1, generator=generator)
    places = 2 * torch.rand(32, 30, generator=generator) - 1
    values = height * torch.sin(3 * places + phase)
    inputs = {"seen_at": places[:, :12], "seen": values[:, :12], "asked_at": places[:, 12:]}
    return _joined(seed, NeuralProcess, inputs, values[:, 12:])


class BiaffineParser(nn.Module):
    """A dependency parser: a bidirectional LSTM, and for each word a biaffine score of each possible head."""

    def __init__(self, width: int = 48, arcs: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.root = nn.Parameter(torch.randn(2 * width))
        self.recurrent = nn.LSTM(width, width, num_layers=2, batch_first=True, bidirectional=True, dropout=0.2)
        self.as_head = nn.Sequential(nn.Linear(2 * width, arcs), nn.LeakyReLU(0.1))
        self.as_dependent = nn.Sequential(nn.Linear(2 * width, arcs), nn.LeakyReLU(0.1))
        self.bilinear = nn.Parameter(torch.zeros(arcs, arcs))
        self.prior = nn.Linear(arcs, 1, bias=False)

    def forward(self, text: Tensor) -> Tensor:
        """The scores (batch, word, head) of the heads: the root first, then the words of the sentence."""
        words, _ = self.recurrent(self.embed(text))
        heads = self.as_head(torch.cat([self.root.expand(len(text), 1, -1), words], 1))
        dependents = self.as_dependent(words)
        scores: Tensor = dependents @ self.bilinear @ heads.transpose(1, 2)
        prior: Tensor = self.prior(heads)
        return scores + prior.transpose(1, 2)


def biaffine_parser(seed: int) -> Case:
    """A biaffine dependency parser, its bilinear form starting at zero; words depend on the last verb before them."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(VOCABULARY, (32, 12), generator=generator)
    heads = torch.zeros_like(text)
    last_verb = torch.zeros(32, dtype=torch.long)
    for place in range(12):
        heads[:, place] = last_verb
        last_verb = torch.where(text[:, place] % 4 == 0, place + 1, last_verb)
    return _joined(seed, BiaffineParser, text, heads)


class GatedInstances(nn.Module):
    """Learning from bags of instances: gated attention weighs the instances of a bag."""

    def __init__(self, features: int, width: int = 64, classes: int = 4) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Dropout(0.1))
        self.content = nn.Linear(width, 32)
        self.gate = nn.Linear(width, 32)
        self.score = nn.Linear(32, 1)
        self.head = nn.Linear(width, classes)

    def forward(self, bags: Tensor) -> Tensor:
        """The scores of the classes, for each bag."""
        x = self.embed(bags)
        weights = self.score(torch.tanh(self.content(x)) * torch.sigmoid(self.gate(x))).softmax(1)
        out: Tensor = self.head((weights * x).sum(1))
        return out


def instances_in_bags(seed: int) -> Case:
    """Gated attention over bags of 25 instances, of which three tell the class."""
    keys = 1.5 * torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(48)[torch.randperm(48, generator=generator)] % 4
    bags = torch.randn(48, 25, 16, generator=generator)
    bags[:, :3] += keys[labels].unsqueeze(1)
    return _joined(seed, lambda: GatedInstances(16), bags, labels)


class Mask(nn.Module):
    """A fixed mask that keeps some weights, and holds the others at zero."""

    kept: Tensor

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", kept)

    def forward(self, weight: Tensor) -> Tensor:
        """The weights that are kept, and zeros."""
        return weight * self.kept


def pruned_to_a_fifth(seed: int) -> Case:
    """A perceptron trained for a few steps, then pruned to the largest fifth of each layer's weights."""
    inputs, labels = rows(seed, batch=48)

    def build() -> nn.Module:
        model = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, CLASSES))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        for _ in range(10):
            optimiser.zero_grad()
            torch.autograd.backward(F.cross_entropy(model(inputs), labels))
            optimiser.step()
        optimiser.zero_grad()
        for layer in model:
            if isinstance(layer, nn.Linear):
                kept = layer.weight.detach().abs() > layer.weight.detach().abs().quantile(0.8)
                nn.utils.parametrize.register_parametrization(layer, "weight", Mask(kept))
        return model

    return made(seed, build, (inputs, labels))


class RelationNetwork(nn.Module):
    """A relation network: one perceptron looks at each pair of objects with the question, and the mean is answered."""

    def __init__(self, features: int, questions: int, width: int = 64) -> None:
        super().__init__()
        self.pair = nn.Sequential(
            nn.Linear(2 * features + questions, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.answer = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, questions))

    def forward(self, objects: Tensor, question: Tensor) -> Tensor:
        """The scores of the answers, for each scene and its question."""
        count = objects.shape[1]
        left = objects.unsqueeze(2).expand(-1, -1, count, -1)
        right = objects.unsqueeze(1).expand(-1, count, -1, -1)
        asked = question[:, None, None].expand(-1, count, count, -1)
        out: Tensor = self.answer(self.pair(torch.cat([left, right, asked], -1)).mean((1, 2)))
        return out


def relation_network(seed: int) -> Case:
    """A relation network that names the colour of the object nearest to the one of the colour asked for."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randn(64, 6, 2, generator=generator)
    colours = torch.stack([torch.randperm(6, generator=generator) for _ in range(64)])
    objects = torch.cat([places, F.one_hot(colours, 6).float()], -1)
    asked = torch.zeros(64, dtype=torch.long)
    distances = torch.cdist(places[:, :1], places).squeeze(1)
    distances[:, 0] = math.inf
    everyone = torch.arange(64)
    question = F.one_hot(colours[everyone, asked], 6).float()
    answers = colours[everyone, distances.argmin(1)]
    return _joined(seed, lambda: RelationNetwork(8, 6), [objects, question], answers)


class LinearAttention(nn.Module):
    """Attention whose softmax is replaced by positive features of queries and keys, and which is linear in length."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The attended values, for each position."""
        batch, length, width = x.shape
        parts = self.project(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = F.elu(parts[0]) + 1, F.elu(parts[1]) + 1, parts[2]
        memory = key.transpose(2, 3) @ value
        total = (query * key.sum(2, keepdim=True)).sum(-1, keepdim=True)
        mixed = (query @ memory / total).transpose(1, 2).reshape(batch, length, width)
        out: Tensor = self.out(mixed)
        return out


class LinearTransformer(nn.Module):
    """A transformer of linear attention over time steps, read from its mean."""

    def __init__(self, features: int = 8, length: int = 24, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.attentions = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), LinearAttention(width, 4)) for _ in range(layers)
        )
        self.perceptrons = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.embed(x) + self.position
        for attention, perceptron in zip(self.attentions, self.perceptrons, strict=True):
            x = x + attention(x)
            x = x + perceptron(x)
        out: Tensor = self.head(x.mean(1))
        return out


def linear_attention(seed: int) -> Case:
    """A pre-norm transformer of hand-written linear attention as a classifier of time series."""
    return made(seed, LinearTransformer, sequences(seed))


class MonotoneLayer(nn.Module):
    """A layer that can only rise with its inputs: no weight is negative, and units bend up, down, or both ways."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(after, before) / math.sqrt(before))
        self.bias = nn.Parameter(torch.zeros(after))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of the layer: a third convex, a third concave, a third saturating."""
        convex, concave, both = F.linear(x, self.weight.abs(), self.bias).chunk(3, -1)
        return torch.cat([F.elu(convex), -F.elu(-concave), torch.tanh(both)], -1)


def monotone_network(seed: int) -> Case:
    """A regression that is monotone in every feature, by the absolute values of its weights."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(48, 5, generator=generator)
    steep = torch.sigmoid(4 * inputs[:, :1]) + inputs[:, 1:2].clamp(min=0) + 0.5 * inputs[:, 2:].mean(1, keepdim=True)

    def build() -> nn.Module:
        return nn.Sequential(MonotoneLayer(5, 48), MonotoneLayer(48, 48), nn.Linear(48, 1))

    return _joined(seed, build, inputs, _standardised(steep))


class InceptionModule(nn.Module):
    """Convolutions of three lengths and a pooled path side by side, over time."""

    def __init__(self, channels: int, width: int = 16) -> None:
        super().__init__()
        self.bottleneck = nn.Conv1d(channels, width, 1, bias=False)
        self.lengths = nn.ModuleList(
            nn.Conv1d(width, width, length, padding=length // 2, bias=False) for length in (19, 9, 5)
        )
        self.pooled = nn.Sequential(nn.MaxPool1d(3, 1, padding=1), nn.Conv1d(channels, width, 1, bias=False))
        self.norm = nn.BatchNorm1d(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        """The joined channels of the four paths."""
        narrow = self.bottleneck(x)
        paths = [convolution(narrow) for convolution in self.lengths]
        return F.relu(self.norm(torch.cat([*paths, self.pooled(x)], 1)))


class InceptionTime(nn.Module):
    """Six inception modules over time, with a shortcut around each three."""

    def __init__(self, features: int = 8) -> None:
        super().__init__()
        self.first = nn.Sequential(InceptionModule(features), InceptionModule(64), InceptionModule(64))
        self.first_shortcut = nn.Sequential(nn.Conv1d(features, 64, 1, bias=False), nn.BatchNorm1d(64))
        self.second = nn.Sequential(InceptionModule(64), InceptionModule(64), InceptionModule(64))
        self.second_shortcut = nn.BatchNorm1d(64)
        self.head = nn.Linear(64, CLASSES)

    def forward(self, series: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = series.transpose(1, 2)
        x = F.relu(self.first(x) + self.first_shortcut(x))
        x = F.relu(self.second(x) + self.second_shortcut(x))
        out: Tensor = self.head(x.mean(2))
        return out


def inception_time(seed: int) -> Case:
    """InceptionTime as a classifier of time series of 48 steps."""
    return made(seed, InceptionTime, sequences(seed, length=48))


class GroupSort(nn.Module):
    """An activation that sorts each pair of units, and so keeps the length of every gradient."""

    def forward(self, x: Tensor) -> Tensor:
        """The greater of each pair, then the lesser."""
        left, right = x.chunk(2, -1)
        return torch.cat([torch.maximum(left, right), torch.minimum(left, right)], -1)


class Scaled(nn.Module):
    """A fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """The input times the factor."""
        return self.factor * x


def lipschitz_by_sorting(seed: int) -> Case:
    """A classifier of bounded slope: orthogonal layers kept so by parametrisation, sorted pairs, a fixed factor."""
    orthogonal = nn.utils.parametrizations.orthogonal

    def build() -> nn.Module:
        layers: list[nn.Module] = [orthogonal(nn.Linear(32, 64)), GroupSort()]
        for _ in range(3):
            layers += [orthogonal(nn.Linear(64, 64)), GroupSort()]
        return nn.Sequential(*layers, orthogonal(nn.Linear(64, CLASSES)), Scaled(2.0))

    return made(seed, build, rows(seed))


class DeformableConvolution(nn.Module):
    """A 3 by 3 convolution that samples where a second convolution tells it; that one starts at zero."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.offset = nn.Conv2d(before, 18, 3, padding=1)
        for parameter in self.offset.parameters():
            nn.init.zeros_(parameter)
        self.mix = nn.Conv2d(9 * before, after, 1, bias=False)
        self.norm = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        """The features sampled at nine moved places around each pixel, and mixed."""
        batch, _, height, width = x.shape
        offsets = self.offset(x).view(batch, 9, 2, height, width)
        down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        sampled = []
        for tap in range(9):
            rows_at = down + (tap // 3 - 1) + offsets[:, tap, 0]
            columns_at = across + (tap % 3 - 1) + offsets[:, tap, 1]
            grid = torch.stack([(2 * columns_at + 1) / width - 1, (2 * rows_at + 1) / height - 1], -1)
            sampled.append(F.grid_sample(x, grid, align_corners=False))
        return F.relu(self.norm(self.mix(torch.cat(sampled, 1))))


def deformable_convolutions(seed: int) -> Case:
    """Three deformable convolutions with pooling, their offsets starting at zero."""

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU(),
            DeformableConvolution(16, 32),
            nn.MaxPool2d(2),
            DeformableConvolution(32, 32),
            nn.MaxPool2d(2),
            DeformableConvolution(32, 64),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, CLASSES),
        )

    return made(seed, build, images(seed, 16, 16))


HEALTHY_TWELFTH: dict[str, Callable[[int], Case]] = {
    "conditional_neural_process": conditional_neural_process,
    "biaffine_parser": biaffine_parser,
    "instances_in_bags": instances_in_bags,
    "pruned_to_a_fifth": pruned_to_a_fifth,
    "relation_network": relation_network,
    "linear_attention": linear_attention,
    "monotone_network": monotone_network,
    "inception_time": inception_time,
    "lipschitz_by_sorting": lipschitz_by_sorting,
    "deformable_convolutions": deformable_convolutions,
}


# ------------------------------------------------------------------------------------------------------------- sick


def _he_by_hand(seed: int, deviation: Callable[[float], float]) -> Case:
    """Twelve plain convolutions, initialised by hand from the variance that He et al. advise."""

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        before = 3
        for after, stride in zip(4 * (32,) + 4 * (48,) + 4 * (64,), 3 * (1, 1, 1, 2), strict=True):
            convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
            nn.init.normal_(convolution.weight, std=deviation(2 / (9 * before)))
            layers += [convolution, nn.ReLU()]
            before = after
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))

    return made(seed, build, images(seed, 32, 16))


def _as_it_is(variance: float) -> float:
    """The variance itself, as if it were the standard deviation."""
    return variance


class LearnedDistances(nn.Module):
    """A classifier of clouds of points by the distances between the points, in a space that it learns."""

    def __init__(self, smallest: float, width: int = 32) -> None:
        super().__init__()
        self.smallest = smallest
        self.embed = nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, 8))
        self.read = nn.Sequential(nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, 4)

    def forward(self, points: Tensor) -> Tensor:
        """The scores of the classes, for each cloud."""
        x = self.embed(points)
        squares = (x.unsqueeze(1) - x.unsqueeze(2)).square().sum(-1, keepdim=True)
        out: Tensor = self.head(self.read((squares + self.smallest).sqrt()).mean((1, 2)))
        return out


def _distances(seed: int, smallest: float) -> Case:
    """Clouds of 12 points, stretched by class, for a network of learned distances."""
    shapes = torch.tensor([[1.0, 1.0, 1.0], [2.5, 0.3, 1.0], [0.3, 2.5, 1.0], [0.4, 0.4, 0.4]])
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(48)[torch.randperm(48, generator=generator)] % 4
    points = torch.randn(48, 12, 3, generator=generator) * shapes[labels].unsqueeze(1)
    return _joined(seed, lambda: LearnedDistances(smallest), points, labels)


def _strains(seed: int, unit: float) -> Case:
    """A regression of the strain of a beam, of some millionths, by its loads."""
    direction = torch.randn(8, 2, generator=torch.Generator().manual_seed(0)) / math.sqrt(8)
    loads = torch.randn(48, 8, generator=torch.Generator().manual_seed(seed))
    along, across = (loads @ direction).unbind(1)
    strains = 1e-6 * (along + 0.5 * across.square() - 0.5).unsqueeze(1)

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    return _joined(seed, build, loads, strains / unit)


def _landmarks(seed: int, area: int) -> Case:
    """Plain convolutions that find two marks in pictures, with He's numbers for kernels of so many pixels."""
    generator = torch.Generator().manual_seed(seed)
    places = 3 + 10 * torch.rand(32, 2, 2, generator=generator)
    line = torch.arange(16.0)
    bumps = torch.exp(-(line - places.unsqueeze(-1)).square() / 4)
    marks = 3 * bumps[:, :, 0, :, None] * bumps[:, :, 1, None, :]
    pictures = torch.cat([marks, torch.zeros(32, 1, 16, 16)], 1) + 0.3 * torch.randn(32, 3, 16, 16, generator=generator)

    def build() -> nn.Module:
        layers: list[nn.Module] = []
        before = 3
        for after, stride in ((32, 1), (32, 1), (32, 2), (32, 1), (32, 1), (32, 2), (32, 1), (32, 1)):
            convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1)
            nn.init.normal_(convolution.weight, std=math.sqrt(2 / (area * before)))
            layers += [convolution, nn.ReLU()]
            before = after
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 32, 4))

    return _joined(seed, build, pictures, ((places - 8) / 3).flatten(1))


class RadialBasis(nn.Module):
    """Gaussian bumps around fixed centres, all of one width."""

    centres: Tensor

    def __init__(self, units: int, width: float) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("centres", torch.randn(units, 2))

    def forward(self, x: Tensor) -> Tensor:
        """How near each input lies to each centre."""
        return torch.exp(-torch.cdist(x, self.centres).square() / (2 * self.width**2))


def _spirals_by_bumps(seed: int, width: float) -> Case:
    """Two spirals, standardised, told apart by a network of radial basis functions."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(64) % 2
    angle = 0.5 + 6 * torch.rand(64, generator=generator)
    turned = angle + math.pi * labels
    points = torch.stack([angle * torch.cos(turned), angle * torch.sin(turned)], 1)
    points = (points + 0.1 * torch.randn(64, 2, generator=generator)) / points.std(0)
    return _joined(seed, lambda: nn.Sequential(RadialBasis(80, width), nn.Linear(80, 2)), points, labels)


class Residual(nn.Module):
    """A layer with a way around it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """The input and what the layer makes of it."""
        out: Tensor = x + self.layer(x)
        return out


def _norm_after_act(seed: int, skips: bool) -> Case:
    """A perceptron of 80 layers, each a linear map, a ReLU and a layer norm."""

    def build() -> nn.Module:
        layers: list[nn.Module] = [nn.Linear(32, 96)]
        for _ in range(80):
            linear = nn.Linear(96, 96)
            nn.init.kaiming_normal_(linear.weight)
            layer = nn.Sequential(linear, nn.ReLU(), nn.LayerNorm(96))
            layers.append(Residual(layer) if skips else layer)
        return nn.Sequential(*layers, nn.Linear(96, CLASSES))

    return made(seed, build, rows(seed))


class CosineFaces(nn.Module):
    """Faces told apart by the cosine between their embedding and one vector for each person."""

    def __init__(self, people: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.embed = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * 64, 48),
        )
        self.people = nn.Parameter(torch.randn(people, 48))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the people, for each picture."""
        return self.scale * F.linear(F.normalize(self.embed(x)), F.normalize(self.people))


def _faces(seed: int, scale: float) -> Case:
    """Two pictures of each of 32 people, for a network of cosines."""
    generator = torch.Generator().manual_seed(seed)
    people = F.interpolate(torch.randn(32, 3, 4, 4, generator=generator), size=(16, 16), mode="bilinear")
    labels = torch.arange(64) % 32
    pictures = people[labels] + 0.2 * torch.randn(64, 3, 16, 16, generator=generator)
    return _joined(seed, lambda: CosineFaces(32, scale), pictures, labels)


def _scans(seed: int, squashed: bool) -> Case:
    """A denoising autoencoder of standardised scans of dark strokes on white paper."""
    generator = torch.Generator().manual_seed(seed)
    paper = torch.ones(32, 1, 16, 16)
    everyone = torch.arange(32)
    paper[everyone, 0, torch.randint(2, 14, (32,), generator=generator), 3:13] = 0.1
    paper[everyone, 0, 3:13, torch.randint(2, 14, (32,), generator=generator)] = 0.1
    clean = _standardised(paper)
    noisy = clean + 0.3 * torch.randn(clean.shape, generator=generator)

    def build() -> nn.Module:
        layers: list[nn.Module] = [
            nn.Conv2d(1, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 48, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(48, 32, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),
        ]
        return nn.Sequential(*layers, nn.Sigmoid()) if squashed else nn.Sequential(*layers)

    return _joined(seed, build, noisy, clean)


def _closed_curve(seed: int, act: Callable[[], nn.Module]) -> Case:
    """An autoencoder, with a code of two numbers, of readings that follow one angle."""
    waves = torch.arange(1, 6)
    mixing, _ = torch.linalg.qr(torch.randn(24, 10, generator=torch.Generator().manual_seed(0)))
    angle = 2 * math.pi * torch.rand(64, 1, generator=torch.Generator().manual_seed(seed))
    readings = torch.cat([torch.cos(waves * angle), torch.sin(waves * angle)], 1) @ mixing.T * 2

    def build() -> nn.Module:
        return nn.Sequential(
            nn.Linear(24, 96),
            act(),
            nn.Linear(96, 64),
            act(),
            nn.Linear(64, 2),
            nn.Linear(2, 64),
            act(),
            nn.Linear(64, 96),
            act(),
            nn.Linear(96, 24),
        )

    return _joined(seed, build, readings, readings)


def _durations(seed: int, start_at_mean: bool) -> Case:
    """A regression of durations, all positive, by a ReLU over a last layer whose weights start at zero."""
    direction = torch.randn(32, generator=torch.Generator().manual_seed(0)) / math.sqrt(32)
    inputs, _ = rows(seed, batch=48)
    hours = torch.exp(0.4 * inputs @ direction).unsqueeze(1)

    def build() -> nn.Module:
        last = nn.Linear(64, 1)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, hours.mean().item() if start_at_mean else 0.0)
        return nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), last, nn.ReLU())

    return _joined(seed, build, inputs, hours)


SICK_TWELFTH: dict[str, Sick] = {
    "he_variance_taken_for_deviation": Sick(
        partial(_he_by_hand, deviation=_as_it_is),
        "vanishing",
        partial(_he_by_hand, deviation=math.sqrt),
        "the root of the variance as standard deviation",
    ),
    "roots_of_zero_distances": Sick(
        partial(_distances, smallest=0.0), "exploding", partial(_distances, smallest=1e-6), "an epsilon under the root"
    ),
    "strains_not_in_microstrain": Sick(
        partial(_strains, unit=1.0), "exploding", partial(_strains, unit=1e-6), "targets in units of their own size"
    ),
    "kernel_area_forgotten": Sick(
        partial(_landmarks, area=1), "exploding", partial(_landmarks, area=9), "the kernel's area in the fan-in"
    ),
    "kernels_too_wide": Sick(
        partial(_spirals_by_bumps, width=20.0),
        "collapsed",
        partial(_spirals_by_bumps, width=0.3),
        "kernels about as wide as the centres lie apart",
    ),
    "norm_after_act_80": Sick(
        partial(_norm_after_act, skips=False), "shattered", partial(_norm_after_act, skips=True), "skips"
    ),
    "cosines_without_scale": Sick(
        partial(_faces, scale=1.0), "dead", partial(_faces, scale=16.0), "a scale on the cosines"
    ),
    "scans_standardised_under_sigmoid": Sick(
        partial(_scans, squashed=True), "dead", partial(_scans, squashed=False), "a linear last layer"
    ),
    "autoencoder_no_better_than_pca": Sick(
        partial(_closed_curve, act=nn.Identity), "linear", partial(_closed_curve, act=nn.ReLU), "activations"
    ),
    "relu_over_zero_head": Sick(
        partial(_durations, start_at_mean=False),
        ("zero by design", "dead"),
        partial(_durations, start_at_mean=True),
        "a bias at the mean of the targets",
    ),
}
