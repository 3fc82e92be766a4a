"""Gradients of a network before it is trained."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ... import structure
from ...sampling import input_gradients
from . import _machine
from ._configuration import Run, Start

SHOWN = 24  # images of a covariance map: its numbers go into a record that stays small


def measure(network: nn.Module, inputs: Tensor, labels: Tensor, run: Run, generator: torch.Generator) -> Start:
    """The measures of :class:`Start` on minibatches drawn at random, without repetition inside one.

    In float64: in float32, rounding alone decorrelates the gradients of a plain network of a hundred layers.
    """
    precise = copy.deepcopy(network).double()
    measures = ("correlation", "effective_rank", "effective_rank_of_directions", "mean_gradient_norm", "cosines")
    found: dict[str, list[float]] = {name: [] for name in measures}
    for batch in range(run.minibatches):
        chosen = torch.randperm(len(inputs), generator=generator)[: run.batch_size].to(inputs.device)
        gradients = input_gradients(precise, inputs[chosen].double(), generator=generator)
        directions = nn.functional.normalize(gradients)
        across, alone = structure.pair_moments(gradients)
        found["correlation"].append((across / alone).item())
        found["effective_rank"].append(structure.effective_rank(gradients).item())
        found["effective_rank_of_directions"].append(structure.effective_rank(directions).item())
        found["mean_gradient_norm"].append(structure.mean_gradient_norm(gradients).item())
        if run.cosines and batch == 0:
            shown = directions[:SHOWN][labels[chosen][:SHOWN].argsort(stable=True)]
            rows, columns = torch.triu_indices(len(shown), len(shown), offset=1)
            found["cosines"] = [round(cosine, 3) for cosine in (shown @ shown.mT)[rows, columns].tolist()]
    where = {"precision": "float64"} | _machine.describe(inputs.device)
    return Start(**{name: tuple(values) for name, values in found.items()}, machine=where)
