"""Cases that a diagnosis was not tuned on: more networks that train, and more that are sick, each with its cure.

As in the other two files, every factory takes a seed and returns a model in training mode, a batch of inputs and its
targets. Some models take several inputs: a tuple is passed as `model(*inputs)`, a dict as `model(**inputs)`. Some give
several outputs, as a tuple or a dict, of which the first is meant to meet the targets. Targets are class numbers (one
for each input, token, node or pixel), or floating-point numbers of the output's shape, to be met in the mean square.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from healthy import (
    CLASSES,
    VOCABULARY,
    Case,
    _timm,
    _torchvision,
    images,
    made,
    rows,
    scenes,
    seeded,
    sequences,
    tokens,
)
from sick import Sick, _sick, early
from torch import Tensor, nn

WORDS = 200
LEVELS = 32


def joined(seed: int, build: Callable[[], nn.Module], inputs: Any, targets: Tensor) -> Case:
    """Build a model from a seed, and join it to inputs of any structure and their targets."""
    with seeded(seed):
        model = build()
    return Case(model.train(), inputs, targets)


# Data


def gratings(seed: int, batch: int = 16, size: int = 64, classes: int = CLASSES) -> tuple[Tensor, Tensor]:
    """Colour images of stripes at a random phase, with noise: the class is their angle, and all classes' mean is 0."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (batch,), generator=generator)
    angle = math.pi * labels / classes
    down, across = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    along = angle.cos()[:, None, None] * across + angle.sin()[:, None, None] * down
    phase = 2 * math.pi * torch.rand(batch, 1, 1, generator=generator)
    stripes = (2.5 * math.pi * along + phase).sin()
    colours = 0.7 + 0.6 * torch.rand(batch, 3, 1, 1, generator=generator)
    return colours * stripes[:, None] + 0.3 * torch.randn(batch, 3, size, size, generator=generator), labels


def pairs(seed: int, batch: int = 32, size: int = 16) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Pairs of images, of the same class or of two, and which it is."""
    left, left_labels = images(seed, batch, size, noise=0.4)
    others, other_labels = images(seed + 500, batch, size, noise=0.4)
    generator = torch.Generator().manual_seed(seed)
    same = torch.randint(2, (batch,), generator=generator)
    chosen = []
    for label, wanted in zip(left_labels.tolist(), same.tolist(), strict=True):
        fitting = torch.nonzero((other_labels == label) == bool(wanted)).flatten()
        chosen.append(int(fitting[torch.randint(len(fitting), (1,), generator=generator)]))
    return (left, others[chosen]), same


def table(seed: int, batch: int = 64) -> tuple[dict[str, Tensor], Tensor]:
    """Rows of a table, numbers and categories, of three classes."""
    effects = torch.randn(3, 7, 3, generator=torch.Generator().manual_seed(0))
    slopes = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randn(batch, 6, generator=generator)
    categories = torch.randint(7, (batch, 3), generator=generator)
    scores = 1.5 * sum(effects[field, categories[:, field]] for field in range(3)) + numbers @ slopes
    scores = scores + numbers[:, :1] * numbers[:, 1:2] * torch.tensor([2.0, -2.0, 0.0])
    return {"numbers": numbers, "categories": categories}, scores.argmax(1)


def friedman(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Friedman's first regression problem, of ten features that are standardised, as is its answer."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(batch, 10, generator=generator)
    y = 10 * (math.pi * x[:, 0] * x[:, 1]).sin() + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = y + torch.randn(batch, generator=generator)
    return (x - 0.5) * math.sqrt(12), (y[:, None] - 14.4) / 5.0


def shells(seed: int, batch: int = 64, features: int = 6) -> tuple[Tensor, Tensor]:
    """Points around the origin in every direction: the class is one of three distances."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (batch,), generator=generator)
    directions = F.normalize(torch.randn(batch, features, generator=generator), dim=1)
    radii = torch.tensor([0.5, 2.0, 4.0])[labels, None] + 0.1 * torch.randn(batch, 1, generator=generator)
    return directions * radii, labels


def community(
    seed: int, nodes: int = 80, within: float = 0.4, between: float = 0.1
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """A graph of four communities: noisy features of its nodes and its adjacency, and the community of each node."""
    means = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (nodes,), generator=generator)
    features = 0.5 * means[labels] + torch.randn(nodes, 16, generator=generator)
    chance = torch.where(labels[:, None] == labels, within, between)
    upper = (torch.rand(nodes, nodes, generator=generator) < chance).triu(1)
    return (features, (upper | upper.T).float()), labels


def field(seed: int, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Random places of a picture, between -1 and 1 in both directions, and its three colours there."""
    picture = F.interpolate(
        torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(3)), size=256, mode="bicubic"
    )
    picture = (picture - picture.mean((2, 3), keepdim=True)) / picture.std((2, 3), keepdim=True)
    places = 2 * torch.rand(batch, 2, generator=torch.Generator().manual_seed(seed)) - 1
    return places, F.grid_sample(picture, places[None, None], align_corners=True)[0, :, 0].T


def field_in_pixels(seed: int) -> tuple[Tensor, Tensor]:
    """The same places, counted in pixels of 0 to 255."""
    places, colours = field(seed)
    return 127.5 * (places + 1), colours


def waves(seed: int, batch: int = 8, length: int = 64) -> tuple[Tensor, Tensor]:
    """Sounds of two tones at levels by the mu-law, and the level that follows each one."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.arange(length + 1)
    sound = torch.zeros(batch, length + 1)
    for period in (16.0, 23.0):
        gain, phase = torch.rand(2, batch, 1, generator=generator)
        sound = sound + (0.2 + 0.3 * gain) * (2 * math.pi * (steps / period + phase)).sin()
    sound = sound + 0.01 * torch.randn(batch, length + 1, generator=generator)
    squeezed = sound.sign() * (255 * sound.abs()).log1p() / math.log(256)
    levels = ((squeezed + 1) / 2 * LEVELS).long().clamp(0, LEVELS - 1)
    return levels[:, :-1], levels[:, 1:]


def translations(seed: int, batch: int = 16, length: int = 12) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Source tokens of one of four topics, target tokens that climb by the topic's step, and the token after each."""
    generator = torch.Generator().manual_seed(seed)
    topic = torch.randint(4, (batch, 1), generator=generator)
    source = 8 * topic + torch.randint(8, (batch, length), generator=generator)
    start = torch.randint(VOCABULARY, (batch, 1), generator=generator)
    text = (start + (2 * topic + 1) * torch.arange(length + 1)) % VOCABULARY
    return (source, text[:, :-1]), text[:, 1:]


def reviews(seed: int, batch: int = 32, length: int = 20, classes: int = 5) -> tuple[Tensor, Tensor]:
    """Texts in which two words of five belong to their class, as numbers from 1 upwards."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (batch,), generator=generator)
    common = torch.randint(1, WORDS, (batch, length), generator=generator)
    own = 1 + 20 * labels[:, None] + torch.randint(20, (batch, length), generator=generator)
    return torch.where(torch.rand(batch, length, generator=generator) < 0.4, own, common), labels


def padded_reviews(seed: int, batch: int = 32, length: int = 150) -> tuple[Tensor, Tensor]:
    """The same texts, of 10 to 20 words, padded with 0 to a fixed length."""
    texts, labels = reviews(seed, batch)
    lengths = torch.randint(10, 21, (batch, 1), generator=torch.Generator().manual_seed(seed + 1))
    texts = torch.where(torch.arange(20) < lengths, texts, 0)
    return F.pad(texts, (0, length - 20)), labels


def forgeries(seed: int, batch: int = 32, size: int = 32) -> tuple[Tensor, Tensor]:
    """Real images (1), which are gratings, and fakes (0), which are smooth noise."""
    real, _ = gratings(seed, batch, size)
    generator = torch.Generator().manual_seed(seed + 1)
    fake = F.interpolate(torch.randn(batch, 3, 8, 8, generator=generator), size=size, mode="bilinear")
    fake = fake + 0.3 * torch.randn(batch, 3, size, size, generator=generator)
    labels = torch.randint(2, (batch,), generator=generator)
    return torch.where(labels[:, None, None, None] == 1, real, fake).clamp(-1, 1), labels


def noisy_series(seed: int) -> tuple[Tensor, Tensor]:
    """Time series with more noise than there is signal."""
    inputs, labels = sequences(seed, 32, length=32)
    return inputs + 1.5 * torch.randn(inputs.shape, generator=torch.Generator().manual_seed(seed + 1)), labels


def photographs(seed: int, mean: float, std: float) -> tuple[Tensor, Tensor]:
    """Images as ToTensor gives them, between 0 and 1, normalised by a mean and a standard deviation."""
    inputs, labels = images(seed, 32, 16)
    return ((0.45 + 0.22 * inputs).clamp(0, 1) - mean) / std, labels


# Networks that train


class Siamese(nn.Module):
    """Two images through the same encoder, and whether their codes show the same thing."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3), nn.ReLU(),
            nn.Flatten(), nn.Linear(2 * width * 16, 48),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """The scores of "different" and "same", for each pair."""
        out: Tensor = self.head((self.encoder(left) - self.encoder(right)).abs())
        return out


class WideAndDeep(nn.Module):
    """A linear model of a table's rows beside a deep one with embeddings, batch norm and PReLU."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(7, 8) for _ in range(3))
        self.wide = nn.Linear(6, 3)
        self.deep = nn.Sequential(
            nn.Linear(30, width), nn.BatchNorm1d(width), nn.PReLU(), nn.Dropout(0.1),
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.PReLU(), nn.Linear(width, 3),
        )  # fmt: skip

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        embedded = [embedding(categories[:, column]) for column, embedding in enumerate(self.embeddings)]
        out: Tensor = self.wide(numbers) + self.deep(torch.cat([numbers, *embedded], 1))
        return out


class VariationalAutoencoder(nn.Module):
    """A convolutional VAE of 16 by 16 pixels: the reconstruction, and the mean and log variance of the code."""

    def __init__(self, code: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 24, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(24, 48, 4, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(48 * 16, 2 * code),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(code, 48 * 16), nn.ReLU(), nn.Unflatten(1, (48, 4, 4)),
            nn.ConvTranspose2d(48, 24, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(24, 3, 4, stride=2, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The reconstruction from a sampled code, and the code's distribution."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(code), mean, log_variance


class TemporalBlock(nn.Module):
    """Two causal dilated convolutions with weight norm and dropout, beside a skip connection."""

    def __init__(self, channels: int, width: int, dilation: int) -> None:
        super().__init__()
        weight_norm = nn.utils.parametrizations.weight_norm
        self.pad = 2 * dilation
        self.first = weight_norm(nn.Conv1d(channels, width, 3, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(width, width, 3, dilation=dilation))
        self.drop = nn.Dropout(0.1)
        self.skip = nn.Conv1d(channels, width, 1) if channels != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The block's channels, at each step."""
        inside = self.drop(F.relu(self.first(F.pad(x, (self.pad, 0)))))
        inside = self.drop(F.relu(self.second(F.pad(inside, (self.pad, 0)))))
        return F.relu(self.skip(x) + inside)


class TemporalConvolutions(nn.Module):
    """A temporal convolutional network (TCN), read at the last step."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[TemporalBlock(width if level else 8, width, 2**level) for level in range(4)])
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.blocks(x.transpose(1, 2))[:, :, -1])
        return out


class GraphConvolutions(nn.Module):
    """Graph convolutions on a dense adjacency: normalised or a plain sum of neighbours, with skips or without."""

    def __init__(
        self, depth: int = 2, width: int = 32, normalised: bool = True, skip: float = 0.0, drop: float = 0.0
    ) -> None:
        super().__init__()
        self.normalised, self.skip, self.drop = normalised, skip, drop
        self.layers = nn.ModuleList(nn.Linear(width if layer else 16, width) for layer in range(depth))
        self.head = nn.Linear(width, 4)
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """The scores of the communities, for each node."""
        mixing = adjacency + torch.eye(len(adjacency), device=adjacency.device)
        if self.normalised:
            by = mixing.sum(1).rsqrt()
            mixing = by[:, None] * mixing * by
        x = features
        for number, layer in enumerate(self.layers):
            mixed = F.relu(layer(mixing @ x))
            x = x + self.skip * mixed if self.skip and number else mixed
            x = F.dropout(x, self.drop, self.training)
        out: Tensor = self.head(x)
        return out


class Coupling(nn.Module):
    """An affine coupling: half of the features scale and shift the others, by a network whose last layer is 0."""

    def __init__(self, features: int, flipped: bool, width: int = 48) -> None:
        super().__init__()
        self.flipped = flipped
        last = nn.Linear(width, features)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(nn.Linear(features // 2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The features, and the log determinant of how they changed."""
        kept, changed = x.chunk(2, 1)[:: -1 if self.flipped else 1]
        shift, log_scale = self.net(kept).chunk(2, 1)
        log_scale = log_scale.tanh()
        changed = changed * log_scale.exp() + shift
        return torch.cat([changed, kept] if self.flipped else [kept, changed], 1), log_scale.sum(1)


class FlowClassifier(nn.Module):
    """A normalising flow to a Gaussian for each class: the classes' scores, the code and the log determinant."""

    def __init__(self, features: int = 6, layers: int = 6, classes: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Coupling(features, layer % 2 == 1) for layer in range(layers))
        self.means = nn.Parameter(torch.randn(classes, features))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The log densities of the code under each class, the code, and the log determinant."""
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_determinant = layer(x)
            total = total + log_determinant
        return -0.5 * (x[:, None] - self.means).pow(2).sum(2), x, total


class Sine(nn.Module):
    """A layer of a SIREN, initialised as its authors say."""

    def __init__(self, before: int, width: int, first: bool, frequency: float = 30.0) -> None:
        super().__init__()
        self.frequency = frequency
        self.linear = nn.Linear(before, width)
        bound = 1 / before if first else math.sqrt(6 / before) / frequency
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """The sines."""
        return (self.frequency * self.linear(x)).sin()


def siren_of(width: int = 64) -> nn.Module:
    """A SIREN from two coordinates to three colours."""
    last = nn.Linear(width, 3)
    nn.init.uniform_(last.weight, -math.sqrt(6 / width) / 30, math.sqrt(6 / width) / 30)
    return nn.Sequential(Sine(2, width, first=True), Sine(width, width, False), Sine(width, width, False), last)


class WaveNet(nn.Module):
    """Causal dilated convolutions with gates and summed skips: scores (batch, position, level) of the next level."""

    def __init__(self, width: int = 32, dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8)) -> None:
        super().__init__()
        self.dilations = dilations
        self.embed = nn.Embedding(LEVELS, width)
        self.gated = nn.ModuleList(nn.Conv1d(width, 2 * width, 2, dilation=dilation) for dilation in dilations)
        self.onward = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in dilations)
        self.aside = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in dilations)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(2 * width, 64, 1), nn.ReLU(), nn.Conv1d(64, LEVELS, 1))

    def forward(self, levels: Tensor) -> Tensor:
        """The scores of the next level, after each one."""
        x = self.embed(levels).transpose(1, 2)
        skips: Tensor | float = 0.0
        for dilation, gated, onward, aside in zip(self.dilations, self.gated, self.onward, self.aside, strict=True):
            value, gate = gated(F.pad(x, (dilation, 0))).chunk(2, 1)
            inside = value.tanh() * gate.sigmoid()
            skips = skips + aside(inside)
            x = x + onward(inside)
        out: Tensor = self.head(skips)
        return out.transpose(1, 2)


class Translator(nn.Module):
    """nn.Transformer, encoder and decoder, whose embedding is also its head: scores (batch, position, vocabulary)."""

    def __init__(self, width: int = 64, length: int = 12) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.position = nn.Parameter(0.1 * torch.randn(length, width))
        self.transformer = nn.Transformer(width, 4, 2, 2, 128, batch_first=True)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        self.head.weight = self.embed.weight

    def forward(self, source: Tensor, text: Tensor) -> Tensor:
        """The scores of the next token, after each one of the text."""
        scale = math.sqrt(self.embed.embedding_dim)
        mask = nn.Transformer.generate_square_subsequent_mask(text.shape[1], device=text.device)
        embedded = [scale * self.embed(part) + self.position for part in (source, text)]
        out: Tensor = self.head(self.transformer(*embedded, tgt_mask=mask, tgt_is_causal=True))
        return out


class TextBag(nn.Module):
    """The mean of the words' embeddings, and a linear head."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(WORDS, width, mode="mean")
        self.head = nn.Linear(width, 5)

    def forward(self, texts: Tensor) -> Tensor:
        """The scores of the classes, for each text."""
        out: Tensor = self.head(self.bag(texts))
        return out


class CellByCell(nn.Module):
    """nn.GRUCell in a loop over tokens: a dict of the scores of the next token and the last state."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.cell = nn.GRUCell(width, width)
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, text: Tensor) -> dict[str, Tensor]:
        """The scores of the next token after each token, and the last state."""
        embedded = self.embed(text)
        state = embedded.new_zeros(len(text), self.cell.hidden_size)
        states = []
        for step in range(text.shape[1]):
            state = self.cell(embedded[:, step], state)
            states.append(state)
        return {"scores": self.head(torch.stack(states, 1)), "state": state}


def selu_network(depth: int = 8, width: int = 64) -> nn.Module:
    """A self-normalising network for regression: SELU, LeCun's initialisation, alpha dropout."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers += [nn.Linear(width if layer else 10, width), nn.SELU(), nn.AlphaDropout(0.02)]
    model = nn.Sequential(*layers, nn.Linear(width, 1))
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            nn.init.zeros_(module.bias)
    return model


def discriminator(width: int = 16) -> nn.Module:
    """DCGAN's discriminator and its initialisation, with a score for "fake" and one for "real"."""
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for before in (width, 2 * width):
        layers += [nn.Conv2d(before, 2 * before, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * before)]
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    model = nn.Sequential(*layers, nn.Conv2d(4 * width, 2, 4, bias=False), nn.Flatten())
    for module in model:
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return model


class TinyGPT(nn.Module):
    """A GPT initialised as GPT-2 is, its head tied to its embedding: scores (batch, position, vocabulary)."""

    def __init__(self, width: int = 64, layers: int = 3, length: int = 24) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(VOCABULARY, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        self.head.weight = self.token.weight
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                last = name.endswith(("out_proj.weight", "linear2.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if last else 0.02)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        length = text.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=text.device)
        x = self.token(text) + self.position(torch.arange(length, device=text.device))
        for block in self.blocks:
            x = block(x, src_mask=mask, is_causal=True)
        out: Tensor = self.head(self.norm(x))
        return out


def torchvision_squeezenet1_1(seed: int) -> Case:
    """SqueezeNet: no norms, and a rectifier on its scores."""
    models = _torchvision()
    return made(seed, lambda: models.squeezenet1_1(weights=None, num_classes=CLASSES), images(seed, 32, 64))


def torchvision_shufflenet(seed: int) -> Case:
    """ShuffleNet V2 at half width."""
    models = _torchvision()
    return made(seed, lambda: models.shufflenet_v2_x0_5(weights=None, num_classes=CLASSES), gratings(seed, 24, 96))


def torchvision_efficientnet_b0(seed: int) -> Case:
    """EfficientNet-B0."""
    models = _torchvision()
    return made(seed, lambda: models.efficientnet_b0(weights=None, num_classes=CLASSES), images(seed, 16, 72))


def torchvision_swin(seed: int) -> Case:
    """A Swin transformer of three stages at small width, with stochastic depth."""
    models = _torchvision()

    def build() -> nn.Module:
        model: nn.Module = models.SwinTransformer(
            patch_size=[4, 4], embed_dim=32, depths=[2, 2, 2], num_heads=[2, 4, 8], window_size=[4, 4],
            stochastic_depth_prob=0.1, num_classes=CLASSES,
        )  # fmt: skip
        return model

    return made(seed, build, images(seed, 16, 64))


def torchvision_resnext26(seed: int) -> Case:
    """ResNeXt-26 (32x4d)."""
    models = _torchvision()

    def build() -> nn.Module:
        block = models.resnet.Bottleneck
        model: nn.Module = models.ResNet(block, [2, 2, 2, 2], groups=32, width_per_group=4, num_classes=CLASSES)
        return model

    return made(seed, build, gratings(seed, 16, 64))


def torchvision_googlenet(seed: int) -> Case:
    """GoogLeNet, whose two auxiliary heads answer too: a named tuple of scores."""
    models = _torchvision()
    return made(
        seed,
        lambda: models.googlenet(weights=None, num_classes=CLASSES, aux_logits=True, init_weights=True),
        images(seed, 16, 64),
    )


def torchvision_maxvit(seed: int) -> Case:
    """MaxViT of two small blocks: attention in windows and on a grid."""
    models = _torchvision()

    def build() -> nn.Module:
        model: nn.Module = models.MaxVit(
            input_size=(32, 32), stem_channels=16, partition_size=4, block_channels=[24, 48], block_layers=[1, 1],
            head_dim=12, stochastic_depth_prob=0.1, num_classes=CLASSES,
        )  # fmt: skip
        return model

    return made(seed, build, images(seed, 16, 32))


def torchvision_lraspp(seed: int) -> Case:
    """LR-ASPP on MobileNetV3: the classes of pixels, in a dict."""
    models = _torchvision()
    return made(
        seed,
        lambda: models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3),
        scenes(seed, 8, 64),
    )


def timm_convmixer(seed: int) -> Case:
    """ConvMixer of 6 layers."""
    _torchvision()
    from timm.models.convmixer import ConvMixer

    return made(
        seed,
        lambda: ConvMixer(dim=64, depth=6, kernel_size=5, patch_size=4, num_classes=CLASSES),
        gratings(seed, 16, 32),
    )


def timm_levit_128s(seed: int) -> Case:
    """LeViT-128S, whose residual branches' batch norms start at zero."""
    return made(seed, lambda: _timm("levit_128s", img_size=64), images(seed, 16, 64))


def timm_repvgg_a0(seed: int) -> Case:
    """RepVGG-A0 before its branches are merged."""
    return made(seed, lambda: _timm("repvgg_a0"), gratings(seed, 16, 64))


def siamese(seed: int) -> Case:
    """Two images as a tuple."""
    return joined(seed, Siamese, *pairs(seed))


def wide_and_deep(seed: int) -> Case:
    """Numbers and categories as a dict."""
    return joined(seed, WideAndDeep, *table(seed))


def variational_autoencoder(seed: int) -> Case:
    """Images, which are to come out again."""
    inputs, _ = images(seed, 32, 16, noise=0.3)
    return made(seed, VariationalAutoencoder, (inputs, inputs.clone()))


def temporal_convolutions(seed: int) -> Case:
    """A TCN that must keep the start of the series in mind to its end."""
    return made(seed, TemporalConvolutions, early(seed, length=40))


def graph_convolutions(seed: int) -> Case:
    """Kipf and Welling's GCN of two layers: features and adjacency as a tuple."""
    return joined(seed, lambda: GraphConvolutions(drop=0.3), *community(seed))


def flow_classifier(seed: int) -> Case:
    """A normalising flow, which starts as the identity."""
    return made(seed, FlowClassifier, shells(seed))


def siren(seed: int) -> Case:
    """A SIREN on coordinates, for regression."""
    return made(seed, siren_of, field(seed))


def wavenet(seed: int) -> Case:
    """A WaveNet on quantised sound."""
    return made(seed, WaveNet, waves(seed))


def translator(seed: int) -> Case:
    """nn.Transformer with source and target as a tuple, its head tied to its embedding."""
    return joined(seed, Translator, *translations(seed))


def text_bag(seed: int) -> Case:
    """nn.EmbeddingBag on integer tokens."""
    return made(seed, TextBag, reviews(seed))


def gru_cells(seed: int) -> Case:
    """A loop over nn.GRUCell on integer tokens."""
    return made(seed, CellByCell, tokens(seed))


def selu_regression(seed: int) -> Case:
    """A self-normalising network for regression."""
    return made(seed, selu_network, friedman(seed))


def dcgan_discriminator(seed: int) -> Case:
    """DCGAN's discriminator, with leaky rectifiers and its small initialisation."""
    return made(seed, discriminator, forgeries(seed))


def tiny_gpt(seed: int) -> Case:
    """A GPT with GPT-2's initialisation and tied weights."""
    return made(seed, TinyGPT, tokens(seed))


HEALTHY_TOO: dict[str, Callable[[int], Case]] = {
    "torchvision_squeezenet1_1": torchvision_squeezenet1_1,
    "torchvision_shufflenet": torchvision_shufflenet,
    "torchvision_efficientnet_b0": torchvision_efficientnet_b0,
    "torchvision_swin": torchvision_swin,
    "torchvision_resnext26": torchvision_resnext26,
    "torchvision_googlenet": torchvision_googlenet,
    "torchvision_maxvit": torchvision_maxvit,
    "torchvision_lraspp": torchvision_lraspp,
    "timm_convmixer": timm_convmixer,
    "timm_levit_128s": timm_levit_128s,
    "timm_repvgg_a0": timm_repvgg_a0,
    "siamese": siamese,
    "wide_and_deep": wide_and_deep,
    "variational_autoencoder": variational_autoencoder,
    "temporal_convolutions": temporal_convolutions,
    "graph_convolutions": graph_convolutions,
    "flow_classifier": flow_classifier,
    "siren": siren,
    "wavenet": wavenet,
    "translator": translator,
    "text_bag": text_bag,
    "gru_cells": gru_cells,
    "selu_regression": selu_regression,
    "dcgan_discriminator": dcgan_discriminator,
    "tiny_gpt": tiny_gpt,
}

# Of these, some start with branches at exactly zero, as their authors chose: a diagnosis may say so.
ZERO_AT_START_TOO = frozenset({"timm_levit_128s", "flow_classifier"})


# Sick networks


class Separable(nn.Module):
    """Depthwise and pointwise convolutions without norms, initialised by the numbers of outputs of their layers."""

    def __init__(self, by_group: bool, blocks: int = 14, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, stride=2, padding=1), nn.ReLU()]
        for _ in range(blocks):
            layers += [
                nn.Conv2d(width, width, 3, padding=1, groups=width),
                nn.ReLU(),
                nn.Conv2d(width, width, 1),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width, CLASSES)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                outputs = layer.out_channels * layer.kernel_size[0] ** 2 / (layer.groups if by_group else 1)
                nn.init.normal_(layer.weight, std=math.sqrt(2 / outputs))
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        out: Tensor = self.head(self.features(x).mean((2, 3)))
        return out


class Reader(nn.Module):
    """A GRU over padded texts, read at the last position of all, or at each text's last word."""

    def __init__(self, at_last_word: bool, width: int = 48) -> None:
        super().__init__()
        self.at_last_word = at_last_word
        self.embed = nn.Embedding(WORDS, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, 5)

    def forward(self, texts: Tensor) -> Tensor:
        """The scores of the classes, for each text."""
        states, _ = self.gru(self.embed(texts))
        last = (texts != 0).sum(1) - 1 if self.at_last_word else torch.full_like(texts[:, 0], texts.shape[1] - 1)
        out: Tensor = self.head(states[torch.arange(len(texts), device=texts.device), last])
        return out


class BasicBlock(nn.Module):
    """A residual block of CIFAR's ResNets, with or without batch norms."""

    def __init__(self, before: int, width: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        stride = 1 if before == width else 2
        self.branch = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, 1, bias=False), norm(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), norm(width),
        )  # fmt: skip
        self.skip = nn.Conv2d(before, width, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The block's channels, at each pixel."""
        return F.relu(self.skip(x) + self.branch(x))


def resnet110(norm: Callable[[int], nn.Module], blocks: int = 18) -> nn.Module:
    """ResNet-110 as for CIFAR, initialised as in torchvision."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), norm(16), nn.ReLU()]
    for before, width in ((16, 16), (16, 32), (32, 64)):
        layers += [BasicBlock(width if block else before, width, norm) for block in range(blocks)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def detector(everywhere: bool, prior: float = 0.01, width: int = 32) -> nn.Module:
    """A convolutional classifier, with the bias of a rare class on its scores, or on all that has a bias."""
    layers: list[nn.Module] = []
    for layer in range(4):
        layers += [nn.Conv2d(width if layer else 3, width, 3, 2 if layer % 2 else 1, 1), nn.ReLU()]
    head = nn.Linear(width, CLASSES)
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    for module in model.modules() if everywhere else [head]:
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.constant_(module.bias, -math.log((1 - prior) / prior))
    return model


def grader(rectified: bool) -> nn.Module:
    """A small classifier that ends in LogSoftmax, and, if rectified, in a ReLU after it."""
    layers: list[nn.Module] = [nn.Linear(32, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, CLASSES)]
    layers.append(nn.LogSoftmax(dim=1))
    return nn.Sequential(*layers, nn.ReLU()) if rectified else nn.Sequential(*layers)


def angle_network(act: Callable[[], nn.Module], width: int = 24) -> nn.Module:
    """Convolutions, batch norms and pooling by means, with some activation or none."""
    layers: list[nn.Module] = []
    for layer in range(4):
        layers += [nn.Conv2d(width if layer else 3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), act()]
        if layer % 2:
            layers.append(nn.AvgPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 4))


class ReZero(nn.Module):
    """Residual blocks with a gate that starts at 0; the last layer of each block starts at 0 too, or does not."""

    def __init__(self, last_at_zero: bool, depth: int = 6, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Linear(6, width)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width)) for _ in range(depth)
        )
        self.gates = nn.ParameterList(nn.Parameter(torch.zeros(())) for _ in range(depth))
        self.head = nn.Linear(width, 3)
        if last_at_zero:
            for branch in self.branches:
                nn.init.zeros_(branch[2].weight)
                nn.init.zeros_(branch[2].bias)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each point."""
        x = self.embed(x)
        for gate, branch in zip(self.gates, self.branches, strict=True):
            x = x + gate * branch(x)
        out: Tensor = self.head(x)
        return out


class LowRank(nn.Module):
    """A frozen linear layer with a trained update of low rank (LoRA), one or both of whose factors start at 0."""

    def __init__(self, base: nn.Linear, both_at_zero: bool, rank: int = 4) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.down = nn.Parameter(torch.zeros(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        if not both_at_zero:
            nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """What the frozen layer gives, and the update."""
        out: Tensor = self.base(x) + 2.0 * F.linear(F.linear(x, self.down), self.up)
        return out


def lora(both_at_zero: bool, width: int = 64) -> nn.Module:
    """A frozen perceptron, fine-tuned by LoRA in every layer."""
    sizes = (32, width, width, CLASSES)
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [LowRank(nn.Linear(before, after), both_at_zero), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def photograph_network(depth: int = 8, width: int = 24) -> nn.Module:
    """Plain convolutions without norms."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        conv = nn.Conv2d(width if layer else 3, width, 3, padding=1)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(conv.bias)
        layers += [conv, nn.ReLU()]
        if layer % 4 == 3:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * 16, CLASSES))


class DilatedStack(nn.Module):
    """Dilated convolutions over time with batch norms, as branches beside a skip or, at a scale of 0, in series."""

    def __init__(self, scale: float, depth: int = 90, width: int = 24) -> None:
        super().__init__()
        self.scale = scale
        self.embed = nn.Conv1d(8, width, 1)
        dilations = [2 ** (layer % 3) for layer in range(depth)]
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
            )
            for dilation in dilations
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.embed(x.transpose(1, 2))
        for layer in self.layers:
            x = x + self.scale * layer(x) if self.scale else layer(x)
        out: Tensor = self.head(x.mean(2))
        return out


def by_hand(weights: Callable[[Tensor], object], depth: int = 10, width: int = 100) -> nn.Module:
    """A tanh network written by hand, with weights of some kind and no biases at the start."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers += [nn.Linear(width if layer else 32, width), nn.Tanh()]
    model = nn.Sequential(*layers, nn.Linear(width, CLASSES))
    for module in model:
        if isinstance(module, nn.Linear):
            weights(module.weight)
            nn.init.zeros_(module.bias)
    return model


def _sick_graph(
    sick: Callable[[], nn.Module], cured: Callable[[], nn.Module], cause: str | tuple[str, ...], remedy: str
) -> Sick:
    """Join two networks to a graph."""
    return Sick(
        lambda seed: joined(seed, sick, *community(seed)),
        cause,
        lambda seed: joined(seed, cured, *community(seed)),
        remedy,
    )


SICK_TOO: dict[str, Sick] = {
    "depthwise_fan_out": _sick(
        lambda: Separable(by_group=False),
        lambda: Separable(by_group=True),
        "vanishing",
        "Divide the depthwise convolutions' number of outputs by their groups when initialising them.",
        lambda seed: images(seed, 32, 24),
    ),
    "padding_read_last": _sick(
        lambda: Reader(at_last_word=False),
        lambda: Reader(at_last_word=True),
        ("vanishing", "collapsed"),
        "Read the state at each text's last word, not after all the padding (or pack the sequences).",
        padded_reviews,
    ),
    "resnet110_norms_removed": _sick(
        lambda: resnet110(nn.Identity),
        lambda: resnet110(lambda width: nn.GroupNorm(4, width)),
        "exploding",
        "Put a norm back that works at any batch size (GroupNorm), or scale the residual branches.",
        lambda seed: gratings(seed, 16, 16),
    ),
    "graph_sums_neighbours": _sick_graph(
        lambda: GraphConvolutions(6, normalised=False),
        lambda: GraphConvolutions(6, skip=0.5),
        "exploding",
        "Normalise the adjacency by the degrees, and add skip connections.",
    ),
    "prior_on_every_bias": _sick(
        lambda: detector(everywhere=True),
        lambda: detector(everywhere=False),
        "dead",
        "Start only the scores' bias at the log odds of a rare class, and all other biases at zero.",
        lambda seed: images(seed, 32, 20),
    ),
    "relu_after_log_softmax": _sick(
        lambda: grader(rectified=True),
        lambda: grader(rectified=False),
        "dead",
        "Take away the ReLU after LogSoftmax, whose outputs are never positive.",
    ),
    "convolutions_without_act": _sick(
        lambda: angle_network(nn.Identity),
        lambda: angle_network(nn.ReLU),
        "linear",
        "Put a nonlinearity after each convolution and its batch norm.",
        lambda seed: gratings(seed, 32, 24, classes=4),
    ),
    "leaky_slope_of_1": _sick(
        lambda: nn.Sequential(
            nn.Linear(6, 64), nn.LeakyReLU(1.0), nn.Linear(64, 64), nn.LeakyReLU(1.0), nn.Linear(64, 3)
        ),
        lambda: nn.Sequential(
            nn.Linear(6, 64), nn.LeakyReLU(0.01), nn.Linear(64, 64), nn.LeakyReLU(0.01), nn.Linear(64, 3)
        ),
        "linear",
        "Give LeakyReLU a small negative slope, such as 0.01: at 1 it changes nothing.",
        shells,
    ),
    "rezero_with_zero_last": _sick(
        lambda: ReZero(last_at_zero=True),
        lambda: ReZero(last_at_zero=False),
        ("zero by design", "linear"),
        "Start either the gates or the branches' last layers at zero, not both.",
        shells,
    ),
    "lora_both_zero": _sick(
        lambda: lora(both_at_zero=True),
        lambda: lora(both_at_zero=False),
        "zero by design",
        "Start only one factor of each low-rank update at zero.",
    ),
    "graph_oversmoothed": _sick_graph(
        lambda: GraphConvolutions(32),
        lambda: GraphConvolutions(32, skip=0.05),
        ("collapsed", "vanishing"),
        "Use fewer graph convolutions, or add skip connections.",
    ),
    "normalised_by_255": _sick(
        photograph_network,
        photograph_network,
        "collapsed",
        "Normalise pixels between 0 and 1 by a mean of 0.485, not by the one of pixels up to 255.",
        lambda seed: photographs(seed, 123.7, 58.4),
        lambda seed: photographs(seed, 0.485, 0.229),
    ),
    "siren_in_pixels": _sick(
        siren_of,
        siren_of,
        ("shattered", "exploding"),
        "Scale the coordinates to between -1 and 1.",
        field_in_pixels,
        field,
    ),
    "dilated_without_skips": _sick(
        lambda: DilatedStack(scale=0.0),
        lambda: DilatedStack(scale=0.1),
        ("shattered", "exploding"),
        "Give the stack residual connections with scaled branches.",
        noisy_series,
    ),
    "tanh_of_randn": _sick(
        lambda: by_hand(nn.init.normal_),
        lambda: by_hand(nn.init.xavier_normal_),
        ("shattered", "exploding"),
        "Divide the weights by the square root of each layer's number of inputs (xavier_normal_).",
        lambda seed: rows(seed, 32),
    ),
}
