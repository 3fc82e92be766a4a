"""Cells that train or measure on a reader's GPU: what they do there, on a CPU with made-up photographs."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from chapters import cells

import shattered_lite as sl


def gpu_cell(chapter: str) -> str:
    (source,) = (source for tags, source in cells(chapter) if "gpu" in tags)
    return source


def made_up_photographs() -> sl.lab.data.Split:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(80, 3, 32, 32, generator=generator), torch.arange(80) % 10
    return sl.lab.data.Split(images[:60], labels[:60], images[60:], labels[60:])


def test_networks_of_a_reader_are_drawn_among_the_recorded_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.gcf()))
    recorded = sl.lab.records.read(sl.lab.records.FOLDER / "figure_5.jsonl")
    planned = [replace(run, batch_size=16, minibatches=2, images=None) for run in sl.lab.grids.figure_5()]
    namespace = {"sl": sl, "np": np, "plt": plt, "torch": torch, "replace": replace}
    namespace |= {"planned": planned, "recorded": recorded}
    exec(compile(gpu_cell("real-images"), "real-images.md", "exec"), namespace)
    assert ("No GPU here" in capsys.readouterr().out) == (not torch.cuda.is_available())
    mine = namespace["fresh_networks"]("cpu", made_up_photographs(), depths=(2, 4))
    assert len(mine) == 2 * 4  # kinds
    assert {record.run.seed for record in mine}.isdisjoint(record.run.seed for record in recorded)
    assert all(len(record.start.correlation) == 2 for record in mine)
    before = len(shown[-1].axes[0].collections)
    namespace["draw_beside"](mine)
    assert len(shown) == 2
    assert len(shown[-1].axes[0].collections) == before + len(mine)


def test_a_readers_training_is_printed_beside_the_recorded_one(capsys: pytest.CaptureFixture) -> None:
    names = ("looks linear", "plain, batch norm")
    records = sl.lab.records.read(sl.lab.records.FOLDER / "figure_6.jsonl")
    ended = sl.lab.grids.by_network([record for record in records if not record.run.held_out])
    small = {"width": 4, "depth": 2, "epochs": 1, "batch_size": 20}
    full_ended = {
        (50, name): [replace(record, run=replace(record.run, **small)) for record in ended[50, name]] for name in names
    }
    namespace = {"sl": sl, "torch": torch, "replace": replace, "GRIDS": {"all photographs": full_ended}}
    namespace["accuracy"] = lambda found: np.array([record.accuracies[-1] for record in found])
    exec(compile(gpu_cell("very-deep"), "very-deep.md", "exec"), namespace)
    assert ("No GPU here" in capsys.readouterr().out) == (not torch.cuda.is_available())
    namespace["fresh_training"]("cpu", made_up_photographs())
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(names)
    for line, name in zip(printed, names, strict=True):
        own, recorded = line.removeprefix(f"{name}, 50 layers: ").split("; recorded ")
        assert 0 <= float(own.split()[0]) <= 1
        assert [float(value) for value in recorded.split(", ")] == sorted(
            round(record.accuracies[-1], 3) for record in ended[50, name]
        )
