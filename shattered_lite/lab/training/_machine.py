"""Where and with what a run is made."""

from __future__ import annotations

import platform
import re
import subprocess
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import torch

SELF = Path("/proc/self")


def find_device(name: str) -> torch.device:
    """The device of that name, seen to compute.

    Parameters
    ----------
    name : str
        As PyTorch names it: ``"cpu"``, ``"cuda"``.

    Returns
    -------
    torch.device
        One that is there.

    Raises
    ------
    ValueError
        If PyTorch does not find it on this machine; the message names those that it finds.

    Examples
    --------
    >>> sl.lab.training.find_device("cpu")
    device(type='cpu')
    """
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError, TypeError) as error:  # as each of PyTorch's back ends has it
        kinds = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        here = ", ".join(repr(kind) for kind, there in kinds.items() if there)
        raise ValueError(f"device={name!r}: PyTorch does not find it on this machine; choose one of {here}") from error
    return device


def describe(device: torch.device) -> dict[str, str]:
    """Device, versions, commit and date of this moment."""
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "torch": str(torch.__version__),  # a class of its own, which a checkpoint must not hold
        "python": platform.python_version(),
        "shattered_lite": version("shattered_lite"),
        "commit": _commit(),
        "date": datetime.now(timezone.utc).date().isoformat(),
    }


def restart_peak_memory(device: torch.device) -> int:
    """Forget earlier peaks; the memory in use now, in bytes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    if (SELF / "clear_refs").exists():
        (SELF / "clear_refs").write_text("5")  # the kernel's word for: the peak starts here
    return _process_memory("VmRSS")


def peak_memory(device: torch.device) -> int:
    """Largest memory in use since the last restart, in bytes; 0 where the system does not say."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _process_memory("VmHWM")


def _process_memory(entry: str) -> int:
    if not (SELF / "status").exists():
        return 0
    found = re.search(rf"{entry}:\s+(\d+) kB", (SELF / "status").read_text())
    return 1024 * int(found[1]) if found else 0


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", described.read_text()) if described.exists() else None
    return f"{model[1] if model else platform.machine()}, {torch.get_num_threads()} thread(s)"


def _commit() -> str:
    """Of the checkout that the package lies in; a package that was installed has a version only."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"
