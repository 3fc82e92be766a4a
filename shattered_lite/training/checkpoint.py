"""The state of a run that is under way, in a file that is never half written."""

from __future__ import annotations

import os
import pickle
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from .configuration import Run


def save(path: Path, run: Run, state: dict[str, Any]) -> None:
    """Write beside, then rename: whoever reads finds the old state or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    torch.save({"run": asdict(run), **state}, beside)
    beside.replace(path)


def load(path: Path, run: Run, device: torch.device) -> dict[str, Any] | None:
    """The state saved for this run; None, with a warning where there is one that cannot be used."""
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        warnings.warn(f"checkpoint={path}: cannot be read ({type(error).__name__}); the run starts anew", stacklevel=3)
        return None
    if not isinstance(state, dict) or state.get("run") != asdict(run):
        warnings.warn(f"checkpoint={path}: belongs to another run; the run starts anew", stacklevel=3)
        return None
    return state
