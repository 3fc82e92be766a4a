"""Diagnose a network that a function of the user makes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from ... import diagnosis


def add_options(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("factory", metavar="MODULE:FUNCTION", help="makes the network, without arguments")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", metavar="SIZES", help="of one input, such as 3,32,32: it gets standard normals")
    what.add_argument("--tokens", metavar="LENGTH,VOCABULARY", help="of one input: it gets whole numbers")
    parser.add_argument("--batch", type=int, default=32, help="how many inputs")
    parser.add_argument("--seed", type=int, default=0, help="of the network's weights, the inputs and the directions")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there too")


def diagnose(options: argparse.Namespace) -> int:
    """Print the diagnosis; 1 if something is wrong with the network."""
    from rich.console import Console

    generator = torch.Generator().manual_seed(options.seed)
    found = diagnosis.diagnose(_network(options), _inputs(options, generator), generator=generator)
    if options.json:
        Path(options.json).write_text(found.to_json() + "\n", encoding="utf-8")
    Console().print(found)
    return 1 if found.findings else 0


def _network(options: argparse.Namespace) -> nn.Module:
    factory = options.factory
    place, _, name = factory.partition(":")
    if not (place and name.isidentifier()):
        raise ValueError(f"factory={factory!r}: a module and a function in it are needed, such as models:resnet")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        made = getattr(importlib.import_module(place), name, None)
    except Exception as error:
        hint = " It is looked for from the folder of this command, and has no .py." * isinstance(error, ImportError)
        raise ValueError(f"factory={factory!r}: {place} cannot be imported: {_said(error)}.{hint}") from error
    if not callable(made):
        raise ValueError(f"factory={factory!r}: {place} has no function {name}")
    torch.manual_seed(options.seed)  # of this process, which ends with the command
    try:
        network = made()
    except Exception as error:
        raise ValueError(f"factory={factory!r}: it raises {_said(error)}") from error
    if not isinstance(network, nn.Module):
        raise ValueError(f"factory={factory!r}: it returns a {type(network).__name__}, but an nn.Module is needed")
    return network


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _inputs(options: argparse.Namespace, generator: torch.Generator) -> Tensor:
    if options.batch < 2:
        raise ValueError(f"batch={options.batch}: 2 or more are needed, since gradients at several inputs are compared")
    if options.input is not None:
        return torch.randn(options.batch, *_sizes("input", options.input), generator=generator)
    length, vocabulary = _sizes("tokens", options.tokens, 2)
    return torch.randint(vocabulary, (options.batch, length), generator=generator)


def _sizes(name: str, text: str, count: int | None = None) -> list[int]:
    parts = text.split(",")
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or (count or len(parts)) != len(parts):
        raise ValueError(
            f"{name}={text!r}: {count or 'some'} positive whole numbers are needed, with commas between them"
        )
    return [int(part) for part in parts]
