"""CIFAR-10 is read as its author lays it out, and a file that is not his is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_up_data import ARCHIVE, FILES, FOLDER, NAMES, PACKED, RECORDS, flipped, publish, put, snapshot

from shattered_lite.lab import data, records
from shattered_lite.lab.training import measure_start


def assert_is_what_the_files_hold(split: data.Split, folder: Path, images: range) -> None:
    """Pixel by address: after the label, row i and column j of channel c is byte 1024 c + 32 i + j."""
    content = [np.fromfile(folder / FOLDER / name, np.uint8) for name in NAMES]
    train, test = np.concatenate(content[:5]).reshape(-1, 3073), content[5].reshape(-1, 3073)
    planes = [train[:, 1 + 1024 * channel : 1025 + 1024 * channel] for channel in range(3)]
    mean, std = [plane.mean() for plane in planes], [plane.std() for plane in planes]
    for rows, inputs, labels in [(train, *split[:2]), (test, *split[2:])]:
        assert inputs.shape == (len(rows), 3, 32, 32)
        assert (inputs.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert labels.tolist() == rows[:, 0].tolist()
        for image in set(images) & set(range(len(rows))):
            for channel in range(3):
                pixels = (inputs[image, channel].double().numpy() * std[channel] + mean[channel]).round()
                start = 1 + 1024 * channel
                assert [*pixels.flatten()] == [*rows[image, start : start + 1024]]
    for channel in range(3):
        values = split.train_inputs[:, channel].double()
        assert values.mean().item() == pytest.approx(0, abs=1e-5)
        assert values.var().item() == pytest.approx(1, abs=1e-5)


def test_made_up_files_are_read_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch)
    put(tmp_path, FILES)
    before = snapshot(tmp_path)
    assert_is_what_the_files_hold(data.cifar10(tmp_path), tmp_path, range(RECORDS * 5))
    assert snapshot(tmp_path) == before


def test_the_real_images(cifar10_folder: Path) -> None:
    """As many of each class as published, with the mean and deviation that recipes for CIFAR-10 quote to four digits.

    One test, so that one worker unpacks the files.
    """
    cifar10 = data.cifar10(cifar10_folder)
    assert cifar10.train_labels.bincount().tolist() == 10 * [5_000]
    assert cifar10.test_labels.bincount().tolist() == 10 * [1_000]
    assert_is_what_the_files_hold(cifar10, cifar10_folder, range(0, 50_000, 333))
    files = [np.fromfile(cifar10_folder / FOLDER / name, np.uint8) for name in NAMES[:5]]
    planes = np.concatenate(files).reshape(-1, 3073)[:, 1:].reshape(-1, 3, 1024)
    for channel, (mean, std) in enumerate([(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)]):
        assert planes[:, channel].mean() / 255 == pytest.approx(mean, abs=5e-5)
        assert planes[:, channel].std() / 255 == pytest.approx(std, abs=5e-5)


def test_the_folder_is_the_arguments_or_the_environments_or_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = publish(monkeypatch)
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    for folder in ("cache/shattered_lite", "environment", "argument"):
        put(tmp_path / folder, FILES)
    assert data._published.find(archive)[0].is_relative_to(tmp_path / "cache" / "shattered_lite")
    monkeypatch.setenv("SHATTERED_DATA", str(tmp_path / "environment"))
    assert data._published.find(archive)[0].is_relative_to(tmp_path / "environment")
    assert data._published.find(archive, str(tmp_path / "argument"))[0].is_relative_to(tmp_path / "argument")


WRONG_FILES = {
    "truncated": ({NAMES[1]: FILES[NAMES[1]][:-1]}, NAMES[1], "61,459 bytes, but 61,460 are needed"),
    "too long": ({NAMES[5]: FILES[NAMES[5]] + b"x"}, NAMES[5], "61,461 bytes, but 61,460 are needed"),
    "swapped": ({NAMES[0]: FILES[NAMES[1]], NAMES[1]: FILES[NAMES[0]]}, NAMES[0], "SHA-256 is "),
    "corrupted": ({NAMES[4]: flipped(FILES[NAMES[4]], 40_000)}, NAMES[4], "SHA-256 is "),
}


@pytest.mark.parametrize("wrong", WRONG_FILES)
def test_a_wrong_file_is_named_and_left_to_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong) -> None:
    publish(monkeypatch)
    content, name, fault = WRONG_FILES[wrong]
    put(tmp_path, FILES | content)
    (tmp_path / ARCHIVE).write_bytes(PACKED)
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=re.escape(f"{name}: {fault}") + ".*Delete it and call again"):
        data.cifar10(tmp_path)
    assert snapshot(tmp_path) == before


def test_missing_files_alone_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch)
    put(tmp_path, {name: FILES[name] for name in (NAMES[0], NAMES[5])})
    (tmp_path / ARCHIVE).write_bytes(PACKED)
    before, replace = snapshot(tmp_path), os.replace

    def replace_within_one_disk(old: Path, new: Path) -> None:
        assert Path(old).is_relative_to(tmp_path)
        replace(old, new)

    monkeypatch.setattr("os.replace", replace_within_one_disk)
    assert_is_what_the_files_hold(data.cifar10(tmp_path), tmp_path, range(3))
    after = snapshot(tmp_path)
    assert before.items() <= after.items()
    assert set(after) - set(before) == {f"{FOLDER}/{name}" for name in NAMES[1:5]}


OFFLINE = """
import socket, sys
def refuse(*_): raise SystemExit("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
import shattered_lite.lab.data
"""


def test_importing_it_asks_no_network_and_makes_no_folder(tmp_path: Path) -> None:
    home, matplotlib = tmp_path / "home", tmp_path / "matplotlib"
    home.mkdir()
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "SHATTERED_DATA", "LOCALAPPDATA")}
    environment = os.environ | places | {"MPLCONFIGDIR": str(matplotlib)}
    root = Path(data.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not list(home.iterdir())


def test_a_record_can_be_made_again(cifar10_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheapest of figure 5, from the real images: equal to rounding, and cosines to their three digits."""
    monkeypatch.setenv("SHATTERED_DATA", str(cifar10_folder))
    recorded = [record for record in records.read(records.FOLDER / "figure_5.jsonl") if record.run.depth == 2]
    [old] = [record for record in recorded if record.run.kind == "plain" and record.run.seed == 0]
    new = measure_start(old.run)
    for name in ("correlation", "effective_rank", "effective_rank_of_directions", "mean_gradient_norm"):
        assert getattr(new, name) == pytest.approx(getattr(old.start, name), rel=1e-8), name
    assert new.cosines == pytest.approx(old.start.cosines, abs=1.1e-3)
    assert new.machine["precision"] == old.start.machine["precision"]
