"""Files that appear whole or not at all, outlast a power cut, and are never thrown away unseen."""

from __future__ import annotations

import itertools
import os
from pathlib import Path


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write beside, then rename: whoever reads finds the old content or the new, wherever this process dies.

    What a killed process leaves beside has one name, so that the next one writes over it. Of one file there may be one
    writer at a time. An ``OSError`` of a full disk names the file, and leaves nothing.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(content)
        put_in_place(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, f"not written: {error.strerror}", str(path)) from error


def put_in_place(beside: Path, path: Path) -> None:
    """Give a whole file its name: its content reaches the disk before the name does, and both before this returns."""
    _synchronise(beside, os.O_RDWR)
    os.replace(beside, path)
    if hasattr(os, "O_DIRECTORY"):  # only POSIX opens folders
        _synchronise(path.parent, os.O_RDONLY)


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used to the first free name ``<name>.damaged<number>``, and return that."""
    places = (path.with_name(f"{path.name}.damaged{number}") for number in itertools.count(1))
    aside = next(place for place in places if not place.exists())
    os.replace(path, aside)
    return aside


def _synchronise(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
