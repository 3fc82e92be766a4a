"""Networks as competent people build them, which train, and twelve that don't, after the commonest questions on forums;
written by someone who had not seen how the diagnosis works.

Targets are class numbers (for each input, token, node or pixel), or, where a network puts out quantities,
floating-point numbers of the shape of its output (whose loss is the mean squared error).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, _timm, _torchvision, images, made, scenes, sequences, tokens
from sick import Sick
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]

# What the healthy networks are fed.


def sales(seed: int, batch: int = 32, past: int = 48, ahead: int = 12) -> Batch:
    """The past of noisy series with a season and a trend, and what comes next."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(past + ahead) / 12
    phase, slope, level = torch.rand(3, batch, 1, generator=generator) - 0.5
    series = 2 * level + 0.5 * slope * time + (2 * torch.pi * (time + phase)).sin()
    series = series + 0.1 * torch.randn(batch, past + ahead, generator=generator)
    return series[:, :past], series[:, past:]


def clicks(seed: int, batch: int = 64, kinds: int = 20) -> Batch:
    """Four counts and the numbers of four categories (as floats, behind the counts), and whether there was a click."""
    effect = torch.randn(4, kinds, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    dense = torch.randn(batch, 4, generator=generator)
    category = torch.randint(kinds, (batch, 4), generator=generator)
    score = effect[torch.arange(4), category].sum(1) + dense[:, 0] * effect[0, category[:, 0]] - dense[:, 1]
    return torch.cat([dense, category.float()], 1), (score > 0).long()


def notes(seed: int, batch: int = 32, length: int = 2048) -> Batch:
    """Noisy recordings of a note: its pitch is the class, and its phase is drawn by lot."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % CLASSES
    pitch = 0.02 * 1.25 ** labels.unsqueeze(1)
    phase = 2 * torch.pi * torch.rand(batch, 1, generator=generator)
    wave = (2 * torch.pi * pitch * torch.arange(length) + phase).sin()
    return (wave + 0.5 * torch.randn(batch, length, generator=generator)).unsqueeze(1), labels


def houses(seed: int, batch: int = 64) -> Batch:
    """A table of twelve standardised columns, and the standardised logarithm of a price."""
    inputs = torch.randn(batch, 12, generator=torch.Generator().manual_seed(seed))
    price = inputs[:, :1] * (inputs[:, 1:2] > 0) + inputs[:, 2:3].abs() - 0.5 * inputs[:, 3:4] * inputs[:, 4:5]
    return inputs, (price - 0.8) / 1.2


def experience(seed: int, batch: int = 64) -> Batch:
    """A walker's standardised states, and two wanted actions and the standardised return from there on."""
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(batch, 8, generator=generator)
    action = torch.stack([states[:, 0] * states[:, 1], states[:, 2] - states[:, 3]], 1).tanh()
    value = 1 - states[:, :2].square().sum(1, keepdim=True) / 2 + 0.2 * torch.randn(batch, 1, generator=generator)
    return states, torch.cat([action, value], 1)


def screens(seed: int, batch: int = 32, size: int = 36) -> Batch:
    """Two frames of a falling ball and a paddle, and the values of going left, staying, and going right."""
    generator = torch.Generator().manual_seed(seed)
    ball = torch.randint(2, size - 2, (batch,), generator=generator)
    paddle = torch.randint(4, size - 4, (batch,), generator=generator)
    height = torch.randint(2, size - 8, (batch,), generator=generator)
    frames = torch.zeros(batch, 2, size, size)
    for number in range(batch):
        for frame in range(2):
            top = int(height[number]) + 2 * frame
            frames[number, frame, top : top + 3, ball[number] - 1 : ball[number] + 2] = 1.0
            frames[number, frame, -3:, paddle[number] - 4 : paddle[number] + 5] = 1.0
    apart = (ball - paddle) / size
    return frames, torch.stack([-3 * apart, 1 - 4 * apart.abs(), 3 * apart], 1)


def candidates(seed: int, batch: int = 16, number: int = 6) -> Batch:
    """A noisy view of an image, then several others, one of which is of the same class: which one?"""
    generator = torch.Generator().manual_seed(seed)
    shown, labels = images(seed, batch, 16, noise=0.7)
    others, kinds = images(seed + 5000, 60, 16, noise=0.7)
    answer = torch.randint(number, (batch,), generator=generator)
    chosen = []
    for one, right in zip(labels, answer, strict=True):
        wrong = (kinds != one).nonzero()[:, 0]
        places = wrong[torch.randperm(len(wrong), generator=generator)[:number]]
        places[right] = (kinds == one).nonzero()[0, 0]
        chosen.append(others[places])
    return torch.cat([shown.unsqueeze(1), torch.stack(chosen)], 1), answer


def citations(seed: int, nodes: int = 30, batch: int = 16) -> Batch:
    """Papers with noisy topic words before the papers they cite, and each paper's field."""
    generator = torch.Generator().manual_seed(seed)
    field = torch.randint(4, (batch, nodes), generator=generator)
    words = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    features = words[field] + 1.5 * torch.randn(batch, nodes, 12, generator=generator)
    chance = torch.where(field.unsqueeze(1) == field.unsqueeze(2), 0.5, 0.06)
    links = (torch.rand(batch, nodes, nodes, generator=generator) < chance).float().triu(1)
    return torch.cat([features, links + links.transpose(1, 2) + torch.eye(nodes)], 2), field


def advection(seed: int, batch: int = 32, points: int = 64) -> Batch:
    """A random smooth wave on a ring, and the wave after it has moved on, has been smoothed and has been squashed."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(points) / points * 2 * torch.pi
    order = torch.arange(1, 6).view(5, 1)
    size = torch.randn(batch, 5, 1, generator=generator) / order**0.5
    phase = 2 * torch.pi * torch.rand(batch, 5, 1, generator=generator)
    before = (size * (order * place + phase).sin()).sum(1)
    after = (size * (-0.02 * order**2).exp() * (order * (place - 0.8) + phase).sin()).sum(1)
    return before, (1.5 * after).tanh()


def films(seed: int, batch: int = 16, frames: int = 4, size: int = 24) -> Batch:
    """Clips of a spot that moves in one of eight directions over noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % 8
    angle = labels * torch.pi / 4
    time = 2.5 * (torch.arange(frames) - (frames - 1) / 2)
    middle = size / 2 + 3 * (2 * torch.rand(2, batch, 1, generator=generator) - 1)
    down, across = (m + way.unsqueeze(1) * time for m, way in zip(middle, (angle.sin(), angle.cos()), strict=True))
    axis = torch.arange(size)
    apart = (axis.view(-1, 1) - down[..., None, None]) ** 2 + (axis - across[..., None, None]) ** 2
    spot = (-apart / 8).exp().unsqueeze(1).expand(-1, 3, -1, -1, -1)
    return 3 * spot + 0.3 * torch.randn(spot.shape, generator=generator), labels


# The networks that train.


class NBeats(nn.Module):
    """N-BEATS, generic: each block explains a part of the past, which is taken away, and adds to the forecast."""

    def __init__(self, past: int = 48, ahead: int = 12, blocks: int = 4, width: int = 64) -> None:
        super().__init__()
        self.trunks = nn.ModuleList(
            nn.Sequential(
                nn.Linear(past, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
            )
            for _ in range(blocks)
        )
        self.backward_basis = nn.ModuleList(nn.Linear(width, past) for _ in range(blocks))
        self.forward_basis = nn.ModuleList(nn.Linear(width, ahead) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """The series' next values."""
        forecast = x[:, -1:]
        for trunk, back, ahead in zip(self.trunks, self.backward_basis, self.forward_basis, strict=True):
            hidden = trunk(x)
            x = x - back(hidden)
            forecast = forecast + ahead(hidden)
        return forecast


class PatchTransformer(nn.Module):
    """PatchTST: a normalised series in patches, a transformer on them, and one linear layer on all of its output."""

    def __init__(self, past: int = 48, ahead: int = 12, patch: int = 8, width: int = 32) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(patch, width)
        self.position = nn.Parameter(torch.empty(past // patch, width).uniform_(-0.02, 0.02))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.1, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3)
        self.head = nn.Linear(past // patch * width, ahead)

    def forward(self, x: Tensor) -> Tensor:
        """The series' next values, in the units of its past."""
        mean, deviation = x.mean(1, keepdim=True), x.std(1, keepdim=True) + 1e-5
        patches = ((x - mean) / deviation).unflatten(1, (-1, self.patch))
        out: Tensor = self.head(self.encoder(self.embed(patches) + self.position).flatten(1)) * deviation + mean
        return out


class DeepRecommender(nn.Module):
    """DLRM, initialised as its authors do: embeddings and the counts' features, their products, and a perceptron."""

    def __init__(self, kinds: int = 20, width: int = 16) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(kinds, width) for _ in range(4))
        for embedding in self.embeddings:
            nn.init.uniform_(embedding.weight, -((1 / kinds) ** 0.5), (1 / kinds) ** 0.5)
        self.bottom = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, width), nn.ReLU())
        self.top = nn.Sequential(nn.Linear(width + 10, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=(2 / (layer.in_features + layer.out_features)) ** 0.5)
                nn.init.normal_(layer.bias, std=(1 / layer.out_features) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of no click and click."""
        dense, numbers = self.bottom(x[:, :4]), x[:, 4:].long()
        vectors = torch.stack([dense, *(table(numbers[:, n]) for n, table in enumerate(self.embeddings))], 1)
        products = vectors @ vectors.transpose(1, 2)
        row, column = torch.tril_indices(5, 5, -1, device=x.device)
        out: Tensor = self.top(torch.cat([dense, products[:, row, column]], 1))
        return out


class NextItem(nn.Module):
    """SASRec: causal attention over what someone has seen, and the products of its output with all items."""

    def __init__(self, length: int = 24, width: int = 50, blocks: int = 2) -> None:
        super().__init__()
        self.item = nn.Embedding(VOCABULARY, width)
        self.position = nn.Embedding(length, width)
        self.norms = nn.ModuleList(nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)]) for _ in range(blocks))
        self.attention = nn.ModuleList(nn.MultiheadAttention(width, 1, 0.2, batch_first=True) for _ in range(blocks))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(width, width), nn.Dropout(0.2))
            for _ in range(blocks)
        )
        self.last = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_normal_(parameter)

    def forward(self, seen: Tensor) -> Tensor:
        """The scores of all items, after each item."""
        length = seen.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=seen.device)
        x = self.item(seen) * self.item.embedding_dim**0.5 + self.position(torch.arange(length, device=seen.device))
        x = F.dropout(x, 0.2, self.training)
        for norms, attention, layers in zip(self.norms, self.attention, self.layers, strict=True):
            query = norms[0](x)
            x = query + attention(query, x, x, attn_mask=mask, need_weights=False, is_causal=True)[0]
            x = norms[1](x)
            x = x + layers(x)
        return F.linear(self.last(x), self.item.weight)


class TiedLSTM(nn.Module):
    """The language model of torch's examples: an LSTM of two layers, dropout, and a head tied to its embedding."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.2)
        self.token = nn.Embedding(VOCABULARY, width)
        self.lstm = nn.LSTM(width, width, 2, dropout=0.2, batch_first=True)
        self.head = nn.Linear(width, VOCABULARY)
        self.head.weight = self.token.weight
        nn.init.uniform_(self.token.weight, -0.1, 0.1)
        nn.init.zeros_(self.head.bias)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the next token, after each token."""
        out: Tensor = self.head(self.drop(self.lstm(self.drop(self.token(text)))[0]))
        return out


class SpeakerNetwork(nn.Module):
    """An x-vector network: dilated convolutions over time, the mean and deviation of their output, and two layers."""

    def __init__(self, bands: int = 20, width: int = 48) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, size, dilation in (
            (bands, width, 5, 1),
            (width, width, 3, 2),
            (width, width, 3, 3),
            (width, width, 1, 1),
            (width, 2 * width, 1, 1),
        ):
            layers += [nn.Conv1d(before, after, size, dilation=dilation), nn.ReLU(), nn.BatchNorm1d(after)]
        self.frames = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(4 * width, width), nn.ReLU(), nn.BatchNorm1d(width), nn.Linear(width, CLASSES)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the speakers, for each recording."""
        x = self.frames(x.transpose(1, 2))
        out: Tensor = self.head(torch.cat([x.mean(2), (x.var(2) + 1e-5).sqrt()], 1))
        return out


def raw_waves() -> nn.Module:
    """M5: a wide convolution on a raw wave, three narrow ones, and their mean over time."""
    layers: list[nn.Module] = []
    for before, after, size, stride in ((1, 32, 80, 4), (32, 32, 3, 1), (32, 64, 3, 1), (64, 64, 3, 1)):
        layers += [nn.Conv1d(before, after, size, stride), nn.BatchNorm1d(after), nn.ReLU(), nn.MaxPool1d(4)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, CLASSES))


class TabularBlock(nn.Module):
    """A residual block for tables: batch norm, and two layers with dropout."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(2 * width, width),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The block's features."""
        out: Tensor = x + self.layers(x)
        return out


def tabular() -> nn.Module:
    """Gorishniy's ResNet for tables, of three blocks."""
    blocks = [TabularBlock(48) for _ in range(3)]
    return nn.Sequential(nn.Linear(12, 48), *blocks, nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 1))


class ActorCritic(nn.Module):
    """PPO's two perceptrons with orthogonal weights: gains of root two, 0.01 for actions and 1 for the value."""

    def __init__(self, states: int = 8, actions: int = 2, width: int = 64) -> None:
        super().__init__()
        self.actor, self.critic = (
            nn.Sequential(
                nn.Linear(states, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, outs)
            )
            for outs in (actions, 1)
        )
        for half, last in ((self.actor, 0.01), (self.critic, 1.0)):
            for number in (0, 2, 4):
                nn.init.orthogonal_(half[number].weight, last if number == 4 else 2**0.5)
                nn.init.zeros_(half[number].bias)

    def forward(self, x: Tensor) -> Tensor:
        """The means of the actions, and the value, for each state."""
        return torch.cat([self.actor(x), self.critic(x)], 1)


class DuelingNetwork(nn.Module):
    """A dueling network for Atari, small: a value and the actions' advantages, less their mean."""

    def __init__(self, actions: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(2, 16, 8, 4), nn.ReLU(), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(288, 128)
        )
        self.value = nn.Sequential(nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))
        self.advantage = nn.Sequential(nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, actions))

    def forward(self, x: Tensor) -> Tensor:
        """The values of the actions, for each screen."""
        x = self.features(x)
        advantage = self.advantage(x)
        out: Tensor = self.value(x) + advantage - advantage.mean(1, keepdim=True)
        return out


class Contrastive(nn.Module):
    """SimCLR's encoder and projection: cosines between a view and each candidate, divided by a temperature."""

    def __init__(self, width: int = 16, code: int = 32, temperature: float = 0.2) -> None:
        super().__init__()
        self.temperature = temperature
        layers: list[nn.Module] = []
        for before, after in ((3, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(before, after, 3, 2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.projection = nn.Sequential(nn.Linear(4 * width, 4 * width), nn.ReLU(), nn.Linear(4 * width, code))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the candidates."""
        codes = F.normalize(self.projection(self.encoder(x.flatten(0, 1))), dim=1).unflatten(0, x.shape[:2])
        return (codes[:, :1] * codes[:, 1:]).sum(2) / self.temperature


class GraphAttention(nn.Module):
    """A layer of GAT: each node's features are its neighbours', weighted by several learnt attentions."""

    def __init__(self, before: int, after: int, heads: int, joined: bool) -> None:
        super().__init__()
        self.heads, self.joined = heads, joined
        self.linear = nn.Linear(before, heads * after, bias=False)
        self.sender, self.receiver = (nn.Parameter(torch.empty(heads, after)) for _ in range(2))
        self.bias = nn.Parameter(torch.zeros(heads * after if joined else after))
        for weight in (self.linear.weight, self.sender, self.receiver):
            nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor, links: Tensor) -> Tensor:
        """The nodes' new features."""
        x = self.linear(x).unflatten(2, (self.heads, -1))
        to, by = (x * self.receiver).sum(3), (x * self.sender).sum(3)
        score = F.leaky_relu(to.unsqueeze(2) + by.unsqueeze(1), 0.2).masked_fill(links.unsqueeze(3) == 0, -1e9)
        weight = F.dropout(score.softmax(2), 0.2, self.training)
        x = torch.einsum("bijh,bjhf->bihf", weight, x)
        return (x.flatten(2) if self.joined else x.mean(2)) + self.bias


class GraphAttentionNetwork(nn.Module):
    """GAT of two layers, of which the first has four heads and an ELU."""

    def __init__(self) -> None:
        super().__init__()
        self.first = GraphAttention(12, 8, 4, joined=True)
        self.second = GraphAttention(32, 4, 1, joined=False)

    def forward(self, graph: Tensor) -> Tensor:
        """The scores of the fields, for each paper."""
        x, links = graph[:, :, :12], graph[:, :, 12:]
        x = F.dropout(F.elu(self.first(x, links)), 0.2, self.training)
        out: Tensor = self.second(x, links)
        return out


class SpectralLayer(nn.Module):
    """A layer of a Fourier neural operator: complex weights on low frequencies, beside a convolution of size one."""

    def __init__(self, width: int, modes: int, last: bool) -> None:
        super().__init__()
        self.modes, self.last = modes, last
        self.weight = nn.Parameter(torch.rand(width, width, modes, dtype=torch.cfloat) / width**2)
        self.local = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's functions."""
        waves = torch.fft.rfft(x)
        kept = torch.einsum("bim,iom->bom", waves[:, :, : self.modes], self.weight)
        x = torch.fft.irfft(F.pad(kept, (0, waves.shape[2] - self.modes)), n=x.shape[2]) + self.local(x)
        return x if self.last else F.gelu(x)


class FourierOperator(nn.Module):
    """A Fourier neural operator of four layers on functions on a ring."""

    def __init__(self, width: int = 24, modes: int = 8) -> None:
        super().__init__()
        self.lift = nn.Linear(2, width)
        self.layers = nn.Sequential(*[SpectralLayer(width, modes, number == 3) for number in range(4)])
        self.out = nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The new function, at the same points."""
        place = torch.linspace(0, 1, x.shape[1], device=x.device).expand_as(x)
        x = self.layers(self.lift(torch.stack([x, place], 2)).transpose(1, 2)).transpose(1, 2)
        out: Tensor = self.out(x).squeeze(2)
        return out


class Segmenter(nn.Module):
    """A segmentation network of torchvision, of whose outputs only the scores are of interest."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """The scores (batch, class, row, column) of each pixel."""
        out: Tensor = self.network(x)["out"]
        return out


def n_beats(seed: int) -> Case:
    """N-BEATS on short series."""
    return made(seed, NBeats, sales(seed))


def patch_transformer(seed: int) -> Case:
    """PatchTST on short series."""
    return made(seed, PatchTransformer, sales(seed))


def deep_recommender(seed: int) -> Case:
    """DLRM on clicks."""
    return made(seed, DeepRecommender, clicks(seed))


def next_item(seed: int) -> Case:
    """SASRec on what people look at one after another."""
    return made(seed, NextItem, tokens(seed))


def tied_lstm(seed: int) -> Case:
    """An LSTM as a language model, tied."""
    return made(seed, TiedLSTM, tokens(seed))


def speaker_network(seed: int) -> Case:
    """An x-vector network on short recordings."""
    return made(seed, SpeakerNetwork, sequences(seed, batch=32, length=40, features=20))


def m5(seed: int) -> Case:
    """M5 on raw waves."""
    return made(seed, raw_waves, notes(seed))


def tabular_resnet(seed: int) -> Case:
    """A ResNet on a table, with one number to be predicted."""
    return made(seed, tabular, houses(seed))


def actor_critic(seed: int) -> Case:
    """PPO's actor and critic."""
    return made(seed, ActorCritic, experience(seed))


def dueling(seed: int) -> Case:
    """A dueling network on screens of pixels between 0 and 1."""
    return made(seed, DuelingNetwork, screens(seed))


def contrastive(seed: int) -> Case:
    """SimCLR's parts, on a choice between six candidates."""
    return made(seed, Contrastive, candidates(seed))


def graph_attention(seed: int) -> Case:
    """GAT on papers."""
    return made(seed, GraphAttentionNetwork, citations(seed))


def fourier_operator(seed: int) -> Case:
    """A Fourier neural operator, whose weights are complex numbers."""
    return made(seed, FourierOperator, advection(seed))


def torchvision_mnasnet(seed: int) -> Case:
    """MNASNet at half width."""
    models = _torchvision()
    return made(seed, lambda: models.mnasnet0_5(weights=None, num_classes=CLASSES), images(seed, 16, 64))


def torchvision_video_resnet(seed: int) -> Case:
    """R3D of one block a stage, on short clips."""
    parts = _torchvision().video.resnet

    def build() -> nn.Module:
        model: nn.Module = parts.VideoResNet(
            parts.BasicBlock, [parts.Conv3DSimple] * 4, [1, 1, 1, 1], parts.BasicStem, num_classes=8
        )
        return model

    return made(seed, build, films(seed))


def torchvision_deeplab(seed: int) -> Case:
    """DeepLabV3 on MobileNetV3."""
    models = _torchvision()

    def build() -> nn.Module:
        return Segmenter(
            models.segmentation.deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
        )

    return made(seed, build, scenes(seed, size=64))


def timm_mambaout(seed: int) -> Case:
    """MambaOut, femto: gated convolutions."""
    return made(seed, lambda: _timm("mambaout_femto"), images(seed, 16, 64))


def timm_efficientvit(seed: int) -> Case:
    """EfficientViT, b0: linear attention with rectified queries and keys."""
    return made(seed, lambda: _timm("efficientvit_b0"), images(seed, 16, 64))


def timm_gmlp(seed: int) -> Case:
    """A gMLP of four blocks, whose spatial gates start near one."""
    _torchvision()
    from timm.layers import GatedMlp
    from timm.models.mlp_mixer import MlpMixer, SpatialGatingBlock

    return made(
        seed,
        lambda: MlpMixer(
            num_classes=CLASSES,
            img_size=32,
            patch_size=8,
            num_blocks=4,
            embed_dim=64,
            mlp_ratio=6,
            block_layer=SpatialGatingBlock,
            mlp_layer=GatedMlp,
        ),
        images(seed, 16, 32),
    )


def timm_skresnet(seed: int) -> Case:
    """SKNet-18: each block weighs kernels of two sizes against each other."""
    return made(seed, lambda: _timm("skresnet18"), images(seed, 16, 64))


HEALTHY_SEVENTH: dict[str, Callable[[int], Case]] = {
    "n_beats": n_beats,
    "patch_transformer": patch_transformer,
    "deep_recommender": deep_recommender,
    "next_item": next_item,
    "tied_lstm": tied_lstm,
    "speaker_network": speaker_network,
    "m5": m5,
    "tabular_resnet": tabular_resnet,
    "actor_critic": actor_critic,
    "dueling": dueling,
    "contrastive": contrastive,
    "graph_attention": graph_attention,
    "fourier_operator": fourier_operator,
    "torchvision_mnasnet": torchvision_mnasnet,
    "torchvision_video_resnet": torchvision_video_resnet,
    "torchvision_deeplab": torchvision_deeplab,
    "timm_mambaout": timm_mambaout,
    "timm_efficientvit": timm_efficientvit,
    "timm_gmlp": timm_gmlp,
    "timm_skresnet": timm_skresnet,
}

# What the sick networks are fed.


def marked(seed: int, batch: int = 64, length: int = 16) -> Batch:
    """Series of symbols (one of four features is 1), of which one early on is marked by a fifth feature: which?"""
    generator = torch.Generator().manual_seed(seed)
    symbol = torch.randint(4, (batch, length), generator=generator)
    place = torch.randint(length // 2, (batch,), generator=generator)
    mark = F.one_hot(place, length).unsqueeze(2)
    return torch.cat([F.one_hot(symbol, 4), mark], 2).float(), symbol[torch.arange(batch), place]


def headlines(seed: int, batch: int = 32, length: int = 12, words: int = 100) -> Batch:
    """Texts of words by number, some of them typical of one of four subjects, and the subject."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (batch,), generator=generator)
    text = torch.randint(1, words, (batch, length), generator=generator)
    typical = 1 + labels.unsqueeze(1) + 4 * torch.randint(10, (batch, length), generator=generator)
    return torch.where(torch.rand(batch, length, generator=generator) < 0.3, typical, text), labels


def reviews(seed: int, batch: int = 32, length: int = 2000, words: int = 100) -> Batch:
    """Texts of six to twelve words, of which some are kind or unkind, filled up with zeros to a great length."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(batch) % 2
    text = torch.randint(1, words, (batch, length), generator=generator)
    telling = 1 + labels.unsqueeze(1) + 2 * torch.randint(15, (batch, length), generator=generator)
    text = torch.where(torch.rand(batch, length, generator=generator) < 0.4, telling, text)
    size = torch.randint(6, 13, (batch, 1), generator=generator)
    return text.masked_fill(torch.arange(length) >= size, 0), labels


def ratings(seed: int, people: int = 200, batch: int = 64) -> Batch:
    """A person's and a film's number, and the stars that the one gave the other."""
    taste = torch.randn(2, people, 2, generator=torch.Generator().manual_seed(0))
    generous = torch.randn(2, people, generator=torch.Generator().manual_seed(1))
    numbers = torch.randint(people, (batch, 2), generator=torch.Generator().manual_seed(seed))
    person, film = numbers.unbind(1)
    stars = 3.5 + 0.6 * (generous[0, person] + generous[1, film]) + 0.3 * (taste[0, person] * taste[1, film]).sum(1)
    return numbers, stars.clamp(1, 5).unsqueeze(1)


def faces(seed: int, batch: int = 32) -> Batch:
    """Two pictures, and whether they are of one person; of those that are, half are the same file twice."""
    first, labels = images(seed, batch, 16, noise=0.4)
    second, others = images(seed + 5000, batch, 16, noise=0.4)
    kind = torch.randperm(batch, generator=torch.Generator().manual_seed(seed)) % 4
    partner = torch.stack([(others == label).nonzero()[0, 0] for label in labels])
    second = torch.where((kind == 1).view(-1, 1, 1, 1), second[partner], second)
    second = torch.where((kind == 0).view(-1, 1, 1, 1), first, second)
    return torch.stack([first, second], 1), ((kind < 2) | (others == labels)).long()


def swing(seed: int, batch: int = 64) -> Batch:
    """Moments, and where a pendulum is."""
    time = 2 * torch.rand(batch, 1, generator=torch.Generator().manual_seed(seed)) - 1
    return time, (2 * torch.pi * time).sin()


def drives(seed: int, standardised: bool, batch: int = 64) -> Batch:
    """A robot's six encoders, in ticks or standardised, and what an expert did with its three motors."""
    mix = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) / 6**0.5
    states = torch.randn(batch, 6, generator=torch.Generator().manual_seed(seed))
    action = (states @ mix + 0.5 * (states[:, :3] * states[:, 3:])).tanh()
    return states if standardised else 4096 * states, action


def boxes(seed: int, standardised: bool, batch: int = 32, size: int = 32) -> Batch:
    """Grey pictures of a bright box, in bytes or standardised, and where the box begins and ends (0 to 1)."""
    generator = torch.Generator().manual_seed(seed)
    ends = torch.rand(batch, 2, 2, generator=generator).mul(0.8).add(0.1).sort(1).values
    ends = torch.stack([(ends[:, 0] - 0.08), (ends[:, 1] + 0.08)], 1)
    axis = (torch.arange(size) + 0.5) / size
    down, across = (((axis > ends[:, :1, n]) & (axis < ends[:, 1:, n])).float() for n in range(2))
    shape = (down.unsqueeze(2) * across.unsqueeze(1)).unsqueeze(1)
    bright = (0.3 + 0.5 * shape + 0.05 * torch.randn(shape.shape, generator=generator)).clamp(0, 1)
    return (bright - 0.4) / 0.22 if standardised else (255 * bright).round(), ends.flatten(1).clamp(0, 1)


def smudges(seed: int, batch: int = 32) -> Batch:
    """Small noisy pictures of random smooth patterns, and the same without noise."""
    generator = torch.Generator().manual_seed(seed)
    clean = F.interpolate(torch.randn(batch, 3, 3, 3, generator=generator), size=(8, 8), mode="bilinear")
    return clean + 0.5 * torch.randn(clean.shape, generator=generator), clean


# The sick networks.


class StepByStep(nn.Module):
    """A loop over an LSTM cell, whose state is detached at every step, or not."""

    def __init__(self, detached: bool, width: int = 64) -> None:
        super().__init__()
        self.detached = detached
        self.cell = nn.LSTMCell(5, width)
        nn.init.constant_(self.cell.bias_ih[width : 2 * width], 2.0)
        self.head = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the symbols, for each series."""
        hidden = cell = x.new_zeros(x.shape[0], self.cell.hidden_size)
        for step in range(x.shape[1]):
            if self.detached:
                hidden, cell = hidden.detach(), cell.detach()
            hidden, cell = self.cell(x[:, step], (hidden, cell))
        out: Tensor = self.head(hidden)
        return out


class PretrainedText(nn.Module):
    """A convolution over a text's frozen word vectors: those of a file, and zeros for words that are not there."""

    def __init__(self, lowered: bool, words: int = 100, width: int = 50) -> None:
        super().__init__()
        vectors = {f"word{number}": torch.randn(width) for number in range(words)}
        table = torch.zeros(words, width)
        for number in range(words):
            word = f"Word{number}"
            vector = vectors.get(word.lower() if lowered else word)
            if vector is not None:
                table[number] = vector
        self.embedding = nn.Embedding.from_pretrained(table)
        self.convolution = nn.Conv1d(width, 64, 3, padding=1)
        self.head = nn.Linear(64, 4)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the subjects, for each text."""
        out: Tensor = self.head(F.relu(self.convolution(self.embedding(text).transpose(1, 2))).amax(2))
        return out


class Ratings(nn.Module):
    """Matrix factorisation with biases: embeddings by torch's default, or small ones."""

    def __init__(self, std: float, people: int = 200, width: int = 100) -> None:
        super().__init__()
        self.person, self.film = nn.Embedding(people, width), nn.Embedding(people, width)
        self.person_bias, self.film_bias = nn.Embedding(people, 1), nn.Embedding(people, 1)
        self.mean = nn.Parameter(torch.tensor(3.5))
        for embedding in (self.person, self.film, self.person_bias, self.film_bias):
            nn.init.normal_(embedding.weight, std=std)

    def forward(self, numbers: Tensor) -> Tensor:
        """The stars."""
        person, film = numbers.unbind(1)
        product = (self.person(person) * self.film(film)).sum(1, keepdim=True)
        out: Tensor = product + self.person_bias(person) + self.film_bias(film) + self.mean
        return out


class FaceDistance(nn.Module):
    """Convolutions on two pictures, and a layer on the distance between their features, with or without an epsilon."""

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.tower = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 32),
        )
        self.head = nn.Linear(1, 2)

    def forward(self, both: Tensor) -> Tensor:
        """The scores of different and same."""
        apart = self.tower(both[:, 0]) - self.tower(both[:, 1])
        out: Tensor = self.head((apart.square().sum(1, keepdim=True) + self.epsilon).sqrt())
        return out


class AverageText(nn.Module):
    """A perceptron on the mean of a text's word vectors, over all places or over those that hold a word."""

    def __init__(self, masked: bool, words: int = 100, width: int = 32) -> None:
        super().__init__()
        self.masked = masked
        self.embedding = nn.Embedding(words, width)
        self.layers = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of unkind and kind."""
        words = (text > 0).unsqueeze(2) if self.masked else torch.ones_like(text).unsqueeze(2)
        out: Tensor = self.layers((self.embedding(text) * words).sum(1) / words.sum(1))
        return out


class Curve(nn.Module):
    """A perceptron for a curve, which makes its nonlinearity, and uses it or forgets to."""

    def __init__(self, used: bool, width: int = 64) -> None:
        super().__init__()
        self.used = used
        self.enter, self.middle, self.out = nn.Linear(1, width), nn.Linear(width, width), nn.Linear(width, 1)
        self.act = nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        """The value at each moment."""
        x = self.act(self.enter(x)) if self.used else self.enter(x)
        x = self.act(self.middle(x)) if self.used else self.middle(x)
        out: Tensor = self.out(x)
        return out


def actor(width: int = 128) -> nn.Module:
    """DDPG's actor: two layers of rectifiers, and tanh on the actions."""
    return nn.Sequential(
        nn.Linear(6, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3), nn.Tanh()
    )


class BoxFinder(nn.Module):
    """Convolutions, and the ends of a box, which are cut off at 0 and 1 or come from a sigmoid."""

    def __init__(self, clamped: bool, width: int = 16) -> None:
        super().__init__()
        self.clamped = clamped
        layers: list[nn.Module] = []
        for layer in range(3):
            layers += [nn.Conv2d(width if layer else 1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width, 64), nn.ReLU())
        self.head = nn.Linear(64, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Where each box begins and ends, down and across."""
        x = self.head(self.features(x))
        return x.clamp(0, 1) if self.clamped else x.sigmoid()


class Frames(nn.Module):
    """A perceptron on each frame; the classes' probabilities there are multiplied, or their logarithms added up."""

    def __init__(self, multiplied: bool, width: int = 64) -> None:
        super().__init__()
        self.multiplied = multiplied
        self.layers = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.layers(x)
        return x.softmax(2).prod(1) if self.multiplied else x.log_softmax(2).sum(1)


class Restorer(nn.Module):
    """Convolutions with batch norm, which are to take the noise off pictures; with scaled skips or without."""

    def __init__(self, scale: float, depth: int = 50, width: int = 16) -> None:
        super().__init__()
        self.scale = scale
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
            for _ in range(depth)
        )
        self.out = nn.Conv2d(width, 3, 3, padding=1)
        for layer in self.layers.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """The pictures without noise."""
        x = self.enter(x)
        for layer in self.layers:
            x = x + self.scale * layer(x) if self.scale else layer(x)
        out: Tensor = self.out(x)
        return out


class StackedLSTM(nn.Module):
    """An LSTM of torch.nn of several layers, and a linear head on its output at the last step."""

    def __init__(self, layers: int, width: int = 64) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, width, layers, batch_first=True)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        out: Tensor = self.head(self.lstm(x)[0][:, -1])
        return out


class TextTransformer(nn.Module):
    """nn.TransformerEncoder, normalised after each addition as by default, over words, averaged for a subject."""

    def __init__(self, depth: int = 8, words: int = 100, width: int = 64) -> None:
        super().__init__()
        self.word = nn.Embedding(words, width)
        self.position = nn.Parameter(0.02 * torch.randn(12, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, 4)

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the subjects, for each text."""
        out: Tensor = self.head(self.encoder(self.word(text) + self.position).mean(1))
        return out


def not_warmed_up(rate: float, seed: int, steps: int = 30) -> nn.Module:
    """A transformer after some steps of Adam at some rate from the first step on."""
    model = TextTransformer()
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for step in range(steps):
        inputs, labels = headlines(seed + 100 * step)
        optimiser.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()
        optimiser.step()
    optimiser.zero_grad()
    return model


def stuck(seed: int, steps: int = 30) -> nn.Module:
    """A finder of boxes whose ends are clamped, after some steps of Adam on bytes."""
    model = BoxFinder(clamped=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        inputs, targets = boxes(seed + 100 * step, standardised=False)
        optimiser.zero_grad()
        F.mse_loss(model(inputs), targets).backward()
        optimiser.step()
    optimiser.zero_grad()
    return model


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


SICK_SEVENTH: dict[str, Sick] = {
    # Measured: inputs' gradients are 1e-4 at the last step and exactly zero at the fifteen before (cured 6e-5 at each).
    "state_detached_every_step": _pair(
        lambda: StepByStep(detached=True),
        lambda: StepByStep(detached=False),
        "vanishing",
        "Detach the state between batches, not at every step of a series.",
        marked,
    ),
    # Measured: every word vector is zero; outputs are the same for all texts, and the convolution's gradient is zero.
    "words_not_found": _pair(
        lambda: PretrainedText(lowered=False),
        lambda: PretrainedText(lowered=True),
        ("zero by design", "collapsed"),
        "Look the words up in lower case: none was found, and their frozen vectors are all zero.",
        headlines,
    ),
    # Measured: products of 10 where stars vary by 0.9, a loss of 105, and gradients of 0.2 (cured 1e-3).
    "stars_from_default_embeddings": _pair(
        lambda: Ratings(1.0),
        lambda: Ratings(0.05),
        "exploding",
        "Start the embeddings small: the product of a hundred normal numbers with a hundred others is about ten.",
        ratings,
    ),
    # Measured: the root's slope at a distance of zero is infinite, so that all gradients of the tower are NaN.
    "distance_of_the_same_picture": _pair(
        lambda: FaceDistance(0.0),
        lambda: FaceDistance(1e-6),
        "exploding",
        "Add a small epsilon under the root, whose slope at zero is infinite.",
        faces,
    ),
    # Measured: means of word vectors vary between texts by 0.2 % of their size (cured 80 %).
    "mean_over_padding": _pair(
        lambda: AverageText(masked=False),
        lambda: AverageText(masked=True),
        "collapsed",
        "Take the mean over the words alone, not over the padding.",
        reviews,
    ),
    # Measured: the slope is the same at every moment, to the last digit (cured, it varies by 0.8 of its size).
    "sine_as_a_line": _pair(
        lambda: Curve(used=False),
        lambda: Curve(used=True),
        "linear",
        "Call the nonlinearity in forward, too.",
        swing,
    ),
    # Measured: values of 2400 to 380 before tanh, whose outputs are all at 1 or -1: it lets 0.04 % of the gradient
    # through (cured all of it).
    "actor_always_at_one": _pair(
        actor,
        actor,
        "exploding",
        "Standardise the states.",
        lambda seed: drives(seed, standardised=False),
        lambda seed: drives(seed, standardised=True),
    ),
    # Measured: every output is at 0 or 1, and every gradient is exactly zero.
    "boxes_clamped": Sick(
        lambda seed: made(seed, lambda: stuck(seed), boxes(seed, standardised=False)),
        "dead",
        lambda seed: made(seed, lambda: BoxFinder(clamped=False), boxes(seed, standardised=True)),
        "Use a sigmoid in place of clamp, which passes no gradient outside its range, and standardise the pixels.",
    ),
    # Measured: outputs of 1e-21, and gradients of 1e-21.
    "probabilities_multiplied": _pair(
        lambda: Frames(multiplied=True),
        lambda: Frames(multiplied=False),
        "vanishing",
        "Add up the logarithms of the probabilities: the product of two dozen of them is nearly zero.",
        sequences,
    ),
    # Measured: inputs' gradients have a cosine of 0 after a change of 0.001 (cured 1); features are of good size.
    # Gradients also grow, by 1e4 on their way down.
    "restorer_of_50_layers": _pair(
        lambda: Restorer(0.0),
        lambda: Restorer(0.1),
        "shattered",
        "Give the layers scaled skips.",
        smudges,
    ),
    # Measured: outputs vary between inputs by 6e-8 of their size; gradients fall to 1e-11 at the first layer.
    "lstm_of_16_layers": _pair(
        lambda: StackedLSTM(16),
        lambda: StackedLSTM(2),
        ("vanishing", "collapsed"),
        "Use two layers.",
        sequences,
    ),
    # Measured: tokens vary by 0.5 after the first layer and 2e-7 after the last; gradients fall to 1e-11.
    "transformer_not_warmed_up": Sick(
        lambda seed: made(seed, lambda: not_warmed_up(1e-2, seed), headlines(seed)),
        ("collapsed", "vanishing"),
        lambda seed: made(seed, lambda: not_warmed_up(3e-4, seed), headlines(seed)),
        "Start again with a learning rate of 3e-4, or raise it slowly: at 1e-2, all texts soon look the same.",
    ),
}
