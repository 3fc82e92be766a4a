"""The command line trains, sweeps and reports, and says in one line what it cannot do."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from scipy import stats

from shattered_lite import plots
from shattered_lite.lab import cli, grids, records, sweep, training
from shattered_lite.lab.training import Record, Run, train

TINY = ["--depth", "1", "--width", "8", "--epochs", "2", "--images", "100"]
MACHINE = dict.fromkeys(records.PROVENANCE, "known")


@pytest.fixture(autouse=True)
def settings_of_torch():
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def two_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid that names its second stage when the first is recorded."""

    def grid(found: Sequence[Record]) -> list[Run]:
        first = [Run("plain", 1, width=8, epochs=1, images=50, seed=seed) for seed in range(3)]
        return [*first, dataclasses.replace(first[0], depth=2)] if len(found) >= 3 else first

    monkeypatch.setitem(grids.GRIDS, "stages", grid)
    monkeypatch.setattr(sweep, "local_processes", lambda workers: ThreadPoolExecutor(1))


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]


def same(record: Record) -> tuple:
    """All of a record but time, memory and machine."""
    return record.run, record.losses, record.accuracies, record.start


def test_train_then_report_as_a_user_does(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """In a process of its own: what it records is what the library makes."""
    file = tmp_path / "plain.json"
    command = [sys.executable, "-m", "shattered_lite", "train", "--kind", "plain", *TINY, "--record", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(cli.__file__).parents[3])
    assert done.returncode == 0, done.stderr
    assert cli.main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("| plain | 1 | 1 |") == 1
    assert [left.name for left in tmp_path.iterdir()] == ["plain.json"]
    (record,) = records.read(tmp_path)
    assert same(record) == same(train(Run("plain", 1, width=8, epochs=2, images=100)))


def test_train_prints_the_record(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["train", "--kind", "crelu", "--initializer", "looks_linear", "--no-decay", *TINY]) == 0
    record = records.loads(capsys.readouterr().out)
    assert record.run == Run("crelu", 1, width=8, epochs=2, images=100, initializer="looks_linear")


def test_every_field_is_an_option_that_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # so that no description is broken
    with pytest.raises(SystemExit, match="0"):
        cli.main(["train", "--help"])
    text = capsys.readouterr().out
    for field in dataclasses.fields(Run):
        described = re.search(rf"^  --{field.name.replace('_', '-')}[ ,].*\n? {{2,}}(\w.*)$", text, re.MULTILINE)
        assert described, field.name
        assert len(described[1].split("(default")[0].split()) >= 2, field.name
        assert not re.search(r":\w+:|`|^As in", described[1]), "says it, and does not send elsewhere"
        assert (f"(default: {field.default})" in described[1]) == (field.default is not dataclasses.MISSING)
    assert "examples:\n  python -m shattered_lite train" in text


def test_an_existing_record_is_neither_made_again_nor_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    command = ["train", "--kind", "plain", *TINY, "--record", str(tmp_path / "one.json")]
    assert cli.main(command) == 0
    before = (tmp_path / "one.json").stat()
    assert cli.main(command) == 0
    assert cli.main([*command, "--seed", "1"]) == 2
    assert "holds no record of this run" in capsys.readouterr().err
    assert (tmp_path / "one.json").stat() == before


@pytest.mark.usefixtures("two_stages")
def test_a_sweep_goes_through_its_stages(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["sweep", "stages", "--folder", str(tmp_path / "runs")]) == 0
    found = records.read(tmp_path / "runs")
    assert sorted((record.run.depth, record.run.seed) for record in found) == [(1, 0), (1, 1), (1, 2), (2, 0)]
    for record in found:
        assert same(record) == same(train(record.run))
    (last,) = (record.run for record in found if record.run.depth == 2)
    (tmp_path / "runs" / f"{records.name(last)}.json").unlink()
    capsys.readouterr()
    assert cli.main(["report", str(tmp_path / "runs"), "--grid", "stages"]) == 0
    head, _, *body = rows(capsys.readouterr().out)
    assert head == ["kind", "depth", "runs", "missing", "accuracy", "seconds"]
    assert [row[:4] for row in body] == [["plain", "1", "3", "0"], ["plain", "2", "0", "1"]]


@pytest.mark.usefixtures("two_stages")
def test_a_sweep_without_time_is_unfinished(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["sweep", "stages", "--folder", str(tmp_path), "--minutes", "0"]) == 1
    assert "3 of 3 tasks are left: the time is over." in capsys.readouterr().err


def test_ctrl_c_is_no_error_of_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    def stopped(*_, **__) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stopped)
    assert cli.main(["train", "--kind", "plain", *TINY]) == 130
    assert capsys.readouterr().err == "python -m shattered_lite: Stopped. The same command continues.\n"


def test_the_report_is_a_table_of_means(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    last = {("plain", 10): [0.5, 0.6, 0.8], ("plain", 6): [0.9], ("crelu", 6): []}
    for (kind, depth), accuracies in last.items():
        for seed, accuracy in enumerate(accuracies or [None]):
            epochs = 0 if accuracy is None else 2
            run = Run(kind, depth, epochs=epochs, seed=seed, beta=0.5 if depth == 10 else 1.0)
            shares = () if accuracy is None else (0.1, accuracy)
            record = Record(
                run=run, losses=(1.0,) * epochs, accuracies=shares, seconds=10.0 * (seed + 1) ** 2, machine=MACHINE
            )
            (tmp_path / f"{records.name(run)}.json").write_text(records.dumps(record))
    assert cli.main(["report", str(tmp_path)]) == 0
    low, high = stats.t.interval(0.95, 2, np.mean([0.5, 0.6, 0.8]), stats.sem([0.5, 0.6, 0.8]))
    assert high > 1  # what accuracy cannot be
    assert rows(capsys.readouterr().out) == [
        ["kind", "depth", "beta", "epochs", "runs", "accuracy", "seconds"],
        ["---"] * 7,
        ["crelu", "6", "1.0", "0", "1", "–", "10.0"],
        ["plain", "6", "1.0", "2", "1", "90.0%", "10.0"],
        ["plain", "10", "0.5", "2", "3", f"63.3% ({low:.1%} to 100.0%)", "40.0"],
    ]


def finished(network: grids.Network, depth: int, seed: int, accuracy: float, **settings: object) -> Record:
    run = network.run(depth=depth, width=32, seed=seed, epochs=1, **settings)
    return Record(run=run, losses=(1.0,), accuracies=(accuracy,), seconds=1.0, machine=MACHINE)


def drawn(found: list[Record], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Points of each line of the figure that the report writes: depth, mean, low, high."""
    made = []
    against_depth = plots.against_depth
    monkeypatch.setattr(plots, "against_depth", lambda *given: made.append(against_depth(*given)) or made[-1])
    records.write(found, folder / "runs.jsonl")
    with matplotlib.rc_context():
        assert cli.main(["report", str(folder / "runs.jsonl"), "--plot", str(folder / "curves.svg")]) == 0
    points = {}
    (axes,) = made[0].axes
    for bars in axes.containers:
        line, _, (intervals,) = bars
        ends = np.array([segment[:, 1] for segment in intervals.get_segments()])
        points[bars.get_label()] = np.column_stack([line.get_xdata().round(), line.get_ydata(), ends])
    assert axes.get_ylabel() == "test accuracy"
    assert (folder / "curves.svg").read_text().rstrip().endswith("</svg>")
    return points


def test_the_figure_shows_means_of_tested_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, linear = grids.NETWORKS["plain, batch norm"], grids.NETWORKS["looks linear"]
    values = {6: [0.5, 0.6, 0.7], 50: [0.1, 0.1, 0.4]}
    found = [finished(plain, depth, seed, value) for depth in values for seed, value in enumerate(values[depth])]
    found += [finished(linear, 6, 0, 0.9), finished(linear, 6, 1, 0.9)]
    found += [finished(plain, 6, 0, 0.0, held_out=True), finished(linear, 6, 0, 0.0, held_out=True)]
    points = drawn(found, tmp_path, monkeypatch)
    expected = [
        [depth, np.mean(each), *stats.t.interval(0.95, 2, np.mean(each), stats.sem(each))]
        for depth, each in values.items()
    ]
    expected[1][2] = 0.0  # what accuracy cannot fall below
    assert points.keys() == {"plain, batch norm", "looks linear"}
    np.testing.assert_allclose(points["plain, batch norm"], expected, atol=1e-12)
    np.testing.assert_allclose(points["looks linear"], [[6, 0.9, 0.9, 0.9]], atol=1e-12)


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_figure_is_of_the_format_that_its_name_says_and_the_table_is_printed_too(
    suffix: str, begins: bytes, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    records.write([finished(grids.NETWORKS["plain, batch norm"], 6, 0, 0.5)], tmp_path / "runs.jsonl")
    reports = []
    for more in ([], ["--plot", str(tmp_path / f"curves.{suffix}")]):
        with matplotlib.rc_context():
            assert cli.main(["report", str(tmp_path / "runs.jsonl"), *more]) == 0
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert "| plain | 6 | 1 |" in reports[0]
    assert (tmp_path / f"curves.{suffix}").read_bytes().startswith(begins)


def test_the_figure_names_a_network_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = grids.Network(kind="plain", initializer="orthogonal")
    points = drawn([finished(own, 6, seed, 0.5) for seed in range(2)], tmp_path, monkeypatch)
    assert list(points) == ["kind=plain, batch_norm=False, beta=1.0, initializer=orthogonal"]


def test_the_figure_mixes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    plain = grids.NETWORKS["plain, batch norm"]
    records.write([finished(plain, 6, 0, 0.5), finished(plain, 6, 1, 0.6, patch=2)], tmp_path / "runs.jsonl")
    assert cli.main(["report", str(tmp_path / "runs.jsonl"), "--plot", str(tmp_path / "curves.png")]) == 2
    assert "plot: runs of one network and depth (plain, batch norm, depth 6) differ in patch" in capsys.readouterr().err
    assert not (tmp_path / "curves.png").exists()


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"shattered_lite {metadata.version('shattered-lite')}\n"


@pytest.mark.usefixtures("two_stages")
def test_a_folder_is_folded_into_a_table_that_reports_the_same(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder, table = tmp_path / "runs", tmp_path / "stages.jsonl"
    assert cli.main(["sweep", "stages", "--folder", str(folder)]) == 0
    capsys.readouterr()
    assert cli.main(["fold", str(folder), str(table)]) == 0
    assert capsys.readouterr().out == f"{table} holds 4 records.\n"
    assert records.read(table) == records.read(folder)
    reports = []
    for path in (folder, table):
        assert cli.main(["report", str(path), "--grid", "stages"]) == 0
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1]
    assert reports[0].count("\n") == 4
    before = table.read_bytes()
    assert cli.main(["fold", str(folder), str(tmp_path / "stages.txt")]) == 2
    assert "a name that ends in .jsonl is needed" in capsys.readouterr().err
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["runs", "stages.jsonl"]
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "--kind", "plain", "--depth", "0"], "depth=0: a whole number from 1 to"),
        (["train", "--kind", "plain", *TINY, "--record", "one.pt"], "record='one.pt': a name that ends in .json"),
        (["train", "--kind", "plain", "--depth", "1", "--images", "99999"], "images=99999: "),
        (["train", "--kind", "plain", *TINY, "--beta", "nan"], "beta=nan: a scale is 0 or more, and finite"),
        (["train", "--kind", "plain", *TINY, "--device", "cuda:99", "--record", "one.json"], "device='cuda:99': "),
        (["train", "--kind", "plain", *TINY, "--record", ""], "record='': a name that ends in .json"),
        (["train", "--kind", "plain", *TINY, "--record", "file/one.json"], "file"),
        (["train", "--kind", "plain", *TINY, "--record", "notes.json"], "record='notes.json': holds no record of this"),
        *(
            (
                ["sweep", "stages", "--folder", "runs", "--device", device],
                f"device={device!r}: PyTorch does not find it",
            )
            for device in ("cuda:99", "mps:99", "xla", "", "banana")
        ),
        (["sweep", "stages", "--folder", ""], "folder='': a folder is needed; the current one is ."),
        (["sweep", "stages", "--folder", "file"], "folder='file': a folder is needed, and this is a file"),
        (["sweep", "stages", "--folder", "file/runs"], "Not a directory"),
        (["sweep", "stages", "--folder", "runs", "--workers", "0"], "workers=0: a whole number, 1 or more"),
        (["sweep", "stages", "--folder", "runs", "--minutes", "-1"], "minutes=-1.0: a number, 0 or more"),
        (["sweep", "stages", "--folder", "runs", "--minutes", "nan"], "minutes=nan: a number, 0 or more"),
        (["report", ""], "records='': a folder or a file is needed; the current folder is ."),
        (["report", "file"], "file, line 1: Expecting value"),
        (
            ["report", "runs"],
            "'runs': it does not exist; python -m shattered_lite sweep digits --folder runs makes it",
        ),
        (["report", "runs", "--grid", "stages"], "python -m shattered_lite sweep stages --folder runs makes it"),
        (["report", ".", "--plot", "curves.txt"], "notes.json: "),
        (["report", "empty", "--plot", "curves.txt"], "plot='curves.txt': a name that ends in .png, .svg, .pdf"),
        (["report", "empty", "--plot", "curves.png"], "plot: there is no record of a run that was tested on test"),
        (["fold", "", "runs.jsonl"], "folder='': a folder is needed"),
        (["fold", "runs", "runs.jsonl"], "folder='runs': a folder is needed, and it does not exist"),
        (["fold", "file", "runs.jsonl"], "folder='file': a folder is needed, and this is a file"),
        (["fold", ".", "runs.jsonl"], "notes.json: "),
    ],
)
@pytest.mark.usefixtures("two_stages")
def test_what_cannot_be_is_said_in_a_line(
    command: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    """And nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "notes.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    assert cli.main(command) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    left = {path.name: path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    assert left == {"file": "no folder", "notes.json": "{}", "empty": False}


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff", b"another run's"])
@pytest.mark.usefixtures("two_stages")
def test_a_sweep_sets_aside_what_is_no_record_and_makes_it_again(damaged: bytes, tmp_path: Path) -> None:
    command = ["sweep", "stages", "--folder", str(tmp_path)]
    assert cli.main(command) == 0
    whole = {file.name: records.loads(file.read_text()) for file in tmp_path.iterdir()}
    name, other = sorted(whole)[:2]
    damaged = (tmp_path / other).read_bytes() if damaged == b"another run's" else damaged
    (tmp_path / name).write_bytes(damaged)
    (tmp_path / "notes.json.old").write_text("the user's own")
    with pytest.warns(UserWarning, match=f"{name}: no.* record.*; it is set aside as {name}.damaged1"):
        assert cli.main(command) == 0
    assert (tmp_path / f"{name}.damaged1").read_bytes() == damaged
    found = {f"{records.name(record.run)}.json": record for record in records.read(tmp_path)}
    assert {name: same(record) for name, record in found.items()} == {name: same(whole[name]) for name in whole}
    assert len(list(tmp_path.iterdir())) == len(whole) + 2


@pytest.mark.usefixtures("two_stages")
def test_a_full_disk_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Where a record is written, and where a checkpoint is."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    record = tmp_path / "one.json"
    assert cli.main(["train", "--kind", "plain", *TINY, "--record", str(record)]) == 2
    error = capsys.readouterr().err
    assert error.endswith(f"not written: No space left on device: '{record}'\n")
    assert error.count("\n") == 1
    monkeypatch.setattr(training, "train", partial(training.train, checkpoint_seconds=0))
    assert cli.main(["sweep", "stages", "--folder", str(tmp_path / "runs")]) == 1
    error = capsys.readouterr().err
    assert "3 of 3 tasks failed" in error
    assert "No space left on device" in error
    assert "checkpoint.pt" in error
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


@pytest.mark.parametrize(
    "command",
    [[], ["train"], ["train", "--kind", "resnet", "--depth", "2"], ["sweep", "figure_99", "--folder", "runs"]],
)
def test_a_command_that_is_wrong_is_refused(command: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(command)
    assert "usage: python -m shattered_lite" in capsys.readouterr().err
