"""A file is there whole or not at all, whatever happens to its writer."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shattered_lite import _files

SIZE = 20_000_000  # so that most moments of a writer lie within a write
WRITER = f"""
import itertools, pathlib, runpy, sys
write = runpy.run_path({_files.__file__!r})["write_atomically"]
for number in itertools.count():
    write(pathlib.Path(sys.argv[1]), bytes([number % 256]) * {SIZE})
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    """And what it leaves beside is written over by the next, not heaped up."""
    moments = random.Random(0)
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "state")])
        while not (tmp_path / "state").exists():
            time.sleep(0.01)
        time.sleep(0.1 + 0.2 * moments.random())
        writer.kill()
        writer.wait()
        content = (tmp_path / "state").read_bytes()
        assert content == content[:1] * SIZE
    assert {path.name for path in tmp_path.iterdir()} <= {"state", ".state.new"}
    _files.write_atomically(tmp_path / "state", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert (tmp_path / "state").read_bytes() == b"whole"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux says which file a descriptor is of")
def test_content_reaches_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut would leave at any moment: a name whose content was on the disk when it was given."""
    fsync, replace, events = os.fsync, os.replace, []

    def notes_fsync(descriptor: int) -> None:
        events.append(("on disk", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def notes_replace(old: Path, new: Path) -> None:
        events.append(("content", old.read_bytes()))
        events.append(("named", Path(new)))
        replace(old, new)

    monkeypatch.setattr("os.fsync", notes_fsync)
    monkeypatch.setattr("os.replace", notes_replace)
    path = tmp_path.resolve() / "record"
    _files.write_atomically(path, b"all of it")
    (_, beside), *later = events
    assert beside.parent == path.parent != beside
    assert events[0][0] == "on disk"
    assert later == [("content", b"all of it"), ("named", path), ("on disk", path.parent)]


def test_a_full_disk_is_named_and_changes_nothing(tmp_path: Path) -> None:
    """The disk is full at 1,000 bytes, says the operating system."""
    _files.write_atomically(tmp_path / "state", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"not written: .*: '.*state'"):
            _files.write_atomically(tmp_path / "state", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("state", b"old")]


def test_what_is_set_aside_replaces_nothing(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        (tmp_path / "state.pt").write_bytes(content)
        aside = _files.set_aside(tmp_path / "state.pt")
        assert aside.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.pt.damaged1", "state.pt.damaged2"]
