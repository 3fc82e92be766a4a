"""The state of a run that is under way, in a file that is whole, and this run's, or is not used."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..._files import set_aside, write_atomically
from ._configuration import Run

DIGEST = hashlib.sha256().digest_size


def save(path: Path, run: Run, device: torch.device, state: dict[str, Any]) -> None:
    """The state and whose it is, then the SHA-256 of both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save({"of": _identity(run, device), "state": state}, buffer)
    buffer.write(hashlib.sha256(buffer.getbuffer()).digest())
    write_atomically(path, buffer.getbuffer())


def resume(path: Path, run: Run, device: torch.device, restore: Callable[[dict[str, Any]], None]) -> bool:
    """Whether a state of this run was there and ``restore`` took it.

    A file that cannot be used is set aside, with a warning, so that it neither stops the run nor is lost.
    """
    if not path.exists():
        return False
    try:
        restore(_read(path.read_bytes(), _identity(run, device)))
    except ValueError as error:
        aside = set_aside(path)
        message = f"checkpoint={path}: {error}; it is set aside as {aside.name}, and the run starts anew"
        warnings.warn(message, stacklevel=3)
        return False
    return True


def _identity(run: Run, device: torch.device) -> dict[str, Any]:
    """What a state belongs to: only there does it continue to the same record, made on the machine that it names."""
    versions = {"shattered_lite": version("shattered_lite"), "torch": str(torch.__version__)}
    return {"run": asdict(run), "device": device.type, **versions}


def _read(content: bytes, identity: dict[str, Any]) -> dict[str, Any]:
    """The state, on the CPU; ``ValueError`` where there is none."""
    payload, digest = content[:-DIGEST], content[-DIGEST:]
    if hashlib.sha256(payload).digest() != digest:
        raise ValueError("damaged, or no checkpoint of this version")
    try:
        saved = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        belongs = bool(saved["of"] == identity)
        state: dict[str, Any] = saved["state"]
    except Exception as error:  # whole, but nothing that `save` wrote: anything may be wrong with it
        raise ValueError(f"no checkpoint ({type(error).__name__})") from error
    if not belongs:
        raise ValueError("belongs to another run, device or version")
    return state
