"""The command that diagnoses a network which a function of the user makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shattered_lite.lab import cli

MODELS = """
from torch import nn

def deep():
    return nn.Sequential(*[layer for _ in range(40) for layer in (nn.Linear(16, 16), nn.ReLU())])

def fine():
    return nn.Sequential(nn.Linear(16, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 2))

def words():
    return nn.Sequential(nn.Embedding(30, 8), nn.Flatten(), nn.Linear(40, 2), nn.ReLU(), nn.Linear(2, 2))

def nothing():
    return None

def wants(width):
    return None

number = 3
"""


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "somebodys_models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_sick_network_exits_with_1_and_says_what_to_change(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["diagnose", "somebodys_models:deep", "--input", "16"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("Sequential: ")
    assert "1. " in shown


def test_a_healthy_network_exits_with_0_and_everything_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert (
        cli.main(["diagnose", "somebodys_models:fine", "--input", "16", "--batch", "24", "--json", "found.json"]) == 0
    )
    assert "is healthy" in capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["cause"], found["inputs"]) == ("healthy", 24)


def test_tokens_are_drawn_from_a_vocabulary(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["diagnose", "somebodys_models:words", "--tokens", "5,30"]) == 0
    assert "embedding" in capsys.readouterr().out


def test_the_same_seed_says_the_same(capsys: pytest.CaptureFixture) -> None:
    for seed in ("1", "1", "2"):
        cli.main(["diagnose", "somebodys_models:deep", "--input", "16", "--seed", seed])
    ends = capsys.readouterr().out.split("Sequential: ")[1:]
    assert ends[0] == ends[1] != ends[2]


def test_it_finds_modules_where_it_is_called(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shattered_lite", "diagnose", "somebodys_models:fine", "--input", "16"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["somebodys_models", "--input", "16"], "factory='somebodys_models': a module and a function in it are needed"),
        (["somebodys_models:none", "--input", "16"], "somebodys_models has no function none"),
        (["somebodys_models:number", "--input", "16"], "somebodys_models has no function number"),
        (["somebodys_models:nothing", "--input", "16"], "it returns a NoneType, but an nn.Module is needed"),
        (
            ["nobodys_models:fine", "--input", "16"],
            "cannot be imported: ModuleNotFoundError: No module",
        ),
        (["nobodys_models:fine", "--input", "16"], "looked for from the folder of this command, and has no .py"),
        (["somebodys_models:wants", "--input", "16"], "factory='somebodys_models:wants': it raises TypeError: wants()"),
        (["somebodys_models:fine", "--input", "15"], "inputs: of shape (32, 15), at which the network raises Runtime"),
        (["somebodys_models:fine", "--input", "16,x"], "input='16,x': some positive whole numbers are needed"),
        (["somebodys_models:fine", "--input", "0"], "input='0': some positive whole numbers"),
        (["somebodys_models:fine", "--tokens", "5"], "tokens='5': 2 positive whole numbers are needed"),
        (["somebodys_models:fine", "--input", "16", "--batch", "1"], "batch=1: 2 or more are needed"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(command: list[str], message: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["diagnose", *command]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
