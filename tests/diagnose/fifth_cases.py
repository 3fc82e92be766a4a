"""Networks as others build and initialise them, which train, and networks made sick in ways that happen to people, each
with its cure; written by someone who had not seen how the diagnosis works.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from healthy import CLASSES, VOCABULARY, Case, _timm, _torchvision, images, made, rows, scenes, sequences
from sick import Sick, early, he, initialised, mlp, parity
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor]


# What the sick networks are fed.


def tabular(seed: int, standardised: bool) -> Batch:
    """A table of sixteen columns: income, floor area, year and age in their own units, and twelve ratios."""
    inputs, labels = rows(seed, features=16)
    if standardised:
        return inputs, labels
    spread = torch.ones(16)
    middle = torch.zeros(16)
    spread[:4] = torch.tensor([8000.0, 400.0, 6.0, 12.0])
    middle[:4] = torch.tensor([60000.0, 1500.0, 2010.0, 40.0])
    return middle + spread * inputs, labels


def levels(seed: int) -> Batch:
    """Noisy images, and for each pixel which of four ranges its grey value was in before the noise."""
    clean = images(seed, 8, 16, noise=0.0)[0].mean(1)
    return images(seed, 8, 16, noise=0.3)[0], torch.bucketize(clean, torch.tensor([-0.3, 0.0, 0.3]))


def sixteen_bits(seed: int, standardised: bool) -> Batch:
    """Images of low contrast: standardised, or as whole numbers of sixteen bits."""
    inputs, labels = images(seed, 32, 16)
    return (inputs if standardised else (30000.0 + 400.0 * inputs).round().clamp(0, 65535)), labels


def prices(seed: int, standardised: bool) -> Batch:
    """Series of eight prices: standardised, or in their currency."""
    inputs, labels = sequences(seed)
    return (inputs if standardised else 20000.0 + 300.0 * inputs), labels


def clips(seed: int) -> Batch:
    """Short films: an image of each class that drifts across the frame."""
    still, labels = images(seed, 16, 8)
    return torch.stack([still.roll(step, 3) for step in range(4)], 2), labels


def decibels(seed: int, standardised: bool) -> Batch:
    """Spectrograms of one channel: standardised, or in decibels below the loudest."""
    inputs, labels = images(seed, 32, 16)
    inputs = inputs.mean(1, keepdim=True)
    return (inputs if standardised else (12.0 * inputs - 45.0).clamp(-80.0, -1.0)), labels


def dark(seed: int, truncated: bool) -> Batch:
    """Dark photographs between 0 and 1, none of whose pixels is white; cast to whole numbers, or not."""
    inputs, labels = images(seed, 32, 16)
    inputs = (0.4 + 0.15 * inputs).clamp(0.0, 0.999)
    return (inputs.byte().float() if truncated else inputs), labels


def steps_of_parity(seed: int) -> Batch:
    """Series of four steps, whose class is the signs of two products of features."""
    inputs, labels = parity(seed, batch=64)
    return inputs.view(-1, 4, 4).transpose(1, 2).contiguous(), labels


def heartbeats(seed: int) -> Batch:
    """Noisy series of eight channels, channels first."""
    inputs, labels = sequences(seed, batch=32, length=16)
    generator = torch.Generator().manual_seed(seed + 1)
    noise = torch.randn(inputs.shape, generator=generator)
    return (inputs + noise).transpose(1, 2).contiguous(), labels


# The networks that train.


def texts(seed: int, batch: int = 32, length: int = 20) -> Batch:
    """Texts of random tokens, in which three in ten are of the text's class (three tokens for each class)."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (batch,), generator=generator)
    words = torch.randint(VOCABULARY, (batch, length), generator=generator)
    own = 3 * labels[:, None] + torch.randint(3, (batch, length), generator=generator)
    return torch.where(torch.rand(batch, length, generator=generator) < 0.3, own, words), labels


def shapes(seed: int) -> Batch:
    """Images of one channel that hold a class for each pixel, scaled to between -1 and 1, and those classes."""
    labels = scenes(seed, batch=16, size=16)[1]
    return labels.unsqueeze(1).float() - 1.0, labels


class TextConvolutions(nn.Module):
    """Kim's convolutions of three widths on embedded tokens, pooled over time, with dropout."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, 32, size) for size in (3, 4, 5))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(96, CLASSES))

    def forward(self, text: Tensor) -> Tensor:
        """The scores of the classes, for each text."""
        x = self.embed(text).transpose(1, 2)
        pooled = [F.relu(convolution(x)).amax(2) for convolution in self.convolutions]
        out: Tensor = self.head(torch.cat(pooled, 1))
        return out


class FTTransformer(nn.Module):
    """A transformer whose tokens are the columns of a table, read at a token of its own."""

    def __init__(self, columns: int = 16, width: int = 32) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(columns, width))
        self.bias = nn.Parameter(torch.empty(columns, width))
        self.summary = nn.Parameter(torch.empty(1, 1, width))
        for parameter in (self.weight, self.bias, self.summary):
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        columns = x.unsqueeze(2) * self.weight + self.bias
        summary = self.summary.expand(x.shape[0], -1, -1)
        out: Tensor = self.head(self.blocks(torch.cat([summary, columns], 1))[:, 0])
        return out


class DeepAndCross(nn.Module):
    """DCN-v2: three cross layers beside a perceptron, and a linear head on both."""

    def __init__(self, features: int = 16) -> None:
        super().__init__()
        self.crosses = nn.ModuleList(nn.Linear(features, features) for _ in range(3))
        self.deep = nn.Sequential(nn.Linear(features, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        self.head = nn.Linear(features + 64, 4)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each row."""
        crossed = x
        for cross in self.crosses:
            crossed = crossed + x * cross(crossed)
        out: Tensor = self.head(torch.cat([crossed, self.deep(x)], 1))
        return out


class AttentionBlock(nn.Module):
    """The Set Transformer's block: one set attends to another."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.feedforward = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])

    def forward(self, asks: Tensor, answers: Tensor) -> Tensor:
        """The set that asks, informed."""
        x = self.norms[0](asks + self.attention(asks, answers, answers, need_weights=False)[0])
        out: Tensor = self.norms[1](x + self.feedforward(x))
        return out


class SetTransformer(nn.Module):
    """Induced attention on a set, pooled by a learnt seed."""

    def __init__(self, features: int = 8, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Linear(features, width)
        self.inducers = nn.Parameter(nn.init.xavier_uniform_(torch.empty(6, width)))
        self.seed = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, width)))
        self.gather, self.spread, self.pool = (AttentionBlock(width) for _ in range(3))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each set."""
        batch = x.shape[0]
        x = self.embed(x)
        x = self.spread(x, self.gather(self.inducers.expand(batch, -1, -1), x))
        out: Tensor = self.head(self.pool(self.seed.expand(batch, -1, -1), x)[:, 0])
        return out


class DiagonalStates(nn.Module):
    """S4D: a diagonal linear state space for each channel, as one long convolution, then a gated mix of channels."""

    def __init__(self, width: int, states: int = 8) -> None:
        super().__init__()
        self.log_step = nn.Parameter(torch.empty(width).uniform_(-4.6, -1.6))
        self.log_decay = nn.Parameter(torch.full((width, states), 0.5).log())
        self.frequency = nn.Parameter(torch.pi * torch.arange(states).repeat(width, 1))
        self.read = nn.Parameter(torch.randn(width, states, 2))
        self.skip = nn.Parameter(torch.randn(width))
        self.mix = nn.Conv1d(width, 2 * width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The sequence (batch, channel, time), filtered and mixed."""
        length = x.shape[2]
        rate = torch.complex(-self.log_decay.exp(), self.frequency)
        step = rate * self.log_step.exp().unsqueeze(1)
        read = torch.view_as_complex(self.read) * (step.exp() - 1) / rate
        powers = (step.unsqueeze(2) * torch.arange(length, device=x.device)).exp()
        kernel = 2 * torch.einsum("ws,wst->wt", read, powers).real
        long = torch.fft.irfft(torch.fft.rfft(x, 2 * length) * torch.fft.rfft(kernel, 2 * length), 2 * length)
        return F.glu(self.mix(F.gelu(long[:, :, :length] + self.skip.unsqueeze(1) * x)), 1)


class StateSpace(nn.Module):
    """Three residual layers of diagonal state spaces, averaged over time."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.layers = nn.ModuleList(DiagonalStates(width) for _ in range(3))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.embed(x)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = norm(x + layer(x.transpose(1, 2)).transpose(1, 2))
        out: Tensor = self.head(x.mean(1))
        return out


class MaskedConvolution(nn.Conv2d):
    """A convolution that sees the pixels above, those on the left, and the one in the middle or not."""

    mask: Tensor

    def __init__(self, before: int, after: int, size: int, middle: bool) -> None:
        super().__init__(before, after, size, padding=size // 2)
        mask = torch.ones(size, size)
        mask[size // 2, size // 2 + int(middle) :] = 0
        mask[size // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        """The features of each pixel, from those before it."""
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class PixelCNN(nn.Module):
    """Masked convolutions that predict each pixel's class from the pixels before it."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.enter = MaskedConvolution(1, width, 7, middle=False)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), MaskedConvolution(width, width, 3, middle=True), nn.ReLU(), nn.Conv2d(width, width, 1)
            )
            for _ in range(4)
        )
        self.out = nn.Sequential(nn.ReLU(), nn.Conv2d(width, 32, 1), nn.ReLU(), nn.Conv2d(32, 3, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, at each pixel."""
        x = self.enter(x)
        for layer in self.layers:
            x = x + layer(x)
        out: Tensor = self.out(x)
        return out


class ConvLSTM(nn.Module):
    """An LSTM whose matrices are convolutions, on films, and a linear head on its last state."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.width = width
        self.gates = nn.Conv2d(3 + width, 4 * width, 3, padding=1)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, film: Tensor) -> Tensor:
        """The scores of the classes, for each film."""
        hidden = film.new_zeros(film.shape[0], self.width, *film.shape[3:])
        cell = hidden
        for frame in film.unbind(2):
            let_in, forget, let_out, new = self.gates(torch.cat([frame, hidden], 1)).chunk(4, 1)
            cell = forget.sigmoid() * cell + let_in.sigmoid() * new.tanh()
            hidden = let_out.sigmoid() * cell.tanh()
        out: Tensor = self.head(hidden.mean((2, 3)))
        return out


class SpatialTransformer(nn.Module):
    """A small network of convolutions, behind one that turns and shifts its images, not at all to begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(3, 8, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(8, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
        )
        last = nn.Linear(32, 6)
        nn.init.zeros_(last.weight)
        last.bias.data.copy_(torch.tensor([1.0, 0, 0, 0, 1.0, 0]))
        self.turn = nn.Sequential(nn.Linear(250, 32), nn.ReLU(), last)
        self.features = nn.Sequential(
            nn.Conv2d(3, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(10, 20, 5),
            nn.Dropout2d(),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Linear(500, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        grid = F.affine_grid(self.turn(self.look(x)).view(-1, 2, 3), list(x.shape), align_corners=False)
        turned = F.grid_sample(x, grid, align_corners=False)
        out: Tensor = self.head(self.features(turned).flatten(1))
        return out


class FeaturePyramid(nn.Module):
    """Features of three resolutions, added from the coarsest down, and a class for each pixel."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.Conv2d(after, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            )
            for before, after, stride in ((3, 16, 1), (16, 32, 2), (32, 64, 2))
        )
        self.sides = nn.ModuleList(nn.Conv2d(after, width, 1) for after in (16, 32, 64))
        self.smooth = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, at each pixel."""
        sides = []
        for stage, side in zip(self.stages, self.sides, strict=True):
            x = stage(x)
            sides.append(side(x))
        top = sides[-1]
        for side in sides[-2::-1]:
            top = side + F.interpolate(top, scale_factor=2.0)
        out: Tensor = self.out(F.relu(self.smooth(top)))
        return out


class NeuralODE(nn.Module):
    """A differential equation's state after a time of one, by four steps of Runge and Kutta."""

    def __init__(self, features: int = 32, width: int = 32) -> None:
        super().__init__()
        self.enter = nn.Linear(features, width)
        self.change = nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, width))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each vector."""
        x = self.enter(x)
        step = 0.25
        for _ in range(4):
            first = self.change(x)
            second = self.change(x + step / 2 * first)
            third = self.change(x + step / 2 * second)
            fourth = self.change(x + step * third)
            x = x + step / 6 * (first + 2 * second + 2 * third + fourth)
        out: Tensor = self.head(x)
        return out


class Perceiver(nn.Module):
    """A few latent vectors, which read the pixels of an image twice and think in between."""

    def __init__(self, width: int = 48, latents: int = 8) -> None:
        super().__init__()
        self.enter = nn.Linear(3, width)
        self.place = nn.Parameter(0.02 * torch.randn(256, width))
        self.latents = nn.Parameter(0.02 * torch.randn(latents, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.read = nn.MultiheadAttention(width, 1, batch_first=True)
        self.think = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        pixels = self.norms[0](self.enter(x.flatten(2).transpose(1, 2)) + self.place)
        latents = self.latents.expand(x.shape[0], -1, -1)
        for _ in range(2):
            latents = latents + self.read(self.norms[1](latents), pixels, pixels, need_weights=False)[0]
            latents = self.think(latents)
        out: Tensor = self.head(self.norms[2](latents).mean(1))
        return out


def text_cnn(seed: int) -> Case:
    """Kim's text classifier of convolutions."""
    return made(seed, TextConvolutions, texts(seed))


def ft_transformer(seed: int) -> Case:
    """FT-Transformer on a table of sixteen columns."""
    return made(seed, FTTransformer, rows(seed, features=16))


def deep_and_cross(seed: int) -> Case:
    """DCN-v2 on features whose products matter."""
    return made(seed, DeepAndCross, parity(seed))


def set_transformer(seed: int) -> Case:
    """The Set Transformer, on the steps of a series as its set."""
    return made(seed, SetTransformer, sequences(seed))


def state_space(seed: int) -> Case:
    """Diagonal state spaces (S4D) as a classifier of time series."""
    return made(seed, StateSpace, sequences(seed))


def pixel_cnn(seed: int) -> Case:
    """PixelCNN: each pixel's class from those before it."""
    return made(seed, PixelCNN, shapes(seed))


def conv_lstm(seed: int) -> Case:
    """A convolutional LSTM on short films."""
    return made(seed, ConvLSTM, clips(seed))


def spatial_transformer(seed: int) -> Case:
    """A spatial transformer network as in torch's tutorial, whose localisation starts at the identity."""
    return made(seed, SpatialTransformer, images(seed, 32, 32))


def feature_pyramid(seed: int) -> Case:
    """A feature pyramid that gives each pixel a class."""
    return made(seed, FeaturePyramid, scenes(seed, batch=8))


def neural_ode(seed: int) -> Case:
    """A neural ordinary differential equation."""
    return made(seed, NeuralODE, rows(seed))


def perceiver(seed: int) -> Case:
    """A Perceiver on the pixels of small images."""
    return made(seed, Perceiver, images(seed, 16, 16))


def timm_edgenext_xx_small(seed: int) -> Case:
    """EdgeNeXt, the smallest: convolutions and attention between channels, with scaled branches."""
    return made(seed, lambda: _timm("edgenext_xx_small"), images(seed, 16, 64))


def timm_cait(seed: int) -> Case:
    """CaiT of few layers: class attention, and branches scaled by 1e-5."""
    _torchvision()
    from timm.models.cait import Cait

    return made(
        seed,
        lambda: Cait(img_size=32, patch_size=8, embed_dim=64, depth=6, num_heads=4, num_classes=CLASSES),
        images(seed, 16, 32),
    )


def timm_poolformer(seed: int) -> Case:
    """PoolFormer of few layers: pooling in place of attention, and scaled branches."""
    _torchvision()
    from timm.layers.norm import GroupNorm1
    from timm.models.metaformer import MetaFormer

    def build() -> nn.Module:
        model: nn.Module = MetaFormer(
            num_classes=CLASSES,
            depths=(1, 1, 2, 1),
            dims=(16, 32, 64, 96),
            downsample_norm=None,
            mlp_act=nn.GELU,
            mlp_bias=True,
            norm_layers=GroupNorm1,
            layer_scale_init_values=1e-5,
            res_scale_init_values=(None,) * 4,
            use_mlp_head=False,
        )
        return model

    return made(seed, build, images(seed, 16, 64))


def timm_dla46_c(seed: int) -> Case:
    """Deep layer aggregation, compact."""
    return made(seed, lambda: _timm("dla46_c"), images(seed, 16, 32))


HEALTHY_FIFTH: dict[str, Callable[[int], Case]] = {
    "text_cnn": text_cnn,
    "ft_transformer": ft_transformer,
    "deep_and_cross": deep_and_cross,
    "set_transformer": set_transformer,
    "state_space": state_space,
    "pixel_cnn": pixel_cnn,
    "conv_lstm": conv_lstm,
    "spatial_transformer": spatial_transformer,
    "feature_pyramid": feature_pyramid,
    "neural_ode": neural_ode,
    "perceiver": perceiver,
    "timm_edgenext_xx_small": timm_edgenext_xx_small,
    "timm_cait": timm_cait,
    "timm_poolformer": timm_poolformer,
    "timm_dla46_c": timm_dla46_c,
}


# The sick networks.


class LeNet(nn.Module):
    """LeNet-5's plan for images of 16 pixels: convolutions, average pooling and tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 3), nn.Tanh(), nn.AvgPool2d(2)
        )
        self.head = nn.Sequential(nn.Linear(144, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        out: Tensor = self.head(self.features(x).flatten(1))
        return out


class Restorer(nn.Module):
    """Residual blocks of convolutions without norms, in the manner of EDSR, each branch scaled."""

    def __init__(self, scale: float, depth: int = 24, width: int = 12) -> None:
        super().__init__()
        self.scale = scale
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))
            for _ in range(depth)
        )
        self.out = nn.Conv2d(width, 4, 3, padding=1)
        initialised(self, he)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the ranges, at each pixel."""
        x = self.enter(x)
        for branch in self.branches:
            x = x + self.scale * branch(x)
        out: Tensor = self.out(x)
        return out


class ReadGRU(nn.Module):
    """A GRU, and a linear head on its last output, or on the largest of each unit over time."""

    def __init__(self, last: bool = True) -> None:
        super().__init__()
        self.last = last
        self.gru = nn.GRU(8, 64, batch_first=True)
        self.head = nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        outputs = self.gru(x)[0]
        out: Tensor = self.head(outputs[:, -1] if self.last else outputs.amax(1))
        return out


class Elman(nn.Module):
    """A simple recurrent cell written by hand, with a nonlinearity of choice (or none) on its state."""

    def __init__(
        self, act: Callable[[Tensor], Tensor], features: int, classes: int, orthogonal: bool = False, hidden: int = 64
    ) -> None:
        super().__init__()
        self.act = act
        self.hidden = hidden
        self.enter = nn.Linear(features, hidden)
        self.recur = nn.Linear(hidden, hidden)
        self.head = nn.Linear(hidden, classes)
        if orthogonal:
            nn.init.orthogonal_(self.recur.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        state = x.new_zeros(x.shape[0], self.hidden)
        for step in range(x.shape[1]):
            state = self.act(self.enter(x[:, step]) + self.recur(state))
        out: Tensor = self.head(state)
        return out


def films(weights: Callable[[Tensor], object], depth: int = 20, width: int = 8) -> nn.Module:
    """A network of 3-D convolutions on films, in the manner of C3D, whose biases start at zero."""
    layers: list[nn.Module] = []
    for layer in range(depth):
        layers += [nn.Conv3d(width if layer else 3, width, 3, padding=1), nn.ReLU()]
        if layer in (1, 3):
            layers.append(nn.MaxPool3d(2 if layer == 1 else (1, 2, 2)))
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * width, CLASSES))
    for module in model:
        if isinstance(module, nn.Conv3d | nn.Linear):
            weights(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model


def autoencoder(act: Callable[[], nn.Module], norm: bool, width: int = 16) -> nn.Module:
    """An encoder and decoder of fourteen convolutions, with or without batch norm."""
    layers: list[nn.Module] = []
    for layer in range(14):
        layers.append(nn.Conv2d(width if layer else 3, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width), act()] if norm else [act()]
        if layer in (1, 3):
            layers.append(nn.MaxPool2d(2))
        if layer in (9, 11):
            layers.append(nn.Upsample(scale_factor=2))
    return nn.Sequential(*layers, nn.Conv2d(width, 4, 1))


class HandBlock(nn.Module):
    """A block of a transformer out of bare matrices, normally distributed with some deviation, and no norms."""

    def __init__(self, width: int, std: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out, self.wide, self.narrow = (
            nn.Parameter(std * torch.randn(width, width)) for _ in range(6)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The block's tokens."""
        scores = (x @ self.query) @ (x @ self.key).transpose(1, 2) / x.shape[2] ** 0.5
        x = x + scores.softmax(-1) @ (x @ self.value) @ self.out
        return x + F.relu(x @ self.wide) @ self.narrow


def hand_transformer(std: float, width: int = 48) -> nn.Module:
    """Four blocks by hand between two linear layers, and the average over time in between."""
    blocks = [HandBlock(width, std) for _ in range(4)]
    return nn.Sequential(nn.Linear(8, width), *blocks, Average(), nn.Linear(width, CLASSES))


class Average(nn.Module):
    """The average over the tokens."""

    def forward(self, x: Tensor) -> Tensor:
        """One vector for each input."""
        return x.mean(1)


class PreActivation(nn.Module):
    """Rectifier first, then convolution: residual blocks that work on the spectrogram itself."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(width if layer else 1, width, 3, padding=1) for layer in range(5))
        self.head = nn.Linear(width, CLASSES)
        initialised(self, he)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each spectrogram."""
        for number, layer in enumerate(self.layers):
            out = layer(F.relu(x))
            x = x + out if number else F.max_pool2d(out, 2)
        scores: Tensor = self.head(F.relu(x).mean((2, 3)))
        return scores


class SmallViT(nn.Module):
    """A vision transformer of three blocks on images of 16 pixels."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.position = nn.Parameter(0.02 * torch.randn(16, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 3, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each image."""
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        out: Tensor = self.head(self.blocks(tokens).mean(1))
        return out


class DiffusionUNet(nn.Module):
    """A small U-Net in the style of diffusion models, whose last convolution starts at zero; so may its last norm."""

    def __init__(self, gamma: float, width: int = 16) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 2 * width, 3, 2, padding=1))
        self.middle = nn.Sequential(
            nn.GroupNorm(4, 2 * width), nn.SiLU(), nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        )
        self.up = nn.Sequential(nn.GroupNorm(4, 3 * width), nn.SiLU(), nn.Conv2d(3 * width, width, 3, padding=1))
        self.norm = nn.GroupNorm(4, width)
        self.out = nn.Conv2d(width, 4, 3, padding=1)
        nn.init.constant_(self.norm.weight, gamma)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, at each pixel."""
        x = self.enter(x)
        low = self.down(x)
        low = F.interpolate(low + self.middle(low), scale_factor=2.0)
        out: Tensor = self.out(F.silu(self.norm(self.up(torch.cat([x, low], 1)))))
        return out


class PlainSeries(nn.Module):
    """Convolutions over time with batch norm, one after another, each beside a skip or not."""

    def __init__(self, depth: int, scale: float, width: int = 16) -> None:
        super().__init__()
        self.scale = scale
        self.stem = nn.Conv1d(8, width, 3, padding=1)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, width, 3, padding=1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
            for _ in range(depth)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of the classes, for each series."""
        x = self.stem(x)
        for layer in self.layers:
            x = x + self.scale * layer(x) if self.scale else layer(x)
        out: Tensor = self.head(x.mean(2))
        return out


class Binary(nn.Module):
    """The sign of each feature, with its gradient as it is (zero) or passed straight through."""

    def __init__(self, straight_through: bool) -> None:
        super().__init__()
        self.straight_through = straight_through

    def forward(self, x: Tensor) -> Tensor:
        """The signs."""
        if not self.straight_through:
            return x.sign()
        soft = F.hardtanh(x)
        return soft + (x.sign() - soft).detach()


def signs(straight_through: bool) -> nn.Module:
    """A perceptron of four hidden layers, which hand on the signs of their units."""
    layers: list[nn.Module] = []
    for features in (16, 64, 64, 64):
        layers += [nn.Linear(features, 64), Binary(straight_through)]
    return nn.Sequential(*layers, nn.Linear(64, 4))


def _pair(
    sick: Callable[[], nn.Module],
    cured: Callable[[], nn.Module],
    cause: str | tuple[str, ...],
    remedy: str,
    batch: Callable[[int], Batch],
    cured_batch: Callable[[int], Batch] | None = None,
) -> Sick:
    """Join the two networks to their batches: the same one, unless the remedy changes the inputs."""
    return Sick(
        lambda seed: made(seed, sick, batch(seed)),
        cause,
        lambda seed: made(seed, cured, (cured_batch or batch)(seed)),
        remedy,
    )


SICK_FIFTH: dict[str, Sick] = {
    # Measured: hidden features of 1e4, whose cosines between rows are 0.9999; a loss of 3e4.
    "income_among_ratios": _pair(
        lambda: initialised(mlp(4, features=16), he),
        lambda: initialised(mlp(4, features=16), he),
        ("exploding", "collapsed"),
        "Standardise each column.",
        lambda seed: tabular(seed, standardised=False),
        lambda seed: tabular(seed, standardised=True),
    ),
    # Measured: features grow from 1 to 1e5, and gradients from 3e-4 to 2e2.
    "restorer_unscaled": _pair(
        lambda: Restorer(1.0),
        lambda: Restorer(0.1),
        "exploding",
        "Scale each branch by a tenth.",
        levels,
    ),
    # Measured: the first tanh is saturated with the same signs for every image (features' cosine 1), its gradient
    # zero.
    "lenet_on_sixteen_bits": _pair(
        LeNet,
        LeNet,
        ("collapsed", "vanishing"),
        "Standardise the pixels.",
        lambda seed: sixteen_bits(seed, standardised=False),
        lambda seed: sixteen_bits(seed, standardised=True),
    ),
    # Measured: nearly all units saturate alike for every series (15 in 16 vary by less than 1e-3), and earlier steps
    # get no gradient.
    "gru_on_prices": _pair(
        ReadGRU,
        ReadGRU,
        ("collapsed", "vanishing"),
        "Standardise the prices.",
        lambda seed: prices(seed, standardised=False),
        lambda seed: prices(seed, standardised=True),
    ),
    # Measured: the gradient falls by 16 orders of magnitude from the last step to the first; last states have a
    # cosine of 0.99.
    "elman_sigmoid": _pair(
        lambda: Elman(torch.sigmoid, 8, CLASSES),
        lambda: Elman(torch.tanh, 8, CLASSES, orthogonal=True),
        ("vanishing", "collapsed"),
        "Put tanh on the state, and start the recurrent weights as an orthogonal matrix.",
        lambda seed: early(seed, length=20),
    ),
    # Measured: features fall to 1e-24, gradients to zero; cosines also rise, as the biases are zero and the depth 20.
    "films_of_std_0.01": _pair(
        lambda: films(lambda w: nn.init.normal_(w, std=0.01)),
        lambda: films(he),
        "vanishing",
        "Initialise by each layer's number of inputs (kaiming_normal_).",
        clips,
    ),
    # Measured: the gradient falls to 1e-16, while features' cosines between images reach 1.
    "autoencoder_of_sigmoids": _pair(
        lambda: autoencoder(nn.Sigmoid, norm=False),
        lambda: autoencoder(nn.ReLU, norm=True),
        ("vanishing", "collapsed"),
        "Replace the sigmoids by batch norm and rectifiers.",
        levels,
    ),
    "matrices_of_randn": _pair(
        lambda: hand_transformer(1.0),
        lambda: hand_transformer(48**-0.5 / 2),
        "exploding",
        "Divide the matrices by the square root of their number of inputs, and by two for want of norms.",
        sequences,
    ),
    # Measured: the first rectifier passes nothing, so that every feature and every gradient but the head's is zero.
    "decibels_rectified": _pair(
        PreActivation,
        PreActivation,
        ("dead", "collapsed"),
        "Standardise the decibels.",
        lambda seed: decibels(seed, standardised=False),
        lambda seed: decibels(seed, standardised=True),
    ),
    # Measured: every input is zero, and features are the same for all images but not zero.
    "pixels_truncated": _pair(
        SmallViT,
        SmallViT,
        "collapsed",
        "Don't cast pixels between 0 and 1 to whole numbers.",
        lambda seed: dark(seed, truncated=True),
        lambda seed: dark(seed, truncated=False),
    ),
    "elman_without_tanh": _pair(
        lambda: Elman(lambda state: state, 4, 4),
        lambda: Elman(torch.tanh, 4, 4),
        "linear",
        "Put tanh on the state.",
        steps_of_parity,
    ),
    # Measured: no weight gets a gradient, the last bias alone.
    "diffusion_unet_zero_twice": _pair(
        lambda: DiffusionUNet(0.0),
        lambda: DiffusionUNet(1.0),
        "zero by design",
        "Start the last norm's gamma at 1, and only the last convolution at zero.",
        levels,
    ),
    # Measured: inputs' gradients have a cosine of 0 after a change of 0.001 (cured 1); they also grow by 1e4 on their
    # way down.
    "heartbeats_of_60_convolutions": _pair(
        lambda: initialised(PlainSeries(60, 0.0), he),
        lambda: initialised(PlainSeries(60, 0.05), he),
        ("shattered", "exploding"),
        "Give the stack residual connections with scaled branches.",
        heartbeats,
    ),
    # Measured: the gradient of the last step is 6e-4, of the middle one 3e-15, of the first six zero.
    "gru_of_120_steps": _pair(
        lambda: ReadGRU(last=True),
        lambda: ReadGRU(last=False),
        "vanishing",
        "Read the largest output over time, not the last one.",
        lambda seed: early(seed, length=120),
    ),
    # Measured: the gradient is exactly zero in all layers but the head, and the features differ (cosine 0).
    "signs_of_signs": _pair(
        lambda: signs(straight_through=False),
        lambda: signs(straight_through=True),
        ("vanishing", "dead"),
        "Pass the gradient straight through the signs.",
        parity,
    ),
}
