"""The exam: typical networks that train, and typical sick ones, each with its cure; a diagnosis never saw them.

As in the other files, every factory takes a seed and returns a model in training mode, a batch of inputs and its
targets: class numbers (one for each input, token or pixel), or floating-point numbers of the output's shape, to be met
in the mean square. A tuple of inputs is passed as `model(*inputs)`, a dict as `model(**inputs)`; the first axis counts
the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, _timm, _torchvision, images, made, rows, scenes, tokens
from held_out import WORDS, friedman, gratings, joined, reviews
from sick import Sick, he, initialised
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

USERS, ITEMS, FIELDS = 24, 24, 8

# Data


def photos(seed: int, batch: int = 32, size: int = 16) -> tuple[Tensor, Tensor]:
    """Images as ToTensor gives them, between 0 and 1."""
    inputs, labels = images(seed, batch, size)
    return (0.45 + 0.22 * inputs).clamp(0, 1), labels


def bytes_of(seed: int, batch: int = 32, size: int = 16) -> tuple[Tensor, Tensor]:
    """The same images as a file holds them: whole numbers from 0 to 255."""
    inputs, labels = photos(seed, batch, size)
    return (255 * inputs).round(), labels


def standardised(seed: int, batch: int = 32, size: int = 16) -> tuple[Tensor, Tensor]:
    """The same images, scaled to between 0 and 1 and standardised."""
    inputs, labels = bytes_of(seed, batch, size)
    return (inputs / 255 - 0.45) / 0.24, labels


def one_hot(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The same batch with one-hot rows for targets."""
    return batch[0], F.one_hot(batch[1], CLASSES).float()


def churn(seed: int, batch: int = 64) -> tuple[Tensor, Tensor]:
    """Standardised features of customers, and 1 for those who leave, 0 for those who stay, as a column."""
    inputs, labels = rows(seed, batch, features=16)
    return inputs, (labels < CLASSES // 2).float()[:, None]


def energies(seed: int) -> tuple[Tensor, Tensor]:
    """Descriptors of molecules, and their energies, which are negative: minus 4, with a standard deviation of 1."""
    inputs, answers = friedman(seed)
    return inputs, answers - 4.0


def visits(seed: int, batch: int = 64, raw: bool = True) -> tuple[Tensor, Tensor]:
    """Features of visits to a site, one of which is the second of the visit since 1970, raw or standardised."""
    inputs, labels = rows(seed, batch, features=11)
    time = torch.randn(batch, 1, generator=torch.Generator().manual_seed(seed + 1))
    return torch.cat([inputs, 1.6e9 + 1e7 * time if raw else time], 1), labels


def padded(seed: int, batch: int = 32, length: int = 24) -> tuple[Tensor, Tensor]:
    """Texts of 10 to 20 words, padded with 0."""
    texts, labels = reviews(seed, batch)
    lengths = torch.randint(10, 21, (batch, 1), generator=torch.Generator().manual_seed(seed + 1))
    return F.pad(torch.where(torch.arange(20) < lengths, texts, 0), (0, length - 20)), labels


def texts_and_lengths(seed: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """The same texts, with their numbers of words."""
    texts, labels = padded(seed)
    return (texts, (texts != 0).sum(1)), labels


def ratings(seed: int, batch: int = 256) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Users and items, and how the one rates the other, standardised: by four tastes, with some noise."""
    truth = torch.Generator().manual_seed(0)
    tastes, traits = torch.randn(USERS, 4, generator=truth), torch.randn(ITEMS, 4, generator=truth)
    generator = torch.Generator().manual_seed(seed)
    users = torch.randint(USERS, (batch,), generator=generator)
    items = torch.randint(ITEMS, (batch,), generator=generator)
    scores = (tastes[users] * traits[items]).sum(1) / 2 + 0.2 * torch.randn(batch, generator=generator)
    return (users, items), scores[:, None]


def shop(seed: int, batch: int = 128) -> tuple[dict[str, Tensor], Tensor]:
    """Four fields of a shop's customers and some numbers: the class is by how the fields go together, two and two."""
    generator = torch.Generator().manual_seed(seed)
    categories = torch.randint(FIELDS, (batch, 4), generator=generator)
    numbers = torch.randn(batch, 4, generator=generator)
    bits = categories % 2
    return {"numbers": numbers, "categories": categories}, 2 * (bits[:, 0] ^ bits[:, 1]) + (bits[:, 2] ^ bits[:, 3])


def survey(seed: int, batch: int = 64, steps: int = 20) -> tuple[Tensor, Tensor]:
    """Six answers on scales of 0 to 19, divided by 20 (as a MinMaxScaler does), of one of five groups."""
    habits = torch.randint(steps, (5, 6), generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(5, (batch,), generator=generator)
    spread = torch.randint(-2, 3, (batch, 6), generator=generator)
    return (habits[labels] + spread).clamp(0, steps - 1) / steps, labels


def clips(seed: int, batch: int = 32, frames: int = 6, size: int = 16) -> tuple[Tensor, Tensor]:
    """Short films of a spot that moves up, down, left or right."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (batch,), generator=generator)
    moves = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])[labels]
    middle = size / 2 + 2 * torch.randn(batch, 2, generator=generator)
    at = middle[:, None] + 1.5 * moves[:, None] * (torch.arange(frames) - (frames - 1) / 2)[:, None]
    grid = torch.arange(size)
    down = (-((grid - at[..., :1]) ** 2) / 8).exp()
    across = (-((grid - at[..., 1:]) ** 2) / 8).exp()
    spot = 2.0 * down[..., :, None] * across[..., None, :]
    return (spot + 0.2 * torch.randn(spot.shape, generator=generator))[:, :, None], labels


def burgers(seed: int, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Places and times, between -1 and 1 and between 0 and 1, and the height of a front that steepens there."""
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(batch, 1, generator=generator) - 1
    t = torch.rand(batch, 1, generator=generator)
    height = -(math.pi * x).sin() * (1 - 0.5 * t) - 0.6 * t * (6 * x).tanh() * (1 - x * x)
    return torch.cat([x, t], 1), height / 0.65


# Networks that train


class Bert(nn.Module):
    """A BERT-like encoder, read at a [CLS] token, which ignores the padding, or, by mistake, all but the padding."""

    def __init__(self, ignores_padding: bool = True, width: int = 64, layers: int = 3, length: int = 25) -> None:
        super().__init__()
        self.ignores_padding = ignores_padding
        self.words = nn.Embedding(WORDS + 1, width, padding_idx=0)
        self.positions = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(0.1)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.1, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.pooler = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(0.1))
        self.head = nn.Linear(width, 5)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, texts: Tensor) -> Tensor:
        """The scores of the classes, for each text."""
        texts = torch.cat([torch.full_like(texts[:, :1], WORDS), texts], 1)
        ignored = texts == 0 if self.ignores_padding else texts != 0
        x = self.words(texts) + self.positions(torch.arange(texts.shape[1], device=texts.device))
        x = self.encoder(self.drop(self.norm(x)), src_key_padding_mask=ignored)
        out: Tensor = self.head(self.pooler(x[:, 0]))
        return out


class FilmReader(nn.Module):
    """A small convolutional network for each frame, an LSTM over the frames, and a head on its last state."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.frame = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(2 * width * 16, 64), nn.ReLU(),
        )  # fmt: skip
        self.lstm = nn.LSTM(64, 64, batch_first=True)
        self.head = nn.Linear(64, 4)

    def forward(self, film: Tensor) -> Tensor:
        """The scores of the directions, for each film."""
        seen = self.frame(film.flatten(0, 1)).unflatten(0, film.shape[:2])
        _, (state, _) = self.lstm(seen)
        out: Tensor = self.head(state[-1])
        return out


def _pair(before: int, width: int) -> nn.Sequential:
    """Two convolutions with batch norms."""
    layers: list[nn.Module] = []
    for channels in (before, width):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


class AttentionGate(nn.Module):
    """Attention U-Net's gate: which places of the skip connection are let through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.coarse = nn.Sequential(nn.Conv2d(width, width // 2, 1), nn.BatchNorm2d(width // 2))
        self.fine = nn.Sequential(nn.Conv2d(width, width // 2, 1), nn.BatchNorm2d(width // 2))
        self.score = nn.Sequential(nn.Conv2d(width // 2, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """The skip connection's channels, weighted at each place."""
        out: Tensor = fine * self.score(F.relu(self.coarse(coarse) + self.fine(fine)))
        return out


class AttentionUNet(nn.Module):
    """A U-Net with bilinear upsampling and attention gates on its skip connections."""

    def __init__(self, width: int = 12, classes: int = 3) -> None:
        super().__init__()
        self.down = nn.ModuleList([_pair(3, width), _pair(width, 2 * width)])
        self.bottom = _pair(2 * width, 4 * width)
        self.narrow = nn.ModuleList([nn.Conv2d(4 * width, 2 * width, 3, padding=1), nn.Conv2d(2 * width, width, 1)])
        self.gates = nn.ModuleList([AttentionGate(2 * width), AttentionGate(width)])
        self.up = nn.ModuleList([_pair(4 * width, 2 * width), _pair(2 * width, width)])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, at each pixel."""
        kept = []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for narrow, gate, block in zip(self.narrow, self.gates, self.up, strict=True):
            x = narrow(F.interpolate(x, scale_factor=2, mode="bilinear"))
            x = block(torch.cat([gate(x, kept.pop()), x], 1))
        out: Tensor = self.head(x)
        return out


class GroupNormBlock(nn.Module):
    """A residual block with group norms."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__()
        stride = 1 if before == width else 2
        self.branch = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.GroupNorm(8, width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.GroupNorm(8, width),
        )  # fmt: skip
        self.skip = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.GroupNorm(8, width))
        if stride == 1:
            self.skip = nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        """The block's channels, at each pixel."""
        return F.relu(self.skip(x) + self.branch(x))


class GatedConvolutions(nn.Module):
    """A language model of causal gated convolutions (GLU): scores (batch, position, vocabulary)."""

    def __init__(self, width: int = 48, layers: int = 5, kernel: int = 3) -> None:
        super().__init__()
        self.kernel = kernel
        self.embed = nn.Embedding(VOCABULARY, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, 2 * width, kernel) for _ in range(layers))
        self.head = nn.Linear(width, VOCABULARY)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        x = self.embed(text).transpose(1, 2)
        for layer in self.layers:
            x = x + F.glu(layer(F.pad(x, (self.kernel - 1, 0))), dim=1)
        out: Tensor = self.head(x.transpose(1, 2))
        return out


class PackedReader(nn.Module):
    """A bidirectional GRU over packed texts, and a head on its two last states."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(2 * width, 5))

    def forward(self, texts: Tensor, lengths: Tensor) -> Tensor:
        """The scores of the classes, for each text."""
        packed = pack_padded_sequence(self.embed(texts), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed)
        out: Tensor = self.head(torch.cat([last[0], last[1]], 1))
        return out


class TwoTowers(nn.Module):
    """A recommender: a tower for the user and one for the item, whose outputs are multiplied."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.user, self.item = (
            nn.Sequential(nn.Embedding(count, width), nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 16))
            for count in (USERS, ITEMS)
        )
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """The rating, for each user and item."""
        return (self.user(users) * self.item(items)).sum(1, keepdim=True) + self.bias


def physics(width: int = 40, depth: int = 4) -> nn.Module:
    """The tanh network of physics-informed learning, with Xavier's initialisation."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers += [nn.Linear(width if layer else 2, width), nn.Tanh()]
    return initialised(nn.Sequential(*layers, nn.Linear(width, 1)), nn.init.xavier_normal_)


def torchvision_regnet_x_400mf(seed: int) -> Case:
    """RegNetX of 400 MF."""
    models = _torchvision()
    return made(seed, lambda: models.regnet_x_400mf(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_mobilenet_v2(seed: int) -> Case:
    """MobileNetV2 at half width."""
    models = _torchvision()
    return made(
        seed, lambda: models.mobilenet_v2(weights=None, num_classes=CLASSES, width_mult=0.5), images(seed, 16, 64)
    )


def torchvision_alexnet(seed: int) -> Case:
    """AlexNet's convolutions, with a smaller head, as for small images."""
    models = _torchvision()

    def build() -> nn.Module:
        model: nn.Module = models.alexnet(weights=None)
        model.avgpool = nn.AdaptiveAvgPool2d(1)
        model.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, CLASSES))
        return model

    return made(seed, build, images(seed, 32, 64))


def timm_lcnet_050(seed: int) -> Case:
    """PP-LCNet at half width."""
    return made(seed, lambda: _timm("lcnet_050"), images(seed, 16, 64))


def timm_pvt_v2_b0(seed: int) -> Case:
    """PVTv2-B0, a pyramid of transformers."""
    return made(seed, lambda: _timm("pvt_v2_b0"), images(seed, 16, 64))


def timm_convnextv2_atto(seed: int) -> Case:
    """ConvNeXt V2, atto: its global response norms start at zero, beside a skip connection."""
    return made(seed, lambda: _timm("convnextv2_atto"), images(seed, 16, 64))


def bert_cls(seed: int) -> Case:
    """A BERT-like encoder with a [CLS] token, on padded texts."""
    return made(seed, Bert, padded(seed))


def cnn_lstm(seed: int) -> Case:
    """A CNN and an LSTM, on short films."""
    return made(seed, FilmReader, clips(seed))


def attention_unet(seed: int) -> Case:
    """An attention U-Net that gives each pixel a class."""
    return made(seed, AttentionUNet, scenes(seed))


def group_norm_resnet(seed: int) -> Case:
    """A small ResNet with group norms, on pixels between 0 and 1."""

    def build() -> nn.Module:
        blocks = [GroupNormBlock(*sizes) for sizes in ((16, 16), (16, 32), (32, 32), (32, 64), (64, 64))]
        stem = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.GroupNorm(8, 16), nn.ReLU()]
        return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))

    return made(seed, build, photos(seed))


def gated_convolutions(seed: int) -> Case:
    """An autoregressive Conv1d network on tokens."""
    return made(seed, GatedConvolutions, tokens(seed))


def packed_gru(seed: int) -> Case:
    """A bidirectional GRU over packed texts: texts and lengths as a tuple."""
    return joined(seed, PackedReader, *texts_and_lengths(seed))


def two_towers(seed: int) -> Case:
    """A recommender of two towers: users and items as a tuple."""
    return joined(seed, TwoTowers, *ratings(seed))


def physics_tanh(seed: int) -> Case:
    """A tanh network on places and times."""
    return made(seed, physics, burgers(seed))


HEALTHY_EXAM: dict[str, Callable[[int], Case]] = {
    "torchvision_regnet_x_400mf": torchvision_regnet_x_400mf,
    "torchvision_mobilenet_v2": torchvision_mobilenet_v2,
    "torchvision_alexnet": torchvision_alexnet,
    "timm_lcnet_050": timm_lcnet_050,
    "timm_pvt_v2_b0": timm_pvt_v2_b0,
    "timm_convnextv2_atto": timm_convnextv2_atto,
    "bert_cls": bert_cls,
    "cnn_lstm": cnn_lstm,
    "attention_unet": attention_unet,
    "group_norm_resnet": group_norm_resnet,
    "gated_convolutions": gated_convolutions,
    "packed_gru": packed_gru,
    "two_towers": two_towers,
    "physics_tanh": physics_tanh,
}


# Sick networks


def vgg19(norm: bool) -> nn.Module:
    """VGG-19 at small width, as torch initialises it, with batch norms or without."""
    layers: list[nn.Module] = []
    before = 3
    for width, convolutions in ((16, 2), (32, 2), (48, 4), (64, 4), (64, 4)):
        for _ in range(convolutions):
            layers.append(nn.Conv2d(before, width, 3, padding=1))
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if norm else [nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.3), nn.Linear(64, CLASSES))


def flat(outputs: nn.Module | None = None, width: int = 128, answers: int = CLASSES, size: int = 16) -> nn.Module:
    """A perceptron on flattened images, initialised for its rectifiers, with some function of its outputs."""
    layers = [nn.Linear(3 * size * size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()]
    hidden = initialised(nn.Sequential(nn.Flatten(), *layers), he)
    return nn.Sequential(hidden, nn.Linear(width, answers), outputs or nn.Identity())


def tabular(act: nn.Module, features: int, answers: int, width: int = 64) -> nn.Module:
    """A perceptron on features of a table, as torch initialises it, with some function of its outputs."""
    return nn.Sequential(
        nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, answers), act
    )


def small_cnn(
    classes: int = CLASSES, norm: bool = False, drop: float = 0.0, act: Callable[[], nn.Module] = nn.ReLU
) -> nn.Module:
    """Four convolutions of a usual kind, pooling, and a head of two layers."""
    layers: list[nn.Module] = []
    for before, width in ((3, 16), (16, 16), (16, 32), (32, 32)):
        layers += [nn.Conv2d(before, width, 3, padding=1)] + ([nn.BatchNorm2d(width)] if norm else []) + [act()]
        if before == width:
            layers.append(nn.MaxPool2d(2))
    head = [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 64), act(), nn.Dropout(drop), nn.Linear(64, classes)]
    return nn.Sequential(*layers, *head)


def leaky_cnn() -> nn.Module:
    """The same with leaky rectifiers."""
    return small_cnn(act=lambda: nn.LeakyReLU(0.1))


def zeroed(model: nn.Module) -> nn.Module:
    """The model after all its weights and biases became zero."""
    return initialised(model, nn.init.zeros_)


def dcgan_init(model: nn.Module, gamma: float) -> nn.Module:
    """The model after an initialisation by hand: convolutions by He, gammas at one value, betas at zero."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            he(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, gamma)
            nn.init.zeros_(module.bias)
    return model


class Bottleneck(nn.Module):
    """ResNet's bottleneck block, whose author added the input at its end, or forgot to."""

    def __init__(self, skips: bool, width: int = 32) -> None:
        super().__init__()
        self.skips = skips
        inside = width // 2
        self.branch = nn.Sequential(
            nn.Conv2d(width, inside, 1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, inside, 3, padding=1, bias=False), nn.BatchNorm2d(inside), nn.ReLU(),
            nn.Conv2d(inside, width, 1, bias=False), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The block's channels, at each pixel."""
        out = self.branch(x)
        if self.skips:
            out = out + x
        return F.relu(out)


def bottlenecks(skips: bool, blocks: int = 30, width: int = 32) -> nn.Module:
    """A ResNet of about a hundred layers, initialised as torchvision's are."""
    stem = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    model = nn.Sequential(
        *stem, *[Bottleneck(skips, width) for _ in range(blocks)],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES),
    )  # fmt: skip
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


class ShopNetwork(nn.Module):
    """Embeddings of categories beside numbers, and linear layers with batch norm, some activation, and dropout."""

    def __init__(self, act: Callable[[], nn.Module], width: int = 64) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(FIELDS, 8) for _ in range(4))
        layers: list[nn.Module] = []
        for before in (36, width):
            layers += [nn.Linear(before, width), nn.BatchNorm1d(width), act(), nn.Dropout(0.1)]
        self.deep = nn.Sequential(*layers, nn.Linear(width, 4))

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """The scores of the classes, for each customer."""
        embedded = [embedding(categories[:, field]) for field, embedding in enumerate(self.embeddings)]
        out: Tensor = self.deep(torch.cat([numbers, *embedded], 1))
        return out


class Factorisation(nn.Module):
    """Matrix factorisation: the product of a user's vector and an item's; they start at some scale."""

    def __init__(self, std: float, rank: int = 8) -> None:
        super().__init__()
        self.users, self.items = nn.Embedding(USERS, rank), nn.Embedding(ITEMS, rank)
        for vectors in (self.users, self.items):
            nn.init.normal_(vectors.weight, std=std)
        self.mean = nn.Parameter(torch.zeros(1))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """The rating, for each user and item."""
        return (self.users(users) * self.items(items)).sum(1, keepdim=True) + self.mean


class SurveyNetwork(nn.Module):
    """Embeddings of answers on scales, which arrive divided by the scale's length, and are multiplied by it or not."""

    def __init__(self, by: int, width: int = 48) -> None:
        super().__init__()
        self.by = by
        self.embed = nn.Embedding(20, 8)
        self.net = nn.Sequential(nn.Linear(48, width), nn.ReLU(), nn.Linear(width, 5))

    def forward(self, answers: Tensor) -> Tensor:
        """The scores of the groups, for each person."""
        numbers = (self.by * answers + 1e-3).long()
        out: Tensor = self.net(self.embed(numbers).flatten(1))
        return out


def after_steps(
    build: Callable[[], nn.Module],
    batch: Callable[[int], tuple[Any, Tensor]],
    optimiser: Callable[[Any], torch.optim.Optimizer],
    steps: int,
) -> Callable[[int], Case]:
    """A network after some steps of an optimiser."""

    def factory(seed: int) -> Case:
        case = made(seed, build, batch(seed))
        updates = optimiser(case.model.parameters())
        for step in range(steps):
            inputs, targets = batch(seed + 100 * (step + 1))
            updates.zero_grad()
            out = case.model(inputs)
            loss = F.mse_loss(out, targets) if targets.is_floating_point() else F.cross_entropy(out, targets)
            loss.backward()
            updates.step()
        updates.zero_grad()
        return case

    return factory


def _sick(
    sick: Callable[[], nn.Module],
    cured: Callable[[], nn.Module],
    cause: str | tuple[str, ...],
    remedy: str,
    batch: Callable[[int], tuple[Any, Tensor]],
    cured_batch: Callable[[int], tuple[Any, Tensor]] | None = None,
) -> Sick:
    """Join the two networks to their batches: the same one, unless the remedy changes the inputs."""
    return Sick(
        lambda seed: joined(seed, sick, *batch(seed)),
        cause,
        lambda seed: joined(seed, cured, *(cured_batch or batch)(seed)),
        remedy,
    )


SICK_EXAM: dict[str, Sick] = {
    "vgg19_from_scratch": _sick(
        lambda: vgg19(norm=False),
        lambda: vgg19(norm=True),
        ("vanishing", "collapsed"),
        "Use batch norms (vgg19_bn), or initialise for rectifiers (kaiming_normal_).",
        lambda seed: gratings(seed, 32, 32),
    ),
    "sigmoid_mse_bytes": _sick(
        lambda: flat(nn.Sigmoid()),
        lambda: flat(nn.Sigmoid()),
        ("vanishing", "exploding", "collapsed"),
        "Divide the pixels by 255 and standardise them: at 0 to 255 the outputs' sigmoids are saturated.",
        lambda seed: one_hot(bytes_of(seed)),
        lambda seed: one_hot(standardised(seed)),
    ),
    "seconds_since_1970": _sick(
        lambda: tabular(nn.Identity(), 12, CLASSES),
        lambda: tabular(nn.Identity(), 12, CLASSES),
        ("exploding", "collapsed"),
        "Standardise each column, the time stamps above all.",
        visits,
        lambda seed: visits(seed, raw=False),
    ),
    "adam_at_1": Sick(
        after_steps(leaky_cnn, standardised, lambda p: torch.optim.Adam(p, lr=1.0), 4),
        "exploding",
        after_steps(leaky_cnn, standardised, lambda p: torch.optim.Adam(p, lr=1e-3), 4),
        "Start again with a learning rate of 1e-3.",
    ),
    "rectified_energies": Sick(
        after_steps(lambda: tabular(nn.ReLU(), 10, 1), energies, lambda p: torch.optim.Adam(p, lr=1e-2), 20),
        "dead",
        after_steps(lambda: tabular(nn.Identity(), 10, 1), energies, lambda p: torch.optim.Adam(p, lr=1e-2), 20),
        "Take away the ReLU on the output, which has to be negative, and start again.",
    ),
    "keep_probability": _sick(
        lambda: small_cnn(drop=1.0),
        lambda: small_cnn(drop=0.0),
        ("dead", "collapsed", "vanishing"),
        "nn.Dropout takes the probability to drop, not to keep: 0, not 1.",
        standardised,
    ),
    "mask_inverted": _sick(
        lambda: Bert(ignores_padding=False),
        lambda: Bert(ignores_padding=True),
        "collapsed",
        "Invert the padding mask: in PyTorch, True marks what attention ignores.",
        padded,
    ),
    "softmax_of_one": _sick(
        lambda: tabular(nn.Softmax(dim=1), 16, 1),
        lambda: tabular(nn.Sigmoid(), 16, 1),
        ("collapsed", "vanishing", "dead"),
        "Use a sigmoid on a single output: its softmax is always 1.",
        churn,
    ),
    "scaled_then_long": _sick(
        lambda: SurveyNetwork(1),
        lambda: SurveyNetwork(20),
        "collapsed",
        "Embed the answers' own numbers, not those between 0 and 1, all of which become 0 as integers.",
        survey,
    ),
    "plus_x_forgotten": _sick(
        lambda: bottlenecks(skips=False),
        lambda: bottlenecks(skips=True),
        ("shattered", "exploding"),
        "Add the block's input to its output, as ResNet does.",
        lambda seed: images(seed, 32, 8, noise=1.3),
    ),
    "dropout_for_act": _sick(
        lambda: ShopNetwork(nn.Identity),
        lambda: ShopNetwork(nn.ReLU),
        "linear",
        "Put a nonlinearity after each hidden layer: batch norm and dropout are none.",
        shop,
    ),
    "factors_at_zero": _sick(
        lambda: Factorisation(0.0),
        lambda: Factorisation(0.3),
        "zero by design",
        "Start the users' and the items' vectors at random: the gradient of each is the other.",
        ratings,
    ),
    "gammas_at_zero": _sick(
        lambda: dcgan_init(small_cnn(norm=True), 0.0),
        lambda: dcgan_init(small_cnn(norm=True), 1.0),
        ("zero by design", "dead", "collapsed"),
        "Start the gammas of the batch norms at 1, not at 0.",
        standardised,
    ),
    "all_weights_zero": _sick(
        lambda: zeroed(flat()),
        flat,
        ("zero by design", "dead", "collapsed"),
        "Start the weights at random (kaiming_normal_), and only the biases at zero.",
        standardised,
    ),
}
